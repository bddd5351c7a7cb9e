"""One look at each data set that a command is about, held against what is known of earlier ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from zen_agents.adapters.data_checks import check_data
from zen_agents.cli.call import Call
from zen_agents.cli.data_contracts import DataSets, data_sets
from zen_agents.cli.data_history import Histories
from zen_agents.cli.progress import Progress
from zen_agents.clock import SystemClock
from zen_agents.datasets.checking import unreadable
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.finding import Outcome, Profile, Report, worst
from zen_agents.datasets.history import Seen
from zen_agents.datasets.job import data_question, report_in
from zen_agents.datasets.plain import MalformedDatasetError, report_from_plain
from zen_agents.errors import HostError, UsageError
from zen_agents.jobs.data_check import DataCheckProgress

#: Exit codes by what came of all.
_EXITS: Final = {Outcome.PASSED: 0, Outcome.TOLERATED: 0, Outcome.FAILED: 1, Outcome.UNKNOWN: 6}


def look(call: Call) -> Sequence[Seen]:
    """Look at every data set that was named; what came of it is kept where `--history` says."""
    sets, against, histories = data_sets(call), _against(call), Histories(call)
    known = [(each, histories.of(each.name)) for each in sets.wanted]
    seen = []
    with Progress(call) as progress:
        for contract, history in known:
            report = _looked(contract, sets, against.get(contract.name, history.good), progress)
            histories.keep(contract.name, history.after(report))
            seen.append(Seen(report, history))
    return seen


def exit_of(reports: Iterable[Report]) -> int:
    """Return the exit code of the worst of them."""
    return _EXITS[worst(each.outcome for each in reports)]


def _looked(contract: Contract, sets: DataSets, before: Profile | None, shown: Progress) -> Report:
    now = SystemClock().now().wall.timestamp()
    question = data_question(contract, sets.others(contract), before, now)

    def told(progress: DataCheckProgress) -> None:
        shown.show(f"{contract.name}: {progress.doing}", progress.share_of_all)

    try:
        return report_in(asyncio.run(check_data(question, told)))
    except (HostError, MalformedDatasetError) as error:
        return unreadable(contract, str(error), now, is_damage=False)


def _against(call: Call) -> dict[str, Profile]:
    """Return what an earlier report left of each data set; one that was not good leaves nothing."""
    if call.arguments.against is None:
        return {}
    try:
        written = json.loads(Path(call.arguments.against).read_bytes())
        reports = [
            report_from_plain({key: value for key, value in each.items() if key != "outcome"}) for each in written["items"]
        ]
    except (ValueError, KeyError, TypeError, MalformedDatasetError) as error:
        raise UsageError(f"{call.arguments.against} is no report of data check -o json: {error}") from None
    return {each.dataset: each.profile for each in reports if each.is_good and each.profile is not None}
