"""Logs of a simulated host: what was added to its files, over renames and truncations."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from chaos.simulation.files import SimulatedFiles
from zen_agents.logs.lines import cut
from zen_agents.ports.host_files import FileState
from zen_agents.ports.host_logs import Checkpoint, LogChange, LogChunk, LogEvent, LogPiece, LogRequest


class SimulatedLogs:
    """Follows files by their inode; a checkpoint is `{"files": {path: [inode, offset]}}`."""

    def __init__(self, files: SimulatedFiles) -> None:
        self._files = files

    def new_lines(self, request: LogRequest, checkpoint: Checkpoint | None) -> LogPiece:
        """Return what was added since the checkpoint."""
        known = checkpoint.get("files") if checkpoint is not None else None
        is_first = not isinstance(known, dict)
        places: dict[str, Any] = dict(known) if isinstance(known, dict) else {}
        chunks: list[LogChunk] = []
        events: list[LogEvent] = []
        left, behind = request.most_bytes, 0
        for path in sorted({*self._paths(request.path), *places}):
            state = self._files.states.get(path)
            inode, offset = places.get(path) or (state.inode if state else 0, self._begin(state, request, is_first))
            lines, places[path], change = self._follow(path, state, inode, offset)
            if len(lines) > left:
                end = lines.rfind(b"\n", 0, left) + 1
                behind += len(lines) - end
                places[path] = [places[path][0], places[path][1] - len(lines) + end]
                lines = lines[:end]
            left -= len(lines)
            chunks += [LogChunk(path, lines)] if lines else []
            events += [LogEvent(path, change)] if change is not None else []
        return LogPiece(tuple(chunks), {"files": places}, tuple(events), behind=behind)

    def _paths(self, pattern: str) -> list[str]:
        return [path for path, state in self._files.states.items() if state.kind == "file" and fnmatchcase(path, pattern)]

    def _begin(self, state: FileState | None, request: LogRequest, is_first: bool) -> int:
        return state.size if state is not None and is_first and not request.from_start else 0

    def _follow(self, path: str, state: FileState | None, inode: int, offset: int) -> tuple[bytes, Any, LogChange | None]:
        """Return the new lines, the new place and what happened."""
        if state is not None and state.inode == inode and state.size >= offset:
            found = cut(self._bytes(path)[offset:])
            return found.lines, [inode, offset + found.used], None
        old = next((name for name, other in self._files.states.items() if other.inode == inode and name != path), None)
        rest = cut(self._bytes(old)[offset:], last=True).lines if old is not None else b""
        if state is None:
            # Who renamed it has not made the new one: whatever is added to the old one comes with the next call.
            done = cut(self._bytes(old)[offset:]) if old is not None else cut(b"")
            return done.lines, [inode, offset + done.used], LogChange.VANISHED if old is None else None
        new = cut(self._bytes(path))
        change = LogChange.TRUNCATED if state.inode == inode else LogChange.ROTATED if old is not None else LogChange.LOST
        return rest + new.lines, [state.inode, new.used], change

    def _bytes(self, path: str) -> bytes:
        return self._files.contents.get(path, "").encode()
