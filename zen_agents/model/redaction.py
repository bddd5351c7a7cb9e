"""What `redact:` leaves out of everything that is kept or shown; the one place that does so.

Text goes through it where it comes in (what checks saw) and at each door by which it leaves: the state, the log, messages
and the control socket. What the engine itself needs again, to undo or to carry out what was approved, stays in the state as
it is, named as withheld, and is shown to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from zen_agents.model.pattern import compiled

if TYPE_CHECKING:
    # Whoever only looks at a state has it redacted by this, and needs none of these.
    from zen_agents.model.action import Effect
    from zen_agents.model.message import Message
    from zen_agents.model.observation import Observation

MARK = "[redacted]"
#: Under this name a record says which of its values are as they were.
_WITHHELD = "withheld"


class Redaction:
    """Replaces whatever a pattern matches; without patterns it hands back what it was given."""

    __slots__ = ("_patterns",)

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self.use(patterns)

    def use(self, patterns: Sequence[str]) -> None:
        """Leave out what these match from now on."""
        self._patterns = tuple(compiled(pattern) for pattern in patterns)

    def text(self, text: str) -> str:
        """Return a text without what is left out."""
        for pattern in self._patterns:
            text = pattern.replaced(text, MARK)
        return text

    def value(self, value: Any) -> Any:
        """Return plain JSON with every text in it redacted; names stay, they are our own."""
        if not self._patterns:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.value(each) for name, each in value.items()}
        if isinstance(value, tuple):
            return tuple(map(self.value, value))
        return [self.value(each) for each in value] if isinstance(value, list) else value

    def record(self, body: Mapping[str, Any], *, needed: Iterable[str], ours: Iterable[str] = ()) -> Mapping[str, Any]:
        """Return a record for the state: `needed` again as they are, so that `shown` withholds them; `ours` hold no text."""
        if not self._patterns:
            return body
        clean = self.value(body)
        as_they_are = {name: body[name] for name in needed if name in body and clean[name] != body[name]}
        own = {name: body[name] for name in ours if name in body}
        return {**clean, **own, **as_they_are, **({_WITHHELD: sorted(as_they_are)} if as_they_are else {})}

    def effect(self, effect: Effect) -> Effect:
        """Return what an action said of itself, redacted; what its inverse needs stays."""
        if not self._patterns:
            return effect
        return replace(
            effect, detail=self.text(effect.detail), before=self.text(effect.before), after=self.text(effect.after),
            output=self.text(effect.output),
        )  # fmt: skip

    def observations(self, seen: list[Observation]) -> list[Observation]:
        """Return what checks saw, redacted: all that is made of it later is so too. What it is known again by stays."""
        if not self._patterns:
            return seen
        return [each._replace(detail=self.text(each.detail), facts=self.value(each.facts)) for each in seen]

    def message(self, message: Message) -> Message:
        """Return what people are told, redacted; what it is known by stays."""
        if not self._patterns:
            return message
        return replace(message, summary=self.text(message.summary), facts=self.value(message.facts))


def shown(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of the state as people see it: without what `Redaction.record` kept as it is."""
    withheld = record.get(_WITHHELD, ())
    return {name: MARK if name in withheld else value for name, value in record.items() if name != _WITHHELD}
