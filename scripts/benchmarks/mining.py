"""Template mining beside drain3-improved with the same masks: how fast, how much memory, and how well on public corpora.

The corpora are the samples of LogHub (Zhu et al., "Loghub: A Large Collection of System Log Datasets for AI-driven Log
Analytics", ISSRE 2023), read where they are: `LOGHUB=DIRECTORY ./scripts/bench mining`, a clone of github.com/logpai/loghub.
"""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from pathlib import Path

from scripts.benchmarks.processes import memory_kib
from scripts.benchmarks.report import Figure, median, skipped
from zen_agents.logs.mining.masks import Masks, shape
from zen_agents.logs.mining.miner import Miner

_CHUNK_BYTES = 256 * 1024
_SEED = 6


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    del folder
    return [*speed(quick), _distinct(100_000 if quick else 1_000_000), *_accuracy()]


def speed(quick: bool) -> list[Figure]:
    """Measure how many lines are mined."""
    lines = list(_corpus(100_000 if quick else 300_000))
    chunks = [b"\n".join(lines[at : at + 2000]) for at in range(0, len(lines), 2000)]
    ours = [_lines_a_second(len(lines), lambda: _mined(chunks)) for _ in range(3)]
    beside = lines[:20_000]
    theirs = _lines_a_second(len(beside), lambda: _grouped_by_drain3([line.decode() for line in beside]))
    return [
        Figure("lines mined a second, with masks", median(ours), "/CPU s", 150_000, at_least=True, samples=ours,
               note=f"drain3-improved with the same masks: {theirs:,.0f}; {_mined(chunks):,} templates"),
    ]  # fmt: skip


def _lines_a_second(lines: int, work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return lines / (time.process_time() - began)


def _mined(chunks: Iterable[bytes]) -> int:
    miner = Miner()
    for chunk in chunks:
        miner.learn(chunk, 0.0)
    return len(miner)


def _grouped_by_drain3(lines: Sequence[str]) -> list[int]:
    from drain3.drain import Drain  # noqa: PLC0415 - only here

    masks, drain = Masks(), Drain()
    return [drain.add_log_message(_masked(masks, line))[0].cluster_id for line in lines]


def _masked(masks: Masks, line: str) -> str:
    return " ".join(masks.words(shape(line.encode()).decode(), 10_000))


def _corpus(lines: int) -> Iterator[bytes]:
    """Yield lines like those of a server: a dozen kinds, with names, numbers, addresses and identifiers."""
    chance, users = (
        random.Random(_SEED),
        ["root", "admin", "test", "oracle", "alice", "bob", "postgres", "deploy", "git", "www"],
    )
    for _ in range(lines):
        n, user = chance.getrandbits(63), chance.choice(users)
        ip = f"{n % 223}.{n // 7 % 256}.{n // 11 % 256}.{n // 13 % 256}"
        yield chance.choice((
            f"Failed password for invalid user {user}{n % 99} from {ip} port {n % 65000} ssh2",
            f"Accepted publickey for {user} from {ip} port {n % 65000} ssh2: RSA SHA256:{n:x}",
            f"connection from {ip}:{n % 65000} closed after {n % 10000} ms",
            f'{ip} - - "GET /api/v1/orders/{n % 10**6}?page={n % 50} HTTP/1.1" 200 {n % 99999} "-" "Mozilla/5.0 (X11)"',
            f"BLOCK* NameSystem.addStoredBlock: blockMap updated: {ip}:50010 is added to blk_{n} size {n % 2**26}",
            f"Out of memory: Killed process {n % 32768} (myapp-worker) total-vm:{n % 10**7}kB",
            f"pam_unix(cron:session): session opened for user {user}(uid={n % 1000}) by (uid=0)",
            f'level=info ts=2026-01-02T03:04:{n % 60:02}Z caller=main.go:57 msg="request done" id={n:016x} took={n % 999}ms',
            f"Started Session {n % 9999} of user {user}.",
            f"instance: b9000564-fe1a-409b-b8cc-{n % 2**48:012x} VM Started (Lifecycle Event)",
            f"nginx.service: Main process exited, code=exited, status={n % 255}/FAILURE",
            f"worker {n % 64} took job {n % 2**32:#x} from queue mail with priority {n % 9}",
        )).encode()  # fmt: skip


def _distinct(lines: int) -> Figure:
    """Mine lines that are each unlike all others, in a process of its own; return by how much it grew."""
    told = subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks.mining", str(lines)], check=True, capture_output=True, text=True
    ).stdout.split()
    grown, templates, seconds = (float(word) for word in told)
    return Figure(f"memory for {lines:,} lines of no kind, each unlike all others", grown, "MB", 40,
                  note=f"{templates:,.0f} templates kept; {lines / seconds:,.0f} lines a CPU second")  # fmt: skip


def _mine_distinct(lines: int) -> None:
    chance, miner = random.Random(_SEED), Miner()
    before, began = memory_kib(os.getpid())["VmRSS"], time.process_time()
    for _ in range(lines // 1000):
        chunk = b"\n".join(b" ".join(b"%x" % chance.getrandbits(40) for _ in range(5)) for _ in range(1000))
        miner.learn(chunk.translate(_LETTERS), 0.0)
    grown = memory_kib(os.getpid())["VmHWM"] - before
    print(grown * 1024 / 1e6, len(miner), time.process_time() - began)


#: Digits to letters, so that no mask makes words of chance alike.
_LETTERS = bytes.maketrans(b"0123456789", b"ghijklmnop")


def _accuracy() -> list[Figure]:
    """Return the share of lines that are in exactly the right group (grouping accuracy: Zhu et al., ICSE-SEIP 2019)."""
    name = "grouping accuracy on LogHub's samples, mean"
    samples = sorted(Path(os.environ.get("LOGHUB", "/nonexistent")).glob("*/*_2k.log_structured.csv"))
    if not samples:
        return [skipped(name, "LOGHUB names no clone of github.com/logpai/loghub")]
    ours, theirs = [], []
    for sample in samples:
        with sample.open(encoding="utf-8", newline="") as file:
            rows = [(row["Content"], row["EventId"]) for row in csv.DictReader(file)]
        right = _groups(event for _, event in rows)
        miner = Miner()
        ours.append(_share(_groups(id(miner.template_of(line.encode(), 0.0)) for line, _ in rows), right))
        theirs.append(_share(_groups(_grouped_by_drain3([line for line, _ in rows])), right))
    lower = [sample.parent.name for sample, own, other in zip(samples, ours, theirs, strict=True) if own < other]
    return [
        Figure(name, sum(ours) / len(ours), "", sum(theirs) / len(theirs), at_least=True, samples=ours,
               note=f"goal: drain3-improved with the same masks; {len(samples)} corpora"),
        Figure("corpora on which it is below drain3-improved", float(len(lower)), "", 0, note=" ".join(lower)),
    ]  # fmt: skip


def _groups(labels: Iterable[Hashable]) -> set[frozenset[int]]:
    found: dict[Hashable, set[int]] = defaultdict(set)
    for number, label in enumerate(labels):
        found[label].add(number)
    return {frozenset(group) for group in found.values()}


def _share(found: set[frozenset[int]], right: set[frozenset[int]]) -> float:
    return sum(map(len, found & right)) / sum(map(len, right))


if __name__ == "__main__":
    _mine_distinct(int(sys.argv[1]))
