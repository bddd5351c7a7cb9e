"""`data report`: one look, told to people on the terminal and in a page, to a pipeline as JUnit, to programs as JSON."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from zen_agents.cli.call import Call
from zen_agents.cli.data_check import report_with_outcome, show
from zen_agents.cli.data_looking import exit_of, look
from zen_agents.cli.envelope import data
from zen_agents.cli.out_file import print_into
from zen_agents.cli.render import note, say, table
from zen_agents.datasets.history import Run, Seen
from zen_agents.datasets.plain import history_to_plain
from zen_agents.errors import UsageError

#: So many of the last runs are shown on a terminal.
_RUNS: Final = 10
#: What the files that this command writes begin with.
_HTML, _XML = b"<!DOCTYPE html>", b"<?xml"


def report(call: Call) -> int:
    """Look once, and write and print what came of it; the exit code is that of `data check`."""
    wanted = [
        (Path(where), begins, made)
        for where, begins, made in ((call.arguments.html, _HTML, _page), (call.arguments.junit, _XML, _junit))
        if where is not None
    ]
    for path, begins, _ in wanted:
        _refuse_another(path, begins)
    seen = look(call)
    if call.machine:
        data(call, "data-report", [_plain(each) for each in seen])
    else:
        for each in seen:
            show(call, each.report)
            _show_runs(call, each.history.runs)
    # What was found is told by now, should there be no room for it in a file.
    for path, _, made in wanted:
        _write(path, made, seen)
    return exit_of(each.report for each in seen)


def _refuse_another(path: Path, begins: bytes) -> None:
    """Refuse, before the look, to write where nothing can be, or over what is no earlier report: the data, for one."""
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is no directory; make it first")
    with contextlib.suppress(OSError):  # what there is to say of it is said when it is written
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as there:
            if (found := there.read(len(begins))) and found != begins:
                raise UsageError(f"{path} is there already and is no earlier report: it is left as it is; name another file")


def _page(seen: Sequence[Seen]) -> str:
    # Only what is asked for is loaded.
    return str(importlib.import_module("zen_agents.report.dataset_page").render(seen))


def _junit(seen: Sequence[Seen]) -> str:
    return str(importlib.import_module("zen_agents.report.dataset_junit").junit(each.report for each in seen))


def _write(path: Path, made: Callable[[Sequence[Seen]], str], seen: Sequence[Seen]) -> None:
    text = made(seen)
    print_into(path, lambda: print(text, end=""))
    note(f"wrote {path}")


def _plain(seen: Seen) -> dict[str, Any]:
    return {**report_with_outcome(seen.report), "history": history_to_plain(seen.history)}


def _show_runs(call: Call, runs: Sequence[Run]) -> None:
    if not runs:
        return
    say(call, "")
    say(call, "earlier runs, the last first")
    rows = [
        (call.when(datetime.fromtimestamp(run.started_at, UTC)), run.outcome, "-" if run.rows is None else run.rows,
         ", ".join(each.check for each in run.named) or "-")
        for run in runs[: -_RUNS - 1 : -1]
    ]  # fmt: skip
    table(call, ("RUN", "OUTCOME", "ROWS", "FAILED"), rows, goes_on="FAILED")
