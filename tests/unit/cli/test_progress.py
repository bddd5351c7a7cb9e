"""The bar of long work: it ends without a trace, and what is said after Ctrl-C begins a line of its own."""

from __future__ import annotations

import io
from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import pytest

from zen_agents.cli import progress


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of forty columns."""
    found = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=found))
    monkeypatch.setenv("COLUMNS", "40")
    return found


def bar(**given: Any) -> progress.Progress:
    call: Any = SimpleNamespace(arguments=Namespace(**{"quiet": False, **given}))
    return progress.Progress(call)


def test_nothing_of_it_is_left_and_a_key_that_is_shown_behind_it_has_room(terminal: Terminal) -> None:
    with bar() as shown:
        shown.show("orders: all rows", 1.0)
    written = terminal.getvalue().split("\r")
    assert len(written[2]) < 40 - len("^C") and written[2].endswith("] 100%  orders: all rows")
    assert not written[-1] and "\n" not in terminal.getvalue()


def test_what_is_said_after_ctrl_c_begins_a_line(terminal: Terminal) -> None:
    with pytest.raises(KeyboardInterrupt), bar() as shown:
        shown.show("orders: all rows", 1.0)
        raise KeyboardInterrupt
    assert terminal.getvalue().endswith("\n")


def test_who_wants_quiet_sees_none(terminal: Terminal) -> None:
    with pytest.raises(KeyboardInterrupt), bar(quiet=True) as shown:
        shown.show("orders: all rows", 1.0)
        raise KeyboardInterrupt
    assert not terminal.getvalue()
