"""Write a first configuration, in observe mode: nothing will be changed on this host until you say so.

Examples:
  zen-agents init                                   writes ./zen-agents.yaml
  zen-agents init --to FILE                         writes there; never over an existing file
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.render import clean, next_steps, say
from zen_agents.errors import UsageError
from zen_agents.settings.packs import describe, installed

_TEXT = """\
# zen-agents on this host. Check it with: zen-agents check-config {path}
# Every key: zen-agents explain config    For editors: zen-agents schema config

mode: observe          # observe: look and tell, never change anything. Then: enforce
{packs}

agents:
  system_health:
    enabled: true
    interval: 300      # seconds between full looks; events and services are seen sooner
    cpu_threshold: 80  # percent, for 5 minutes
    memory_threshold: 90
    auto_mitigate: true
{services}
# alerts:
#   email: {{to: [you@example.com]}}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `init` takes."""
    parser.add_argument("--to", metavar="FILE", type=Path, default=Path("zen-agents.yaml"), help="default ./zen-agents.yaml")


def run(call: Call) -> int:
    """Look around and write."""
    path: Path = call.arguments.to
    found, units = _found()
    text = _TEXT.format(path=path, packs=_packs(found, units), services=_services(units))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        raise UsageError(f"{path} is there already and is left as it is; name another one: --to FILE") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    if call.machine:
        data(call, "init", {"path": str(path), "found": found, "units": units})
        return 0
    say(call, f"Wrote {path}  (mode: observe - nothing will be changed on this host)")
    say(call, f"Found here: {', '.join([*found, *units[:8]]) or 'nothing special'} (services not added; see the comments)")
    next_steps(call, f"zen-agents check-config {path}", f"zen-agents plan -c {path}", f"zen-agents run -c {path}")
    return 0


def _found() -> tuple[list[str], list[str]]:
    marks = {"systemd": "/run/systemd/system", "apt": "/usr/bin/apt-get", "journald": "/run/systemd/journal"}
    found = [name for name, path in marks.items() if Path(path).exists()]
    units: list[str] = []
    wanted = Path("/etc/systemd/system/multi-user.target.wants")
    if wanted.is_dir():
        units = sorted(clean(entry.name) for entry in wanted.iterdir() if entry.name.endswith(".service"))
    return found, units


def _packs(found: list[str], units: list[str]) -> str:
    """Return the line that would extend the packs of what was found here."""
    here = {*units, *(["systemd-journald.service"] if "journald" in found else [])}
    fitting = [pack.name for pack in map(describe, installed()) if not here.isdisjoint(pack.units)]
    named = ", ".join(f"pack:{name}" for name in fitting or ["nginx"])
    return f"# extends: [{named}]   # what is known about them: zen-agents explain packs"


def _services(units: list[str]) -> str:
    lines = ["    # services:         # what to keep running; uncomment what is yours"]
    lines += [f"    #   {unit.removesuffix('.service')}: {{unit: {unit}}}" for unit in units[:20]]
    if not units:
        lines.append("    #   web: {unit: nginx.service, check: {http: http://127.0.0.1/, timeout: 3s}, every: 30s}")
    return "\n".join(lines)
