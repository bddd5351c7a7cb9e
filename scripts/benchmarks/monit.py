"""Debian's monit, run beside the engine as its anchor."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from scripts.benchmarks.processes import environment, wait_for

WHY_NOT = "monit is not installed (Debian: apt-get install monit)"


def is_installed() -> bool:
    """Tell whether there is a monit to measure."""
    return shutil.which("monit") is not None


@contextlib.contextmanager
def running(folder: Path, checks: str, *, cycle_seconds: int) -> Iterator[int]:
    """Run monit in the foreground with these checks; gives its process id once it has begun to watch."""
    folder.mkdir()
    control, log = folder / "monitrc", folder / "log"
    control.write_text(
        f"set daemon {cycle_seconds}\nset log {log}\nset pidfile {folder}/pid\nset idfile {folder}/id\n"
        f"set statefile {folder}/state\n{checks}",
        encoding="utf-8",
    )
    control.chmod(0o600)
    child = subprocess.Popen(
        ["monit", "-I", "-c", str(control)], env=environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(
            lambda: child.poll() is not None or (log.exists() and "Starting Monit" in log.read_text("utf-8", "replace")),
            seconds=30, what="the start of monit",
        )  # fmt: skip
        if child.poll() is not None:
            raise SystemExit(f"scripts/bench: monit ended with {child.returncode}: {log.read_text('utf-8')[-500:]}")
        yield child.pid
    finally:
        child.terminate()
        child.wait()
