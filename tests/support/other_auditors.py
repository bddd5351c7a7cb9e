"""What others say of the same packages from the same advisories: pip-audit and debsecan, each as its own program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

Pairs = set[tuple[str, frozenset[str]]]
_WITHIN_SECONDS: Final = 120


def pip_audit_command(site_packages: Path, osv_url: str) -> list[str]:
    """Return how pip-audit is asked about what lies in a directory, by a server that speaks OSV's API."""
    source = ("--vulnerability-service", "osv", "--osv-url", f"{osv_url}/v1/query")
    shown = ("--format", "json", "--aliases", "on", "--progress-spinner", "off")
    return [sys.executable, "-m", "pip_audit", "--path", str(site_packages), *source, *shown]


def by_pip_audit(site_packages: Path, osv_url: str) -> Pairs:
    """Return each package and weakness that it names, by all names of the weakness; fails if it skips anything."""
    done = subprocess.run(
        pip_audit_command(site_packages, osv_url), capture_output=True, text=True, timeout=_WITHIN_SECONDS, check=False
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"pip-audit ended with {done.returncode}: {done.stderr[-500:]}")
    found: Pairs = set()
    for package in json.loads(done.stdout)["dependencies"]:
        if "skip_reason" in package:
            raise RuntimeError(f"pip-audit skipped {package['name']}: {package['skip_reason']}")
        found |= {(package["name"], frozenset({each["id"], *each["aliases"]})) for each in package["vulns"]}
    return found


def by_debsecan(status: Path, feeds: Path, suite: str) -> Pairs:
    """Return each package and weakness that it names, by the feed of a release and a list of dpkg."""
    command = ["debsecan", "--suite", suite, "--source", f"file://{feeds}", "--status", str(status), "--format", "simple"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN_SECONDS, check=True)
    return {
        (package, frozenset({weakness}))
        for weakness, package in (line.split()[:2] for line in done.stdout.splitlines() if line)
    }
