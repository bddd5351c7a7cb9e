"""Looks at the packages of one place: `python -m zen_agents.workers.package_look`.

Reads a `PackageQuestion` as JSON and writes a `PackageLook`. It reads what an environment has on record and runs nothing
of it.
"""

from __future__ import annotations

import sys

from zen_agents.clock import SystemClock
from zen_agents.jobs.package_look import reply_to_json, request_from_json
from zen_agents.model.package_look import PackageLook, PackageQuestion


def look(asked: PackageQuestion) -> PackageLook:
    """Return what is known; a missing library is something untold, too."""
    try:
        from zen_agents.adapters.packages_look import look as look_at  # noqa: PLC0415  loads what the extra brings

        return look_at(asked, SystemClock().now().wall)
    except ModuleNotFoundError as error:
        return PackageLook(untold=(f"{error.name} is not installed, which this needs: pip install 'zen-agents[packages]'",))


def main() -> int:
    """Answer one request."""
    sys.stdout.write(reply_to_json(look(request_from_json(sys.stdin.read()))) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
