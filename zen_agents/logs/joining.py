"""Lines that belong together: tracebacks of Python, Java and Go, and whatever is indented below its first line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from zen_agents.logs.lines import LONGEST_LINE

#: An entry has at most so many lines and characters; what comes beyond begins an entry of its own.
MOST_LINES, MOST_CHARACTERS = 500, LONGEST_LINE

_INDENTED = (" ", "\t")
_PYTHON = "Traceback (most recent call last):"
_BETWEEN = ("During handling of the above exception,", "The above exception was the direct cause of")
_JAVA = re.compile(r"(?:Exception in thread |[A-Za-z_$][\w$]*(?:\.[\w$]+)+(?:Exception|Error|Throwable)\b(?::|$))")
_JAVA_GOES_ON = ("Caused by: ", "Suppressed: ")
_GO = ("panic: ", "fatal error: ", "goroutine ", "http: panic serving ")
_GO_GOES_ON = re.compile(r"goroutine \d+ |\[signal |created by |exit status \d|panic: |[\w./*()\-]+\(.*\)$|\[recovered\]")
#: A traceback belongs to the line above it if that one tells of a failure.
_TELLS_OF_ONE = re.compile(r"\b(?:ERROR|CRITICAL|FATAL|SEVERE|ERR|Exception|exception|error|failed|panic)\b")


class Joiner:
    """Joins lines to entries as they come. One for each stream; keeps one entry at most."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._characters = 0
        #: What the entry is so far: "", `python` (its frames), `raised` (the exception was named), `go`.
        self._stage = ""

    def feed(self, line: str) -> str | None:
        """Take the next line; return the entry before it if that has ended with it."""
        if self.takes(line):
            return None
        entry = self.end()
        self._stage = _stage_of(line)
        self._take(line)
        return entry

    def takes(self, line: str) -> bool:
        """Add the next line to the entry that is open if it belongs to that; else nothing changes."""
        goes_on = bool(self._lines) and self._room_for(line) and self._goes_on(line)
        if goes_on:
            self._take(line)
        return goes_on

    @property
    def text(self) -> str:
        """The entry that is open, "" if there is none."""
        return "\n".join(self._lines).rstrip("\n")

    @property
    def lines(self) -> int:
        """How many lines the entry has that is open."""
        return len(self._lines)

    def end(self) -> str | None:
        """Return the entry that is open, if one is: nothing came after it for a while, or the stream has ended."""
        entry = self.text if self._lines else None
        self._lines, self._characters, self._stage = [], 0, ""
        return entry

    def saved(self) -> dict[str, Any]:
        """Return the open entry as plain JSON."""
        return {"lines": list(self._lines), "stage": self._stage}

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> Joiner:
        """Return a joiner that goes on from there; from the beginning if it is not what `saved` gave."""
        joiner = cls()
        lines, stage = saved.get("lines"), saved.get("stage")
        if isinstance(lines, list) and all(isinstance(line, str) for line in lines) and isinstance(stage, str):
            for line in lines[:MOST_LINES]:
                joiner._take(line[:MOST_CHARACTERS])
            joiner._stage = stage if joiner._lines else ""
        return joiner

    def _take(self, line: str) -> None:
        self._lines.append(line)
        self._characters += len(line) + 1

    def _room_for(self, line: str) -> bool:
        return len(self._lines) < MOST_LINES and self._characters + len(line) < MOST_CHARACTERS

    def _goes_on(self, line: str) -> bool:
        if line[:1] in _INDENTED:
            # Where everything is indented, nothing is below something else.
            return self._lines[0][:1] not in _INDENTED
        if line.startswith(_JAVA_GOES_ON):
            return True
        if stage := _stage_of(line):
            above = self._lines[-1]
            if stage == self._stage == "go" or (stage == "python" and self._is_between(above)):
                self._stage = stage
                return True
            joins = not self._stage and len(self._lines) == 1 and _TELLS_OF_ONE.search(above) is not None
            self._stage = stage if joins else self._stage
            return joins
        return self._goes_on_in_stage(line)

    def _goes_on_in_stage(self, line: str) -> bool:
        if self._stage == "python" and line:
            # The first line that is not indented names the exception.
            self._stage = "raised"
            return True
        if self._stage == "raised":
            return not line or line.startswith(_BETWEEN)
        return self._stage == "go" and (not line or _GO_GOES_ON.match(line) is not None)

    def _is_between(self, above: str) -> bool:
        texts = [line for line in (above, *self._lines[-2:]) if line]
        return self._stage == "raised" and any(line.startswith(_BETWEEN) for line in texts)


def _stage_of(line: str) -> str:
    """Return what a line begins, "" for an ordinary one."""
    if line.startswith(_PYTHON):
        return "python"
    if line.startswith(_GO):
        return "go"
    return "java" if _JAVA.match(line) else ""
