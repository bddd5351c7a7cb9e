"""What is counted of security for one look: by address, with the accounts that were tried, and bounded."""

from __future__ import annotations

from zen_agents.logs.security.event import Result, SecurityEvent, What
from zen_agents.logs.security.tally import SecurityTally


def _failed(user: str, address: str, times: int = 1) -> SecurityEvent:
    return SecurityEvent(What.LOGIN, Result.FAILED, "sshd", user=user, address=address, method="password", times=times)


def _told(*events: SecurityEvent) -> list[tuple[str, int]]:
    tally = SecurityTally()
    for event in events:
        tally.add(event)
    return [(each.value, each.count) for each in tally.top()]


def test_tries_of_one_address_count_together_with_the_accounts_that_were_tried() -> None:
    tries = [_failed(f"u{number % 5}", "192.0.2.7") for number in range(20)]
    assert _told(*tries, _failed("root", "192.0.2.8", times=3), _failed("", "192.0.2.9")) == [
        ("login failed (password) from 192.0.2.7 as 5 accounts: u0, u1, u2, …", 20),
        ("login failed (password) as root from 192.0.2.8", 3),
        ("login failed (password) from 192.0.2.9", 1),
    ]


def test_a_name_that_reads_like_more_than_a_name_stands_in_quotation_marks() -> None:
    ((told, _),) = _told(_failed("root from 203.0.113.9 port 22", "192.0.2.7"))
    assert told == 'login failed (password) as "root from 203.0.113.9 port 22" from 192.0.2.7'


def test_who_did_what_here_is_told_by_account() -> None:
    refused = SecurityEvent(What.PRIVILEGE, Result.REFUSED, "sudo", user="root", by="eve", method="sudo")
    fine = SecurityEvent(What.LOGIN, Result.OK, "sshd", user="alice", address="192.0.2.7")
    assert _told(refused, fine, refused) == [("privilege refused (sudo) as root by eve", 2)]


def test_whatever_lines_hold_what_is_kept_is_bounded() -> None:
    tally = SecurityTally()
    for number in range(20_000):
        tally.add(_failed(f"{number}" * 40, f"192.0.{number % 250}.{number % 251}"))
        tally.add(_failed(f"{number}", "192.0.2.254"))
    assert tally.events == 40_000
    top = tally.top()
    assert len(top) <= 256
    assert top[0].value.startswith("login failed (password) from 192.0.2.254 as 50 accounts or more: 0, 1, 2, …")
