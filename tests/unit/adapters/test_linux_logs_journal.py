"""The journal comes as lines of syslog, from where one stopped, whatever is in its entries."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from zen_agents.adapters.linux_logs_journal import new_entries
from zen_agents.errors import HostError
from zen_agents.logs.formats.syslog import Syslog
from zen_agents.logs.stamps import Stamps
from zen_agents.ports.host_logs import LogChange, LogRequest

NOW = time.time()
#: journalctl's part in this: entries in order, after a cursor or the newest ones, as they match.
_PROGRAM = """\
#!/usr/bin/env python3
import json, pathlib, sys
entries = [json.loads(line) for line in (pathlib.Path(__file__).parent / "entries").read_text().splitlines()]
options = dict(word[2:].partition("=")[::2] for word in sys.argv[1:] if word.startswith("--"))
matches = [word.partition("=")[::2] for word in sys.argv[1:] if not word.startswith("--")]
entries = [entry for entry in entries if all(entry.get(name) == value for name, value in matches)]
cursors = [entry["__CURSOR"] for entry in entries]
if "after-cursor" in options:
    entries = entries[cursors.index(options["after-cursor"]) + 1 :]
if "lines" in options:
    entries = entries[-int(options["lines"]) :]
for entry in entries:
    print(json.dumps(entry), flush=True)
"""


class Journal:
    """A journal of one's own."""

    def __init__(self, directory: Path) -> None:
        self.program = directory / "journalctl"
        self.program.write_text(_PROGRAM)
        self.program.chmod(0o755)
        self._entries = directory / "entries"
        self._entries.touch()
        self._count = 0

    def write(self, message: Any, *, at: float = NOW, **fields: Any) -> None:
        self._count += 1
        entry = {"__CURSOR": f"s=1;i={self._count:x}", "__REALTIME_TIMESTAMP": str(int(at * 1e6)), "MESSAGE": message}
        entry |= {"SYSLOG_IDENTIFIER": "sshd", "_PID": "42", "_HOSTNAME": "web1", "PRIORITY": "4", **fields}
        with self._entries.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def read(self, checkpoint: Mapping[str, Any] | None, **request: Any) -> tuple[list[str], Mapping[str, Any]]:
        piece = new_entries(LogRequest(**request), checkpoint, str(self.program))
        lines = [line for chunk in piece.chunks for line in chunk.lines.decode().splitlines()]
        return lines, json.loads(json.dumps(piece.checkpoint))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def _fields(lines: Sequence[str]) -> list[tuple[str, str, str]]:
    records = [Syslog().record(line, "journal", Stamps(NOW + 1, UTC)) for line in lines]
    return [(record.fields["program"], record.fields["level"], record.fields["message"]) for record in records]


def test_entries_come_once_from_the_end_on(journal: Journal) -> None:
    """As lines that the format of syslog reads, with program, pid, level and time."""
    journal.write("old")
    lines, checkpoint = journal.read(None)
    assert lines == []
    journal.write("one", SYSLOG_FACILITY="10", at=NOW - 1)
    journal.write("two", SYSLOG_IDENTIFIER=None, _COMM="cron", PRIORITY="3")
    lines, checkpoint = journal.read(checkpoint)
    assert _fields(lines) == [("sshd", "warning", "one"), ("cron", "error", "two")]
    stamp = datetime.fromtimestamp(int((NOW - 1) * 1e6) / 1e6, UTC).isoformat(timespec="microseconds")
    assert lines[0] == f"<84>{stamp} web1 sshd[42]: one"
    assert journal.read(checkpoint)[0] == []


def test_a_journal_that_was_empty_is_read_from_its_first_entry(journal: Journal) -> None:
    """And one that is asked for from its start as well."""
    _, checkpoint = journal.read(None)
    journal.write("one")
    assert len(journal.read(checkpoint)[0]) == 1
    assert len(journal.read(None, from_start=True)[0]) == 1


def test_only_what_matches_is_asked_for(journal: Journal) -> None:
    """In the words of journalctl; whatever is no FIELD=VALUE is never an option of it."""
    journal.write("one", _TRANSPORT="kernel")
    journal.write("two", _TRANSPORT="syslog")
    assert len(journal.read(None, journal=("_TRANSPORT=kernel",), from_start=True)[0]) == 1
    for match in ("--vacuum-size=1", "--", "kernel", "a=b"):
        with pytest.raises(HostError, match="FIELD=VALUE"):
            journal.read(None, journal=(match,))


@pytest.mark.parametrize("cursor", ["--rotate", "a b", "x" * 600, 3, None])
def test_what_is_no_cursor_is_no_argument(journal: Journal, cursor: object) -> None:
    """It counts as none: at worst the journal is looked at from its end."""
    journal.write("old")
    lines, checkpoint = journal.read({"cursor": cursor})
    assert lines == []
    assert checkpoint == {"cursor": "s=1;i=1"}


def test_nobody_forges_an_entry_by_what_is_in_theirs(journal: Journal) -> None:
    """Newlines, a program's name that looks like a head, bytes that are no UTF-8, and fields that come twice."""
    journal.write("one\nNov 27 11:59:58 other sshd[1]: Accepted password for root from 198.51.100.9")
    journal.write("two", SYSLOG_IDENTIFIER="x other sshd[1]: Accepted")
    journal.write(list(b"caf\xe9 \x1b[31m"))
    journal.write(["three", "four"], _PID="42]: x")
    journal.write(None)
    lines, _ = journal.read(None, from_start=True)
    assert lines[1].startswith("    Nov 27 11:59:58 other")
    assert ": two" in lines[2]
    assert _fields(lines[2:3])[0][0] == "x_other_sshd_1___Accepted"
    assert lines[3].endswith("caf\ufffd \x1b[31m")
    assert "sshd[42___x]: three" in lines[4]
    assert len(lines) == 6


def test_a_call_is_bounded_and_the_next_goes_on(journal: Journal) -> None:
    """Whatever does not fit is behind."""
    for number in range(300):
        journal.write(f"{number:03} {'x' * 2000}", at=NOW)
    checkpoint: Mapping[str, Any] | None = None
    found: list[str] = []
    calls = 0
    while len(found) < 300:
        piece = new_entries(LogRequest(from_start=True, most_bytes=200_000), checkpoint, str(journal.program))
        found += [line for chunk in piece.chunks for line in chunk.lines.decode().splitlines()]
        checkpoint, calls = piece.checkpoint, calls + 1
    assert [int(line.split(": ")[1][:3]) for line in found] == list(range(300))
    assert 2 < calls < 10


def test_a_journal_that_grows_faster_than_it_is_read_is_caught_up_with_and_that_is_said(journal: Journal) -> None:
    """Ten minutes behind, and by more than may be: what was read counts as a sample of what was left out."""
    # How far it is behind counts from now, and this module may have been loaded long ago.
    now = time.time()
    journal.write("old", at=now - 4000)
    _, checkpoint = journal.read(None)
    for number in range(300):
        journal.write(f"{number:03} {'x' * 2000}", at=now - 3600 + number)
    piece = new_entries(LogRequest(most_bytes=200_000), checkpoint, str(journal.program))
    assert not piece.events, "all of it can be read"
    assert piece.behind == pytest.approx(2050 * 3500, rel=0.1), "as it came before"
    piece = new_entries(LogRequest(most_bytes=200_000, most_behind=1 << 20), checkpoint, str(journal.program))
    assert [event.change for event in piece.events] == [LogChange.SKIPPED]
    assert "minutes" in piece.events[0].detail
    assert piece.skipped > 1 << 20
    assert piece.chunks[0].sampled
    assert journal.read(piece.checkpoint)[0] == []


def test_a_journalctl_that_fails_is_an_error(journal: Journal) -> None:
    """Never an empty journal."""
    journal.program.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(HostError, match="ended with 1"):
        journal.read(None)
    journal.program.chmod(stat.S_IRUSR)
    with pytest.raises(HostError, match="cannot run"):
        journal.read(None)
