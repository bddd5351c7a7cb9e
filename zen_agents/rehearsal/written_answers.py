"""People in a rule test: they answer what the engine asks at the times that are written, through the engine's own door."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.dataclass import dataclass
from zen_agents.engine.approvals import Approvals, as_approver
from zen_agents.engine.parts import Parts
from zen_agents.errors import ZenError
from zen_agents.model.approval import Approval
from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import Incident
from zen_agents.model.principal import Principal
from zen_agents.rehearsal.rule_tests import WrittenAnswer

#: Accounts of people begin here; each name of a test is one account.
_FIRST_UID = 1000


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one written answer."""

    #: Its position in the test.
    number: int
    #: Steady time.
    at: float
    #: Why it did not count; "" if it did.
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a question's state, as the engine wrote it down."""

    at: float
    rule: str
    target: str
    state: str
    action: str
    detail: str


class WrittenAnswers:
    """Gives each answer when it is due, and lets the engine end what nobody answered."""

    def __init__(
        self, answers: Sequence[WrittenAnswer], parts: Parts, began: float, look_soon: Callable[[Incident], None]
    ) -> None:
        """`look_soon` has an incident decided anew at the next turn."""
        self._parts, self._began, self._look_soon = parts, began, look_soon
        self._approvals = Approvals(parts)
        numbered = list(enumerate(answers))
        self._waiting = sorted(numbered, key=lambda each: each[1].at)
        self._uids = {name: _FIRST_UID + index for index, name in enumerate(dict.fromkeys(each.by for each in answers))}
        self.answered: list[Answered] = []

    def next_at(self) -> float:
        """Steady time at which the next answer is due, or a question ends unanswered; infinite if there is none."""
        ends = [asked.expires_at for asked in self._parts.store.open_approvals()]
        answers = [self._began + each.at.total_seconds() for _, each in self._waiting[:1]]
        return min([*ends, *answers], default=float("inf"))

    async def give(self) -> None:
        """End what has expired by now, and give the answers that are due."""
        now = self._parts.clock.now()
        self._approvals.expire(now)
        while self._waiting and self._began + self._waiting[0][1].at.total_seconds() <= now.steady:
            number, answer = self._waiting.pop(0)
            self.answered.append(Answered(number, now.steady, await self._given(answer)))

    async def _given(self, answer: WrittenAnswer) -> str:
        asked = self._asked(answer)
        if asked is None:
            return f"nothing was asked{f' about {answer.rule}' if answer.rule else ''}"
        who = as_approver(
            Principal(answer.by, self._uids[answer.by]), frozenset(answer.groups), self._parts.policy.approvals.approvers
        )
        try:
            await self._approvals.answer(asked.id, who, yes=answer.decision == "approve", reason="as the test says")
        except ZenError as error:
            # Its id differs each time; the test has no other question that it could mean.
            return str(error).replace(asked.id, "it")
        finally:
            incident = next((each for each in self._parts.book if each.id == asked.incident), None)
            if incident is not None:
                self._look_soon(incident)
        return ""

    def _asked(self, answer: WrittenAnswer) -> Approval | None:
        """Return the question that is meant: an open one first, then the last that there was."""
        store = self._parts.store
        known = [*store.open_approvals(), *store.approvals(limit=1000)]
        return next((asked for asked in known if answer.rule in (None, asked.rule)), None)


def steps(store: SqliteStore) -> Iterator[Step]:
    """Yield how each question went on, oldest first."""
    asked: dict[str, Mapping[str, Any]] = {}
    for kind, entry_id, at, body in _written(store):
        if entry_id == "approval_asked":
            asked[body["approval"]] = body
        known, state = asked.get(body.get("approval", "")), body.get("state") or entry_id.removeprefix("approval_")
        if known is None or (kind is EntryKind.ENGINE and not entry_id.startswith("approval_")):
            continue
        yield Step(at, known["rule"], known["target"], state, known["action"], body.get("reason", ""))
    for used in store.approvals(limit=1000):
        if used.used_by and (row := store.action(used.used_by)) is not None:
            yield Step(row.reserved_at.steady, used.rule, used.target, used.state.value, used.action, "")


def _written(store: SqliteStore) -> Iterator[tuple[EntryKind, str, float, Mapping[str, Any]]]:
    since = 0
    while entries := store.entries(since=since, kinds=[EntryKind.ENGINE, EntryKind.HUMAN]):
        for chained in entries:
            since, entry = chained.seq, chained.entry
            yield entry.kind, entry.id, entry.at.steady, entry.body
