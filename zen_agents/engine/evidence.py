"""What the host looked like before it was repaired, for the message to people: a repair removes its own clues.

Three steps, so that no repair waits: what the repair would destroy is read at once, in a fraction of a millisecond, what may
soon be otherwise beside it, and what is the same afterwards once the repair has ended, or has had its time: the journal, and
where files alone are changed the processes. Once an incident, at most `MOST_A_MINUTE` a minute, and bounded in size: a storm
takes a few, not thousands.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from zen_agents.clock import Clock
from zen_agents.engine.aside import Aside
from zen_agents.engine.journal import Journal
from zen_agents.errors import HostError, StoreError
from zen_agents.model.action import Intent, ResourceKind
from zen_agents.model.address import is_address_target
from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import Incident
from zen_agents.ports.evidence import MOST_CHANGES, EvidenceSource, Fragile, Records, Surroundings
from zen_agents.ports.store import WATCHED_PATHS, Store

log = logging.getLogger("zen_agents.evidence")

_Found = TypeVar("_Found")

#: Name of the ledger's entry.
EVIDENCE = "evidence"
#: What of it a message shows.
FACTS = ("processes", "open_files", "descriptors", "stacks", "log", "log_source", "related", "host")
MOST_A_MINUTE = 6
#: The rest may take so long (seconds); what comes later is not told.
WITHIN_SECONDS = 3.0
#: Repairs have the host to themselves for so long (seconds): a child that reads the journal takes one of two cores from one.
UNDISTURBED_SECONDS = 0.05
#: Incidents whose evidence is at hand for messages; of older ones it is in the ledger.
_MOST_REMEMBERED = 100


def evidence_in(store: Store, incident: Incident) -> Mapping[str, Any]:
    """Return the facts of `FACTS` that the ledger has; nothing if none was taken."""
    entries = store.entries(kinds=(EntryKind.ENGINE,), incident=incident.id, limit=50)
    body = next((row.entry.body for row in entries if row.entry.id == EVIDENCE), {})
    return {name: body[name] for name in FACTS if name in body}


class Evidence:
    """Takes evidence before repairs and remembers it for messages."""

    def __init__(self, source: EvidenceSource | None, *, store: Store, journal: Journal, clock: Clock, aside: Aside) -> None:
        """Without a source nothing is ever taken."""
        self._source, self._store, self._journal, self._clock, self._aside = source, store, journal, clock, aside
        self._taken: dict[str, Mapping[str, Any]] = {}
        self._lately: deque[float] = deque(maxlen=MOST_A_MINUTE)
        self._tasks: set[asyncio.Task[None]] = set()
        #: Set when the action of this id has ended.
        self._ended: dict[str, asyncio.Event] = {}

    def before(self, intent: Intent) -> None:
        """Take the evidence of an incident, unless it was taken; returns at once and never raises."""
        incident, now = intent.plan.request.incident, self._clock.now().steady
        if self._source is None or incident is None or incident in self._taken or self._is_too_often(now):
            return
        if is_address_target(intent.plan.request.target):
            # Whoever attacks must not use up what repairs need, and of an address its lines are the evidence.
            return
        self._lately.append(now)
        self._remember(incident, {})
        try:
            fragile = self._source.fragile(intent.plan)
        except Exception:  # a clue that is lost must not cost the repair
            log.exception("the evidence of %s could not be read", incident)
            fragile = Fragile()
        self._ended[intent.id] = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._rest(self._source, intent, incident, fragile), name=EVIDENCE)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def after(self, intent: Intent) -> None:
        """Read the rest now: the action has ended."""
        if (ended := self._ended.get(intent.id)) is not None:
            ended.set()

    def of(self, incident: Incident) -> Mapping[str, Any]:
        """Return what messages about an incident show of it, as `evidence_in`; also what an earlier engine took."""
        if incident.id not in self._taken and incident.attempts:
            self._remember(incident.id, evidence_in(self._store, incident))
        return self._taken.get(incident.id, {})

    async def settle(self) -> None:
        """Wait for what is being read."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _rest(self, source: EvidenceSource, intent: Intent, incident: str, fragile: Fragile) -> None:
        watched, at = self._watched(), intent.reserved_at.wall
        around = await self._asked(lambda: source.surroundings(intent.plan, watched, at), Surroundings(), incident)
        afterwards = _leaves_processes(intent)
        processes: Sequence[str] = ()
        if not afterwards:
            processes = await self._asked(source.processes, processes, incident)
        await self._undisturbed(intent)
        if afterwards:
            processes = await self._asked(source.processes, processes, incident)
        records = await self._asked(lambda: source.records(intent.plan, at), Records(), incident)
        facts = {
            "processes": list(processes), "open_files": list(fragile.open_files),
            "descriptors": fragile.descriptors, "stacks": list(fragile.stacks),
            "log": list(fragile.log or records.log), "log_source": fragile.log_source or records.log_source,
            # Each begins with its time, all in one zone.
            "related": sorted((*around.related, *records.related), reverse=True)[:MOST_CHANGES], "host": around.host,
        }  # fmt: skip
        facts = self._journal.redaction.value({name: value for name, value in facts.items() if value})
        self._remember(incident, facts)
        self._journal.engine(intent.reserved_at, EVIDENCE, incident=incident, before=intent.id, **facts)

    def _watched(self) -> Sequence[str]:
        try:
            return list(json.loads(self._store.get(WATCHED_PATHS) or "[]"))
        except (StoreError, ValueError) as error:
            log.warning("which paths are watched cannot be read: %s", error)
            return ()

    async def _asked(self, question: Callable[[], _Found], nothing: _Found, incident: str) -> _Found:
        """Return the answer, or nothing: a clue that is lost must not cost the others."""
        try:
            return await self._aside.ask(question, timeout_seconds=WITHIN_SECONDS)
        except HostError as error:
            log.warning("the surroundings of %s could not be read: %s", incident, error)
        except Exception:
            log.exception("the surroundings of %s could not be read", incident)
        return nothing

    async def _undisturbed(self, intent: Intent) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(UNDISTURBED_SECONDS):
                # One turn may have begun several.
                for ended in list(self._ended.values()):
                    await ended.wait()
        del self._ended[intent.id]

    def _is_too_often(self, now: float) -> bool:
        return len(self._lately) == MOST_A_MINUTE and now - self._lately[0] < 60.0

    def _remember(self, incident: str, facts: Mapping[str, Any]) -> None:
        self._taken.pop(incident, None)
        self._taken[incident] = facts
        while len(self._taken) > _MOST_REMEMBERED:
            del self._taken[next(iter(self._taken))]


def _leaves_processes(intent: Intent) -> bool:
    """Tell whether a repair changes files alone; reading of each process takes turns with the thread that does so."""
    return bool(intent.plan.touches) and all(resource.kind is ResourceKind.PATH for resource in intent.plan.touches)
