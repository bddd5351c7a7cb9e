"""Events of a simulated host: told at once, without a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from zen_agents.ports.events import Wake, Watch


class SimulatedEvents:
    """Implements `ports.events.EventSource`; `deaf` makes it a host whose kernel has no events."""

    def __init__(self) -> None:
        self.deaf = False
        self.watched: frozenset[str] = frozenset()
        self._wake: Callable[[Wake], None] | None = None

    @property
    def unwatched(self) -> Mapping[str, int]:
        return {}

    def open(self, wake: Callable[[Wake], None]) -> None:
        self._wake = wake

    def watch(self, watches: Iterable[Watch]) -> None:
        self.watched = frozenset(_subject(watch) for watch in watches)

    def tells_of(self, watch: Watch) -> bool:
        return False

    def close(self) -> None:
        self._wake = None
        self.watched = frozenset()

    def tell(self, subject: str, source: str) -> None:
        """Wake whoever watches this subject."""
        if self._wake is not None and subject in self.watched and not self.deaf:
            self._wake(Wake(subject, source))


def _subject(watch: Watch) -> str:
    return f"process:{watch.pid}:{watch.start_time}" if watch.kind == "process" else f"{watch.kind}:{watch.name}"
