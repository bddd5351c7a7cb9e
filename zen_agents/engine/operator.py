"""What people may ask of the running engine. Looking needs nothing, changing needs the acting socket and leaves a name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import replace
from typing import Any

from zen_agents.engine.demotion import restore
from zen_agents.engine.engine import Engine
from zen_agents.engine.judged import judged_body
from zen_agents.engine.operator_approvals import ApprovalVerbs, Tokens
from zen_agents.engine.operator_undo import UndoVerbs
from zen_agents.engine.operator_windows import WindowVerbs
from zen_agents.engine.requests import (
    confirm_if_long,
    listed,
    names_of,
    names_this_host,
    override_of,
    seconds_of,
    text_of,
)
from zen_agents.engine.rollback import PAUSE
from zen_agents.engine.safe_mode import HOST
from zen_agents.engine.scopes import rules_of, scopes
from zen_agents.engine.status import incidents_of, status_of
from zen_agents.engine.undo import RULE_PAUSED
from zen_agents.errors import PermissionDeniedError, RefusedError, UsageError, ZenError
from zen_agents.guards.approval import DEMOTED
from zen_agents.guards.recurrence import RIVAL
from zen_agents.model.action import OutcomeKind
from zen_agents.model.incident import Incident
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.ports.store import Brake
from zen_agents.rules import transitions

Verb = Callable[[dict[str, Any], Principal], Awaitable[Any]]


class Operator:
    """Answers the control socket."""

    def __init__(self, engine: Engine, *, tokens: Tokens, groups_of: Callable[[int], Set[str]]) -> None:
        """`groups_of` returns the names of all groups of an account."""
        self._engine, self._approvals, undo = engine, ApprovalVerbs(engine, tokens, groups_of), UndoVerbs(engine)
        windows = WindowVerbs(engine)
        self._looking: Mapping[str, Verb] = {
            "status": self._status, "ping": self._ping, "judge": self._judge, "judge_undo": undo.judge_undo,
            "judge_rollback": undo.judge_rollback, "approval": self._approvals.shown_approval,
            "graph": self._graph,
        }  # fmt: skip
        self._acting: Mapping[str, Verb] = {
            "act": self._act, "ack": self._ack, "pause": self._pause, "resume": self._resume, "reload": self._reload,
            "safe_mode": self._safe_mode, "breaker_reset": self._breaker_reset, "stop": self._stop,
            "resume_emergency": self._resume_emergency, "undo": undo.undo, "rollback": undo.rollback,
            "resume_staged": undo.resume_staged, "approve": self._approvals.approve, "deny": self._approvals.deny,
            "approval_token": self._approvals.approval_token, "maintenance_start": windows.start,
            "maintenance_end": windows.end,
        }  # fmt: skip

    async def answer(self, verb: str, args: dict[str, Any], who: Principal, may_act: bool) -> Any:
        """Answer one request; raises ZenError with the exit code that the command line ends with."""
        redaction = self._engine.parts.journal.redaction
        try:
            return redaction.value(await self._answer(verb, args, who, may_act))
        except ZenError as error:
            error.args = tuple(redaction.value(error.args))
            raise

    async def _answer(self, verb: str, args: dict[str, Any], who: Principal, may_act: bool) -> Any:
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

    async def _graph(self, args: dict[str, Any], who: Principal) -> Any:
        return await self._engine.shown_causes() | {"incidents": incidents_of(self._engine)}

    async def _status(self, args: dict[str, Any], who: Principal) -> Any:
        return status_of(self._engine)

    async def _judge(self, args: dict[str, Any], who: Principal) -> Any:
        """Answer what would be said to an act by hand, without doing it."""
        _, judged = await self._engine.by_hand.judge(
            text_of(args, "action"), text_of(args, "target"), who=self._approvals.known(who),
            reason=text_of(args, "reason", ""), override=override_of(args),
        )  # fmt: skip
        return judged_body(judged)

    async def _act(self, args: dict[str, Any], who: Principal) -> Any:
        intent, outcome = await self._engine.by_hand.act(
            text_of(args, "action"), text_of(args, "target"), who=self._approvals.known(who), reason=text_of(args, "reason"),
            override=override_of(args), wait=bool(args.get("wait", True)), shown=text_of(args, "shown", ""),
        )  # fmt: skip
        kind = outcome.kind if outcome else OutcomeKind.RUNNING
        return {
            "action": intent.id, "outcome": kind.value, "took_seconds": outcome.took_seconds if outcome else 0.0,
            "detail": outcome.effect.detail if outcome else "", "output": outcome.effect.output if outcome else "",
        }  # fmt: skip

    async def _ack(self, args: dict[str, Any], who: Principal) -> Any:
        incident = self._incident(text_of(args, "incident"))
        parts, now = self._engine.parts, self._engine.parts.clock.now()
        keep_acting = bool(args.get("keep_acting", False))
        seconds = seconds_of(args)
        acknowledged = transitions.acknowledged(
            incident, by=who.name, until=now.steady + seconds, keep_acting=keep_acting, now=now
        )
        parts.book.put(acknowledged)
        parts.journal.human(now, who, "ack", {"reason": text_of(args, "reason", "")}, incident=incident.id)
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
        scope, seconds = self._scope(text_of(args, "scope", HOST)), seconds_of(args)
        confirm_if_long(args, seconds, self._engine.host_name, "a pause")
        parts, now = self._engine.parts, self._engine.parts.clock.now()
        reason = text_of(args, "reason")
        parts.store.set_brake(Brake(PAUSE, scope, reason, who.name, now, now.steady + seconds))
        parts.planning.surveys.give_up(Reason.PAUSED)
        parts.journal.human(now, who, "pause", {"scope": scope, "for_seconds": seconds, "reason": reason})
        return {"scope": scope, "for_seconds": seconds}

    async def _resume(self, args: dict[str, Any], who: Principal) -> Any:
        scope = self._scope(text_of(args, "scope", HOST))
        parts, now = self._engine.parts, self._engine.parts.clock.now()
        lifted = [kind for kind in (PAUSE, RULE_PAUSED, RIVAL, "target_closed", "observe_only")
                  if parts.store.lift_brake(kind, scope)]  # fmt: skip
        if restore(parts, scope, rules_of(self._engine, scope)):
            lifted.append(DEMOTED)
        if not lifted:
            raise UsageError(f"nothing is paused for {scope}{self._held_by()}; see: zen-agents status")
        body = {"scope": scope, "reason": text_of(args, "reason", ""), "lifted": lifted}
        parts.journal.human(now, who, "resume", body)
        if "observe_only" in lifted:
            self._engine.accept_state()
        if "target_closed" in lifted:
            self._reopen(scope.partition(":")[2])
        if RIVAL in lifted:
            target = scope.partition(":")[2]
            parts.rivals.forget(target)
            parts.escalation.fight_over(target, who.name, now)
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
        names = scopes(self._engine)
        if scope in names:
            return names[scope]
        from zen_agents.rules.expression_text import nearest  # noqa: PLC0415  only for those who made a mistake

        meant = f"; did you mean {near!r}?" if (near := nearest(scope, names)) else ""
        # Each thing by one name: its rule's, its agent's, or that of the service.
        known = sorted(name for name in names if ":" not in name and name != HOST)
        raise UsageError(f"{scope!r} is no agent, rule or target here{meant}; there are: {listed(known)}")

    async def _safe_mode(self, args: dict[str, Any], who: Principal) -> Any:
        parts, reason = self._engine.parts, text_of(args, "reason", "")
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
        parts, name = self._engine.parts, text_of(args, "breaker")
        row = parts.store.breaker(name)
        if row is None:
            known = ", ".join(breaker.name for breaker in parts.store.breakers()) or "none"
            raise UsageError(f"there is no breaker {name!r}; there are: {known}")
        parts.store.save_breaker(replace(row, state="closed", failures=0, successes=0, opened_at=None, failed_at=()))
        parts.journal.human(parts.clock.now(), who, "breaker_reset", {"target": name, "reason": text_of(args, "reason", "")})
        self._engine.forget_waits(Reason.BREAKER_OPEN)
        return {"breaker": name, "state": "closed"}

    async def _reload(self, args: dict[str, Any], who: Principal) -> Any:
        self._engine.parts.journal.human(self._engine.parts.clock.now(), who, "reload", {})
        return await self._engine.reload()

    async def _stop(self, args: dict[str, Any], who: Principal) -> Any:
        self._engine.parts.journal.human(
            self._engine.parts.clock.now(), who, "stop", {"reason": text_of(args, "reason", "")}
        )
        self._engine.request_stop()
        return {"running": self._engine.parts.executor.running}

    async def _resume_emergency(self, args: dict[str, Any], who: Principal) -> Any:
        if not names_this_host(args.get("confirm"), self._engine.host_name):
            raise UsageError(f"type the host's name: --confirm {self._engine.host_name}")
        acknowledged = names_of(args, "acknowledged", "--ack takes ids of actions, separated by commas")
        unknown = [row.id for row in self._engine.parts.store.actions(limit=200)
                   if row.kind is OutcomeKind.UNKNOWN and row.id not in acknowledged]  # fmt: skip
        if unknown:
            raise RefusedError(
                f"look at these first, then add --ack for each: {', '.join(unknown)}", reason="emergency_stop"
            )
        return self._engine.emergency.resume(who, text_of(args, "reason", ""))
