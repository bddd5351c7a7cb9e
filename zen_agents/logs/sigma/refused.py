"""Why a rule is not taken."""

from __future__ import annotations

from zen_agents.errors import ZenError


class SigmaRefusedError(ZenError):
    """The rule asks for what cannot be told from the lines that are read, or is none; it is left out, and the place said."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"{place}: {why}")
        #: Where in the rule: `detection.selection.cs-uri-query|base64`.
        self.place = place
        self.why = why
