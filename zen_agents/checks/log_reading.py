"""How checks read a log: on from where they stopped, as much as one look may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

from zen_agents.ports.host import HostView
from zen_agents.ports.host_logs import Checkpoint, LogPiece, LogRequest

#: After so long (seconds) a look reads on no more: lines that are all different, on a busy host, may make one piece last as
#: long again, and a look that comes too late is thrown away and would begin again for ever.
_MOST_SECONDS = 10.0


class LogReading:
    """Where reading of one source stands."""

    def __init__(self, request: LogRequest, clock: Callable[[], float] = perf_counter) -> None:
        self.request, self._clock = request, clock
        self.checkpoint: Checkpoint | None = None

    def read(self, host: HostView, feed: Callable[[bytes, str], None], most_pieces: int) -> Sequence[LogPiece]:
        """Feed what is new, each chunk with its path. HostError where it fails; what was read before that has counted."""
        pieces: list[LogPiece] = []
        until = self._clock() + _MOST_SECONDS
        while not pieces or (pieces[-1].behind and len(pieces) < most_pieces and self._clock() < until):
            piece = host.new_lines(self.request, self.checkpoint)
            for chunk in piece.chunks:
                feed(chunk.lines, chunk.path)
            self.checkpoint = piece.checkpoint
            pieces.append(piece)
        return pieces

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from the checkpoint that is remembered; from none where that cannot be one."""
        checkpoint = memory.get("checkpoint")
        self.checkpoint = checkpoint if isinstance(checkpoint, dict) else None
