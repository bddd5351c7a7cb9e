"""How far long work is: a bar on a terminal, written over by the next one and gone at the end; nothing elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Final

from zen_agents.cli.call import Call
from zen_agents.cli.terminal_width import terminal_columns
from zen_agents.clock import SystemClock

_LEAST_BAR: Final = 10
#: Nobody reads faster (seconds).
_PAUSE: Final = 0.1


class Progress:
    """One bar. Use as a context: afterwards nothing of it is left."""

    def __init__(self, call: Call) -> None:
        self._is_wanted = sys.stderr.isatty() and not call.arguments.quiet
        self._clock, self._width, self._next_at = SystemClock(), 0, 0.0

    def show(self, words: str, share: float | None = None) -> None:
        """Show words and a share from 0 to 1; None is work of which nobody knows how much there is."""
        now = self._clock.now().steady
        if not self._is_wanted or (now < self._next_at and share != 1.0):
            return
        self._next_at = now + _PAUSE
        room = terminal_columns() - 3  # Ctrl-C is shown behind it as two characters
        if share is None:
            self._write(words[:room])
            return
        told = f" {share:4.0%}  {words}"[:room]
        length = room - len(told) - 2
        self._write(f"[{'#' * int(share * length):{length}}]{told}" if length >= _LEAST_BAR else told)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, error: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if not self._width:
            return
        self._write("")
        if error is KeyboardInterrupt:
            # The terminal shows the key before or after that, and what is said next begins its own line.
            sys.stderr.write("\n")
            sys.stderr.flush()

    def _write(self, text: str) -> None:
        # Over what is there, without what a simple terminal would not understand.
        sys.stderr.write(f"\r{text:{self._width}}\r{text}")
        sys.stderr.flush()
        self._width = len(text)
