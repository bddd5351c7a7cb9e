"""Run the engine in the foreground until Ctrl-C, TERM, `zen-agents stop` or the end of its terminal.

Examples:
  zen-agents run                                    with the configuration that is found
  zen-agents run --dry-run                          everything but the effect: says what it would do
  zen-agents run --mode observe                     safer than the file says; never looser

It ends after its running actions; a second Ctrl-C or TERM does not wait for them, the next engine verifies them then.

Exit: 0 stopped on request, 75 another engine holds the state, 78 configuration not valid,
129/130/143 terminal closed/Ctrl-C/TERM.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from zen_agents.adapters.allocator import allocate_in_one_place, give_back_what_is_free, let_go_of_programs
from zen_agents.cli.call import Call, state_directory
from zen_agents.cli.envelope import data
from zen_agents.cli.options import add_run_options, options_of
from zen_agents.cli.render import plural
from zen_agents.cli.times import seconds_of
from zen_agents.runtime.runtime import Runtime
from zen_agents.settings.loader import Loaded
from zen_agents.settings.rendering import render
from zen_agents.telemetry.logs import set_up_logging

#: A configuration of more written keys is worth a collection before anything is built from it: 0.7 MB for 30 ms.
_MANY_KEYS = 128
#: A thread that reads /proc for evidence would else keep the loop, which repairs meanwhile, waiting for five milliseconds
#: each time it comes back from the kernel.
_THREAD_TURN_SECONDS = 0.0005
#: By then the first turns have been taken, and what a start needs once is free (seconds): 10 MiB, mostly code of libraries.
_STARTED_SECONDS = 10.0
_EXIT = {"SIGHUP": 129, "SIGINT": 130, "SIGTERM": 143}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `run` takes."""
    add_run_options(parser)
    parser.add_argument("--max-runtime", metavar="DURATION", help="end after this, like 10m")


def run(call: Call) -> int:
    """Load, build, run, and end cleanly."""
    # What the engine writes is for its own account alone; children set their own.
    os.umask(0o077)
    allocate_in_one_place()
    set_up_logging(verbose=call.arguments.verbose, quiet=call.arguments.quiet)
    runtime = Runtime.load(options_of(call))
    _show_warnings(runtime.configuration.loaded)
    if len(runtime.configuration.loaded.origins) > _MANY_KEYS:
        # Each slotted dataclass leaves its first class behind: what is built now takes their room.
        gc.collect()
    return asyncio.run(_run(call, runtime))


def _show_warnings(loaded: Loaded) -> None:
    if loaded.diagnostics:
        print(render(loaded.diagnostics, "concise", files=loaded.files), file=sys.stderr)


async def _run(call: Call, runtime: Runtime) -> int:
    runtime.open()
    _greet(call, runtime)
    # What is there now stays, a start leaves next to no garbage: no collection need look at it. See `main` for where that
    # was off.
    gc.freeze()
    gc.enable()
    # What is to come, a storm for one, finds room in the place of what only loading needed.
    let_go_of_programs()
    sys.setswitchinterval(_THREAD_TURN_SECONDS)
    loop = asyncio.get_running_loop()
    loop.call_later(_STARTED_SECONDS, _give_back)
    if call.arguments.max_runtime:
        loop.call_later(seconds_of(call.arguments.max_runtime), runtime.engine.request_stop)
    ended_by = await runtime.run()
    logging.getLogger("zen_agents").info("ended: %s", ended_by)
    if call.machine:
        data(call, "run", {"ended_by": ended_by, "exit_code": _EXIT.get(ended_by, 0)})
    return _EXIT.get(ended_by, 0)


def _give_back() -> None:
    # Which files each directory of modules has: an import that comes later looks there again.
    sys.path_importer_cache.clear()
    give_back_what_is_free()
    let_go_of_programs()


def _greet(call: Call, runtime: Runtime) -> None:
    policy, engine = runtime.parts.policy, runtime.engine
    mode = ("DRY RUN, " if policy.dry_run else "") + f"mode {policy.mode}"
    files = ", ".join(str(path) for path in runtime.configuration.loaded.files)
    checks = sum(len(agent.tick.watchlist.checks) for agent in engine.agents)
    print(
        f"zen-agents on {engine.host_name}: {mode}, {plural(len(engine.agents), 'agent')}, {plural(checks, 'check')}, "
        f"at most {policy.repairs.most} repairs an hour; config {files}; state {call.state_dir}",
        file=sys.stderr,
    )
    if ready := "; ".join(_to_get_ready(call.state_dir)):
        print(f"In another terminal: {ready}", file=sys.stderr)
    print("Look: zen-agents status    Why: zen-agents why @last    Stop: Ctrl-C", file=sys.stderr)
    print("Stop all changes at once: scripts/stop-agents.sh --emergency", file=sys.stderr, flush=True)


def _to_get_ready(state_dir: Path) -> Iterator[str]:
    """Yield what has to be typed in a new shell so that it finds this program and this engine."""
    activate = Path(sys.prefix, "bin", "activate")
    if shutil.which("zen-agents") is None and activate.is_file():
        yield f". {shlex.quote(str(activate))}"
    if state_dir != state_directory(None, {}):
        yield f"export ZEN_AGENTS_STATE_DIR={shlex.quote(str(state_dir))}"
