"""An engine's turns over a real log, in a process of its own that may be killed: `python -m … STATE_DIR LOG TURNS`.

After each turn it says the number of the last line that it has read, and how many were not the one after the last.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.rig import Rig, RigAgent
from zen_agents.adapters.linux_logs import LinuxLogs
from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.host_logs import LogRequest

NAME = "up.log"


class CountingCheck(Check):
    """Reads lines that hold numbers one after the other; any line is a problem."""

    kind = "counting"
    summary = "What comes after what?"

    def __init__(self, log: str) -> None:
        super().__init__(name=NAME, target="service:log", every_seconds=5.0)
        self._request = LogRequest(log, from_start=True)
        self._checkpoint: Mapping[str, Any] | None = None
        self.last, self.wrong = 0, 0

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        piece = LinuxLogs().new_lines(self._request, self._checkpoint)
        for chunk in piece.chunks:
            for line in chunk.lines.split():
                self.wrong += int(line) != self.last + 1
                self.last = int(line)
        self._checkpoint = piece.checkpoint
        status = Status.PROBLEM if self.last else Status.OK
        return (Observation(self.name, self.target, status, now, float(self.last)),)

    def memory(self) -> Mapping[str, Any]:
        return {"checkpoint": self._checkpoint, "last": self.last, "wrong": self.wrong}

    def recall(self, memory: Mapping[str, Any]) -> None:
        self._checkpoint = memory.get("checkpoint")
        self.last, self.wrong = memory.get("last", 0), memory.get("wrong", 0)


async def _turns(state_dir: Path, log: str, turns: int) -> None:
    check = CountingCheck(log)
    RigAgent.checks = lambda self: [check]  # type: ignore[method-assign]
    rig = Rig(state_dir, ["log"])
    for _ in range(turns):
        await rig.tick.run(everything=True)
        sys.stdout.write(f"{check.last} {check.wrong}\n")
        sys.stdout.flush()
        # Whoever writes the log says when there is more.
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(_turns(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
