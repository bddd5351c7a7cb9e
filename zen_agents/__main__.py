"""`python -m zen_agents` and the `zen-agents` command."""

from __future__ import annotations

import gc
import sys

from zen_agents.deferred import defer

# All that is loaded stays: to look again and again for what does not is a twentieth of what a command takes to start.
gc.disable()
# Paths import what knows those of Windows and how web addresses are quoted, sockets what waits for several.
defer("ipaddress", "ntpath", "selectors")

from zen_agents.cli.main import main  # noqa: E402 - what it imports is not to load them

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
