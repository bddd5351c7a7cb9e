"""Whether the kernel has ended processes for want of memory. It tells nobody but its own log."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView

_NAME = "oom.kills"
#: So many are named.
_SHOWN = 5


class OomCheck(Check):
    """Observes `oom.kills` (judged; the value is how many it were since the engine began to look)."""

    __slots__ = ("_known", "_last_at", "_last_kills", "_said", "_shown_for", "_total")

    kind = "oom"
    summary = "Has the kernel ended processes for want of memory?"

    def __init__(self, *, every_seconds: float, shown_for_seconds: float) -> None:
        """It counts as bad for `shown_for_seconds` after the last one."""
        super().__init__(name="oom", target="host", every_seconds=every_seconds)
        self._shown_for = shown_for_seconds
        #: What the kernel had counted at the last look, and how many have come since the first one.
        self._known: int | None = None
        self._total = 0
        #: How many came last, when, and who they were.
        self._last_kills, self._last_at, self._said = 0, 0.0, ""

    @property
    def observes(self) -> tuple[str, ...]:
        return (_NAME,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compare the kernel's count with that of the look before; the first look has nothing to compare with."""
        kills, known = host.oom_kills(), self._known
        self._known = kills
        if known is not None and kills > known:
            self._last_kills, self._last_at = kills - known, now.steady
            self._total += self._last_kills
            self._said = _victims(self._last_kills, host)
        status, said = Status.OK, "nobody was ended for want of memory lately"
        if self._total and now.steady - self._last_at < self._shown_for:
            status, said = Status.PROBLEM, self._said
        return (Observation(_NAME, self.target, status, now, float(self._total), said),)


def _victims(count: int, host: HostView) -> str:
    said = f"the kernel has ended {count} processes" if count > 1 else "the kernel has ended a process"
    try:
        names = host.oom_victims(min(count, _SHOWN))
    except HostError as error:
        return f"{said} for want of memory; whom is not known: {error}"
    return f"{said} for want of memory: {', '.join(names)}" if names else f"{said} for want of memory"
