"""lock_account: let nobody log in any more by an account with the rights of root that nobody listed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.scope import subject_of
from zen_agents.actions.unlock_account import UnlockAccount
from zen_agents.drift.root_accounts import RootAccount, root_accounts, unlisted_root_accounts
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.scalars import Account
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_commands import Command

#: What is handed to usermod: a name that it cannot take for anything else.
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}", re.ASCII)
_TIMEOUT_SECONDS: Final = 30.0


class LockAccountParams(ActionParams):
    """Which accounts with user id 0 are meant to be there."""

    known: tuple[Account, ...] = Field(description="accounts that may have user id 0; these are never locked")


class LockAccount(Action):
    """Locks the password and has the account expire, by usermod: neither a password nor a key opens it then."""

    name = "lock_account"
    summary = "Lock accounts with the rights of root that nobody listed, so that nobody logs in by them."
    side_effects = "What runs as such an account, and a session that is open, goes on: it has the user id of root."
    risk = Risk.HIGH
    reversible = Reversible.YES
    mends = ("root_accounts",)
    Params = LockAccountParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "root_accounts")
        params: LockAccountParams = self.params(request)
        accounts = _lockable(params.known, host)
        return self.planned(
            request,
            steps=tuple(f"run {json.dumps(_argv(account))}: it is {account.said}" for account in accounts),
            touches=tuple(Resource(ResourceKind.ACCOUNT, account.name) for account in accounts),
            fingerprint=_identity(accounts),
            timeout_seconds=_TIMEOUT_SECONDS * len(accounts),
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: LockAccountParams = self.params(plan.request)
        accounts = await asyncio.to_thread(_lockable, params.known, control.view)
        if _identity(accounts) != plan.fingerprint:
            raise StalePlanError
        done: list[dict[str, Any]] = []
        left = ""
        for account in accounts:
            try:
                await _lock(account, control)
            except (ActionFailedError, RefusedError) as error:
                if not done:
                    raise
                left = f"; the others are as they were: {error}"
                break
            done.append(
                {
                    "name": account.name, "locked": account.password_locked, "without_password": account.without_password,
                    "expires": account.expires,
                }
            )  # fmt: skip
        names = ", ".join(each["name"] for each in done)
        return Effect(not left, f"nobody logs in any more as {names}{left}", "open", "locked", undo={"accounts": done})

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        return ActionRequest(UnlockAccount.name, plan.request.target, dict(effect.undo), inverse_of=self.name)

    def undone(self, plan: Plan) -> str:
        """A lock holds until somebody takes it away; another account is another fault."""
        del plan
        return ""

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return "root_accounts", plan.request.target


async def _lock(account: RootAccount, control: HostControl) -> None:
    control.check_stop()
    result = await control.run(Command(tuple(_argv(account)), timeout_seconds=_TIMEOUT_SECONDS))
    if result.exit_code != 0:
        raise ActionFailedError(f"usermod ended with {result.exit_code}: {result.output.strip()[-300:]}")
    now = await asyncio.to_thread(root_accounts, control.view)
    if not all(each.is_locked for each in now if each.name == account.name):
        raise ActionFailedError(f"usermod ended well, and {account.name} is not locked; look at /etc/shadow")


def _argv(account: RootAccount) -> list[str]:
    return ["usermod", "--lock", "--expiredate", "1", "--", account.name]


def _lockable(known: Sequence[str], host: HostView) -> tuple[RootAccount, ...]:
    """Return whom it is to lock; StalePlanError if there is nobody, RefusedError for names that are none."""
    found = unlisted_root_accounts(known, host)
    if not found:
        raise StalePlanError("every account with user id 0 is listed or locked; there is nothing to do")
    if not (plain := tuple(account for account in found if _PLAIN.fullmatch(account.name))):
        raise RefusedError(f"{found[0].name!r} is no plain name of an account; take its line out by hand, with vipw")
    return plain


def _identity(accounts: Sequence[RootAccount]) -> str:
    return "+".join(account.fingerprint for account in accounts)
