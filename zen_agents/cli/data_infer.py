"""`data infer`: proposes a contract for a file, or for what the configuration names; to be read by a person, then kept."""

from __future__ import annotations

import asyncio
import sys
from shlex import quote

from zen_agents.adapters.data_inference import infer_contract
from zen_agents.cli.call import Call
from zen_agents.cli.data_contracts import is_file, place_of
from zen_agents.cli.envelope import data
from zen_agents.cli.progress import Progress
from zen_agents.cli.render import note
from zen_agents.datasets.job import infer_question
from zen_agents.errors import UsageError


def infer(call: Call) -> int:
    """Write the contract to standard output."""
    words, rows = call.arguments.words, call.arguments.rows
    if len(words) != 1:
        raise UsageError("name one data set, one file, or one pattern in quotes: the files that match it are one data set")
    if rows < 0:
        raise UsageError(f"--rows is a number of rows, or 0 for all; not {rows}")
    place = place_of(call, words[0])
    with Progress(call) as shown:
        shown.show(f"looking at {words[0]}")
        reply = asyncio.run(infer_contract(infer_question(place, rows)))
    if call.machine:
        data(call, "data-infer", [reply.model_dump(mode="json", exclude={"unable"})])
        return 0
    sys.stdout.write(reply.text)
    seen = "" if reply.is_all else "; --rows 0 looks at all of it"
    check = f"zen-agents data check {quote(words[0])} --contract FILE"
    then = f"then: {check}" if is_file(words[0]) else f"and put it below `datasets: {words[0]}:` of the configuration"
    note(f"proposed from {reply.rows:,} rows{seen}. Correct it, {then}")
    return 0
