"""A simulated host with accounts, and a usermod that locks and opens them as the real one does."""

from __future__ import annotations

from chaos.simulation.host import SimulatedHost
from zen_agents.ports.host_commands import Command, CommandResult

PASSWD, SHADOW = "/etc/passwd", "/etc/shadow"


def with_accounts(*lines: str, shadow: tuple[str, ...] = ()) -> SimulatedHost:
    """Return a host with root and these accounts, lines of passwd(5), and what shadow(5) has of them besides root."""
    host = SimulatedHost()
    host.files.add_file(PASSWD, "\n".join(("root:x:0:0::/root:/bin/bash", *lines, "bob:x:1000:1000::/home/bob:/bin/sh", "")))
    host.files.add_file(SHADOW, "\n".join(("root:$6$own$hash:19000:0:99999:7:::", *shadow, "")))
    host.programs["usermod"] = lambda command: _usermod(host, command)
    return host


def _usermod(host: SimulatedHost, command: Command) -> CommandResult:
    *options, mark, name = command.argv[1:]
    assert mark == "--"
    lines = []
    for line in host.files.contents[SHADOW].splitlines():
        fields = line.split(":")
        if fields[0] == name:
            if "--unlock" in options and fields[1] == "!":
                return CommandResult(1, "usermod: unlocking the password would result in a passwordless account", False, 0.0)
            fields[1] = f"!{fields[1]}" if "--lock" in options else fields[1]
            fields[1] = fields[1].removeprefix("!") if "--unlock" in options else fields[1]
            fields[1] = options[options.index("--password") + 1] if "--password" in options else fields[1]
            fields[7] = options[options.index("--expiredate") + 1]
        lines.append(":".join(fields))
    host.files.add_file(SHADOW, "\n".join((*lines, "")))
    return CommandResult(0, "", False, 0.0)
