"""What a monitoring plugin says: whatever can be asked by a program of one's own can be watched, without code in here."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Probe
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation, Status
from zen_agents.model.plugin import WORDS, PluginAnswer
from zen_agents.ports.host import HostView
from zen_agents.ports.host_plugins import PluginCall

#: Room for the plugin's own time-out, and for its turn, before the sampler gives it up (seconds).
_SLACK = 5.0
_STATUSES = (Status.OK, Status.PROBLEM, Status.PROBLEM)


class ScriptCheck(Probe):
    """Observes `script.NAME` (judged; the value is the exit status: 1 WARNING, 2 CRITICAL; 3 or none is UNKNOWN).

    And `script.NAME.LABEL` for each label of its performance data that is listed, in the plugin's own unit.
    """

    kind = "script"
    summary = "What does this monitoring plugin say?"

    __slots__ = ("_call", "_labels")

    def __init__(self, label: str, call: PluginCall, *, every_seconds: float, labels: Sequence[str] = ()) -> None:
        super().__init__(
            name=f"script.{label}", target=f"script:{label}", every_seconds=every_seconds,
            timeout_seconds=call.timeout_seconds + _SLACK,
        )  # fmt: skip
        self._call, self._labels = call, tuple(labels)

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name, *(f"{self.name}.{label}" for label in self._labels))

    async def probe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Run it, and read its answer."""
        answer = await host.plugin(self._call)
        if not isinstance(answer, PluginAnswer) or answer.level not in range(len(_STATUSES)):
            said = answer.text if isinstance(answer, PluginAnswer) else "its answer is none"
            return self.unknown(now, said)
        said = f"{WORDS[answer.level]}: {answer.text}"
        judged = Observation(self.name, self.target, _STATUSES[answer.level], now, float(answer.level), said)
        return (judged, *(self._value(label, answer, now) for label in self._labels))

    def _value(self, label: str, answer: PluginAnswer, now: Instant) -> Observation:
        value = answer.values.get(label)
        if value is None:
            why = f"the plugin gives no number for {label}; it gives {', '.join(answer.values) or 'none'}"
            return Observation(f"{self.name}.{label}", self.target, Status.UNKNOWN, now, None, why)
        return Observation(f"{self.name}.{label}", self.target, Status.OK, now, value, f"{label} {value:g}")
