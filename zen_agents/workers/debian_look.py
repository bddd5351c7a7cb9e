"""Asks apt: `python -m zen_agents.workers.debian_look`. Reads a `DebianQuestion` as JSON and writes a `DebianLook`."""

from __future__ import annotations

import sys

from zen_agents.adapters.apt_look import look
from zen_agents.jobs.debian_look import reply_to_json, request_from_json


def main() -> int:
    """Answer one request."""
    sys.stdout.write(reply_to_json(look(request_from_json(sys.stdin.read()))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
