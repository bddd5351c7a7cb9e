"""Starts a worker that ends with whoever started it: `python -m zen_agents.workers PARENT MODULE`.

The kernel minds the very thread that started it: one that ends before its worker takes that along.
"""

from __future__ import annotations

import runpy
import sys

from zen_agents.workers.parent import end_with


def main() -> None:
    """Become the worker; PARENT is the process that starts it."""
    _, parent, module = sys.argv
    end_with(int(parent))
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
