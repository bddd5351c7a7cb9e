"""Entries of the journal as lines of syslog, so that one pattern reads both; asked of journalctl, a bounded child."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from zen_agents.adapters.linux_view_reading import CHILD_ENVIRONMENT
from zen_agents.errors import HostError
from zen_agents.logs.lines import LONGEST_LINE, cut
from zen_agents.ports.host_logs import Checkpoint, LogChange, LogChunk, LogEvent, LogPiece, LogRequest

#: How the journal is called where a log has a path.
JOURNAL = "journal"
#: What is asked for of each entry; the fields that begin with `_` are journald's word, the others the writer's (R17).
_FIELDS = (
    "MESSAGE", "PRIORITY", "SYSLOG_FACILITY", "SYSLOG_IDENTIFIER", "SYSLOG_PID", "_COMM", "_PID", "_HOSTNAME",
    "_SOURCE_REALTIME_TIMESTAMP",
)  # fmt: skip
_MATCH = re.compile(r"[A-Z_][A-Z0-9_]{0,63}=.*", re.DOTALL)
_CURSOR = re.compile(r"s=[a-z0-9=;]{1,512}")
_SECONDS = 3.0
#: So far behind (seconds), and by as much as the request says, the journal is written faster than it is read.
_TOO_FAR_BEHIND = 600.0
_DIGITS = re.compile(r"[0-9]{1,20}")


def new_entries(request: LogRequest, checkpoint: Checkpoint | None, journalctl: str = "journalctl") -> LogPiece:
    """Return the entries since the checkpoint; see `ports.host_logs.LogView.new_lines`."""
    if any(not _MATCH.fullmatch(match) for match in request.journal):
        raise HostError(f"{' '.join(request.journal)!r} is not FIELD=VALUE, as the journal is asked")
    argv = [journalctl, "--quiet", "--no-pager", "--output=json", f"--output-fields={','.join(_FIELDS)}"]
    cursor = checkpoint.get("cursor") if checkpoint is not None else None
    if not isinstance(cursor, str) or (cursor and not _CURSOR.fullmatch(cursor)):
        if not request.from_start:
            return LogPiece((), {"cursor": _newest(argv, request.journal)})
        cursor = ""
    since = [f"--after-cursor={cursor}"] if cursor else []
    entries, is_all = _read([*argv, *since, *request.journal], request.most_bytes)
    lines = b"".join(_line(entry) for entry in entries)
    found = cut(lines)
    last = entries[-1] if entries else {}
    after = _text(last, "__CURSOR") or cursor
    lag = time.time() - _at(last) if entries and not is_all else 0.0
    # Nobody says how much there is: what comes until now is taken to come as this did.
    rate = len(lines) / max(_at(last) - _at(entries[0]), 1.0) if entries else 0.0
    behind = 0 if is_all else max(request.most_bytes, int(rate * lag))
    skipped, events = 0, tuple[LogEvent, ...]()
    is_sampled = lag > _TOO_FAR_BEHIND and behind > request.most_behind and not request.from_start
    if is_sampled:
        after, behind, skipped = _newest(argv, request.journal) or after, 0, behind
        said = f"it is written faster than it is read; {lag / 60:.0f} minutes of it were left out after {_stamp(last)}"
        events = (LogEvent(JOURNAL, LogChange.SKIPPED, said),)
    chunks = (LogChunk(JOURNAL, found.lines, sampled=is_sampled),) if found.lines else ()
    return LogPiece(
        chunks, {"cursor": after}, events, behind=behind, skipped=skipped, shortened=found.shortened,
        dropped=found.dropped,
    )  # fmt: skip


def _newest(argv: Sequence[str], matches: Sequence[str]) -> str:
    entries, _ = _read([*argv, "--lines=1", *matches], 4 * LONGEST_LINE)
    return _text(entries[-1], "__CURSOR") if entries else ""


def _read(argv: Sequence[str], most_bytes: int) -> tuple[Sequence[Mapping[str, Any]], bool]:
    """Return entries up to so many bytes of JSON, and whether these are all; HostError if journalctl fails."""
    try:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=CHILD_ENVIRONMENT,
            cwd="/", start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise HostError(f"cannot run journalctl: {error.strerror}") from error
    with child:
        output, is_all = _output(child, most_bytes)
        if not is_all:
            child.kill()
    if is_all and child.returncode:
        raise HostError(f"journalctl ended with {child.returncode}")
    if not is_all and b"\n" not in output:
        raise HostError(f"journalctl did not answer within {_SECONDS:g} s")
    whole = output[: output.rfind(b"\n") + 1]
    return [entry for line in whole.splitlines() if (entry := _entry(line))], is_all


def _output(child: subprocess.Popen[bytes], most_bytes: int) -> tuple[bytes, bool]:
    assert child.stdout is not None  # noqa: S101 - tells mypy what Popen(stdout=PIPE) guarantees
    poll, deadline, size = select.poll(), time.monotonic() + _SECONDS, 0
    pieces: list[bytes] = []
    poll.register(child.stdout.fileno(), select.POLLIN)
    # An entry may be longer than all that was asked for; one of them has to fit.
    most = most_bytes + 16 * LONGEST_LINE
    while size < most and poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        piece = os.read(child.stdout.fileno(), LONGEST_LINE)
        if not piece:
            return b"".join(pieces), True
        pieces.append(piece)
        size += len(piece)
        if size >= most_bytes and b"\n" in piece:
            break
    return b"".join(pieces), False


def _entry(line: bytes) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) and isinstance(entry.get("__CURSOR"), str) else {}


def _line(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as a line of syslog; what it has below its first line is indented, so that it stays one entry."""
    program = _word(_text(entry, "SYSLOG_IDENTIFIER") or _text(entry, "_COMM")) or "unknown"
    pid = _word(_text(entry, "_PID") or _text(entry, "SYSLOG_PID"))
    priority = 8 * _number(entry, "SYSLOG_FACILITY", 1, 23) + _number(entry, "PRIORITY", 6, 7)
    message = _text(entry, "MESSAGE").rstrip("\n").replace("\n", "\n    ")
    host = _word(_text(entry, "_HOSTNAME")) or "localhost"
    head = f"<{priority}>{_stamp(entry)} {host} {program}{f'[{pid}]' if pid else ''}: "
    return f"{head}{message}\n".encode("utf-8", "replace")


def _text(entry: Mapping[str, Any], field: str) -> str:
    """Return a field as text: journalctl gives bytes that are no UTF-8 as numbers, and several values as a list."""
    value = entry.get(field)
    if isinstance(value, list):
        if value and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
            return bytes(value).decode("utf-8", "replace")
        return next((item for item in value if isinstance(item, str)), "")
    return value if isinstance(value, str) else ""


def _word(text: str) -> str:
    """Return what can stand in a line's head without looking like another part of it."""
    return re.sub(r"[\s:\[\]]", "_", text)[:64]


def _number(entry: Mapping[str, Any], field: str, usual: int, most: int) -> int:
    text = _text(entry, field)
    return int(text) if _DIGITS.fullmatch(text) and int(text) <= most else usual


def _at(entry: Mapping[str, Any]) -> float:
    text = _text(entry, "__REALTIME_TIMESTAMP")
    return int(text) / 1e6 if _DIGITS.fullmatch(text) else 0.0


def _stamp(entry: Mapping[str, Any]) -> str:
    try:
        return datetime.fromtimestamp(_at(entry), UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC).isoformat(timespec="microseconds")
