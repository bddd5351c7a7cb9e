"""What is installed in a virtual environment, and which of it an advisory is about: `advisories.py VENV [ADVISORIES]`.

Prints NAME==VERSION, one a line: of all packages, or with ADVISORIES (a directory of files in the form of OSV) of the
affected ones, and fails then if there is one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path


def main(venv: Path, advisories: str = "") -> int:
    """Return 1 if something is affected."""
    places = [str(place) for place in venv.glob("lib/*/site-packages")]
    installed = sorted((each.name, each.version) for each in distributions(path=places))
    before = dict(_fixed(Path(advisories))) if advisories else {}
    told = [each for each in installed if not advisories or _is_before(each[1], before.get(each[0], "0"))]
    for name, version in told:
        print(f"{name}=={version}")  # noqa: T201 - its answer
    return int(bool(advisories and told))


def _fixed(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.glob("*.json")):
        for affected in json.loads(file.read_text(encoding="utf-8"))["affected"]:
            for event in (event for span in affected["ranges"] for event in span["events"]):
                if "fixed" in event:
                    yield affected["package"]["name"], event["fixed"]


def _is_before(version: str, fixed: str) -> bool:
    return [int(part) for part in version.split(".")] < [int(part) for part in fixed.split(".")]


sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
