"""What deeds load at their first use: loaded ahead of the first fault, where the deed is allowed, for it must not wait then.

A host that allows none of these pays for none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module

_REPLACING, _COPYING, _SETTING = ("safe_replacing",), ("safe_copying",), ("linux_kernel",)
#: Action -> modules of this folder that what it does to a host imports within a function.
DEEDS: Mapping[str, Sequence[str]] = {
    "compress_log_archives": ("safe_compressing",),
    "raise_conntrack_limit": _SETTING,
    "renew_certificate": _REPLACING,
    "restore_file": _REPLACING,
    "restore_last_good": _REPLACING,
    "restore_sysctl": _SETTING,
    "rotate_logs": _COPYING,
    "switch_resolver": _REPLACING,
    "widen_port_range": _SETTING,
}


def load_deeds(actions: Iterable[str]) -> None:
    """Load what these actions need; nothing for one that needs nothing besides."""
    for action in actions:
        for module in DEEDS.get(action, ()):
            import_module(f"zen_agents.adapters.{module}")
