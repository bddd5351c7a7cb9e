"""A log of many programs, the same for the same seed, of which as many lines are hit as is asked for."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.benchmarks.log_patterns import CODES

#: Different lines of each kind; what is written is drawn from them.
_POOL = 40_000
_BLOCK_LINES = 20_000
_LINES_A_SECOND = 100
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


def write_corpus(path: Path, size: int, hit_share: float, seed: int = 11) -> None:
    """Write a log of at least `size` bytes of which this share of the lines is hit."""
    _write(path, size, hit_share, random.Random(seed), _QUIET, _HIT)


def write_sshd(path: Path, size: int, hit_share: float, seed: int = 12) -> None:
    """Write a log of sshd alone, of which this share of the lines is a log-in that failed."""
    _write(path, size, hit_share, random.Random(seed), _SSHD_QUIET, _SSHD_HIT)


def _write(
    path: Path, size: int, hit_share: float, chance: random.Random, quiet_makers: Sequence[Line], hit_makers: Sequence[Line]
) -> None:
    quiet, hit = _pool(chance, quiet_makers), _pool(chance, hit_makers)
    written, second = 0, 0
    with path.open("wb") as stream:
        while written < size:
            lines = []
            for number in range(_BLOCK_LINES):
                if number % _LINES_A_SECOND == 0:
                    stamp, second = _stamp(second), second + 1
                lines.append(stamp + chance.choice(hit if chance.random() < hit_share else quiet))
            written += stream.write(b"".join(lines))


def _pool(chance: random.Random, makers: Sequence[Line]) -> Sequence[bytes]:
    return [f" {chance.choice(_HOSTS)} {chance.choice(makers)(chance)}\n".encode() for _ in range(_POOL)]


def _stamp(second: int) -> bytes:
    """Return the stamp of so many seconds after 1 November."""
    minutes, seconds = divmod(second, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return b"Nov %2d %02d:%02d:%02d" % (1 + days % 28, hours, minutes, seconds)


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


def _sshd(said: str) -> Line:
    """Return what makes a line of sshd; `{name}`, `{word}` and `{address}` are drawn."""

    def line(chance: random.Random) -> str:
        words = {
            "name": chance.choice(_NAMES),
            "word": chance.choice(_WORDS),
            "address": _address(chance),
            "port": _pid(chance),
        }
        return f"sshd[{_pid(chance)}]: {said.format(**words)}"

    return line


def _kernel(said: Line) -> Line:
    return lambda chance: f"kernel: [{chance.randrange(10**6)}.{chance.randrange(10**6):06}] {said(chance)}"


_SSHD_QUIET: Sequence[Line] = (
    _sshd("Accepted publickey for {name} from {address} port {port} ssh2: RSA SHA256:x{port}"),
    _sshd("pam_unix(sshd:session): session opened for user {name}(uid=0) by (uid=0)"),
    _sshd("Disconnected from user {name} {address} port {port}"),
)
_SSHD_HIT: Sequence[Line] = (
    _sshd("Failed password for {name} from {address} port {port} ssh2"),
    _sshd("Failed password for invalid user {word} from {address} port {port} ssh2"),
    _sshd("Invalid user {word} from {address} port {port}"),
)
_CODED: Line = lambda c: f"app[{_pid(c)}]: ERROR {c.choice(_WORDS)}: {c.choice(CODES)} {_said(c)} for {c.choice(_NAMES)}"  # noqa: E731
_QUIET: Sequence[Line] = (
    *_SSHD_QUIET,
    lambda c: f"app[{_pid(c)}]: INFO {c.choice(_WORDS)}: {_said(c)} took {c.randrange(900)} ms",
    lambda c: f'api[{_pid(c)}]: {{"level":"info","msg":"{_said(c)}","id":{c.randrange(10**9)},"user":"{c.choice(_NAMES)}"}}',
    lambda c: f"systemd[1]: Started {c.choice(_WORDS)}.service - {_said(c)}.",
    lambda c: (
        f"CRON[{_pid(c)}]: ({c.choice(_NAMES)}) CMD (/usr/bin/{c.choice(_WORDS)} --{c.choice(_WORDS)} {c.randrange(99)})"
    ),
    _kernel(lambda c: f"eth0: {_said(c)} len={c.randrange(1500)}"),
    lambda c: (
        f"postfix/smtp[{_pid(c)}]: {c.randrange(16**8):X}: to=<{c.choice(_NAMES)}@example.org>, delay=0.4, status=sent"
    ),
    lambda c: _access(c, (200, 200, 200, 204, 301, 304)),
    lambda c: _access(c, (200, 200, 206, 302, 404)),
)
_HIT: Sequence[Line] = (
    *_SSHD_HIT,
    _kernel(lambda c: f"Out of memory: Killed process {_pid(c)} ({c.choice(_WORDS)}) total-vm:1kB"),
    _kernel(lambda c: f"{c.choice(_WORDS)}[{_pid(c)}]: segfault at {c.randrange(16**8):x} ip 00007f sp 00007f error 4"),
    lambda c: f"postgres[{_pid(c)}]: [3-1] FATAL:  remaining connection slots are reserved for {c.choice(_NAMES)}",
    _CODED,
    _CODED,
    lambda c: _access(c, (500, 502, 503, 504)),
)
