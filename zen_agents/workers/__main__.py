"""Starts a worker that ends with whoever started it: `python -m zen_agents.workers PARENT MODULE`.

The kernel minds the very thread that started it: one that ends before its worker takes that along.
"""

from __future__ import annotations

import gc
import runpy
import sys
from collections.abc import Mapping, Sequence

from zen_agents.deferred import defer
from zen_agents.workers.parent import end_with

#: Worker -> what its libraries import and few of its jobs use: people wait for a mail, and of what it loads it is a quarter;
#: repairs wait for a look.
_AT_FIRST_USE: Mapping[str, Sequence[str]] = {
    "zen_agents.workers.alert_delivery": ("calendar", "hmac", "inspect", "ipaddress", "selectors", "ssl"),
    "zen_agents.workers.certificate_look": ("calendar", "inspect", "ipaddress", "ntpath"),
}


def main() -> None:
    """Become the worker; PARENT is the process that starts it."""
    _, parent, module = sys.argv
    end_with(int(parent))
    defer(*_AT_FIRST_USE.get(module, ()))
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        # Its end is waited for: the interpreter need not look through all that is left for what is in nobody's use.
        gc.freeze()


if __name__ == "__main__":
    main()
