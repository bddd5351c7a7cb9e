"""Resolves the least upgrade of one environment: `python -m zen_agents.workers.package_resolve`, a ResolveRequest on stdin.

Writes a `Resolution`. Started as root within namespaces in which nothing can be written, it becomes the environment's own
account before it looks at anything of it: whoever asks an interpreter runs what is installed there.
"""

from __future__ import annotations

import sys

from zen_agents.jobs.environment import ResolveRequest
from zen_agents.jobs.package_json import from_json, to_json
from zen_agents.workers.least_upgrade import resolve
from zen_agents.workers.sealing import seal
from zen_agents.workers.uv import Uv, UvError


def main() -> int:
    """Answer one request; exit 1 if nobody can tell, with the reason."""
    request = from_json(sys.stdin.read(), ResolveRequest)
    seal(request.tools)
    try:
        found = resolve(Uv(request.tools, request.environment), request.environment, request.wanted)
    except UvError as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 1
    sys.stdout.write(to_json(found) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
