"""What may be wrong with the installation: its Python, unit, configuration, secrets, state, clock, and the ways to people.

Examples:
  zen-agents doctor                                 each check with what it found and what to do
  zen-agents doctor --offline                       connects to nothing
  zen-agents doctor --bundle zen.tar.gz             packs what is asked for in a report of a fault, without secrets

Changes nothing. Works with the engine dead, and without a valid configuration; what cannot be told is `unknown`.

Exit: 0 nothing failed, 1 something did.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zen_agents.cli.call import Call, living_engine
from zen_agents.cli.envelope import data
from zen_agents.cli.render import next_steps, note, say
from zen_agents.cli.status import ANSWER_WITHIN
from zen_agents.doctor.checks import CHECKS
from zen_agents.doctor.examination import Finding, Site, State, examine
from zen_agents.errors import ZenError
from zen_agents.settings.finding import find_config
from zen_agents.settings.loader import Loaded, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `doctor` takes."""
    parser.add_argument("--bundle", metavar="FILE", help="write a tar.gz for a report of a fault; secrets are left out")
    parser.add_argument("--offline", action="store_true", help="connect to nothing: mail and PagerDuty are not asked")


def run(call: Call) -> int:
    """Examine, show, and pack if asked to."""
    site = _site(call)
    findings = examine(site, CHECKS)
    packed: dict[str, Any] = {}
    if call.arguments.bundle:
        from zen_agents.doctor.bundle import write_bundle  # noqa: PLC0415  only if asked for

        target = Path(call.arguments.bundle)
        packed = {"bundle": str(target), "files": write_bundle(target, site, findings)}
    if call.machine:
        checks = [finding_body(name, each) for name, each in findings.items()]
        data(call, "doctor", {"healthy": not _failed(findings), "checks": checks, **packed})
    else:
        _show(call, findings)
        if packed:
            note(f"wrote {packed['bundle']}: {', '.join(packed['files'])}")
            note("Secrets were left out; look through it all the same before you hand it on.")
        else:
            next_steps(call, "zen-agents doctor --bundle FILE", "zen-agents status")
    return 1 if _failed(findings) else 0


def _site(call: Call) -> Site:
    living = living_engine(call.state_dir)
    try:
        status = call.ask("status", timeout_seconds=ANSWER_WITHIN)
    except ZenError:
        status = None
    return Site(
        call.state_dir, os.environ, status, engine_pid=living[0] if living else None, loaded=_loaded(call),
        online=not call.arguments.offline,
    )  # fmt: skip


def _loaded(call: Call) -> Loaded | None:
    found = find_config(call.arguments.config or "", os.environ, os.geteuid())
    return None if found is None else load(found, os.environ)


def finding_body(name: str, found: Finding) -> dict[str, str]:
    """Return a finding as plain JSON."""
    return {"name": name, "state": found.state.value, "text": found.text, "fix": found.fix}


def show_finding(call: Call, name: str, found: Finding) -> None:
    """Print what was found, and what to do about it."""
    say(call, f"{found.state.value:8} {name:16} {found.text}", hang=26, paint=found.state.value)
    if found.fix:
        say(call, f"-> {found.fix}", indent=26, hang=3)


def _failed(findings: Mapping[str, Finding]) -> bool:
    return any(each.state is State.FAILED for each in findings.values())


def _show(call: Call, findings: Mapping[str, Finding]) -> None:
    for name, each in findings.items():
        if each.state is State.OK and call.arguments.quiet:
            continue
        show_finding(call, name, each)
    counts = Counter(each.state for each in findings.values())
    told = [f"{counts[state]} {state.value}" for state in State if counts[state]]
    say(call, f"{len(findings)} checks: {', '.join(told)}")
