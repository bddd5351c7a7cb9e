"""Has workers find out what repairs would do, and remembers it: a plan rests on one look, also after a restart."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zen_agents.adapters.data_checks import Told, failing_files
from zen_agents.adapters.data_places import files_of, state_of
from zen_agents.adapters.data_repairs import look_at_repair
from zen_agents.adapters.durable_file import replace_durably
from zen_agents.adapters.quarantine import KeptFiles
from zen_agents.adapters.table_repairs import Asked, ask_table
from zen_agents.errors import HostError, StalePlanError
from zen_agents.jobs.data_check import DataCheckProgress
from zen_agents.jobs.data_failing import DataFailingReply, FailingFile
from zen_agents.jobs.data_repair import DataRepairReply
from zen_agents.ports.host_datasets import LookTold, RepairLook

log = logging.getLogger("zen_agents.repair_looks")

#: What is known of rows that anybody may change any moment is used for so many times what the look took: a repair that
#: waits for somebody does not have its database looked at all the time.
_TIMES: Final = 10.0
#: Of so many looks what they found is kept.
_MOST_KEPT: Final = 256
#: How often it is told how far a look is (seconds).
_TELL_EVERY: Final = 30.0


class RepairLooks:
    """What is known of repairs, below one state directory."""

    def __init__(self, state_dir: str | Path, kept: KeptFiles) -> None:
        self._directory, self._kept = Path(state_dir) / "repair-looks", kept
        #: Until when (monotonic) what was found of rows is used.
        self._until: dict[Path, float] = {}

    async def look(self, look: RepairLook, told: LookTold) -> None:
        """See `ports.host_datasets.DatasetView.look_at_repair`."""
        if self._holds(look):
            return
        began = time.monotonic()
        found = await _found(look, self._kept, told)
        ended = time.monotonic()
        try:
            self._keep(look, found)
        except OSError as error:
            raise HostError(f"what a look at {look.asked.dataset} found cannot be kept: {error.strerror}") from error
        # What nobody could tell is asked again.
        known_for = 0.0 if json.loads(found).get("unable") else _TIMES * (ended - began)
        self._until[self._place(look)] = ended + known_for

    def known(self, look: RepairLook) -> str:
        """See `ports.host_datasets.DatasetView.repair_known`."""
        found = self._read(look)
        if found is None:
            raise StalePlanError(f"nobody has looked what a repair of {look.asked.dataset} would do")
        if changed := _changed(look, found):
            raise StalePlanError(f"{changed} was written since it was looked at; nothing was done")
        return found

    def forget(self, dataset: str) -> None:
        """Forget what was found of a data set: it was changed."""
        for kind in ("files", "table", "rows_back", "failing"):
            path = self._directory / _name(dataset, kind)
            self._until.pop(path, None)
            path.unlink(missing_ok=True)

    def _holds(self, look: RepairLook) -> bool:
        found = self._read(look)
        if found is None or _changed(look, found):
            return False
        if look.kind == "files":
            return sorted(files_of(look.asked)) == sorted(_paths(found))
        # Of a table, and of files that did not fail, nothing tells whether they are what they were.
        return time.monotonic() < self._until.get(self._place(look), 0.0)

    def _read(self, look: RepairLook) -> str | None:
        try:
            card = json.loads(self._place(look).read_bytes())
            return str(card["found"]) if card["asked"] == _fingerprint(look) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None  # whoever looks anew writes it anew

    def _keep(self, look: RepairLook, found: str) -> None:
        self._directory.mkdir(mode=0o700, exist_ok=True)
        card = {"asked": _fingerprint(look), "found": found}
        replace_durably(self._place(look), json.dumps(card).encode())
        oldest = sorted(self._directory.glob("*.json"), key=lambda path: path.lstat().st_mtime_ns)[:-_MOST_KEPT]
        for path in oldest:
            path.unlink(missing_ok=True)

    def _place(self, look: RepairLook) -> Path:
        return self._directory / _name(look.asked.dataset, look.kind)


async def _found(look: RepairLook, kept: KeptFiles, told: LookTold) -> str:
    if look.kind == "files":
        return (await look_at_repair(look.asked, _teller(look, told))).model_dump_json()
    if look.kind == "failing":
        return await failing_files(look.asked, _teller(look, told))
    if look.kind == "table":
        return (await ask_table(look.asked, Asked("look"))).model_dump_json()
    reply = await ask_table(look.asked, Asked("look_back", undo=str(kept.content(look.kept))))
    if reply.put_back is None:
        raise HostError(reply.unable or f"what {look.asked.dataset} was could not be told")
    return reply.put_back.model_dump_json()


def _teller(look: RepairLook, tell: LookTold) -> Told:
    """Return what tells how far a look is, and writes it to the log now and then."""
    told_at = time.monotonic()

    def told(now: DataCheckProgress) -> None:
        nonlocal told_at
        share = now.share_of_all
        tell(now.doing, share)
        if time.monotonic() - told_at >= _TELL_EVERY:
            told_at = time.monotonic()
            log.info("what a repair of %s would do: %s, %.0f %%", look.asked.dataset, now.doing, 100 * share)

    return told


def _fingerprint(look: RepairLook) -> str:
    return hashlib.sha256(f"{look.asked.request_json}\n{look.kept}".encode()).hexdigest()


def _name(dataset: str, kind: str) -> str:
    return f"{hashlib.sha256(dataset.encode()).hexdigest()[:32]}-{kind}.json"


def _changed(look: RepairLook, found: str) -> str:
    """Return the first file that is another one than was looked at, "" if none is, or what was looked at is a table."""
    if look.kind not in ("files", "failing"):
        return ""
    is_repair = look.kind == "files"
    for each in DataRepairReply.model_validate_json(found).files if is_repair else _failing(found):
        state = state_of(each.path)
        if state is None or (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns) != each.identity:
            return each.path
    return ""


def _failing(found: str) -> Sequence[FailingFile]:
    return DataFailingReply.model_validate_json(found).failing


def _paths(found: str) -> Sequence[str]:
    return [each.path for each in DataRepairReply.model_validate_json(found).files]
