"""How far journald has counted, and whose the newest lines are."""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Mapping

from zen_agents.adapters.linux_view_reading import read_regular_file, run_bounded
from zen_agents.errors import HostError

_HOMES = ("/var/log/journal", "/run/log/journal")
#: The head of a journal file (systemd.io/JOURNAL_FILE_FORMAT): its signature, and where the newest entry's number is.
_SIGNATURE, _NEWEST_AT, _HEAD_BYTES = b"LPKSHHRH", 160, 208
#: What a line of journalctl's JSON may take, and how long all may.
_LINE_BYTES, _SECONDS = 4096, 4.0
#: Where systemd tells journald the limit of a unit; it does so when the unit starts, and not again.
UNITS = "/run/systemd/units"
#: The drop-in that the engine writes, and what it may hold.
DROP_INS, DROP_IN, BURST = "/run/systemd/system", "50-zen-agents-log-rate.conf", "LogRateLimitBurst="


def newest_entry(machine: str, root: str = "") -> int:
    """Return the number of the newest entry of the system's journal; HostError if there is none."""
    for home in _HOMES:
        path = f"{root}{home}/{machine}/system.journal"
        read = read_regular_file(path, limit=_HEAD_BYTES) if machine else None
        if read is None:
            continue
        head = read[0]
        if len(head) < _HEAD_BYTES or not head.startswith(_SIGNATURE):
            raise HostError(f"{path} is no journal file")
        return int(struct.unpack_from("<Q", head, _NEWEST_AT)[0])
    raise HostError("this host keeps no journal; is systemd-journald running?")


def share(most: int, journalctl: str = "journalctl") -> Mapping[str, int]:
    """Return how many of the newest `most` entries each unit has written; "" for what no unit has."""
    fields = "--output-fields=_SYSTEMD_UNIT"
    argv = (journalctl, "--quiet", "--no-pager", "--output=json", fields, f"--lines={most}")
    code, output = run_bounded(argv, timeout_seconds=_SECONDS, limit=most * _LINE_BYTES)
    if code != 0:
        raise HostError(f"journalctl ended with {code}")
    return Counter(_unit_in(line) for line in output.splitlines())


def limit_of(unit: str, root: str = "") -> int | None:
    """Return the lines a second of the engine's own drop-in of a unit, None if there is none."""
    read = read_regular_file(f"{root}{DROP_INS}/{unit}.d/{DROP_IN}", limit=4096)
    if read is None:
        return None
    lines = read[0].decode("utf-8", "replace").splitlines()
    value = next((line.removeprefix(BURST) for line in lines if line.startswith(BURST)), "")
    if not (value.isascii() and value.isdigit()):
        raise HostError(f"the drop-in {DROP_IN} of {unit} is not the engine's; look at it")
    return int(value)


def _unit_in(line: str) -> str:
    try:
        unit = json.loads(line).get("_SYSTEMD_UNIT", "")
    except (ValueError, AttributeError):
        # What is no entry was written by no unit.
        return ""
    return unit if isinstance(unit, str) else ""
