"""`python -m zen_agents` and the `zen-agents` command."""

from __future__ import annotations

import sys

from zen_agents.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
