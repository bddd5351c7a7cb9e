"""What people may ask about approvals: what is asked of them, their answer, and a token that carries one."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import Any, Protocol

from zen_agents.engine.approvals import approval_body, as_approver
from zen_agents.engine.engine import Engine
from zen_agents.engine.requests import pause_of, text_of
from zen_agents.engine.undo import RULE_PAUSED
from zen_agents.errors import RefusedError, UsageError
from zen_agents.model.approval import Approval
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.ports.store import Brake


class Tokens(Protocol):
    """Signed tokens of approvals; real: `adapters.approval_tokens`."""

    def issue(self, asked: Approval) -> str:
        """Return a fresh token."""
        ...

    def verify(self, token: str, asked: Approval) -> str:
        """Return the name under which it is spent; RefusedError if it was not issued for this."""
        ...


class ApprovalVerbs:
    """Answers the verbs of approvals; knows who may approve."""

    def __init__(self, engine: Engine, tokens: Tokens, groups_of: Callable[[int], Set[str]]) -> None:
        """`groups_of` returns the names of all groups of an account."""
        self._engine, self._tokens, self._groups_of = engine, tokens, groups_of

    def known(self, who: Principal) -> Principal:
        """Return a person with the configuration's word on whether they may approve."""
        approvers = self._engine.parts.policy.approvals.approvers
        return as_approver(who, self._groups_of(who.uid) if approvers and who.uid is not None else frozenset(), approvers)

    async def shown_approval(self, args: dict[str, Any], who: Principal) -> Any:
        """Answer what is asked, and what became of it; anybody may look."""
        del who
        asked = self._approval(text_of(args, "approval").partition(".")[0])
        done = self._engine.parts.store.action(asked.used_by) if asked.used_by else None
        return approval_body(asked) | {
            "used_by": asked.used_by, "outcome": done.kind.value if done else None, "ended_why": asked.ended_why,
        }  # fmt: skip

    async def approve(self, args: dict[str, Any], who: Principal) -> Any:
        token = args.get("token")
        asked = self._approval(text_of(args, "token").partition(".")[0] if token else text_of(args, "approval"))
        if token:
            self._spend(text_of(args, "token"), asked)
        return await self._answer(asked, args, who, yes=True)

    async def deny(self, args: dict[str, Any], who: Principal) -> Any:
        """Say no, and with `pause_seconds` keep the rule from asking again for so long; a no that counts comes first."""
        asked, seconds = self._approval(text_of(args, "approval")), pause_of(args)
        answered = await self._answer(asked, args, who, yes=False)
        if seconds is None:
            return answered
        return answered | {"paused": self._pause(asked, seconds, args, who), "paused_seconds": seconds}

    def _pause(self, asked: Approval, seconds: float, args: dict[str, Any], who: Principal) -> str:
        """Pause the rule that asked on its target, or what a person asked about; return the scope."""
        parts, reason = self._engine.parts, text_of(args, "reason")
        now = parts.clock.now()
        scope = f"rule:{asked.rule}" if asked.rule else f"target:{asked.target}"
        parts.store.set_brake(
            Brake(RULE_PAUSED, scope, f"{asked.id} was denied: {reason}", who.name, now, now.steady + seconds)
        )
        body = {"scope": scope, "for_seconds": seconds, "reason": reason, "approval": asked.id}
        parts.journal.human(now, who, "pause", body, incident=asked.incident)
        return scope

    async def _answer(self, asked: Approval, args: dict[str, Any], who: Principal, *, yes: bool) -> Any:
        reason = text_of(args, "reason")
        try:
            answered = await self._engine.approvals.answer(asked.id, self.known(who), yes=yes, reason=reason)
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

    async def approval_token(self, args: dict[str, Any], who: Principal) -> Any:
        asked = self._approval(text_of(args, "approval"))
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
