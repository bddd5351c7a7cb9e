"""CPU, load, memory, pressure and cgroup limits: finite numbers that are not negative, or an error of the host."""

from __future__ import annotations

import contextlib
from dataclasses import astuple
from math import isfinite

from chaos.fuzz.given import folder, joined, put, sections
from chaos.fuzz.promise import promise
from zen_agents.adapters.linux_view_resources import ResourceReader
from zen_agents.errors import HostError

_PROC = ("stat", "loadavg", "meminfo", "pressure/memory")
_CGROUP = ("cpu.max", "memory.max", "memory.current", "memory.stat", "memory.swap.max", "memory.swap.current")
_MEMINFO = b"MemTotal:       16000 kB\nMemFree: 1 kB\nMemAvailable:    8000 kB\nSwapTotal:   100 kB\nSwapFree:    50 kB\n"
_PRESSURE = b"some avg10=0.10 avg60=0.20 avg300=0.30 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
SEEDS = (
    joined(
        b"cpu  1 2 3 4 5 6 7 8 9 10\n",
        b"0.1 0.2 0.3 1/100 1\n",
        _MEMINFO,
        _PRESSURE,
        b"max 100000\n",
        b"8192000\n",
        b"4096\n",
        b"inactive_file 1024\n",
        b"max\n",
        b"0\n",
    ),
    joined(
        b"cpu 1 2 3\n",
        b"nan inf -1\n",
        _MEMINFO.replace(b"8000", b"9" * 5000),
        _PRESSURE.replace(b"0.10", b"1.2.3"),
        b"50000 100000\n",
        b"9" * 5000,
        b"\xb2",
        b"inactive_file " + b"9" * 5000,
        b"4096\n",
        b"-5\n",
    ),
    joined(
        b"cpu  1 2 3 4 5 6 " + b"9" * 400,
        b"1e999 0 0",
        b"",
        b"some avg10=" + b"9" * 400 + b" avg60=1 avg300=1 ",
        b"1 0",
        b"0",
    ),
)
WORDS = (
    b"cpu ",
    b"MemTotal: ",
    b" kB\n",
    b"some avg10=",
    b" avg60=",
    b" avg300=",
    b"max ",
    b"inactive_file ",
    b"nan",
    b"inf",
    b"1e999",
)


def fuzz(data: bytes) -> None:
    """Read the resources of a host whose files hold the sections of one input."""
    proc, cgroup = folder("resources/proc"), folder("resources/cgroup")
    parts = sections(data, len(_PROC) + len(_CGROUP))
    for name, content in zip(_PROC, parts, strict=False):
        put(proc / name, content)
    for name, content in zip(_CGROUP, parts[len(_PROC) :], strict=True):
        put(cgroup / name, content)
    put(cgroup / "cgroup.controllers", b"cpu memory\n")
    reader = ResourceReader(str(proc), str(cgroup))
    with contextlib.suppress(HostError):
        _sound("load", reader.load())
    with contextlib.suppress(HostError):
        _sound("CPU", astuple(reader.cpu_times()))
    with contextlib.suppress(HostError):
        _sound("memory", reader.memory())
    with contextlib.suppress(HostError):
        pressure = reader.pressure("memory")
        _sound("pressure", pressure or ())


def _sound(what: str, numbers: tuple[float, ...]) -> None:
    promise(all(isfinite(number) and number >= 0 for number in numbers), f"{what} is {numbers}")
