"""Stalls of CPU, memory or disks, told by the kernel's pressure-stall triggers."""

from __future__ import annotations

import asyncio
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
        #: Triggers are told as urgent data, which asyncio does not ask for; an epoll of their own does, and is readable.
        self._epoll: select.epoll | None = None
        self._wanted: frozenset[str] = frozenset()
        self._open: dict[str, int] = {}

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
        if self._epoll is not None and self._loop is not None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
        self._wanted = frozenset()
        self._epoll = self._loop = self._push = None

    @property
    def unwatched(self) -> int:
        """Resources without a trigger: a kernel without pressure stalls, or one that does not let this account set them."""
        return len(self._wanted) - len(self._open)

    def _begin(self, name: str) -> None:
        if self._loop is None:
            return
        descriptor = -1
        try:
            descriptor = os.open(f"{self._directory}/{name}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            os.write(descriptor, _TRIGGER)
            self._readiness(self._loop).register(descriptor, select.EPOLLPRI)
        except OSError:
            if descriptor >= 0:
                os.close(descriptor)
            return  # Counted by `unwatched`, seen by the poll.
        self._open[name] = descriptor

    def _readiness(self, loop: asyncio.AbstractEventLoop) -> select.epoll:
        if self._epoll is None:
            self._epoll = select.epoll()
            loop.add_reader(self._epoll.fileno(), self._told)
        return self._epoll

    def _told(self) -> None:
        if self._epoll is None:
            return
        ready = dict(self._epoll.poll(0))
        for name, descriptor in tuple(self._open.items()):
            if descriptor in ready and self._push is not None:
                if ready[descriptor] & select.EPOLLERR:
                    self._drop(name)  # The trigger is gone; left open it would be ready for ever.
                self._push(Wake(f"pressure:{name}", "pressure"))

    def _drop(self, name: str) -> None:
        descriptor = self._open.pop(name)
        if self._epoll is not None:
            self._epoll.unregister(descriptor)
        os.close(descriptor)
