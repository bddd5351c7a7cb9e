"""Fetches the present .debs of packages, so that there is a way back: `python -m zen_agents.workers.debian_keep`.

From apt's cache, from a package list that still offers that version, or made anew of what is installed by dpkg-repack. Each
is compared with what dpkg says is installed before it counts.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

from zen_agents.adapters.apt_programs import AptError, answer
from zen_agents.jobs.debian_keep import KeepReply, KeepRequest
from zen_agents.model.debian_upgrade import DebianChange

_SECONDS: Final = 120.0


def keep(request: KeepRequest) -> KeepReply:
    """Fetch all of them, or say which one cannot be had."""
    folder = Path(request.directory)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for left in folder.glob("*.deb"):
            left.unlink()  # of a worker that was killed
        return KeepReply(tuple(_fetch(change, folder) for change in request.changes))
    except (AptError, OSError) as error:
        return KeepReply(failed=str(error))


def _fetch(change: DebianChange, folder: Path) -> str:
    before = set(folder.glob("*.deb"))
    if change.way_back.startswith("/"):
        shutil.copyfile(change.way_back, folder / Path(change.way_back).name)
    elif change.way_back == "archive":
        answer(("apt-get", "download", f"{change.name}={change.installed}"), _SECONDS, folder)
    elif change.way_back == "repack":
        answer(("dpkg-repack", change.name), _SECONDS, folder)
    made = sorted(set(folder.glob("*.deb")) - before)
    if len(made) != 1:
        raise AptError(f"the present {change.name} {change.installed} cannot be had")
    _compare(made[0], change)
    return made[0].name


def _compare(deb: Path, change: DebianChange) -> None:
    shown = answer(("dpkg-deb", "--show", "--showformat=${Package}\t${Version}\t${Architecture}", str(deb)), _SECONDS)
    name, version, architecture = shown.split("\t")
    if name != change.name.partition(":")[0] or version != change.installed:
        raise AptError(f"{deb.name} holds {name} {version} ({architecture}), not {change.name} {change.installed}")


def main() -> int:
    """Answer one request."""
    sys.stdout.write(keep(KeepRequest.from_json(sys.stdin.read())).to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
