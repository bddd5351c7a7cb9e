"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from zen_agents import __version__


def machine() -> Mapping[str, str]:
    """Return facts about this machine and the programs that were compared, as people read them."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return {
        "processor": f"{os.cpu_count()} x {models[0] if models else platform.machine()}",
        "memory": f"{memory:.1f} GiB",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "zen-agents": __version__,
        "monit": _first_line(["monit", "--version"]),
        "systemd": _first_line(["systemctl", "--version"]),
        "load when this was written": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def _first_line(argv: list[str]) -> str:
    if shutil.which(argv[0]) is None:
        return "not installed"
    said = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10).stdout
    return said.splitlines()[0] if said else "does not say"
