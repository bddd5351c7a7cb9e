"""What `redact:` leaves out of records and messages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from zen_agents.model.action import Effect

MARK = "[redacted]"


class Redaction:
    """Replaces whatever a pattern matches; without patterns, costs nothing."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self.use(patterns)

    def use(self, patterns: Sequence[str]) -> None:
        """Leave out what these match from now on."""
        self._patterns = tuple(re.compile(pattern) for pattern in patterns)

    def text(self, text: str) -> str:
        """Return a text without what is left out."""
        for pattern in self._patterns:
            text = pattern.sub(MARK, text)
        return text

    def value(self, value: Any) -> Any:
        """Return plain JSON with every text in it redacted; names stay, they are our own."""
        if not self._patterns:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.value(each) for name, each in value.items()}
        return [self.value(each) for each in value] if isinstance(value, (list, tuple)) else value

    def effect(self, effect: Effect) -> Effect:
        """Return what an action said of itself, redacted; what its inverse needs stays."""
        if not self._patterns:
            return effect
        return replace(
            effect, detail=self.text(effect.detail), before=self.text(effect.before), after=self.text(effect.after),
            output=self.text(effect.output),
        )  # fmt: skip
