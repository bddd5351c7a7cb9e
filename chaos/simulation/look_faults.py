"""What goes wrong with looking at a simulated host: a question fails, is answered wrongly, or never."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from chaos.simulation.loop import HungError, VirtualThread
from zen_agents.errors import HostError


class Faults:
    """What goes wrong with the looking itself, by the name of the view's method."""

    def __init__(self) -> None:
        self._faults: dict[str, tuple[Callable[[], Any], int]] = {}
        #: Methods that never come back.
        self.stalled: set[str] = set()

    def fail(self, method: str, why: str = "simulated failure", *, times: int = 1_000_000) -> None:
        """Let the next calls raise HostError."""

        def fail() -> None:
            raise HostError(f"{method}: {why}")

        self._faults[method] = fail, times

    def answer(self, method: str, garbage: object, *, times: int = 1_000_000) -> None:
        """Let the next calls return this, whatever the host is like."""
        self._faults[method] = (lambda: garbage), times

    def hang(self, method: str, *, give_up_seconds: float = 30.0) -> threading.Event:
        """Let calls block their thread until the returned event is set; then they raise HostError."""
        released = threading.Event()

        def hang() -> None:
            released.wait(give_up_seconds)
            raise HostError(f"{method}: hung until it was released")

        self._faults[method] = hang, 1_000_000
        return released

    def stall(self, method: str) -> None:
        """Let calls from a virtual thread never come back, and others time out."""

        def stall() -> None:
            if VirtualThread.working:
                raise HungError
            raise HostError(f"{method}: no answer in time")

        self.stalled.add(method)
        self._faults[method] = stall, 1_000_000

    def heal(self, method: str = "") -> None:
        """End the faults of one method, or all."""
        if method:
            self._faults.pop(method, None)
            self.stalled.discard(method)
        else:
            self._faults.clear()
            self.stalled.clear()

    def apply(self, method: str, answer: Callable[[], Any]) -> Any:
        """Return the method's answer, or what the fault makes of it."""
        if not self._faults:
            return answer()
        fault, times = self._faults.get(method, (answer, 0))
        if times == 1:
            del self._faults[method]
        elif times:
            self._faults[method] = fault, times - 1
        return fault()
