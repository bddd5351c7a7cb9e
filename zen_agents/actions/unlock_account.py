"""unlock_account: the inverse of lock_account."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.drift.root_accounts import RootAccount, root_accounts
from zen_agents.errors import ActionFailedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Risk
from zen_agents.model.scalars import Account
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_commands import Command

_TIMEOUT_SECONDS: Final = 30.0


class LockedAccount(BaseModel):
    """One account that was locked, and what it was before."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    name: Account = Field(description="the account")
    locked: bool = Field(description="true: no password had opened it before either")
    without_password: bool = Field(False, description="true: it was opened without any password")
    expires: str = Field(pattern=r"^\d*$", description="day from which it let nobody in, since 1970; empty: never")


class UnlockAccountParams(InverseParams):
    """What was locked."""

    accounts: tuple[LockedAccount, ...] = Field(min_length=1, description="the accounts")


class UnlockAccount(Inverse):
    """Gives an account its password and its day of expiry back, if it still is there, with user id 0, and locked."""

    name = "unlock_account"
    summary = "Let an account be logged in by again, as it was before it was locked."
    side_effects = "Whoever knows its password, or has its key, has the rights of root again."
    risk = Risk.HIGH
    Params = UnlockAccountParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: UnlockAccountParams = self.params(request)
        found = _as_left(params.accounts, host)
        names = ", ".join(account.name for account in params.accounts)
        unguarded = "".join(
            f", {account.name} without a password" for account in params.accounts if account.without_password
        )
        return self.planned(
            request,
            steps=tuple(f"run {json.dumps(_argv(account))}" for account in params.accounts),
            touches=tuple(Resource(ResourceKind.ACCOUNT, account.name) for account in params.accounts),
            fingerprint="+".join(account.fingerprint for account in found),
            timeout_seconds=_TIMEOUT_SECONDS * len(found),
            warning=f"lets {names} log in with the rights of root again{unguarded}",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: UnlockAccountParams = self.params(plan.request)
        for account in params.accounts:
            await asyncio.to_thread(_as_left, [account], control.view)
            control.check_stop()
            result = await control.run(Command(tuple(_argv(account)), timeout_seconds=_TIMEOUT_SECONDS))
            if result.exit_code != 0:
                raise ActionFailedError(f"usermod ended with {result.exit_code}: {result.output.strip()[-300:]}")
        return Effect(True, f"as before: {', '.join(each.name for each in params.accounts)}", "locked", "as before")

    def missing(self, plan: Plan, host: HostView) -> str:
        params: UnlockAccountParams = self.params(plan.request)
        present = {account.name: (account.password_locked, account.expires) for account in root_accounts(host)}
        for each in params.accounts:
            if present.get(each.name) != (each.locked, each.expires):
                return f"{each.name} is not as it was before it was locked"
        return ""


def _argv(account: LockedAccount) -> list[str]:
    unlock = [] if account.locked else ["--password", ""] if account.without_password else ["--unlock"]
    return ["usermod", *unlock, "--expiredate", account.expires, "--", account.name]


def _as_left(accounts: Sequence[LockedAccount], host: HostView) -> tuple[RootAccount, ...]:
    present = {account.name: account for account in root_accounts(host)}
    for each in accounts:
        if each.name not in present or not present[each.name].is_locked:
            raise StalePlanError(f"{each.name} is not locked any more, or is no account with user id 0; nothing was done")
    return tuple(present[each.name] for each in accounts)
