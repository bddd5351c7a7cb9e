"""lock_account and its undo, on a simulated host; the bench has them against the real usermod."""

from __future__ import annotations

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.accounts import SHADOW, with_accounts
from zen_agents.actions.lock_account import LockAccount
from zen_agents.actions.unlock_account import UnlockAccount
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan
from zen_agents.ports.host_commands import CommandResult

REQUEST = ActionRequest("lock_account", "root_accounts:system", {"known": ["root"]})
OPEN = "backdoor:$6$salt$hash:19000:0:99999:7::20000:"


def intruded(*shadow: str) -> SimulatedHost:
    names = [line.partition(":")[0] for line in shadow or (OPEN,)]
    lines = (f"{name}:x:0:0::/home/{name}:/bin/sh" for name in names)
    return with_accounts(*lines, shadow=shadow or (OPEN,))


def planned(host: SimulatedHost) -> Plan:
    return LockAccount().plan(REQUEST, host.look())


async def done(host: SimulatedHost, plan: Plan) -> Effect:
    return await LockAccount().execute(plan, host.control())


def undoing(plan: Plan, effect: Effect) -> ActionRequest:
    inverse = LockAccount().inverse(plan, effect)
    assert inverse is not None
    return inverse


async def test_an_account_is_locked_and_undo_opens_it_as_it_was() -> None:
    host = intruded()
    plan = planned(host)
    assert plan.steps == (
        'run ["usermod", "--lock", "--expiredate", "1", "--", "backdoor"]: it is backdoor (user id 0, home /home/backdoor, '
        "shell /bin/sh)",
    )
    assert [str(touched.name) for touched in plan.touches] == ["backdoor"]
    assert "hash" not in repr(plan)
    before = host.files.contents[SHADOW]
    effect = await done(host, plan)
    assert "backdoor:!$6$salt$hash:19000:0:99999:7::1:" in host.files.contents[SHADOW]
    with pytest.raises(StalePlanError, match="nothing to do"):
        planned(host)
    back = UnlockAccount().plan(undoing(plan, effect), host.look())
    assert back.warning == "lets backdoor log in with the rights of root again"
    assert UnlockAccount().missing(back, host.look()) == "backdoor is not as it was before it was locked"
    await UnlockAccount().execute(back, host.control())
    assert (host.files.contents[SHADOW], UnlockAccount().missing(back, host.look())) == (before, "")
    with pytest.raises(StalePlanError, match="is not locked any more"):
        UnlockAccount().plan(undoing(plan, effect), host.look())


async def test_what_no_password_had_opened_gets_none_by_undo() -> None:
    host = intruded("backdoor:!:19000:0:99999:7:::")
    plan = planned(host)
    effect = await done(host, plan)
    back = UnlockAccount().plan(undoing(plan, effect), host.look())
    assert back.steps == ('run ["usermod", "--expiredate", "", "--", "backdoor"]',)
    await UnlockAccount().execute(back, host.control())
    assert UnlockAccount().missing(back, host.look()) == ""


async def test_what_nobody_needed_a_password_for_needs_none_again_after_undo() -> None:
    host = intruded("backdoor::19000:0:99999:7:::")
    before, plan = host.files.contents[SHADOW], planned(host)
    back = UnlockAccount().plan(undoing(plan, await done(host, plan)), host.look())
    assert back.warning == "lets backdoor log in with the rights of root again, backdoor without a password"
    await UnlockAccount().execute(back, host.control())
    assert (host.files.contents[SHADOW], UnlockAccount().missing(back, host.look())) == (before, "")


async def test_an_account_that_somebody_changed_since_it_was_agreed_to_is_left() -> None:
    host = intruded()
    plan = planned(host)
    host.files.add_file(SHADOW, OPEN.replace("hash", "other"))
    with pytest.raises(StalePlanError):
        await done(host, plan)
    assert host.changes == []


def test_a_name_that_is_none_is_handed_to_no_program() -> None:
    with pytest.raises(RefusedError, match="no plain name"):
        planned(intruded("-R/tmp:$6$salt$hash:1:0:9:7:::"))
    plan = planned(intruded(OPEN, "--help:$6$salt$hash:1:0:9:7:::"))
    assert [touched.name for touched in plan.touches] == ["backdoor"]


async def test_of_several_those_that_were_locked_can_be_opened_again_although_one_failed() -> None:
    host = intruded(OPEN, OPEN.replace("backdoor", "second"))
    plan, usermod = planned(host), host.programs["usermod"]
    host.programs["usermod"] = lambda command: (
        CommandResult(1, "usermod: cannot lock /etc/shadow", False, 0.0)
        if command.argv[-1] == "second"
        else usermod(command)
    )
    effect = await done(host, plan)
    assert (effect.ok, [each["name"] for each in effect.undo["accounts"]]) == (False, ["backdoor"])
    assert "cannot lock /etc/shadow" in effect.detail


async def test_a_usermod_that_says_it_did_and_did_not_is_a_failure() -> None:
    host = intruded()
    plan = planned(host)
    host.programs["usermod"] = lambda _: CommandResult(0, "", False, 0.0)
    with pytest.raises(ActionFailedError, match="is not locked"):
        await done(host, plan)
