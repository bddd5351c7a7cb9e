"""Expressions that people write: none holds whoever searches, they find what `re` finds, the rest is refused in place."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.model.pattern import PatternError, compiled

#: Each further character doubles what an engine that backtracks tries.
LONG = "a" * 50_000 + "b"


@pytest.mark.parametrize("expression", [r"^(a+)+$", r"^(a|a)*$", r"^(a|aa)+$", r"(.*)*(.*)*(.*)*c", r"^(?:a?){60}a{60}$"])
def test_what_would_backtrack_without_end_comes_to_an_end(expression: str) -> None:
    assert compiled(expression).search(LONG) is None


@given(st.from_regex(r"\A\^?[a-cA _@.-]{0,4}\$?\Z"), st.text("abcA _@.-\n", max_size=8))
def test_plain_characters_are_found_as_re2_finds_them_without_it(expression: str, text: str) -> None:
    plain, linear = compiled(expression).search(text), compiled(f"(?:{expression})").search(text)
    assert (plain and plain.start()) == (linear and linear.start())


@given(st.from_regex(r"\A(?:[ab.]|\(a\|b\)|[ab]\*|[ab]\+|\[ab\]){0,5}\Z"), st.text("abcé\n", max_size=8))
def test_it_finds_and_replaces_what_python_does(expression: str, text: str) -> None:
    expected = re.search(expression, text)
    found = compiled(f"({expression})").search(text)
    assert (found and (found.start(), found.end())) == (expected and expected.span())


def test_what_is_no_character_ends_no_match_and_is_kept_where_nothing_matched() -> None:
    name = b"token=a\xffb /srv/\xff".decode("utf-8", "surrogateescape")
    assert compiled(r"token=\S+").replaced(name, "[redacted]") == "[redacted] /srv/\ufffd"
    assert compiled(r"secret=\S+").replaced(name, "[redacted]") is name


@pytest.mark.parametrize(
    ("expression", "offset", "said"),
    [
        ("ab(?=c)", 2, "`(?=` is not supported"),
        (r"(a)\1", 3, "`\\1` is not supported"),
        ("a+b*+c", 3, "`*+` is not supported"),
        (r"secret\Z", 6, "write \\z"),
        (r"(\d{,3})", 3, "write 0 before the comma"),
        (r"(?:\pL{0,99}){9}", 0, "too large"),
        (r"(?:.{1,200}){1,9}", 12, "too large"),
        ("a(b", 1, "missing )"),
        ("\ud800", 0, "surrogates"),
    ],
)
def test_what_cannot_be_searched_for_in_time_is_refused_with_its_place(expression: str, offset: int, said: str) -> None:
    with pytest.raises(PatternError) as refused:
        compiled(expression)
    assert said in str(refused.value)
    assert refused.value.offset == offset


@pytest.mark.parametrize("expression", ["^nginx$", "/etc/cron.hourly", r"^redis\.conf$"])
def test_plain_names_load_nothing(expression: str) -> None:
    code = "import sys; from zen_agents.model.pattern import compiled; compiled(sys.argv[1]); print('re2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, expression], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_without_re2_what_could_backtrack_is_refused_and_plain_characters_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    compiled.cache_clear()
    with pytest.raises(PatternError, match="pip install google-re2"):
        compiled("(a+)+$")
    assert compiled("^nginx$").search("nginx") is not None
