"""The scan of whole logs: as a process of its own, and in this one where it is looked at closely."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from tests.support.engine_process import REPOSITORY
from zen_agents.jobs.log_scan import WORKER, ScanProgress, ScanReply, ScanRequest, written
from zen_agents.workers.log_scan import scan
from zen_agents.workers.log_stream import PIECE_BYTES

FAILED = r"Failed password for (?P<user>\S+) from (?P<address>[\d.]+)"


def _scan(*files: object, patterns: tuple[str, ...] = (FAILED, "oom"), stdin: bytes = b"", **more: object) -> ScanReply:
    request = ScanRequest(patterns=patterns, files=tuple(map(str, files)), **more)  # type: ignore[arg-type]
    return scan(request, io.BufferedReader(io.BytesIO(stdin)), lambda _: None)


def _log(lines: int = 3000) -> bytes:
    return b"".join(
        b"Failed password for %s from 10.0.0.%d port 1\n" % (b"root" if number % 2 else b"bob", number % 7)
        + b"fine " * 30
        + b"\n"
        for number in range(lines)
    )


def test_what_is_found_is_counted_with_first_last_samples_and_commonest_values(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_bytes(_log() + b"oom once")
    failed, oom = _scan(log).found
    assert failed.count == 3000
    assert failed.first == "Failed password for bob from 10.0.0.0 port 1"
    assert failed.last == "Failed password for root from 10.0.0.3 port 1"
    assert len(failed.samples) == 5
    assert [(top.value, top.count, top.missed) for top in failed.top["user"]] == [("bob", 1500, 0), ("root", 1500, 0)]
    assert [top.count for top in failed.top["address"]] == [429, 429, 429, 429, 428, 428, 428]
    assert (oom.count, oom.last) == (1, "oom once")


@pytest.mark.parametrize("packed", ["gz", "xz", "zst", "two gz"])
def test_a_packed_log_is_read_as_if_it_were_not(tmp_path: Path, packed: str) -> None:
    content = _log(6000)
    if packed == "zst":
        zstd = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
        data = zstd.compress(content)
    elif packed == "two gz":
        data = gzip.compress(content[:1000]) + gzip.compress(content[1000:])
    else:
        data = {"gz": gzip.compress, "xz": lzma.compress}[packed](content)
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "packed").write_bytes(data)
    assert _scan(tmp_path / "packed") == _scan(tmp_path / "plain")
    assert _scan("-", stdin=data) == _scan(tmp_path / "plain")


def test_a_file_that_cannot_be_read_to_its_end_is_named_and_counts_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(os.urandom(50_000) + b"\noom\n" * 9)[:-12])
    (tmp_path / "broken.xz").write_bytes(lzma.compress(_log())[:100] + b"x" * 50)
    (tmp_path / "wide").write_bytes("oom\n".encode("utf-16"))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "good").write_bytes(b"oom\n")
    reply = _scan(
        *(tmp_path / name for name in ("cut.gz", "broken.xz", "wide", "pipe", "missing", "good")), patterns=("oom",)
    )
    assert [(Path(unread.file).name, unread.why.split(":")[0]) for unread in reply.unread] == [
        ("cut.gz", "ends early"), ("broken.xz", "is damaged"),
        ("wide", "it is written in UTF-16; have it written in UTF-8, or convert it with iconv"),
        ("pipe", "is no regular file"), ("missing", "cannot be opened"),
    ]  # fmt: skip
    assert reply.found[0].count >= 1
    assert reply.found[0].last == "oom"


def test_a_line_without_end_is_searched_at_its_beginning_and_the_rest_is_counted(tmp_path: Path) -> None:
    log = tmp_path / "long"
    log.write_bytes(b"oom" + b"x" * (3 * PIECE_BYTES) + b"oom\noom\n")
    reply = _scan(log)
    assert reply.found[1].count == 2
    assert reply.shortened == 1
    assert reply.dropped > 2 * PIECE_BYTES


def test_whoever_chooses_values_fills_no_memory_and_hides_nobody(tmp_path: Path) -> None:
    log = tmp_path / "flood"
    log.write_bytes(b"".join(b"user u%d\nuser mallory\n" % number for number in range(20_000)))
    top = _scan(log, patterns=(r"user (?P<user>\S+)",)).found[0].top["user"]
    assert top[0].value == "mallory"
    assert top[0].count <= 20_000 <= top[0].count + top[0].missed
    assert len(top) <= 10


@pytest.mark.parametrize("engine", ["vectorscan", "re2", "plain"])
def test_every_engine_finds_the_same(tmp_path: Path, engine: str) -> None:
    pytest.importorskip({"vectorscan": "hyperscan", "re2": "re2", "plain": "re"}[engine])
    log = tmp_path / "log"
    log.write_bytes(_log())
    reply = _scan(log, engines=(engine,))
    assert reply.engine == engine
    assert reply.found == _scan(log, engines=("plain",)).found


def _run(request: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-P", "-m", WORKER], input=request.encode() + b"\n" + data, capture_output=True, cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, timeout=60, check=False,
    )  # fmt: skip


def test_as_a_process_it_reads_what_follows_the_request_tells_progress_and_replies() -> None:
    request = ScanRequest(patterns=("oom",), files=("-",), progress_seconds=1e-9)
    done = _run(written(request), b"oom\n" * 60_000)
    assert TypeAdapter(ScanReply).validate_json(done.stdout).found[0].count == 60_000
    progress = [TypeAdapter(ScanProgress).validate_json(line) for line in done.stderr.splitlines()]
    assert progress[-1].hits == 60_000
    assert [each.hits for each in progress] == sorted(each.hits for each in progress)


@pytest.mark.parametrize(
    ("request_text", "said"),
    [
        ('{"files": []}', "this is no request: patterns: it takes 1 to 2000 texts"),
        ("[1]", "this is no request: it is no object"),
        ("oom", "this is no request: it is no JSON"),
        (json.dumps({"patterns": ["a"], "files": [7]}), "files: it takes 1 to 10000 texts"),
        (json.dumps({"patterns": ["a"], "files": ["-"], "shell": "id"}), "has keys that nobody knows"),
        (json.dumps({"patterns": ["a"], "files": ["-"], "engines": ["perl"]}), "engines: it takes any of vectorscan"),
        (json.dumps({"patterns": ["a"], "files": ["-"], "progress_seconds": -1}), "progress_seconds: it takes 0 to 3600"),
        (json.dumps({"patterns": ["a", "b(?=c)"], "files": ["-"]}), "pattern 2 looks around itself"),
    ],
)
def test_what_is_no_request_and_what_is_no_pattern_is_refused(request_text: str, said: str) -> None:
    done = _run(request_text)
    assert done.returncode == 2
    assert said in done.stderr.decode()


def test_nothing_is_loaded_that_takes_longer_than_a_small_log() -> None:
    # Each of these is a tenth of a second of CPU, or most of one, and the scan needs none.
    heavy = ("pydantic", "sqlite3", "asyncio", "yaml", "socket", "email")
    program = f"import sys; import {WORKER}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == b"[]"
