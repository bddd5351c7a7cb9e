"""The 200 patterns of the log benches: what operators look for, and the error codes of an application."""

from __future__ import annotations

from collections.abc import Sequence

CODES: Sequence[str] = [f"{area}-{number}" for area in ("DB", "NET", "PAY", "AUTH", "IO") for number in range(4001, 4035)]

_WRITTEN: Sequence[str] = (
    r"sshd\[\d+\]: Failed password for (?:invalid user )?(?P<user>\S+) from (?P<address>[\da-fA-F.:]+) port \d+",
    r"sshd\[\d+\]: Invalid user (?P<user>\S+) from (?P<address>[\da-fA-F.:]+)",
    r"sshd\[\d+\]: error: maximum authentication attempts exceeded for (?P<user>\S+)",
    r"Out of memory: Killed process (?P<pid>\d+) \((?P<comm>[^)]+)\)",
    r"(?P<comm>\S+)\[\d+\]: segfault at [0-9a-f]+ ip",
    r"FATAL:  (?P<what>remaining connection slots|sorry, too many clients|the database system is starting up)",
    r'" (?P<status>5\d\d) \d+ "',
    r"I/O error, dev (?P<device>\w+), sector (?P<sector>\d+)",
    r"EXT4-fs error \(device (?P<device>[^)]+)\)",
    r"Remounting filesystem read-only",
    r"(?i)no space left on device",
    r"(?i)too many open files",
    r"blocked for more than \d+ seconds",
    r"nf_conntrack: table full, dropping packet",
    r"Call Trace:",
    r"systemd\[1\]: (?P<unit>\S+): Failed with result '(?P<result>[^']+)'",
    r"systemd\[1\]: (?P<unit>\S+): Main process exited, code=(?P<code>\w+), status=(?P<status>\S+)",
    r"Start request repeated too quickly",
    r"sudo: +(?P<user>\S+) : .*authentication failure",
    r"su: FAILED SU \(to (?P<to>\S+)\) (?P<user>\S+)",
    r"useradd\[\d+\]: new user: name=(?P<user>[^,]+)",
    r"(?i)certificate has expired",
    r"connect\(\) failed \(111: Connection refused\) while connecting to upstream",
    r"upstream timed out \(110: Connection timed out\)",
    r"java\.lang\.OutOfMemoryError: (?P<what>.+)$",
    r"deadlock detected",
    r"Temperature above threshold",
    r"MISCONF Redis is configured to save RDB snapshots",
    r"status=(?:bounced|deferred) \((?P<why>[^)]*)\)",
    r"panic: (?P<what>.+)$",
)
PATTERNS: Sequence[str] = (*_WRITTEN, *(rf"ERROR (?P<part>\w+): {code}\b" for code in CODES))
