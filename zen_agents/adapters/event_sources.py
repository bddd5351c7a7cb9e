"""All sources of events as one: what wakes a tick before its time. None of them has to work for the engine to work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from zen_agents.adapters.event_log import Ask, LogEvents
from zen_agents.adapters.event_path import PathEvents
from zen_agents.adapters.event_pressure import PressureEvents
from zen_agents.adapters.event_process import ProcessEvents
from zen_agents.adapters.event_source import KindSource
from zen_agents.adapters.event_systemd import UnitEvents
from zen_agents.ports.events import Wake, Watch


class EventSources:
    """Implements `ports.events.EventSource` over one source for each kind of watch.

    Each subject wakes at most once per turn of the loop, however many events it had.
    """

    def __init__(self, sources: Sequence[KindSource] | None = None, *, ask: Ask | None = None) -> None:
        """Without sources, those of this host; `ask` asks a watch's glance, without it each event wakes."""
        self._sources = (
            (ProcessEvents(), PathEvents(), LogEvents(ask), UnitEvents(), PressureEvents())
            if sources is None
            else tuple(sources)
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: Callable[[Wake], None] | None = None
        self._pending: dict[str, Wake] = {}
        # Each once, and no set: of thousands that would be most of what is kept here.
        self._watched: tuple[Watch, ...] = ()

    def open(self, wake: Callable[[Wake], None]) -> None:
        """Attach to the running loop; a source that cannot be opened is left out."""
        self._loop, self._wake = asyncio.get_running_loop(), wake
        for source in self._sources:
            source.open(self._loop, self._push)

    def watch(self, watches: Iterable[Watch]) -> None:
        """Replace what is watched. A kind that nobody serves is ignored: the poll sees it."""
        wanted = tuple(dict.fromkeys(watches))
        same = len(wanted) == len(self._watched) and set(wanted) == set(self._watched)
        if same and not any(source.unwatched for source in self._sources):
            return
        self._watched = wanted
        for source in self._sources:
            source.watch([watch for watch in wanted if watch.kind == source.kind])

    def tells_of(self, watch: Watch) -> bool:
        """Tell whether each change of a log, made by whomever, wakes; of other kinds that is not promised."""
        return any(isinstance(source, LogEvents) and source.tells_of(watch) for source in self._sources)

    def close(self) -> None:
        """Stop waking and give back every descriptor; harmless when it was never opened."""
        self._wake = None
        self._watched = ()
        self._pending.clear()
        for source in self._sources:
            source.close()

    @property
    def unwatched(self) -> Mapping[str, int]:
        """How many wanted watches of each kind only the poll sees: no descriptors left, or the kernel has no such event."""
        return {source.kind: source.unwatched for source in self._sources}

    def _push(self, wake: Wake) -> None:
        if not self._pending and self._loop is not None:
            self._loop.call_soon(self._flush)
        self._pending.setdefault(wake.subject, wake)

    def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        for wake in pending.values():
            if self._wake is not None and self._loop is not None:
                try:
                    self._wake(wake)
                except Exception as error:
                    self._loop.call_exception_handler({"message": f"waking {wake.subject} failed", "exception": error})
