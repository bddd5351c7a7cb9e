"""The emergency stop as the resident engine lives with it: noticed, written, told, and lifted by a person (R9)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from zen_agents.clock import Instant
from zen_agents.engine.approvals import Approvals
from zen_agents.engine.parts import Parts
from zen_agents.errors import StoreError
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason

log = logging.getLogger("zen_agents.engine")

#: Under this name the store keeps what was last known of it.
_FACT = "emergency_stop"


class Flag(Protocol):
    """The flag on disk, which guards read for themselves."""

    def read(self) -> str | None: ...
    def clear(self) -> tuple[str, ...]:
        """Remove the flag; return the paths removed."""
        ...


class EmergencyStop:
    """Notices that the stop was set or lifted, whoever did it and however; it refuses nothing, the guard does."""

    def __init__(self, parts: Parts, flag: Flag, approvals: Approvals, lifted: Callable[[], None]) -> None:
        """Take what is called when it was lifted: everything is then decided anew."""
        self._parts, self._flag, self._approvals, self._lifted = parts, flag, approvals, lifted
        self._seen: str | None = None
        #: What the ledger says of it, and how many batches were lost when that was last looked at.
        self._written: tuple[str | None, int] | None = None

    @property
    def text(self) -> str | None:
        """Who set it, when and why; None if it is not set."""
        return self._flag.read()

    def recall(self) -> None:
        """Remember what an earlier engine knew of it: one lifted since then is told as over."""
        try:
            self._seen = self._parts.store.get(_FACT) or None
        except StoreError as error:
            log.error("what was known of the emergency stop cannot be read: %s", error)

    def notice(self) -> None:
        """Write down and tell that it was set or lifted."""
        text, now = self._flag.read(), self._parts.clock.now()
        self._write(text, now)
        if text == self._seen:
            return
        before, self._seen = self._seen, text
        if text is not None and before is None:
            self._parts.planning.surveys.give_up(Reason.EMERGENCY_STOP)
            self._approvals.take_back("the emergency stop was set", now)
            self._parts.escalation.engine("emergency_stop", text, now)
        if text is None:
            self._parts.escalation.engine_resolved("emergency_stop", "actions are allowed again", now)
            self._lifted()

    def _write(self, text: str | None, now: Instant) -> None:
        """Write what the ledger does not say yet: what was refused before, or went with a lost batch, is written now."""
        store = self._parts.store
        if self._written == (text, store.lost_batches()):
            return
        try:
            if (store.get(_FACT) or None) != text:
                self._parts.journal.engine(now, "emergency_stop", set=text is not None, text=text or "")
                store.put(_FACT, text or "")
            self._written = text, store.lost_batches()
        except StoreError as error:
            log.error("the emergency stop was not written: %s", error)

    def resume(self, who: Principal, reason: str) -> Mapping[str, Any]:
        """Clear the flag of this state directory; everything is looked at anew, nothing that piled up is run (R13)."""
        text, now = self._flag.read(), self._parts.clock.now()
        # First: if this cannot be written, the stop stays.
        self._parts.journal.human(now, who, "resume_emergency", {"reason": reason, "was": text or ""})
        self._flag.clear()
        self.notice()
        # Also where the stop was too short for the engine to have noticed it.
        self._lifted()
        return {"was": text, "still": self._flag.read()}
