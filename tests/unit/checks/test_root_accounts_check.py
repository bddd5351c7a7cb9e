"""Accounts with the rights of root: those that are listed or locked are well, every other one is told."""

from __future__ import annotations

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.accounts import PASSWD, SHADOW, with_accounts
from zen_agents.checks.root_accounts import RootAccountsCheck
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status, shared_in

INTRUDER = "backdoor:x:0:0::/home/backdoor:/bin/sh"


def look(host: SimulatedHost, *known: str) -> Observation:
    check = RootAccountsCheck(known=["root", *known], every_seconds=60)
    (seen,) = check.observe(host.look(), host.clock.now())
    return seen


def test_one_that_is_not_listed_is_told_by_name_and_belongs_to_what_else_is_told_of_it() -> None:
    seen = look(with_accounts(INTRUDER, shadow=("backdoor:$6$salt$hash:19000:0:99999:7:::",)))
    assert (seen.status, seen.value) == (Status.PROBLEM, 1.0)
    assert seen.detail == "not listed, and may log in as root: backdoor (user id 0, home /home/backdoor, shell /bin/sh)"
    assert shared_in(seen.facts) == {("user", "backdoor")}
    assert "hash" not in repr(seen)


@pytest.mark.parametrize(
    ("shadow", "status"),
    [
        ("backdoor:!$6$salt$hash:19000:0:99999:7::1:", Status.OK),
        ("backdoor:*:19000:0:99999:7::1:", Status.OK),
        ("backdoor:!$6$salt$hash:19000:0:99999:7:::", Status.PROBLEM),
        ("backdoor:!$6$salt$hash:19000:0:99999:7::99999:", Status.PROBLEM),
        ("backdoor:$6$salt$hash:19000:0:99999:7::1:", Status.PROBLEM),
        ("backdoor::19000:0:99999:7:::", Status.PROBLEM),
        ("somebody:!:19000:0:99999:7::1:", Status.PROBLEM),
    ],
    ids=["locked", "no password", "a key opens it", "expires later", "a password opens it", "empty", "not in it"],
)
def test_only_one_that_neither_password_nor_key_opens_is_locked(shadow: str, status: Status) -> None:
    assert look(with_accounts(INTRUDER, shadow=(shadow,))).status is status


def test_one_that_is_listed_is_well_and_so_is_whoever_is_not_root() -> None:
    host = with_accounts("toor:x:0:0::/root:/bin/sh", shadow=("toor:$6$salt$hash:19000:0:99999:7:::",))
    assert look(host, "toor").status is Status.OK
    assert look(host).status is Status.PROBLEM


@pytest.mark.parametrize("uid", ["0", "00", "000", "+0", "-0", " 0"])
def test_a_zero_is_a_zero_however_it_is_written(uid: str) -> None:
    assert look(with_accounts(f"backdoor:x:{uid}:0::/:")).status is Status.PROBLEM


@pytest.mark.parametrize(
    "line",
    ["backdoor::0:0", "backdoor::0:0:a\x0cb:/root:/bin/sh", "  backdoor::0:0::/root:/bin/sh", "backdoor::0:0:\u2028:/:"],
)
def test_what_the_c_library_takes_for_an_account_is_one(line: str) -> None:
    seen = look(with_accounts(line))
    assert (seen.status, seen.value) == (Status.PROBLEM, 1.0) and "backdoor (user id 0" in seen.detail


def test_of_two_lines_about_one_account_the_first_counts_as_it_does_for_who_logs_in() -> None:
    shadow = ("backdoor:$6$salt$hash:19000:0:99999:7:::", "backdoor:!:19000:0:99999:7::1:")
    assert look(with_accounts(INTRUDER, shadow=shadow)).status is Status.PROBLEM


@pytest.mark.parametrize(
    "content", ["", "# root:x:0:0::/root:/bin/sh\n", "root:x:0\n", "bob:x:1000:1000::/home/bob:/bin/sh\n"]
)
def test_accounts_without_root_are_no_accounts(content: str) -> None:
    host = with_accounts()
    host.files.add_file(PASSWD, content)
    with pytest.raises(HostError, match="names no account with user id 0"):
        look(host)


def test_without_its_secrets_it_still_is_another_one_once_somebody_opened_it_again() -> None:
    host = with_accounts(INTRUDER, shadow=("backdoor:$6$salt$hash:19000:0:99999:7:::",))
    before = look(host).fingerprint
    host.files.add_file(SHADOW, "backdoor:$6$salt$other:19000:0:99999:7:::\n")
    assert look(host).fingerprint != before
