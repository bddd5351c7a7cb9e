"""Stalls of CPU, memory or disks, told by the kernel's pressure-stall triggers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
from collections.abc import Iterable

from zen_agents.adapters.event_source import Push
from zen_agents.ports.events import Wake, Watch

#: Wake when something stalled for 150 ms within 2 s; windows of whole 2 s need no privilege.
_TRIGGER = b"some 150000 2000000\0"
_RESOURCES = frozenset({"cpu", "memory", "io"})


class PressureEvents:
    """Holds one trigger for each watched resource; the kernel tells at most once a window."""

    kind = "pressure"

    def __init__(self, directory: str = "/proc/pressure") -> None:
        self._directory = directory
        self._loop: asyncio.AbstractEventLoop | None = None
        self._push: Push | None = None
        self._wanted: frozenset[str] = frozenset()
        #: Resource -> (its trigger, the epoll around it). Triggers are told as urgent data, which asyncio does not ask for;
        #: an epoll does, and is readable. One each: looking whether it is readable already takes the event from the trigger,
        #: so a shared one could not tell whose it was.
        self._open: dict[str, tuple[int, select.epoll]] = {}

    def open(self, loop: asyncio.AbstractEventLoop, push: Push) -> None:
        """Attach to the loop."""
        self._loop, self._push = loop, push

    def watch(self, watches: Iterable[Watch]) -> None:
        """Replace what is watched; unknown resources are left alone."""
        self._wanted = frozenset(watch.name for watch in watches) & _RESOURCES
        for name in self._open.keys() - self._wanted:
            self._drop(name)
        for name in self._wanted - self._open.keys():
            self._begin(name)

    def close(self) -> None:
        """Close every trigger."""
        for name in tuple(self._open):
            self._drop(name)
        self._wanted = frozenset()
        self._loop = self._push = None

    @property
    def unwatched(self) -> int:
        """Resources without a trigger: a kernel without pressure stalls, or one that does not let this account set them."""
        return len(self._wanted) - len(self._open)

    def _begin(self, name: str) -> None:
        if self._loop is None:
            return
        with contextlib.ExitStack() as undo:
            # What fails here is counted by `unwatched` and seen by the poll.
            undo.enter_context(contextlib.suppress(OSError))
            descriptor = os.open(f"{self._directory}/{name}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            undo.callback(os.close, descriptor)
            os.write(descriptor, _TRIGGER)
            readiness = undo.enter_context(select.epoll())
            readiness.register(descriptor, select.EPOLLPRI)
            self._loop.add_reader(readiness.fileno(), self._told, name)
            self._open[name] = descriptor, readiness
            undo.pop_all()

    def _told(self, name: str) -> None:
        # A trigger that is gone says so without end; then only the poll is left.
        if any(event & select.EPOLLERR for _, event in self._open[name][1].poll(0)):
            self._drop(name)
        if self._push is not None:
            self._push(Wake(f"pressure:{name}", "pressure"))

    def _drop(self, name: str) -> None:
        descriptor, readiness = self._open.pop(name)
        if self._loop is not None:
            self._loop.remove_reader(readiness.fileno())
        readiness.close()
        os.close(descriptor)
