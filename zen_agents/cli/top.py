"""A live view: what is wrong, what is being done, what was done last. No key acts on the host.

Examples:
  zen-agents top                                    q ends it, ? says what the keys are
  zen-agents top --every 10s                        for a slow line

Works in 80 columns and 24 lines, and without colour. For scripts: zen-agents status -o json.
"""

from __future__ import annotations

import argparse
import contextlib
import curses
import io
import locale
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NoReturn

from zen_agents.cli.call import Call
from zen_agents.cli.render import colour_wanted, plural
from zen_agents.cli.status import counts, gone, headline, row_of, window_line
from zen_agents.cli.times import seconds_of
from zen_agents.cli.top_screen import HELP, Cursor, Picture, Row, Style, chosen_of, page_lines, screen, shown_rows
from zen_agents.errors import NotRunningError, UsageError, ZenError

OUTPUTS = ("table",)
#: An engine that does not answer within this (seconds) is shown as one that does not.
_ANSWER_WITHIN = 2.0
#: How long a key is waited for before the picture is made anew, if it is time (milliseconds).
_WAIT_MS = 200
_ESCAPE, _ERASE = 27, frozenset({8, 127, curses.KEY_BACKSPACE})
_EVENTS = 200
_MOVES = {ord("j"): 1, curses.KEY_DOWN: 1, ord("k"): -1, curses.KEY_UP: -1}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `top` takes."""
    parser.add_argument("--every", metavar="DURATION", default="2s", help="how often it looks (default 2s)")
    # What `why --not` takes besides: the present.
    parser.set_defaults(at=None)


def run(call: Call) -> int:
    """Show it until the person ends it; the terminal is left as it was, however it ends."""
    every = seconds_of(call.arguments.every)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("top needs a terminal; in a script use: zen-agents status -o json")
    locale.setlocale(locale.LC_ALL, "")
    colour = colour_wanted(call)
    # What other commands print is shown as a page here.
    call.arguments.no_color = True
    # Else the default ends the process where it stands, and the terminal keeps no echo.
    before = signal.signal(signal.SIGTERM, _ended)
    try:
        curses.wrapper(lambda window: _View(call, window, max(0.5, every), colour=colour).loop())
    except curses.error as error:
        raise UsageError(f"this terminal cannot show it ({error}); use: zen-agents status") from None
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def _ended(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)


class _View:
    """The terminal, and where the person is."""

    def __init__(self, call: Call, window: curses.window, every_seconds: float, *, colour: bool) -> None:
        self._call, self._window, self._every = call, window, every_seconds
        self._cursor, self._over = Cursor(), False
        self._styles = _styles(colour=colour)
        self._picture, self._looked_at = picture_of(call), time.monotonic()

    def loop(self) -> None:
        with contextlib.suppress(curses.error):
            curses.curs_set(0)
        self._window.timeout(_WAIT_MS)
        # Else nothing is drawn while keys wait.
        curses.typeahead(-1)
        while not self._over:
            if time.monotonic() - self._looked_at >= self._every:
                self._picture, self._looked_at = picture_of(self._call), time.monotonic()
            self._draw()
            key = self._window.getch()
            if key == curses.KEY_RESIZE:
                self._window.clear()
            elif key != -1:
                self._pressed(key)

    def _draw(self) -> None:
        height, width = self._window.getmaxyx()
        encoding = sys.stdout.encoding or "ascii"
        self._window.erase()
        for index, line in enumerate(screen(self._picture, self._cursor, width, height)):
            text = line.text.encode(encoding, "replace").decode(encoding)
            text = text.ljust(width) if line.style is Style.CHOSEN else text
            # The last cell of a screen cannot be written without an error; the rest of the line is there.
            with contextlib.suppress(curses.error):
                self._window.addnstr(index, 0, text, width, self._styles[line.style])
        self._window.refresh()

    def _pressed(self, key: int) -> None:
        if self._cursor.typing:
            self._cursor = _typed(self._cursor, key)
        elif self._cursor.page:
            self._turned(key)
        elif key in (ord("q"), _ESCAPE):
            self._over = True
        else:
            self._chosen(key)

    def _turned(self, key: int) -> None:
        height, width = self._window.getmaxyx()
        steps = {**_MOVES, ord(" "): height - 2, curses.KEY_NPAGE: height - 2, curses.KEY_PPAGE: 2 - height}
        if key in (ord("q"), _ESCAPE):
            self._cursor = replace(self._cursor, page=(), turned=0)
        elif key in steps:
            last = max(0, len(page_lines(self._cursor, width)) - height + 1)
            self._cursor = replace(self._cursor, turned=max(0, min(last, self._cursor.turned + steps[key])))

    def _chosen(self, key: int) -> None:
        rows, cursor = shown_rows(self._picture, self._cursor), self._cursor
        chosen, last = chosen_of(rows, cursor), max(0, len(rows) - 1)
        if key in _MOVES and rows:
            self._cursor = replace(cursor, chosen=rows[max(0, min(last, chosen + _MOVES[key]))].name)
        elif key in (ord("w"), ord("\n"), curses.KEY_ENTER) and rows:
            self._cursor = replace(cursor, page=why_page(self._call, rows[chosen]))
        elif key == ord("l"):
            self._cursor = replace(cursor, page=log_page(self._call))
        elif key == ord("?"):
            self._cursor = replace(cursor, page=HELP)
        elif key == ord("/"):
            self._cursor = replace(cursor, typing=True, filter="")


def _typed(cursor: Cursor, key: int) -> Cursor:
    if key in (ord("\n"), curses.KEY_ENTER, _ESCAPE):
        return replace(cursor, typing=False)
    if key in _ERASE:
        return replace(cursor, filter=cursor.filter[:-1])
    return replace(cursor, filter=cursor.filter + chr(key)) if 32 <= key < 127 else cursor


def _styles(*, colour: bool) -> Mapping[Style, int]:
    styles = {
        Style.PLAIN: curses.A_NORMAL, Style.HEAD: curses.A_BOLD, Style.BAD: curses.A_BOLD, Style.CHOSEN: curses.A_REVERSE,
    }  # fmt: skip
    if colour and curses.has_colors():
        curses.use_default_colors()
        curses.init_pair(1, curses.COLOR_RED, -1)
        styles[Style.BAD] = curses.A_BOLD | curses.color_pair(1)
    return styles


# -- what is shown ----------------------------------------------------------------------------------------------------
def picture_of(call: Call) -> Picture:
    """Return what is known now: of the running engine, else what the state still tells."""
    actions = _lines_of(call)
    try:
        status = call.ask("status", timeout_seconds=_ANSWER_WITHIN)
    except NotRunningError:
        return _last_seen(call, gone(call), actions)
    except ZenError as error:
        return _last_seen(call, str(error), actions)
    short = len({each["check"].partition(".")[0] for each in status["checks"]}) == 1
    rows = tuple(_row(each, short=short) for each in status["checks"])
    held = (*status["abnormal"], *(window_line(call, window) for window in status["windows"]))
    return Picture(held, "  ".join(headline(call, status)), tuple(counts(status)), rows, actions)


def _last_seen(call: Call, why: str, actions: tuple[str, ...]) -> Picture:
    """Return what was bad when an engine last looked: nobody knows how it is now."""
    from zen_agents.adapters.state_glance import glance  # noqa: PLC0415  nothing of it while an engine answers

    try:
        seen = glance(call.state_file())
    except ZenError as error:
        return Picture((why, str(error)), "", (), (), actions)
    rows = tuple(
        Row(each.rule.partition(".")[2], "was bad", call.clock(each.began), each.detail, each.id, each.rule, "-")
        for each in seen.incidents
    )
    return Picture((why,), "", (f"{plural(len(rows), 'incident')} open when it was last seen",), rows, actions)


def _row(row: Mapping[str, Any], *, short: bool) -> Row:
    name, state, since, value, action = (str(cell) for cell in row_of(row, short=short))
    return Row(name, state, since, value, row["incident"] or "", row["check"], action)


def _lines_of(call: Call) -> tuple[str, ...]:
    try:
        store = call.store()
    except ZenError:
        return ()
    try:
        rows = store.actions(limit=4)
    except ZenError as error:
        return (str(error),)
    finally:
        store.close()
    return tuple(
        f"{row.id}  {call.clock(row.reserved_at.wall)}  {row.action} {row.target} -> {row.kind.value}" for row in rows
    )


def why_page(call: Call, row: Row) -> tuple[str, ...]:
    """Return what `why` says of a check: the chain of its incident, or why nothing is done."""
    from zen_agents.cli.why import explain_incident  # noqa: PLC0415  only if asked for
    from zen_agents.cli.why_not import why_not  # noqa: PLC0415

    # What only began is not kept yet.
    if row.incident and call.store().find_ids(row.incident):
        return _printed(lambda: explain_incident(call, call.store(), row.incident))
    return _printed(lambda: why_not(call, call.store(), row.check))


def log_page(call: Call) -> tuple[str, ...]:
    """Return what happened last, newest first."""
    from zen_agents.cli.events import show  # noqa: PLC0415  only if asked for

    def print_all() -> None:
        for entry in call.store().entries(limit=_EVENTS, newest_first=True):
            show(call, entry)

    return _printed(print_all)


def _printed(command: Callable[[], object]) -> tuple[str, ...]:
    """Return what a command prints, or why it cannot."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            command()
    except ZenError as error:
        return (str(error),)
    return tuple(out.getvalue().splitlines()) or ("nothing is known of it",)
