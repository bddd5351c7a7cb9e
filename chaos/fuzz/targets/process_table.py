"""/proc/PID: a process and what is asked of it, or an error of the host."""

from __future__ import annotations

import contextlib

from chaos.fuzz.given import folder, joined, put, sections
from zen_agents.adapters.linux_view_processes import ProcessReader, parse_stat
from zen_agents.errors import HostError

_PID = 4242
_STAT = b"4242 (a (b) c) S 1 4242 4242 0 -1 4194304 1 0 0 0 7 3 0 0 20 0 1 0 12345 1000000 250 18446744073709551615 1 1\n"
_STATUS = b"Name:\ta\nTgid:\t4242\nUid:\t0\t33\t0\t0\n"
_LIMITS = (
    b"Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files\n"
)
SEEDS = (
    joined(_STAT, _STATUS, b"0::/system.slice/web.service\n", _LIMITS, b"python3\0-m\0web\0"),
    joined(
        _STAT.replace(b"7 3", b"9" * 400 + b" 3"),
        _STATUS.replace(b"33", b"9" * 5000),
        b"1:name=systemd:/x\n",
        b"",
        b"\xff\0\0",
    ),
    joined(_STAT.replace(b"12345", b"-1"), b"", b"::::\n:::", _LIMITS.replace(b"1024", b"9" * 5000), b""),
    joined(b")", b"", b"", b"", b""),
    joined(b"4242 () S" + b" 1" * 30, b"", b"", _LIMITS.replace(b"1024", b"unlimited"), b"t"),
)
WORDS = (b"4242 (", b") S ", b"Uid:\t", b"Tgid:\t", b"0::/", b"Max open files ", b"unlimited ", b"18446744073709551615")


def fuzz(data: bytes) -> None:
    """Read one process whose files hold the sections of one input."""
    names, root = ("stat", "status", "cgroup", "limits", "cmdline"), folder("processes")
    parts = sections(data, len(names))
    for name, content in zip(names, parts, strict=True):
        put(root / str(_PID) / name, content)
    (root / str(_PID) / "fd").mkdir(exist_ok=True)
    with contextlib.suppress(HostError):
        parse_stat(parts[0])
    reader = ProcessReader(str(root))
    with contextlib.suppress(HostError):
        reader.read_all()
        process = reader.read(_PID)
        if process is None:
            return
        for question in (reader.command_line, reader.owner, reader.is_thread_leader, reader.cgroup, reader.descriptors):
            with contextlib.suppress(HostError):
                question(process)
