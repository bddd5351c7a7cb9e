"""Record what `baselines:` compare with: how files of this host are now. The host's own files are only read.

Examples:
  zen-agents baseline record                        for each of `baselines:` that has nothing declared yet
  zen-agents baseline record hosts web --force      for these, also over what was declared before
  zen-agents baseline record --file /etc/hosts --file /etc/ssh/sshd_config --to /srv/baseline
                                   for files that no configuration names yet;
                                   also writes baselines.yaml there, for conf.d

Only do it on a host that is known to be well. It asks nothing; what is declared already stays as it is without --force.
Exit: 0 all of it is declared as it is now, 1 something was left or could not be recorded.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.cli.baseline_record import Recorded, record, record_entries
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.options import config_of
from zen_agents.cli.render import next_steps, note, table
from zen_agents.errors import UsageError
from zen_agents.ports.host import HostView
from zen_agents.settings.loader import load

#: Beside what is declared for files that no configuration names.
_ENTRIES = "baselines.yaml"
#: Of a name that is made of a path; its end tells more than its beginning.
_LONGEST = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `baseline` takes."""
    parser.add_argument("verb", choices=("record",))
    parser.add_argument("names", nargs="*", metavar="NAME", help="of `baselines:`; none: all of them")
    parser.add_argument("--file", dest="files", metavar="PATH", action="append", default=[], help="one that none names yet")
    parser.add_argument("--to", metavar="DIRECTORY", type=Path, help="with --file: where what is declared goes")
    parser.add_argument("--force", action="store_true", help="also over what was declared before and is different")


def run(call: Call) -> int:
    """Record, and say what was."""
    wanted = call.arguments
    if bool(wanted.files) != (wanted.to is not None):
        raise UsageError("--file and --to go together: which files, and where does what they hold now go?")
    if wanted.files and wanted.names:
        raise UsageError("either names of `baselines:`, or --file; a name stands in the configuration")
    host = LinuxHost(call.state_dir).look()
    done = list(_new_files(wanted, host) if wanted.files else _configured(call, host))
    if call.machine:
        data(call, "baselines", {"items": [each.as_json() for each in done]})
    else:
        _show(call, done)
    return 0 if all(each.is_declared for each in done) else 1


def _configured(call: Call, host: HostView) -> Iterator[Recorded]:
    settings = load([str(config_of(call))], os.environ).require()
    baselines: dict[str, Any] = getattr(settings.agents.get("system_health"), "baselines", {})
    names = call.arguments.names or sorted(baselines)
    if unknown := [name for name in names if name not in baselines]:
        raise UsageError(f"no baseline is called {', '.join(unknown)}; there are: {', '.join(sorted(baselines)) or 'none'}")
    if not names:
        raise UsageError("the configuration has no `baselines:`; write them, or name files: --file PATH --to DIRECTORY")
    for name in names:
        yield record(name, baselines[name].path, Path(baselines[name].declared), host, force=call.arguments.force)


def _new_files(wanted: argparse.Namespace, host: HostView) -> Iterator[Recorded]:
    folder = wanted.to.absolute()
    taken: set[str] = set()
    done = []
    for path in dict.fromkeys(str(Path(file).absolute()) for file in wanted.files):
        name = _name_of(path, taken)
        done.append(record(name, path, folder / name, host, force=wanted.force))
        yield done[-1]
    if declared := [each for each in done if each.is_declared]:
        yield record_entries(_ENTRIES, declared, folder / _ENTRIES, host, force=wanted.force)


def _name_of(path: str, taken: set[str]) -> str:
    """Return a name for an entry that nothing else here has: the path in small letters, with _ for what no name has."""
    plain = "".join(each if each.isascii() and each.isalnum() else "_" for each in path.lower())[-_LONGEST:].strip("_")
    name, number = plain or "root", 1
    while name in taken or name == _ENTRIES:
        number += 1
        name = f"{plain}_{number}"
    taken.add(name)
    return name


def _show(call: Call, done: Sequence[Recorded]) -> None:
    rows = [(each.name, each.path, each.outcome, each.sha256[:12], each.mode, each.owner or None) for each in done]
    table(call, ("NAME", "FILE", "OUTCOME", "SHA256", "MODE", "OWNER"), rows, spare=("SHA256",))
    for each in done:
        if each.why:
            note(f"{each.name}: {each.why}")
    if any(each.outcome == "recorded" for each in done):
        next_steps(call, "zen-agents check-config", "zen-agents reload")
