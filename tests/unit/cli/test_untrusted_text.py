"""No text from outside ever drives a terminal (R17)."""

import contextlib
import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.command_line import HOSTILE, a_call
from zen_agents.cli.render import clean, flow, say, table

#: Everything that is not text: controls, formats (also right-to-left overrides), surrogates.
_DRIVES = {"Cc", "Cf", "Cs"}


class Terminal(io.StringIO):
    """A terminal's standard output."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def shown(put: object, *, columns: str, monkeypatch: pytest.MonkeyPatch | None = None) -> str:
    out = Terminal()
    with contextlib.redirect_stdout(out), pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", columns)
        patch.setenv("NO_COLOR", "1")
        put()  # type: ignore[operator]
    return out.getvalue()


def drives(text: str) -> set[str]:
    return {character for character in text if unicodedata.category(character) in _DRIVES and character != "\n"}


@given(st.text())
def test_nothing_that_a_terminal_obeys_passes(text: str) -> None:
    assert not drives(clean(text))
    assert "\n" not in clean(text)
    assert len(clean(text)) == len(text)


@given(st.text(alphabet=st.characters(max_codepoint=0x2FF)), st.integers(0, 12), st.integers(20, 200))
def test_a_line_is_broken_but_never_driven(text: str, indent: int, columns: int) -> None:
    printed = shown(lambda: say(a_call(), text, indent=indent, hang=4), columns=str(columns))
    assert not drives(printed)
    assert all(line == "" or line.startswith(" " * indent) for line in printed.splitlines())


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), max_size=4), st.integers(10, 120))
def test_a_table_has_one_line_a_row_whatever_is_in_it(rows: list[tuple[str, str]], columns: int) -> None:
    printed = shown(lambda: table(a_call(), ("ID", "WHY"), rows), columns=str(columns))
    assert not drives(printed)
    assert printed.count("\n") == len(rows) + 1


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
def test_parts_on_a_line_never_drive_it(parts: list[str]) -> None:
    assert not drives(shown(lambda: flow(a_call(), parts, " | "), columns="40"))


def test_words_are_kept() -> None:
    assert clean("naïve café → ok") == "naïve café → ok"
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", clean(HOSTILE))


def test_a_table_fits_its_terminal_and_keeps_ids_whole() -> None:
    rows = [("act-aaaa11", "service:web", "restart_service", "because " * 20)]
    heads = ("ID", "TARGET", "ACTION", "WHY")
    printed = shown(lambda: table(a_call(), heads, rows), columns="60")
    assert max(map(len, printed.splitlines())) <= 60
    assert "act-aaaa11" in printed
    assert "\N{HORIZONTAL ELLIPSIS}" in printed


def test_a_narrow_terminal_gets_fewer_columns_and_wide_output_all_of_everything() -> None:
    rows = [("inc-aaaa11", "error", "x" * 50)]
    heads = ("ID", "SEVERITY", "DETAIL")
    narrow = shown(lambda: table(a_call(), heads, rows, spare=("SEVERITY",)), columns="30")
    assert "SEVERITY" not in narrow
    wide = shown(lambda: table(a_call("-o", "wide"), heads, rows, spare=("SEVERITY",)), columns="30")
    assert "SEVERITY" in wide
    assert "x" * 50 in wide


def test_a_terminal_that_does_not_know_the_mark_gets_another() -> None:
    out = Terminal()
    out.encoding = "latin-1"  # type: ignore[misc]
    with contextlib.redirect_stdout(out), pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "20")
        table(a_call(), ("ID", "WHY"), [("inc-1", "y" * 40)])
    assert "~" in out.getvalue()
    assert out.getvalue().isascii()
