"""A large configuration is loaded by a process of its own: `python -m zen_agents.settings.apart`, a request on stdin.

The tree that knows the place of every key takes sixty times what the file takes, and memory that was once so torn up is
never given back whole. What the engine needs of it is a tenth. See docs/adr/0015.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zen_agents.settings.diagnostics import Report
from zen_agents.settings.loader import Loaded, drop_ins, load, load_tree

log = logging.getLogger("zen_agents.settings")

#: From this size on, all files together, a child is worth its start (half a second); below it the engine stays within 8 MB.
LARGE_BYTES = 128 * 1024
#: The largest configuration that may be takes a tenth of this.
LONGEST_SECONDS = 120.0


def load_lean(paths: Sequence[Path], environ: Mapping[str, str], *, flags: Mapping[str, Any]) -> Loaded:
    """Load as `loader.load` with `lean` does, a large configuration without its peak in this process's memory.

    A child that cannot be had, or does not come back, costs that memory and a line in the log, never the configuration.
    """
    files = [str(path) for path in paths]
    if "-" not in files and _bytes(files) >= LARGE_BYTES:
        from zen_agents.settings.handover import from_lines  # noqa: PLC0415 - most engines have no use for it

        try:
            return from_lines(_ask(files, environ, flags).splitlines())
        except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
            log.warning("the configuration is loaded by the engine itself, its own process failed: %s", error)
    return load(files, environ, flags=flags, lean=True)


def main() -> int:
    """Read the request from stdin, and write what came of loading to stdout."""
    from zen_agents.settings.handover import to_lines  # noqa: PLC0415 - as above

    # A process this short tidies up by ending.
    gc.disable()
    request = json.load(sys.stdin)
    loaded, tree = load_tree(request["files"], os.environ, flags=request["flags"], lean=True)
    sys.stdout.writelines(f"{line}\n" for line in to_lines(loaded, tree))
    return 0


def _bytes(files: Sequence[str]) -> int:
    """Return how large the files are together; loading tells what is wrong with one that cannot be looked at."""
    total = 0
    for file in (*files, *(drop_ins(files[0], Report()) if len(files) == 1 else ())):
        try:
            total += Path(file).stat().st_size
        except (OSError, ValueError):
            continue
    return total


def _ask(files: Sequence[str], environ: Mapping[str, str], flags: Mapping[str, Any]) -> str:
    return subprocess.run(
        [sys.executable, "-P", "-m", "zen_agents.settings.apart"],
        input=json.dumps({"files": files, "flags": flags}), stdout=subprocess.PIPE, timeout=LONGEST_SECONDS,
        # The same modules from the same places, plug-ins among them.
        env={**environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, check=True, start_new_session=True,
        encoding="ascii",
    ).stdout  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
