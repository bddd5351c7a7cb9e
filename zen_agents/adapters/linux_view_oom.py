"""Whom the kernel ended for want of memory."""

from __future__ import annotations

import re
from collections.abc import Sequence

from zen_agents.adapters.linux_view_kernel import Record, records
from zen_agents.adapters.linux_view_reading import require_kernel_file
from zen_agents.errors import HostError

_COUNT = re.compile(rb"^oom_kill (\d{1,20})$", re.MULTILINE)
_VICTIM = re.compile(r"(?i)out of memory: kill(?:ed)? process (?P<pid>\d+) \((?P<name>[^)]*)\)")


def kills(proc_root: str) -> int:
    """Return how many processes the kernel has ended since boot; HostError where it does not count them."""
    path = f"{proc_root}/vmstat"
    found = _COUNT.search(require_kernel_file(path))
    if found is None:
        raise HostError(f"{path} does not count them; that takes Linux 4.13")
    return int(found[1])


def victims(kernel_log: str, most: int) -> Sequence[str]:
    """Return the names and numbers of the last ones, the newest last; HostError if the kernel's log may not be read."""
    return named(list(records(kernel_log)), most)


def named(log: Sequence[Record], most: int) -> Sequence[str]:
    """Return `name (pid)` of the last ones that a log tells of."""
    found = filter(None, (_VICTIM.search(record.text) for record in log))
    return [f"{match['name']} ({match['pid']})" for match in found][-most:] if most > 0 else []
