"""Asks people whether exactly this plan may be done, takes their answers, and ends what nobody answered.

All state is in the store, so that a question survives the engine. What was approved is not done here: the incident is
decided anew, the plan made anew and every guard asked anew; an approval for another digest is worth nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from zen_agents.clock import Instant
from zen_agents.engine.judged import plan_body
from zen_agents.engine.parts import Parts
from zen_agents.errors import ExpiredError, PermissionDeniedError, RefusedError, StalePlanError, StoreError, ZenError
from zen_agents.guards.approval import asks_people, people_needed
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.model.approval import Approval, ApprovalAnswer, ApprovalState
from zen_agents.model.ids import APPROVAL, new_id
from zen_agents.model.incident import Incident
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.model.redaction import shown
from zen_agents.rules import transitions
from zen_agents.rules.rule import Rule

log = logging.getLogger("zen_agents.approvals")

#: A question whose plan has changed is asked anew no sooner than this after it was asked (seconds): what changes at every
#: look must not become a message at every look.
ASK_ANEW_SECONDS = 60.0


class Approvals:
    """The questions of one engine."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    # -- asking -------------------------------------------------------------------------------------------------------
    def may_be_asked(self, requests: Sequence[ActionRequest], incident: Incident) -> bool:
        """Tell whether people are likely to be asked about an incident now, for the first time."""
        policy = self._parts.policy
        if policy.mode == "observe" or incident.refused_for is not None or incident.escalated_for is not None:
            return False
        asking = [each for each in requests if each.listed_as in policy.allowed and asks_people(each, policy)]
        try:
            return any(self._parts.store.open_approval(each.action, each.target) is None for each in asking)
        except StoreError:  # the guards will tell
            return False

    def ask(self, plan: Plan, now: Instant, *, incident: Incident | None = None, rule: Rule | None = None) -> Approval:
        """Return the open question about this very plan; asks, and tells people once, if there is none. Raises StoreError.

        An older question about another plan or state of the target ends as stale. A person who asks for the action has
        agreed to it by that, if they may approve.
        """
        request, store = plan.request, self._parts.store
        earlier = store.open_approval(request.action, request.target)
        if earlier is not None and earlier.expires_at <= now.steady:
            ended = self._expire(earlier, now)
            if ended.incident is not None and ended.incident == request.incident:
                return ended
        elif earlier is not None and earlier.digest == plan.digest:
            return self._joined(earlier, request, now)
        elif earlier is not None and now.steady - earlier.asked_at.steady < ASK_ANEW_SECONDS:
            return earlier
        elif earlier is not None:
            self._end(earlier, ApprovalState.STALE, "approval stale: the plan or the target's state changed", now)
        asked = self._made(plan, now)
        store.save_approval(asked)
        self._parts.journal.engine(now, "approval_asked", incident=asked.incident, **approval_body(asked))
        # People are told of nothing that a crash could make unknown.
        store.commit()
        self._parts.escalation.approval(asked, incident, rule, now)
        return asked

    def _made(self, plan: Plan, now: Instant) -> Approval:
        request, policy = plan.request, self._parts.policy
        first = _answer(request.requested_by, request.because, now) if _agrees(request) else ()
        return Approval(
            id=new_id(APPROVAL), digest=plan.digest, action=request.action, target=request.target, agent=request.agent,
            rule=request.rule or "", incident=request.incident, requested_by=request.requested_by,
            needed=people_needed(request, policy), asked_at=now,
            expires_at=now.steady + policy.approvals.expire_after_seconds, because=request.because, answers=first,
            plan={**plan_body(plan), "params": dict(request.params), "fingerprint": plan.fingerprint},
        )  # fmt: skip

    def _joined(self, asked: Approval, request: ActionRequest, now: Instant) -> Approval:
        """Count the person who asks for what is asked about already."""
        who = request.requested_by
        if asked.state is not ApprovalState.PENDING or not _agrees(request) or _has_answered(asked, who):
            return asked
        return self._take(asked, who, yes=True, reason=request.because, now=now)

    # -- answering ----------------------------------------------------------------------------------------------------
    async def answer(self, id: str, who: Principal, *, yes: bool, reason: str) -> Approval:
        """Take a person's answer; return what became of the question.

        Raises ExpiredError if it came too late, PermissionDeniedError for somebody who may not approve, StalePlanError if
        the target is no longer what was asked about, RefusedError for every other answer that does not count.
        """
        self._refuse(id, who)
        if yes:
            await self._refuse_stale(id)
            # Looking takes time, in which somebody else may have answered.
            self._refuse(id, who)
        asked = self._open(id)
        return self._take(asked, who, yes=yes, reason=reason, now=self._parts.clock.now())

    def _refuse(self, id: str, who: Principal) -> None:
        asked, now = self._open(id), self._parts.clock.now()
        if asked.expires_at <= now.steady:
            self._expire(asked, now)
            self._parts.store.commit()
            raise ExpiredError(f"{id} has expired; nothing was run")
        if who.uid is None or not who.approves:
            others = ", ".join(sorted(self._parts.policy.approvals.approvers)) or "nobody"
            raise PermissionDeniedError(f"{who.name} may not answer {id}; approvals.approvers names {others}")
        if self._parts.foreign:
            raise RefusedError(f"{Reason.FOREIGN_STATE.sentence} {self._parts.foreign}", reason=Reason.FOREIGN_STATE)
        if asked.state is ApprovalState.APPROVED:
            raise RefusedError(f"{id} has been approved already; nothing was changed", reason=Reason.DUPLICATE)
        if _has_answered(asked, who):
            raise RefusedError(f"{who.name} has answered {id} already; another person is needed", reason=Reason.DUPLICATE)

    def _open(self, id: str) -> Approval:
        asked = self._parts.store.approval(id)
        if asked is None:
            raise RefusedError(f"there is no {id}", reason=Reason.NO_TARGET)
        if asked.state is ApprovalState.EXPIRED:
            raise ExpiredError(f"{id} has expired: {asked.ended_why}; nothing was run")
        if not asked.state.is_open:
            done = f"; {asked.used_by} was done" if asked.used_by else f": {asked.ended_why}" if asked.ended_why else ""
            raise RefusedError(f"{id} is {asked.state.value} already{done}; nothing was changed", reason=Reason.DUPLICATE)
        return asked

    async def _refuse_stale(self, id: str) -> None:
        """Make the plan anew: a yes counts for what would be done now, or not at all."""
        asked = self._open(id)
        try:
            fresh = (await self._parts.planning.plan_now(request_of(asked))).digest
            why = "the plan or the target's state is no longer what was asked about"
        except ZenError as error:
            fresh, why = "", f"it cannot be planned any more: {error}"
        if fresh == asked.digest:
            return
        now = self._parts.clock.now()
        if (still := self._parts.store.approval(id)) is not None and still.state.is_open:
            self._end(still, ApprovalState.STALE, f"approval stale: {why}", now)
            self._parts.store.commit()
        raise StalePlanError(f"approval stale: {why}; nothing was run. What is asked now: zen-agents approvals")

    def _take(self, asked: Approval, who: Principal, *, yes: bool, reason: str, now: Instant) -> Approval:
        answered = replace(asked, answers=(*asked.answers, *_answer(who, reason, now, yes=yes)))
        if not yes:
            answered = replace(answered, state=ApprovalState.DENIED, ended_why=f"{who.name}: {reason}")
        elif answered.agreed >= answered.needed:
            answered = replace(answered, state=ApprovalState.APPROVED)
        self._parts.store.save_approval(answered)
        body = {"approval": asked.id, "digest": asked.digest, "target": asked.target, "reason": reason,
                "agreed": answered.agreed, "needed": answered.needed, "state": answered.state.value}  # fmt: skip
        self._parts.journal.human(now, who, "approve" if yes else "deny", body, incident=asked.incident)
        self._parts.store.commit()
        if not yes:
            self._leave_to_people(answered, now)
        elif answered.state is ApprovalState.APPROVED:
            self._readmit(answered, now)
        return answered

    # -- ending -------------------------------------------------------------------------------------------------------
    def expire(self, now: Instant) -> float:
        """End what nobody answered, or nobody could carry out, in time: that means no. Raises StoreError.

        Returns when (steady) the next of what is open has had its time; infinity if nothing is.
        """
        ends = float("inf")
        for asked in self._parts.store.open_approvals():
            if asked.expires_at <= now.steady:
                self._expire(asked, now)
            else:
                ends = min(ends, asked.expires_at)
        return ends

    def withdraw(self, why: str, now: Instant, *, incident: str | None = None) -> int:
        """Take back all that is open, or is about one incident; return how many. Raises StoreError."""
        taken = [asked for asked in self._parts.store.open_approvals() if incident in (None, asked.incident)]
        for asked in taken:
            self._end(asked, ApprovalState.WITHDRAWN, why, now)
        return len(taken)

    def take_back(self, why: str, now: Instant) -> None:
        """Withdraw all that is open because things changed so much (R13, R34), as far as the state can be written."""
        try:
            self.withdraw(why, now)
        except StoreError as error:
            log.error("what is asked could not be taken back: %s", error)

    def _expire(self, asked: Approval, now: Instant) -> Approval:
        why = "nobody answered in time" if asked.state is ApprovalState.PENDING else "it was not carried out in time"
        ended = self._end(asked, ApprovalState.EXPIRED, why, now)
        incident = self._leave_to_people(ended, now)
        if self._parts.policy.approvals.escalates and incident is not None:
            self._parts.escalation.incident(incident, None, Reason.APPROVAL_DENIED, now)
        return ended

    def _end(self, asked: Approval, state: ApprovalState, why: str, now: Instant) -> Approval:
        ended = replace(asked, state=state, ended_why=why)
        self._parts.store.save_approval(ended)
        self._parts.journal.engine(
            now, f"approval_{state.value}", incident=asked.incident, approval=asked.id, digest=asked.digest, reason=why,
            target=asked.target,
        )  # fmt: skip
        return ended

    def _incident_of(self, asked: Approval) -> Incident | None:
        return next((each for each in self._parts.book if each.id == asked.incident), None)

    def _leave_to_people(self, asked: Approval, now: Instant) -> Incident | None:
        """Let the engine only watch the incident from here on, and return it: it has its answer, and asks no second time.

        None where there is none any more, or an earlier question about it had that answer: it is with people already.
        """
        incident = self._incident_of(asked)
        if incident is None or incident.escalated_for is Reason.APPROVAL_DENIED:
            return None
        refused = transitions.refused(incident, Reason.APPROVAL_DENIED, now)
        self._parts.book.put(transitions.escalated(refused, Reason.APPROVAL_DENIED, now))
        return incident

    def _readmit(self, asked: Approval, now: Instant) -> None:
        """Have the incident decided anew where people had been told meanwhile that it was refused for too long."""
        incident = self._incident_of(asked)
        if incident is not None:
            again = transitions.readmitted(incident, Reason.APPROVAL_PENDING, now)
            if again is not incident:
                self._parts.book.put(again)


def as_approver(who: Principal, groups: Set[str], approvers: Set[str]) -> Principal:
    """Return a person with the configuration's word on whether they may approve; without approvers everybody may."""
    if not approvers or who.uid is None or f"user:{who.name}" in approvers:
        return who
    return who if {f"group:{name}" for name in groups} & approvers else replace(who, approves=False)


def request_of(asked: Approval) -> ActionRequest:
    """Return the request that a question is about, to plan it anew."""
    return ActionRequest(
        asked.action, asked.target, dict(asked.plan.get("params") or {}), requested_by=asked.requested_by,
        because=asked.because, incident=asked.incident, rule=asked.rule or None, agent=asked.agent,
    )  # fmt: skip


def approval_body(asked: Approval) -> dict[str, Any]:
    """Return a question as plain JSON, as it is shown and written."""
    return {
        "approval": asked.id, "state": asked.state.value, "action": asked.action, "target": asked.target,
        "rule": asked.rule, "digest": asked.digest, "needed": asked.needed, "agreed": asked.agreed,
        "requested_by": asked.requested_by.name, "because": asked.because, "plan": _shown(asked.plan),
    }  # fmt: skip


def _shown(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown(plan).items() if name not in ("params", "fingerprint")}


def _answer(who: Principal, reason: str, now: Instant, *, yes: bool = True) -> tuple[ApprovalAnswer, ...]:
    return () if who.uid is None else (ApprovalAnswer(who.name, who.uid, yes, reason, now.wall.timestamp()),)


def _agrees(request: ActionRequest) -> bool:
    return request.requested_by.is_person and request.requested_by.approves


def _has_answered(asked: Approval, who: Principal) -> bool:
    return any(answer.uid == who.uid for answer in asked.answers)
