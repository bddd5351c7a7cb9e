"""What is installed, and what is known of it: of this host, Python environments, projects. Nothing of them is run.

Examples:
  zen-agents packages list                          what dpkg has installed here
  zen-agents packages list -e /srv/app/.venv        of a Python environment, also a broken one
  zen-agents packages list -e / -e /srv/app         of both; of a project, its .venv and its locks
  zen-agents packages list -e package-lock.json -o json
  zen-agents packages sbom -e / -e /srv/app > bom.json   a bill of materials: CycloneDX 1.6
  zen-agents packages audit -e / -e /srv/app        known weaknesses, by OSV and Debian's tracker; also -o sarif
  zen-agents packages audit -e /srv/app --osv /srv/mirror/osv --ignore ignore.yaml   offline, without what is accepted
  zen-agents packages audit --exploited --vex vendor.json   marks what is exploited; believes what a vendor says
  zen-agents packages outdated                      later versions of what the configuration lists, and what policy says
  zen-agents packages outdated -e /srv/app --wheels /srv/wheels
  zen-agents packages plan                          what exactly would be upgraded now, what comes along, what asks
  zen-agents packages why jinja2                    who requires it, what is known, what policy says, what was done
  zen-agents packages apply --dry-run               what the engine would upgrade of what the configuration lists
  zen-agents packages apply app --yes --reason "the advisory of today"   upgrade one place: tried first, then watched

A path is a Python environment, the root of a host with dpkg, a project, or a file: uv.lock, pyproject.toml,
requirements.txt, package-lock.json, npm-shrinkwrap.json. What cannot be read or told is said with its place, and the
list is not complete then. Of a project that has neither a lock nor a .venv, what it asks for is listed, if it is pinned.

Exit: 0 all of it was read, 1 something could not be read or told. audit: 0 all was told and no weakness is known, 1 a
package has one (--at-least: so bad a one), 6 none and something could not be told. outdated: 0 nothing is old, 1 something
is, 6 not all could be told. why: 0, 6 as before. plan: 0; with --exit-code 10 if something would be done. apply: 0
upgraded and verified, or nothing to do; 1 failed or not wanted, 3 no engine runs, 4 refused by a guard, 6 not known
whether it worked.
"""

from __future__ import annotations

import argparse
import json
import shlex
import socket
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zen_agents import __version__
from zen_agents.adapters.packages_found import inventories
from zen_agents.cli.call import FORMATS, Call
from zen_agents.cli.envelope import data
from zen_agents.cli.packages_audit_arguments import add_audit_arguments
from zen_agents.cli.render import next_steps, note, plural, say, table
from zen_agents.cli.verbs import hand_on
from zen_agents.clock import SystemClock
from zen_agents.errors import UsageError, ZenError
from zen_agents.packages.package import Ecosystem, Inventory
from zen_agents.packages.sbom import bill_of_materials

OUTPUTS = (*FORMATS, "sarif")
#: The host itself, where no environment is named.
_HOST: Final = "/"
_MOST_PROBLEMS: Final = 20
#: What asks more than what is installed, and loads more for it.
_VERBS = {verb: f"zen_agents.cli.packages_{verb}:{verb}" for verb in ("apply", "outdated", "plan", "why")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `packages` takes."""
    parser.add_argument("verb", choices=("list", "sbom", "audit", "outdated", "plan", "why", "apply"))
    parser.add_argument(
        "name", nargs="?", default="", metavar="ONE",
        help="why: the package; apply: one of the places that the configuration lists",
    )  # fmt: skip
    parser.add_argument(
        "-e", "--environment", action="append", metavar="PATH", help="what to look at (may be repeated; default: this host)"
    )
    parser.add_argument("--exit-code", action="store_true", help="plan: end with 10 if something would be done")
    parser.add_argument("--index", default="", metavar="URL", help="outdated, why: where Python packages come from")
    parser.add_argument(
        "--wheels", action="append", metavar="DIR", help="outdated, why: directories of wheels instead (may be repeated)"
    )
    parser.add_argument("--dry-run", action="store_true", help="apply: say what would be done, do nothing")
    add_audit_arguments(parser)


def run(call: Call) -> int:
    """Read every environment, print, and say what could not be read."""
    try:
        return _run(call)
    except ModuleNotFoundError as error:
        raise ZenError(f"{error.name} is not installed, which this needs: pip install 'zen-agents[packages]'") from error


def _run(call: Call) -> int:
    if call.output == "sarif" and call.arguments.verb != "audit":
        raise UsageError("only packages audit prints SARIF; choose another -o")
    if call.arguments.verb in _VERBS:
        return hand_on(call, _VERBS)
    found = read(call)
    if call.arguments.verb == "audit":
        from zen_agents.cli.packages_audit import audit  # noqa: PLC0415  asks sources that the others do not need

        return audit(call, found)
    (_sbom if call.arguments.verb == "sbom" else _list)(call, found)
    tell_problems(found)
    if call.arguments.verb == "list":
        named = [word for path in call.arguments.environment or () for word in ("-e", path)]
        next_steps(
            call, *(shlex.join(("zen-agents", "packages", *words, *named)) for words in (("sbom",), ("list", "-o", "json")))
        )
    return 1 if any(inventory.problems for inventory in found) else 0


def read(call: Call) -> Sequence[Inventory]:
    """Return the inventories of what was named, each once; UsageError if there is nothing at one of the paths."""
    paths = dict.fromkeys(Path(word).absolute() for word in call.arguments.environment or (_HOST,))
    found = [inventory for path in paths for inventory in inventories(path)]
    return [*{(each.environment, each.ecosystem): each for each in found}.values()]


def tell_problems(found: Sequence[Inventory]) -> None:
    """Say beside the answer what keeps it from being complete."""
    problems = [problem for inventory in found for problem in inventory.problems]
    for problem in problems[:_MOST_PROBLEMS]:
        note(str(problem))
    if len(problems) > _MOST_PROBLEMS:
        note(f"and {len(problems) - _MOST_PROBLEMS} more; -o json has all")


def _list(call: Call, found: Sequence[Inventory]) -> None:
    if call.machine:
        _for_programs(call, found)
        return
    for number, inventory in enumerate(found):
        if number and not call.arguments.quiet:
            say(call, "")
        count = plural(len(inventory.packages), "package")
        incomplete = ", not complete" if inventory.problems else ""
        say(call, f"{inventory.environment}: {count} ({inventory.ecosystem}){incomplete}")
        if inventory.packages and not call.arguments.quiet:
            _table(call, inventory)


def _table(call: Call, inventory: Inventory) -> None:
    if inventory.ecosystem is Ecosystem.DEBIAN:
        rows = [(each.name, each.version, each.architecture, each.source) for each in inventory.packages]
        table(call, ("NAME", "VERSION", "FOR", "SOURCE"), rows, spare=("SOURCE", "FOR"), whole=("VERSION",))
    else:
        table(call, ("NAME", "VERSION"), [(each.name, each.version) for each in inventory.packages])


def _for_programs(call: Call, found: Sequence[Inventory]) -> None:
    items = [
        {"name": each.name, "version": each.version, "ecosystem": str(each.ecosystem), "environment": each.where,
         "source": each.source, "source_version": each.source_version, "architecture": each.architecture, "purl": each.purl}
        for inventory in found for each in inventory.packages
    ]  # fmt: skip
    environments = [
        {"environment": inventory.environment, "ecosystem": str(inventory.ecosystem), "packages": len(inventory.packages),
         "problems": [{"path": each.path, "line": each.line, "why": each.why} for each in inventory.problems]}
        for inventory in found
    ]  # fmt: skip
    is_one_by_one = call.output in ("jsonl", "name") or call.fields
    data(call, "packages", items if is_one_by_one else {"items": items, "environments": environments})


def _sbom(call: Call, found: Sequence[Inventory]) -> None:
    if call.output not in ("table", "wide", "json") or call.fields:
        raise UsageError("a bill of materials is one document of CycloneDX JSON; leave -o and --json=FIELDS out")
    bill = bill_of_materials(
        found, host=socket.gethostname(), at=SystemClock().now().wall, serial=uuid.uuid4(), tool_version=__version__
    )
    print(json.dumps(bill, indent=2))
