"""Colour only where it is wanted; the word is always there."""

import io

import pytest

from tests.support.command_line import a_call
from zen_agents.cli.render import colour_wanted, say


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("environ", "flags", "terminal", "wanted"),
    [
        ({}, (), True, True),
        ({}, (), False, False),
        ({"NO_COLOR": "1"}, (), True, False),
        ({"NO_COLOR": ""}, (), True, True),
        ({"TERM": "dumb"}, (), True, False),
        ({"FORCE_COLOR": "1"}, (), False, True),
        ({"CLICOLOR_FORCE": "1"}, (), False, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, (), False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), True, False),
        ({"FORCE_COLOR": "1"}, ("--no-color",), True, False),
    ],
)
def test_who_decides_about_colour(
    environ: dict[str, str], flags: tuple[str, ...], terminal: bool, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", Stream(terminal))
    assert colour_wanted(a_call(*flags)) is wanted


def test_a_word_is_painted_once_and_untrusted_colour_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    say(a_call(), "guard DENY  because \x1b[5mDENY", paint="DENY")
    out = capsys.readouterr().out
    assert out.count("\x1b[") == 2
    assert "\x1b[5m" not in out
