"""Which processes use much of a CPU, and since when: what one look alone cannot tell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from zen_agents.errors import HostError
from zen_agents.ports.host_process_use import Busy
from zen_agents.ports.host_processes import Process

#: Looks that come closer together than this (seconds) say the same. The kernel counts in hundredths, and on a busy machine a
#: loop may get no turn for a tenth: one such look, of a plan or a deed, would begin anew what was true for minutes.
_LEAST_SECONDS = 0.3
#: What uses less (percent of one CPU) is not remembered.
_LEAST_PERCENT = 1.0

#: Pid and start time.
_Key = tuple[int, int]


class BusyReader:
    """Compares a process table with the one before it. May be used from several threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        #: The table that was compared last, as CPU seconds, and when that was.
        self._before: dict[_Key, float] = {}
        self._at: float | None = None
        self._percent: dict[_Key, float] = {}
        #: Since when the present comparison is about, None before the first; and for each limit that was asked for since
        #: when who is above it.
        self._began: float | None = None
        self._since: dict[float, dict[_Key, float]] = {}
        #: For each limit since when it is looked who is above it.
        self._asked_since: dict[float, float] = {}

    def busy(self, above_percent: float, table: Mapping[int, Process]) -> Sequence[Busy]:
        """Return who uses more of a CPU than that, who has done so longest first; HostError before two were compared."""
        with self._lock:
            now = self._now()
            if self._at is None or now - self._at >= _LEAST_SECONDS:
                self._compare(table, now)
            if self._began is None:
                raise HostError("how much CPU each process uses is known from the next look on")
            if above_percent not in self._since:
                self._asked_since[above_percent] = self._began
                self._since[above_percent] = dict.fromkeys(self._above(above_percent), self._began)
            found = [
                Busy(table[pid], self._percent[pid, start], now - since, since <= self._asked_since[above_percent])
                for (pid, start), since in self._since[above_percent].items()
                if pid in table and table[pid].start_time == start
            ]
        return sorted(found, key=lambda busy: -busy.seconds)

    def _compare(self, table: Mapping[int, Process], now: float) -> None:
        used = {(process.pid, process.start_time): process.cpu_seconds for process in table.values()}
        before, at = self._before, self._at
        self._before, self._at = used, now
        if at is None:
            return
        self._began = at
        share = 100.0 / (now - at)
        # Who began meanwhile has used it all since then.
        percent = {key: (seconds - before.get(key, 0.0)) * share for key, seconds in used.items()}
        self._percent = {key: value for key, value in percent.items() if value >= _LEAST_PERCENT}
        for limit, since in self._since.items():
            self._since[limit] = {key: since.get(key, at) for key in self._above(limit)}

    def _above(self, limit: float) -> Sequence[_Key]:
        return [key for key, value in self._percent.items() if value > limit]
