"""What is wrong with a configuration, as data; `rendering` makes it readable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from enum import StrEnum

from zen_agents.dataclass import dataclass
from zen_agents.settings.nodes import Document, Entry, Node, Place

#: What a diagnostic can be about.
Where = Node | Entry | Place | Document

#: The same thing found twice is found again soon; looking through all would be quadratic in a file full of mistakes.
_LOOK_BACK = 200


class Level(StrEnum):
    """Whether it stops the configuration from being used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing wrong. Its text may quote the file, which is untrusted: renderers escape control characters."""

    #: Stable, explained by `zen-agents explain CODE`.
    code: str
    level: Level
    message: str
    place: Place
    #: What stands under the caret: the correction, if one can be told.
    label: str = ""
    note: str = ""
    help: str = ""
    #: The whole replacement for what is marked, for editors; "" if unknown.
    replacement: str = ""

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        """By document, line and column; those without a line first."""
        return (self.place.document.name, self.place.line, self.place.column, self.code)


@dataclass(slots=True)
class Report:
    """Collects everything that is wrong, so that all of it is told at once."""

    found: list[Diagnostic] = field(default_factory=list)

    def error(
        self, code: str, message: str, at: Where, *, label: str = "", note: str = "", help: str = "",
        replacement: str = "",
    ) -> None:  # fmt: skip
        """Note an error."""
        self._add(Diagnostic(code, Level.ERROR, message, _place(at), label, note, help, replacement))

    def warning(
        self, code: str, message: str, at: Where, *, label: str = "", note: str = "", help: str = "",
        replacement: str = "",
    ) -> None:  # fmt: skip
        """Note a warning."""
        self._add(Diagnostic(code, Level.WARNING, message, _place(at), label, note, help, replacement))

    def _add(self, diagnostic: Diagnostic) -> None:
        key = (diagnostic.code, diagnostic.place, diagnostic.message)
        if all((known.code, known.place, known.message) != key for known in self.found[-_LOOK_BACK:]):
            self.found.append(diagnostic)

    def drop(self, code: str, *, at: Node | None = None, words: str = "") -> None:
        """Forget what is told better elsewhere: a code's diagnostics at this place, or with these words."""
        self.found = [
            each
            for each in self.found
            if each.code != code or not ((at is not None and each.place == at.place) or (words and words in each.message))
        ]

    @property
    def failed(self) -> bool:
        """True if anything found is an error."""
        return any(diagnostic.level is Level.ERROR for diagnostic in self.found)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Return all, in the order in which they stand in the files."""
        return tuple(sorted(self.found, key=lambda diagnostic: diagnostic.sort_key))


def count(diagnostics: Iterable[Diagnostic], level: Level) -> int:
    """Return how many of them are of this level."""
    return sum(1 for diagnostic in diagnostics if diagnostic.level is level)


def _place(at: Where) -> Place:
    if isinstance(at, Document):
        return Place(at)
    return at if isinstance(at, Place) else at.place
