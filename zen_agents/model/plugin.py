"""What a monitoring plugin said, by the contract that Nagios, Icinga and their plugins share.

Source: Monitoring Plugins Development Guidelines, "Plugin Return Codes" and "Performance data".
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

#: Exit status -> its word; every other one is as good as 3.
WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_UNKNOWN = 3
#: `'label'=value[UOM];[warn];[crit];[min];[max]`; a quote within a quoted label is doubled.
_DATUM = re.compile(r"""(?:'((?:[^']|'')+)'|([^\s='|]+))=(-?[0-9.]+(?:[eE][-+]?[0-9]+)?)([^\s;0-9]*)(?:;\S*)?(?=\s|$)""")
_MOST_WORDS = 200


class PluginAnswer(NamedTuple):
    """One answer."""

    #: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
    level: int
    #: The first line, without performance data; nothing in it can be taken for anything but text.
    text: str
    #: Label -> value in the plugin's own unit; what is no number is left out.
    values: Mapping[str, float]


def plugin_answer(exit_status: int, output: str) -> PluginAnswer:
    """Return what an exit status and the standard output say; whatever they are, it is an answer."""
    level = exit_status if 0 <= exit_status < _UNKNOWN else _UNKNOWN
    first, _, rest = output.partition("\n")
    text, _, data = first.partition("|")
    # Further lines may have performance data as well, behind a bar of their own.
    more = rest.partition("|")[2]
    said = "".join(each if each.isprintable() else " " for each in text).strip()[:_MOST_WORDS]
    if not said:
        said = "it said nothing" if exit_status in range(_UNKNOWN + 1) else f"it ended with {exit_status}"
    return PluginAnswer(level, said, _values(f"{data} {more}"))


def _values(data: str) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for quoted, plain, number, _unit in _DATUM.findall(data):
        try:
            value = float(number)
        except ValueError:
            continue  # a sign or a point alone is no number
        if math.isfinite(value):
            found[quoted.replace("''", "'") or plain] = value
    return found
