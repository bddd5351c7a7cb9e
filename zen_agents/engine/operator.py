"""What people may ask of the running engine. Looking needs nothing, changing needs the acting socket and leaves a name."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from zen_agents.engine.approvals import approval_body
from zen_agents.engine.demotion import restore
from zen_agents.engine.engine import Engine
from zen_agents.engine.executor import Judged, plan_body
from zen_agents.engine.journal import answer_body
from zen_agents.engine.rollback import PAUSE, Result, Step
from zen_agents.engine.safe_mode import HOST
from zen_agents.engine.status import status_of
from zen_agents.engine.undo import PAUSED_FOR, RULE_PAUSED
from zen_agents.errors import PermissionDeniedError, RefusedError, UsageError
from zen_agents.guards.approval import DEMOTED
from zen_agents.model.action import OutcomeKind
from zen_agents.model.approval import Approval
from zen_agents.model.ids import ACTION
from zen_agents.model.incident import Incident
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.ports.store import ActionRow, Brake
from zen_agents.rules import transitions

#: Names that an error lists at most.
MOST_LISTED = 30
#: The longest pause without a confirmation, and how long an acknowledgement keeps the engine off (seconds).
LONGEST_PAUSE = 86400.0
ACKNOWLEDGED_FOR = 3600.0
#: No time that a person names is longer (seconds): a century.
MOST_SECONDS = 100 * 365 * 86400.0

Verb = Callable[[dict[str, Any], Principal], Awaitable[Any]]


class Tokens(Protocol):
    """Signed tokens of approvals; real: `adapters.approval_tokens`."""

    def issue(self, asked: Approval) -> str:
        """Return a fresh token."""
        ...

    def verify(self, token: str, asked: Approval) -> str:
        """Return the name under which it is spent; RefusedError if it was not issued for this."""
        ...


class Operator:
    """Answers the control socket."""

    def __init__(self, engine: Engine, *, tokens: Tokens, groups_of: Callable[[int], Set[str]]) -> None:
        """`groups_of` returns the names of all groups of an account."""
        self._engine, self._tokens, self._groups_of = engine, tokens, groups_of
        self._looking: Mapping[str, Verb] = {
            "status": self._status, "ping": self._ping, "judge": self._judge, "judge_undo": self._judge_undo,
            "judge_rollback": self._judge_rollback, "approval": self._shown_approval,
        }  # fmt: skip
        self._acting: Mapping[str, Verb] = {
            "act": self._act, "ack": self._ack, "pause": self._pause, "resume": self._resume, "reload": self._reload,
            "safe_mode": self._safe_mode, "breaker_reset": self._breaker_reset, "stop": self._stop,
            "resume_emergency": self._resume_emergency, "undo": self._undo, "rollback": self._rollback,
            "resume_staged": self._resume_staged, "approve": self._approve, "deny": self._deny,
            "approval_token": self._approval_token,
        }  # fmt: skip

    async def answer(self, verb: str, args: dict[str, Any], who: Principal, may_act: bool) -> Any:
        """Answer one request; raises ZenError with the exit code that the command line ends with."""
        if verb in self._looking:
            return await self._looking[verb](args, who)
        if verb not in self._acting:
            raise UsageError(f"the engine does not know {verb!r}; is the command line newer than the engine?")
        if not may_act:
            raise PermissionDeniedError
        result = await self._acting[verb](args, who)
        self._engine.parts.store.commit()
        return result

    async def _ping(self, args: dict[str, Any], who: Principal) -> Any:
        return {"you": who.name, "host": self._engine.host_name}

    async def _status(self, args: dict[str, Any], who: Principal) -> Any:
        return status_of(self._engine)

    async def _judge(self, args: dict[str, Any], who: Principal) -> Any:
        """Answer what would be said to an act by hand, without doing it."""
        _, judged = await self._engine.by_hand.judge(
            _text(args, "action"), _text(args, "target"), who=self._known(who), reason=_text(args, "reason", ""),
            override=_override(args), now=self._engine.parts.clock.now(),
        )  # fmt: skip
        return judged_body(judged)

    async def _act(self, args: dict[str, Any], who: Principal) -> Any:
        intent, outcome = await self._engine.by_hand.act(
            _text(args, "action"), _text(args, "target"), who=self._known(who), reason=_text(args, "reason"),
            override=_override(args), wait=bool(args.get("wait", True)),
        )  # fmt: skip
        kind = outcome.kind if outcome else OutcomeKind.RUNNING
        return {
            "action": intent.id, "outcome": kind.value, "took_seconds": outcome.took_seconds if outcome else 0.0,
            "detail": outcome.effect.detail if outcome else "", "output": outcome.effect.output if outcome else "",
        }  # fmt: skip

    async def _judge_undo(self, args: dict[str, Any], who: Principal) -> Any:
        """Answer what an undo would do and what would be said to it, without doing it."""
        row, undo = self._action(_text(args, "undoes")), self._engine.undo
        judged = await undo.judge(row, who=who, reason=_text(args, "reason", ""), override=_override(args))
        return judged_body(judged) | {
            "undoes": row.id, "undone_action": row.action, "paused": list(undo.scopes(row)), "paused_seconds": PAUSED_FOR,
        }  # fmt: skip

    async def _undo(self, args: dict[str, Any], who: Principal) -> Any:
        row = self._action(_text(args, "undoes"))
        done = await self._engine.undo.undo(row, who=who, reason=_text(args, "reason"), override=_override(args))
        self._engine.forget_waits()
        return {
            "undoes": row.id, "action": done.intent.id, "outcome": done.outcome.kind.value,
            "took_seconds": done.outcome.took_seconds, "detail": done.outcome.effect.detail, "paused": list(done.paused),
            "paused_seconds": PAUSED_FOR,
        }  # fmt: skip

    async def _judge_rollback(self, args: dict[str, Any], who: Principal) -> Any:
        """Answer what a rollback would undo and what not, without doing it."""
        since, named = self._since(args)
        steps = await self._engine.rollback.preview(since, who=who, reason=_text(args, "reason", ""))
        return self._steps_body(since, named, steps)

    async def _rollback(self, args: dict[str, Any], who: Principal) -> Any:
        since, named = self._since(args)
        if self._engine.stopped():
            raise RefusedError(Reason.EMERGENCY_STOP.sentence, reason=Reason.EMERGENCY_STOP)
        steps = await self._engine.rollback.run(since, who=who, reason=_text(args, "reason"))
        return self._steps_body(since, named, steps)

    def _since(self, args: Mapping[str, Any]) -> tuple[float, str]:
        """Return the steady time that `to` names, and what names it for good: a moment in ISO 8601, or an action's id."""
        to, now = _text(args, "to"), self._engine.parts.clock.now()
        try:
            ago = (now.wall - datetime.fromisoformat(to)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            row = self._action(to)
            return row.reserved_at.steady, row.id
        if ago < 0:
            raise UsageError(f"{to} is still to come")
        return now.steady - ago, to

    def _steps_body(self, since: float, named: str, steps: Sequence[Step]) -> Any:
        now = self._engine.parts.clock.now()
        return {
            "named": named,
            "to": now.after(since - now.steady).wall.isoformat(timespec="seconds"),
            "paused": [brake.scope for brake in self._engine.parts.store.brakes()
                       if brake.kind == PAUSE and brake.scope.startswith("agent:")],
            "left": sum(step.result is Result.LEFT for step in steps),
            "steps": [{"id": step.row.id, "action": step.row.action, "target": step.row.target, "result": step.result.value,
                       "detail": step.detail, "undo": step.by} for step in steps],
        }  # fmt: skip

    async def _resume_staged(self, args: dict[str, Any], who: Principal) -> Any:
        trial = self._engine.stages.begin(who, _seconds(args), _text(args, "reason", ""))
        return {"agent": trial.agent, "bake_seconds": trial.bake_seconds, "waiting": list(trial.waiting)}

    def _action(self, id: str) -> ActionRow:
        """Return the one action whose id begins so; `@last` is the newest. UsageError if there is none, or more than one."""
        store = self._engine.parts.store
        if id == "@last":
            found = [row.id for row in store.actions(limit=1)]
        else:
            wanted = id if id.startswith(f"{ACTION}-") else f"{ACTION}-{id}"
            begin_so = store.find_ids(wanted)
            found = [wanted] if wanted in begin_so else list(begin_so)
        row = store.action(found[0]) if len(found) == 1 else None
        if row is None:
            raise UsageError(f"{id!r} names {len(found) or 'no'} actions; see: zen-agents actions")
        return row

    # -- approvals ----------------------------------------------------------------------------------------------------
    def _known(self, who: Principal) -> Principal:
        """Return a person with the configuration's word on whether they may approve."""
        approvers = self._engine.parts.policy.approvals.approvers
        if not approvers or who.uid is None or f"user:{who.name}" in approvers:
            return who
        groups = {f"group:{name}" for name in self._groups_of(who.uid)}
        return who if groups & approvers else replace(who, approves=False)

    async def _shown_approval(self, args: dict[str, Any], who: Principal) -> Any:
        """Answer what is asked, and what became of it."""
        asked = self._approval(_text(args, "approval").partition(".")[0])
        done = self._engine.parts.store.action(asked.used_by) if asked.used_by else None
        return approval_body(asked) | {
            "used_by": asked.used_by, "outcome": done.kind.value if done else None, "ended_why": asked.ended_why,
        }  # fmt: skip

    async def _approve(self, args: dict[str, Any], who: Principal) -> Any:
        token = args.get("token")
        asked = self._approval(_text(args, "token").partition(".")[0] if token else _text(args, "approval"))
        if token:
            self._spend(_text(args, "token"), asked)
        return await self._answer(asked, args, who, yes=True)

    async def _deny(self, args: dict[str, Any], who: Principal) -> Any:
        return await self._answer(self._approval(_text(args, "approval")), args, who, yes=False)

    async def _answer(self, asked: Approval, args: dict[str, Any], who: Principal, *, yes: bool) -> Any:
        reason = _text(args, "reason")
        try:
            answered = await self._engine.approvals.answer(asked.id, self._known(who), yes=yes, reason=reason)
        finally:
            # Whatever came of it, stale and expired too, the incident is decided anew.
            incident = next((each for each in self._engine.parts.book if each.id == asked.incident), None)
            if incident is not None:
                self._engine.look_soon(incident)
        return approval_body(answered)

    def _spend(self, token: str, asked: Approval) -> None:
        """Take a token, once: also one whose answer does not count is spent."""
        store = self._engine.parts.store
        spent = store.spend_token(self._tokens.verify(token, asked), asked.id, self._engine.parts.clock.now())
        store.commit()
        if not spent:
            raise RefusedError("the token has been used already; nothing was changed", reason=Reason.DUPLICATE)

    async def _approval_token(self, args: dict[str, Any], who: Principal) -> Any:
        asked = self._approval(_text(args, "approval"))
        if not asked.state.is_open:
            raise RefusedError(f"{asked.id} is {asked.state.value}; it needs no token", reason=Reason.DUPLICATE)
        parts = self._engine.parts
        parts.journal.human(parts.clock.now(), who, "approval_token", {"approval": asked.id}, incident=asked.incident)
        return {"approval": asked.id, "token": self._tokens.issue(asked)}

    def _approval(self, id: str) -> Approval:
        """Return the one approval whose id starts so; `@last` is the newest open one."""
        store = self._engine.parts.store
        found = store.open_approvals()[-1:] if id == "@last" else self._approvals_named(id)
        if len(found) != 1:
            raise UsageError(f"{id!r} names {len(found) or 'no'} approvals; see: zen-agents approvals")
        return found[0]

    def _approvals_named(self, id: str) -> Sequence[Approval]:
        store, wanted = self._engine.parts.store, id if id.startswith("apr-") else f"apr-{id}"
        named = [one for one in store.find_ids(wanted) if one.startswith("apr-")]
        exact = [wanted] if wanted in named else named
        return [asked for one in exact if (asked := store.approval(one)) is not None]

    async def _ack(self, args: dict[str, Any], who: Principal) -> Any:
        incident = self._incident(_text(args, "incident"))
        parts, now = self._engine.parts, self._engine.parts.clock.now()
        keep_acting = bool(args.get("keep_acting", False))
        seconds = _seconds(args)
        acknowledged = transitions.acknowledged(
            incident, by=who.name, until=now.steady + seconds, keep_acting=keep_acting, now=now
        )
        parts.book.put(acknowledged)
        parts.journal.human(now, who, "ack", {"reason": _text(args, "reason", "")}, incident=incident.id)
        self._engine.look_soon(incident)
        return {"incident": incident.id, "until_seconds": seconds}

    def _incident(self, id: str) -> Incident:
        live = list(self._engine.parts.book)
        # A mere suspicion is no incident yet: it is nobody's "last", though it can be named.
        opened = [incident for incident in live if incident.opened_at is not None]
        if id in ("@last", "@open") and opened:
            return max(opened, key=lambda incident: incident.changed_at.steady)
        found = [incident for incident in live if incident.id.startswith(id)]
        if len(found) != 1:
            raise UsageError(f"{id!r} names {len(found) or 'no'} open incidents; see: zen-agents incidents")
        return found[0]

    async def _pause(self, args: dict[str, Any], who: Principal) -> Any:
        scope, seconds = self._scope(_text(args, "scope", HOST)), _seconds(args)
        if seconds > LONGEST_PAUSE and not self._names_this_host(args.get("confirm")):
            raise UsageError(f"a pause ends within 24 h; for longer add --confirm {self._engine.host_name}")
        parts, now = self._engine.parts, self._engine.parts.clock.now()
        reason = _text(args, "reason")
        parts.store.set_brake(Brake(PAUSE, scope, reason, who.name, now, now.steady + seconds))
        parts.journal.human(now, who, "pause", {"scope": scope, "for_seconds": seconds, "reason": reason})
        return {"scope": scope, "for_seconds": seconds}

    async def _resume(self, args: dict[str, Any], who: Principal) -> Any:
        scope = self._scope(_text(args, "scope", HOST))
        parts, now = self._engine.parts, self._engine.parts.clock.now()
        lifted = [kind for kind in (PAUSE, RULE_PAUSED, "target_closed", "observe_only")
                  if parts.store.lift_brake(kind, scope)]  # fmt: skip
        if restore(parts, scope, self._engine.rules_of(scope)):
            lifted.append(DEMOTED)
        if not lifted:
            raise UsageError(f"nothing is paused for {scope}{self._held_by()}; see: zen-agents status")
        body = {"scope": scope, "reason": _text(args, "reason", ""), "lifted": lifted}
        parts.journal.human(now, who, "resume", body)
        if "observe_only" in lifted:
            self._engine.accept_state()
        if "target_closed" in lifted:
            self._reopen(scope.partition(":")[2])
        self._engine.forget_waits(Reason.FOREIGN_STATE if "observe_only" in lifted else Reason.PAUSED)
        return {"scope": scope, "lifted": lifted}

    def _reopen(self, target: str) -> None:
        """Let the engine act on a target again whose outcome was unknown: a person has looked."""
        for incident in self._engine.parts.book:
            if incident.target == target and incident.outcome_unknown:
                self._engine.parts.book.put(replace(incident, outcome_unknown=False))

    def _held_by(self) -> str:
        """Return what a person may have meant to lift."""
        if self._engine.stopped():
            return ", but the emergency stop is set: --from-emergency ends it"
        return ", but safe mode is on: zen-agents safe-mode off" if self._engine.parts.safe_mode.brake else ""

    def _scope(self, scope: str) -> str:
        """Return the canonical scope of what a person called it: `web` is the target `service:web`."""
        names = self._engine.scopes()
        if scope in names:
            return names[scope]
        import difflib  # noqa: PLC0415  only for those who made a mistake

        near = difflib.get_close_matches(scope, names, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        # Each thing by one name: its rule's, its agent's, or that of the service.
        known = sorted(name for name in names if ":" not in name and name != HOST)
        raise UsageError(f"{scope!r} is no agent, rule or target here{meant}; there are: {_listed(known)}")

    async def _safe_mode(self, args: dict[str, Any], who: Principal) -> Any:
        parts, reason = self._engine.parts, _text(args, "reason", "")
        on = args.get("on")
        if not isinstance(on, bool):
            raise UsageError("safe-mode takes on or off")
        parts.journal.human(parts.clock.now(), who, "safe_mode", {"on": on, "reason": reason})
        if on:
            parts.safe_mode.enter(reason or f"set by {who.name}", who)
            return {"on": True}
        was_on = parts.safe_mode.leave(who, reason)
        self._engine.safe_mode_left(who.name)
        return {"on": False, "was_on": was_on}

    async def _breaker_reset(self, args: dict[str, Any], who: Principal) -> Any:
        parts, name = self._engine.parts, _text(args, "breaker")
        row = parts.store.breaker(name)
        if row is None:
            known = ", ".join(breaker.name for breaker in parts.store.breakers()) or "none"
            raise UsageError(f"there is no breaker {name!r}; there are: {known}")
        parts.store.save_breaker(replace(row, state="closed", failures=0, successes=0, opened_at=None, failed_at=()))
        parts.journal.human(parts.clock.now(), who, "breaker_reset", {"target": name, "reason": _text(args, "reason", "")})
        self._engine.forget_waits(Reason.BREAKER_OPEN)
        return {"breaker": name, "state": "closed"}

    async def _reload(self, args: dict[str, Any], who: Principal) -> Any:
        self._engine.parts.journal.human(self._engine.parts.clock.now(), who, "reload", {})
        return await self._engine.reload()

    async def _stop(self, args: dict[str, Any], who: Principal) -> Any:
        self._engine.parts.journal.human(self._engine.parts.clock.now(), who, "stop", {"reason": _text(args, "reason", "")})
        self._engine.request_stop()
        return {"running": self._engine.parts.executor.running}

    def _names_this_host(self, name: object) -> bool:
        """Tell whether a person typed this host's name: the one in messages, or the one that the plain scripts print."""
        return name in (self._engine.host_name, os.uname().nodename)

    async def _resume_emergency(self, args: dict[str, Any], who: Principal) -> Any:
        if not self._names_this_host(args.get("confirm")):
            raise UsageError(f"type the host's name: --confirm {self._engine.host_name}")
        acknowledged = _names(args, "acknowledged", "--ack takes ids of actions, separated by commas")
        unknown = [row.id for row in self._engine.parts.store.actions(limit=200)
                   if row.kind is OutcomeKind.UNKNOWN and row.id not in acknowledged]  # fmt: skip
        if unknown:
            raise RefusedError(
                f"look at these first, then add --ack for each: {', '.join(unknown)}", reason="emergency_stop"
            )
        return self._engine.emergency_resume(who, _text(args, "reason", ""))


def judged_body(judged: Judged) -> dict[str, Any]:
    """Return a judgement as plain JSON."""
    return {
        "action": judged.request.action,
        "target": judged.request.target,
        "ruling": judged.verdict.ruling.name.lower(),
        "reason": judged.verdict.reason.value if judged.verdict.reason else None,
        "plan": plan_body(judged.plan) if judged.plan else None,
        "guards": [answer_body(answer) for answer in judged.verdict.answers],
    }


def _text(args: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = args.get(name, default)
    text = "".join(character for character in value if character.isprintable()) if isinstance(value, str) else ""
    if not isinstance(value, str) or (default is None and not text.strip()):
        raise UsageError(f"--{name} TEXT is needed")
    return text[:500]


def _seconds(args: Mapping[str, Any]) -> float:
    value = args.get("for_seconds", ACKNOWLEDGED_FOR)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < MOST_SECONDS:
        raise UsageError("--for DURATION is needed, longer than nothing: 30m, 2h")
    return float(value)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_LISTED]) + (f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else "")


def _override(args: Mapping[str, Any]) -> frozenset[str]:
    return _names(args, "override", "--override takes guards' names, separated by commas")


def _names(args: Mapping[str, Any], name: str, otherwise: str) -> frozenset[str]:
    names = args.get(name) or []
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise UsageError(otherwise)
    return frozenset(names)
