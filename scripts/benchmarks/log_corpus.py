"""A log of many programs, the same for the same seed, with as many hit lines as is asked for; and 200 patterns."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.benchmarks.log_patterns import CODES

#: Different lines of each kind; what is written is drawn from them.
_POOL = 40_000
_BLOCK_LINES = 20_000
_WORDS = [
    "request",
    "session",
    "worker",
    "queue",
    "cache",
    "index",
    "replica",
    "snapshot",
    "handshake",
    "upstream",
    "payload",
    "segment",
    "channel",
    "buffer",
    "bucket",
    "shard",
    "ledger",
    "invoice",
    "shipment",
    "catalog",
    "basket",
    "customer",
    "profile",
    "avatar",
    "search",
    "ranking",
    "billing",
    "webhook",
    "digest",
    "export",
    "import",
]
_NAMES = [
    "root",
    "admin",
    "oracle",
    "git",
    "deploy",
    "postgres",
    "ubuntu",
    "test",
    "nagios",
    "alice",
    "bob",
    "carol",
    "jenkins",
    "backup",
    "www-data",
]
_HOSTS = ("web-1", "web-2", "db-1", "cache-3", "edge-7")

Line = Callable[[random.Random], str]


def write_corpus(path: Path, size: int, hit_share: float, seed: int = 11) -> int:
    """Write a log of at least `size` bytes of which this share of the lines is hit; return how many lines it has."""
    chance = random.Random(seed)
    quiet, hit = _pool(chance, _QUIET), _pool(chance, _HIT)
    count = written = 0
    with path.open("wb") as stream:
        while written < size:
            marks = chance.random
            lines = [chance.choice(hit if marks() < hit_share else quiet) for _ in range(_BLOCK_LINES)]
            written += stream.write(b"".join(lines))
            count += _BLOCK_LINES
    return count


def write_sshd(path: Path, lines: int, seed: int = 12) -> None:
    """Write a log of sshd alone, a third of it log-ins that failed."""
    chance = random.Random(seed)
    pool = [_stamped(chance, make(chance)) for make in (*_SSHD_HIT, *_SSHD_QUIET, *_SSHD_QUIET) for _ in range(300)]
    path.write_bytes(b"".join(chance.choice(pool) for _ in range(lines)))


def _pool(chance: random.Random, makers: Sequence[Line]) -> Sequence[bytes]:
    return [_stamped(chance, chance.choice(makers)(chance)) for _ in range(_POOL)]


def _stamped(chance: random.Random, text: str) -> bytes:
    hour, minute, second = chance.randrange(24), chance.randrange(60), chance.randrange(60)
    return f"Nov {chance.randrange(1, 29):2d} {hour:02}:{minute:02}:{second:02} {chance.choice(_HOSTS)} {text}\n".encode()


def _address(chance: random.Random) -> str:
    return ".".join(str(chance.randrange(1, 255)) for _ in range(4))


def _said(chance: random.Random) -> str:
    return " ".join(chance.choices(_WORDS, k=chance.randrange(4, 12)))


def _access(chance: random.Random, status: Sequence[int]) -> str:
    path = f"/{chance.choice(_WORDS)}/{chance.choice(_WORDS)}/{chance.randrange(10**6)}"
    size, took = chance.randrange(40_000), chance.random()
    return (
        f'nginx: {_address(chance)} - - [20/Nov/2026:10:11:12 +0000] "GET {path} HTTP/1.1" {chance.choice(status)} {size} '
        f'"-" "Mozilla/5.0 (X11; Linux x86_64)" {took:.3f}'
    )


def _pid(chance: random.Random) -> int:
    return chance.randrange(300, 60_000)


_SSHD_QUIET: Sequence[Line] = (
    lambda c: (
        f"sshd[{_pid(c)}]: Accepted publickey for {c.choice(_NAMES)} from {_address(c)} port {_pid(c)}"
        f" ssh2: RSA SHA256:x{_pid(c)}"
    ),
    lambda c: f"sshd[{_pid(c)}]: pam_unix(sshd:session): session opened for user {c.choice(_NAMES)}(uid=0) by (uid=0)",
    lambda c: f"sshd[{_pid(c)}]: Disconnected from user {c.choice(_NAMES)} {_address(c)} port {_pid(c)}",
)
_SSHD_HIT: Sequence[Line] = (
    lambda c: f"sshd[{_pid(c)}]: Failed password for {c.choice(_NAMES)} from {_address(c)} port {_pid(c)} ssh2",
    lambda c: f"sshd[{_pid(c)}]: Failed password for invalid user {c.choice(_WORDS)} from {_address(c)} port {_pid(c)} ssh2",
    lambda c: f"sshd[{_pid(c)}]: Invalid user {c.choice(_WORDS)} from {_address(c)} port {_pid(c)}",
)
_QUIET: Sequence[Line] = (
    *_SSHD_QUIET,
    lambda c: f"app[{_pid(c)}]: INFO {c.choice(_WORDS)}: {_said(c)} took {c.randrange(900)} ms",
    lambda c: f'api[{_pid(c)}]: {{"level":"info","msg":"{_said(c)}","id":{c.randrange(10**9)},"user":"{c.choice(_NAMES)}"}}',
    lambda c: f"systemd[1]: Started {c.choice(_WORDS)}.service - {_said(c)}.",
    lambda c: (
        f"CRON[{_pid(c)}]: ({c.choice(_NAMES)}) CMD (/usr/bin/{c.choice(_WORDS)} --{c.choice(_WORDS)} {c.randrange(99)})"
    ),
    lambda c: f"kernel: [{c.randrange(10**6)}.{c.randrange(10**6):06}] eth0: {_said(c)} len={c.randrange(1500)}",
    lambda c: (
        f"postfix/smtp[{_pid(c)}]: {c.randrange(16**8):X}: to=<{c.choice(_NAMES)}@example.org>,"
        f" delay={c.random():.2f}, status=sent"
    ),
    lambda c: _access(c, (200, 200, 200, 204, 301, 304)),
    lambda c: _access(c, (200, 200, 206, 302, 404)),
)
_HIT: Sequence[Line] = (
    *_SSHD_HIT,
    lambda c: (
        f"kernel: [{c.randrange(10**6)}.{c.randrange(10**6):06}] Out of memory: Killed process {_pid(c)} "
        f"({c.choice(_WORDS)}) total-vm:1kB"
    ),
    lambda c: (
        f"kernel: [{c.randrange(10**6)}.1] {c.choice(_WORDS)}[{_pid(c)}]: segfault at {c.randrange(16**8):x}"
        " ip 00007f sp 00007f error 4"
    ),
    lambda c: f"postgres[{_pid(c)}]: [3-1] FATAL:  remaining connection slots are reserved for {c.choice(_NAMES)}",
    lambda c: f"app[{_pid(c)}]: ERROR {c.choice(_WORDS)}: {c.choice(CODES)} {_said(c)} for {c.choice(_NAMES)}",
    lambda c: f"app[{_pid(c)}]: ERROR {c.choice(_WORDS)}: {c.choice(CODES)} {_said(c)} for {c.choice(_NAMES)}",
    lambda c: _access(c, (500, 502, 503, 504)),
)
