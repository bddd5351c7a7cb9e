"""Small files that say who runs: pidfiles, `services/`, `running/`, and the emergency stop."""

from __future__ import annotations

import contextlib

from chaos.fuzz.given import folder, joined, put, sections
from chaos.fuzz.promise import promise
from zen_agents.adapters.emergency_flag import FLAG_NAME, EmergencyFlag
from zen_agents.adapters.linux_view_processes import ProcessReader
from zen_agents.adapters.linux_view_services import ServiceReader
from zen_agents.adapters.running_actions import still_running
from zen_agents.errors import HostError

_ACTION = "act-aaaaaa"
SEEDS = (
    joined(b"1 5\n", b"1\n", b"1234 5 6 00000000-0000-0000-0000-000000000000\n", b"set 2026-01-01 by root: fire\n", b"web"),
    joined(b"99999999999 1\n", b" 1 \r\nmore\n", b"-5 1 1 -\n", b"\xff\x1b[31m\n", b"../running/" + _ACTION.encode()),
    joined(b"1", b"\xb2\n", b"1 1 1 -\n", b"", b"/etc/passwd"),
    joined(b"", b"", b"9" * 190 + b" 1 1 -\n", b" " * 4096, b"a\0b"),
)
WORDS = (b"1 1 ", b" -\n", b"../", b"\r\n", b"2147483648", b"9999999999", b"\x00")


def fuzz(data: bytes) -> None:
    """Look at each file whose content, and at a service whose name, one input gives; nothing is ended."""
    service, pidfile, running, flag, name = sections(data, 5)
    state = folder("state")
    put(state / "services" / "web", service)
    put(state / "web.pid", pidfile)
    put(state / "running" / _ACTION, running)
    put(state / FLAG_NAME, flag)
    reader = ServiceReader(str(state), ProcessReader("/proc"))
    for asked in ("web", name.decode("utf-8", "replace")):
        with contextlib.suppress(HostError):
            reader.started(asked)
    with contextlib.suppress(HostError):
        reader.by_pidfile(str(state / "web.pid"), "", "")
    promise(set(still_running(state)) <= {_ACTION}, "an action runs that was never recorded")
    told = EmergencyFlag(state, host_flag=state / "none").read()
    promise(bool(told) and str(told).isprintable(), f"the emergency stop is told as {told!r}")
