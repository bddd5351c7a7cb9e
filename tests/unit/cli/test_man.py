"""The manual says what --help says, and no text in it is taken for a request of the formatter."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.command_line import command
from zen_agents.cli import roff
from zen_agents.cli.grammar import grammar
from zen_agents.cli.main import COMMANDS
from zen_agents.settings.every_key import every_key

#: What is written in a page, and what a reader sees.
_ESCAPES = {
    "\\-": "-", "\\&": "", "\\(aq": "'", "\\(ti": "~", "\\(ha": "^", "\\(ga": "`", "\\fB": "", "\\fR": "", "\\e": "\\",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("man")
    assert command("man", "--to", str(made)).code == 0
    return made


def as_read(page: str) -> str:
    """Return a page's text as a reader sees it, as far as escapes go."""
    for written, meant in _ESCAPES.items():
        page = page.replace(written, meant)
    return page


def test_every_command_has_a_page_with_all_its_flags_and_examples(folder: Path) -> None:
    assert {path.name for path in folder.rglob("*.?")} == {
        "zen-agents.1", "zen-agents-config.5", *(f"zen-agents-{name}.1" for name in COMMANDS),
    }  # fmt: skip
    overview = as_read((folder / "man1" / "zen-agents.1").read_text())
    for name, each in grammar().items():
        page = as_read((folder / "man1" / f"zen-agents-{name}.1").read_text())
        assert all(", ".join(flag.words) in page for flag in each.flags)
        assert each.about.partition("Examples:\n")[2].splitlines()[0].strip() in page
        assert f"zen-agents {name}\n{each.summary}" in overview


def test_every_key_of_the_configuration_is_in_its_section(folder: Path) -> None:
    page = as_read((folder / "man5" / "zen-agents-config.5").read_text())
    assert [key.shown for key in every_key() if f".TP\n{key.shown}\n" not in page] == []


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]) | st.just("\n"), max_size=60))
def test_no_text_becomes_a_request(text: str) -> None:
    written = roff.escaped(text)
    assert not any(line.startswith((".", "'")) for line in written.split("\n"))
    assert "\\" not in written.replace("\\e", "").replace("\\-", "").replace("\\&", "").replace("\\(", "")


@pytest.mark.skipif(shutil.which("man") is None or shutil.which("groff") is None, reason="man or groff is not installed")
def test_man_formats_every_page_without_a_warning(folder: Path) -> None:
    files = [str(path) for path in sorted(folder.rglob("*.?"))]
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-K", "utf8", *files], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    assert "zen-agents why" in done.stdout


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_mandoc_finds_nothing_but_the_missing_date(folder: Path) -> None:
    files = [str(path) for path in sorted(folder.rglob("*.?"))]
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", *files], capture_output=True, text=True, timeout=60, check=False
    )
    told = [line for line in done.stdout.splitlines() if "missing date" not in line]
    assert (told, len(done.stdout.splitlines())) == ([], len(files))


@pytest.mark.parametrize("words", [("wyh",), ("why", "--to", "/tmp/x")])
def test_what_is_not_understood_is_told(words: tuple[str, ...]) -> None:
    done = command("man", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    ("wanted", "heading"), [("config", "CONFIG 1"), ("config.5", "CONFIG 5"), ("zen-agents-why", "WHY 1")]
)
def test_a_page_is_found_by_the_name_of_its_command(wanted: str, heading: str) -> None:
    assert heading.replace("-", "\\-") in command("man", wanted).out.splitlines()[0]
