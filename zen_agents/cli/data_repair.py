"""`data repair`: what a repair would change, a repaired copy, or the repair itself, which an engine does and can undo."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zen_agents.adapters.data_repairs import RepairedFile, look_at_repair, repaired
from zen_agents.adapters.durable_file import unfinished
from zen_agents.adapters.table_repairs import Asked, ask_table
from zen_agents.agents.data_validation.declared import remedies_of
from zen_agents.cli.call import Call
from zen_agents.cli.cut_short import said_if_cut_short
from zen_agents.cli.data_contracts import data_sets
from zen_agents.cli.envelope import data
from zen_agents.cli.progress import Progress
from zen_agents.cli.render import next_steps, note, plural, say, table
from zen_agents.cli.through_engine import Wanted, ended, through_engine
from zen_agents.datasets.cells import visible
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.job import repair_question, table_question
from zen_agents.errors import UsageError, ZenError
from zen_agents.jobs.data_check import DataCheckProgress
from zen_agents.jobs.data_repair import ChangedRow, DataRepairReply, FileRepair, TableRepair, TakenRow

_SHOWN = 10
_NOTHING, _UNTOLD = 0, 6
#: What gives rows back, the milder one first; to take a whole file away is none.
_REPAIRS = ("repair_data", "restore_data")
_WITHOUT = (
    "a repair in place is written down, watched and taken back by an engine. For one round alone: "
    "zen-agents once --agent data_validation --yes"
)


def repair(call: Call) -> int:
    """Show what would be changed, write a repaired copy, or have it repaired; exit code 6: that of one could not be told."""
    sets = data_sets(call)
    shown = _SHOWN if call.arguments.evidence is None else call.arguments.evidence
    if call.arguments.to is not None:
        return _copied(call, sets.wanted, shown)
    if not call.arguments.dry_run:
        done = through_engine(call, _in_place(call, sets.wanted))
        if call.machine:
            data(call, "data-repaired", done)
        return ended(call, done)
    with said_if_cut_short(lambda: "it was only looked at, and nothing was changed"), Progress(call) as progress:
        replies = [_looked(each, shown, progress) for each in sets.wanted]
    if call.machine:
        data(call, "data-repair", [_plain(each, reply) for each, reply in zip(sets.wanted, replies, strict=True)])
    else:
        for contract, reply in zip(sets.wanted, replies, strict=True):
            _show(call, contract, reply)
    return _UNTOLD if any(each.unable for each in replies) else _NOTHING


def _in_place(call: Call, wanted: Sequence[Contract]) -> Sequence[Wanted]:
    """Return what an engine is asked to do: to data sets that it knows, by their names."""
    if call.arguments.contract is not None or not call.arguments.words:
        raise UsageError(
            "say what to do: --dry-run shows what would change, --to FILE writes a repaired copy, and NAME of a data set of "
            "the configuration has the engine repair it where it is"
        )
    return [_asked(each) for each in wanted]


def _asked(contract: Contract) -> Wanted:
    name = contract.name
    request = next((each for each in remedies_of(contract) if each.action in _REPAIRS), None)
    if request is None:
        raise UsageError(f"the contract of {name} allows no repair; list what may be done in `repair`")
    return Wanted(request.action, request.target, f"looking at {name}", f"repairing {name}", f"Repair {name}?", _WITHOUT)


def _looked(contract: Contract, shown: int, progress: Progress) -> DataRepairReply:
    if contract.source.kind.is_file:
        return asyncio.run(look_at_repair(repair_question(contract, shown=shown), _teller(progress)))
    progress.show(contract.source.place, 0.0)
    reply = asyncio.run(ask_table(table_question(contract, shown=shown), Asked("look")))
    return DataRepairReply(table=reply.repair, unable=reply.unable)


def _teller(progress: Progress) -> Any:
    def told(now: DataCheckProgress) -> None:
        progress.show(now.doing, now.share_of_all)

    return told


def _copied(call: Call, wanted: Sequence[Contract], shown: int) -> int:
    """Write what the one file would hold to a new file, and what was taken out beside it."""
    if len(wanted) != 1:
        raise UsageError(f"--to is for one file; {len(wanted)} data sets were named")
    to = Path(call.arguments.to)
    taken = to.with_name(f"{to.name}.quarantined")
    for path in (to, taken):
        if os.path.lexists(path):
            raise UsageError(f"{path} is there already; name a new file")

    async def work() -> FileRepair:
        async with repaired(repair_question(wanted[0], shown=shown), _teller(progress)) as done:
            try:
                _write(done, to, taken)
            except OSError as error:
                raise ZenError(f"{to} could not be written ({error.strerror}); {done.repair.path} is as it was") from None
            return done.repair

    with said_if_cut_short(lambda: _left(to, wanted[0])), Progress(call) as progress:
        done = asyncio.run(work())
    reply = DataRepairReply(files=(done,))
    if call.machine:
        data(call, "data-repair", [_plain(wanted[0], reply)])
        return _NOTHING
    _show(call, wanted[0], reply)
    note(f"{to} holds what is repaired" + (f"; what was taken out, and why: {taken}" if done.taken else ""))
    next_steps(call, shlex.join(["zen-agents", "data", "check", str(to), "--contract", call.arguments.contract or "FILE"]))
    return _NOTHING


def _left(to: Path, contract: Contract) -> str:
    written = "is written whole" if to.exists() else "was not written; the same command writes it"
    return f"{contract.source.place} is as it was, and {to} {written}"


def _write(done: RepairedFile, to: Path, taken: Path) -> None:
    """Write both before either gets its name: who is killed meanwhile leaves nothing that is in the way of the next."""
    mode = stat.S_IMODE(Path(done.repair.path).stat().st_mode)
    with contextlib.ExitStack() as stack:
        copy = stack.enter_context(_poured(stack.enter_context(done.opened()), to, mode))
        if done.repair.taken:
            rows = stack.enter_context(_poured(stack.enter_context(done.taken()), taken, mode))
            os.link(rows, taken)
        os.link(copy, to)  # never in the place of what somebody else has made meanwhile


@contextlib.contextmanager
def _poured(source: int, to: Path, mode: int) -> Iterator[Path]:
    """Copy to a file beside a new one, whole and on its disk; what a run that was killed has left is written over.

    As with `cp` nobody may read it who may not read the original, and nobody whom the umask keeps out.
    """
    fresh = unfinished(to)
    fresh.unlink(missing_ok=True)
    try:
        out_of = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(os.dup(source), "rb") as rows, os.fdopen(out_of, "wb") as out:
            shutil.copyfileobj(rows, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)


def _plain(contract: Contract, reply: DataRepairReply) -> dict[str, Any]:
    files = [{**each.model_dump(mode="json", exclude={"identity"}), "share": each.share} for each in reply.files]
    of_table = reply.table
    table = None if of_table is None else {**of_table.model_dump(mode="json", exclude={"about"}), "share": of_table.share}
    return {
        "dataset": contract.name, "place": contract.source.place, "unable": reply.unable, "files": files, "table": table
    }  # fmt: skip


def _show(call: Call, contract: Contract, reply: DataRepairReply) -> None:
    if reply.unable:
        say(call, f"{contract.name}  cannot be repaired: {reply.unable}", hang=2)
        return
    for each in reply.files:
        say(call, f"{each.path}  {_sum(each, _of_file(each))}", hang=2)
        _show_rows(call, contract, each)
    if reply.table is not None:
        say(call, f"{reply.table.place}  {_sum(reply.table, ())}", hang=2)
        if reply.table.triggers:
            say(call, f"it would start {', '.join(reply.table.triggers)}: a person is asked first", indent=2)
        _show_rows(call, contract, reply.table)


def _show_rows(call: Call, contract: Contract, each: FileRepair | TableRepair) -> None:
    if each.share > contract.repair_at_most and call.arguments.to is None:
        say(call, f"that is more than repair_at_most ({contract.repair_at_most:.0%}): a person is asked first", indent=2)
    if each.preview:
        rows = [
            (_row(row), cell.column, visible(cell.before), visible(cell.after)) for row in each.preview for cell in row.cells
        ]
        table(call, ("ROW", "COLUMN", "IS", "WOULD BE"), rows)
    if each.preview and each.leaving:
        say(call, "")
    if each.leaving:
        table(call, ("ROW", "TAKEN OUT FOR"), [(_row(row), row.why) for row in each.leaving], goes_on="TAKEN OUT FOR")


def _row(row: ChangedRow | TakenRow) -> str:
    if isinstance(row, TakenRow) and row.line is not None:
        return f"line {row.line}"
    if row.number is not None:
        return str(row.number)
    return ", ".join(f"{column}={value}" for column, value in row.keys) or "-"


def _of_file(each: FileRepair) -> Sequence[str]:
    """Return what is done to a file besides its rows."""
    renamed = [f"{old} renamed to {new}" for old, new in each.renamed.items()]
    return [*renamed, *(f"{each_said} written anew" for each_said in each.rewritten)]


def _sum(each: FileRepair | TableRepair, besides: Sequence[str]) -> str:
    if not each.is_needed:
        return f"nothing to repair in {plural(each.rows, 'row')}"
    parts = [f"of {plural(each.rows, 'row')}: {each.changed:,} changed"]
    parts += [f"{each.taken:,} taken out"] if each.taken else []
    parts += [f"{plural(each.dropped, 'repetition')} dropped"] if each.dropped else []
    parts += besides
    return ", ".join(parts) + f" ({each.share:.1%})"
