"""Whom the lines of a log get banned: who is told of, is connected, and is kept by nobody; and nobody else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.checks import log_bans
from zen_agents.checks.log_bans import BanningSourceCheck, BanRule
from zen_agents.engine.sampler import sound
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.formats.syslog import Syslog
from zen_agents.logs.security.understood import Understood
from zen_agents.logs.watching.rule import PatternRule, Step
from zen_agents.model.observation import Observation, Status, lines_in
from zen_agents.ports.host_firewall import KeptNetwork
from zen_agents.ports.host_logs import LogRequest

LOG = "/var/log/auth.log"
PROBLEM, OK, UNKNOWN = Status.PROBLEM, Status.OK, Status.UNKNOWN
WHERE = {"event": "login", "result": ["failed", "refused"]}


class Watched:
    """A log of sshd on a simulated host, and the check that reads it."""

    def __init__(self, **changes: int) -> None:
        self.host = SimulatedHost()
        self.host.files.add_file(LOG, "")
        rule = {"most_at_once": 3, "ipv6_prefix": 128, **changes}
        self._ban = BanRule("guessing", (22,), 600.0, (ip_network("10.0.0.0/24"),), **rule)
        self.make()
        self.statuses()

    def make(self) -> None:
        steps = PatternRule("guessing", (Step(where=WHERE),), CountRule(3, 600.0, ("address",)))
        self.check = BanningSourceCheck(
            "auth", request=LogRequest(LOG), form=Understood(Syslog()), rules=[steps], zone=UTC, every_seconds=5.0,
            bans=[self._ban],
        )  # fmt: skip

    def tries(self, address: str, times: int = 3, user: str = "root") -> None:
        said = f"Failed password for {user} from {address} port 4242 ssh2"
        self.host.files.append(LOG, f"{self.host.clock.now().wall:%b %e %H:%M:%S} h sshd[9]: {said}\n" * times)

    def connects(self, *addresses: str, port: int = 22) -> None:
        self.host.network.peers[port] = {ip_address(address) for address in addresses}

    def look(self, after: float = 5.0) -> list[Observation]:
        self.host.advance(after)
        now = self.host.clock.now()
        found = sound(self.check, self.check.observe(self.host.look(), now), now)
        return [each for each in found if each.name.startswith("ban.")]

    def statuses(self, after: float = 5.0) -> Mapping[str, Status]:
        return {each.target: each.status for each in self.look(after)}

    def ban(self, network: str, seconds: float = 600.0) -> None:
        now = self.host.clock.now().steady
        self.host.network.ban(ip_network(network), now + seconds, now)


def test_who_fails_often_enough_and_is_connected_is_to_be_kept_out_until_something_does() -> None:
    log = Watched()
    log.connects("192.0.2.7", "192.0.2.8")
    log.tries("192.0.2.7", times=2)
    assert log.statuses() == {}
    log.tries("192.0.2.7", times=1)
    (found,) = log.look()
    assert (found.name, found.target, found.status, found.fingerprint) == (
        "ban.guessing", "address:192.0.2.7", PROBLEM, "192.0.2.7",
    )  # fmt: skip
    log.ban("192.0.2.7/32")
    (found,) = log.look()
    assert (found.status, found.detail) == (OK, "192.0.2.7 is banned for another 595 s")
    log.host.advance(700)
    assert log.statuses() == {"address:192.0.2.7": OK}
    assert log.statuses() == {}


def test_lines_alone_get_nobody_banned_nor_does_a_connection_to_another_port() -> None:
    log = Watched()
    log.tries("192.0.2.7", times=50)
    log.connects("192.0.2.7", port=443)
    assert log.statuses() == {}
    log.connects("192.0.2.7")
    assert log.statuses() == {"address:192.0.2.7": PROBLEM}
    # Between two tries nobody is connected; that one was still counts as long as the lines do.
    log.connects()
    assert log.statuses() == {"address:192.0.2.7": PROBLEM}


def test_nobody_is_observed_whom_somebody_listed_or_the_host_needs() -> None:
    log = Watched(ipv6_prefix=64)
    log.host.network.kept.append(KeptNetwork(ip_network("2001:db8::53"), "a name server"))
    for address in ("10.0.0.5", "2001:db8::53", "2001:db8::7", "127.0.0.1"):
        log.tries(address)
    log.connects("10.0.0.5", "2001:db8::53", "2001:db8::7", "127.0.0.1")
    assert log.statuses() == {}


def test_beyond_what_may_be_banned_at_once_an_address_waits_for_room() -> None:
    log = Watched(most_at_once=2)
    addresses = [f"192.0.2.{number}" for number in range(1, 5)]
    for address in addresses:
        log.tries(address)
        log.host.advance(1)
    log.connects(*addresses)
    assert list(log.statuses()) == ["address:192.0.2.1", "address:192.0.2.2"]
    log.ban("192.0.2.1/32", seconds=300)
    log.ban("192.0.2.2/32", seconds=300)
    assert set(log.statuses().values()) == {OK}
    log.host.advance(300)
    # Those two were let in again and have not tried since: it is the others' turn.
    assert [target for target, status in log.statuses().items() if status is PROBLEM] == [
        "address:192.0.2.3", "address:192.0.2.4",
    ]  # fmt: skip
    log.tries("192.0.2.2", times=1)
    log.ban("192.0.2.3/32")
    assert [target for target, status in log.statuses().items() if status is PROBLEM] == [
        "address:192.0.2.2", "address:192.0.2.4",
    ]  # fmt: skip


def test_who_is_followed_outlives_a_restart_and_what_was_kept_is_checked() -> None:
    log = Watched()
    log.tries("192.0.2.7")
    log.connects("192.0.2.7")
    assert log.statuses() == {"address:192.0.2.7": PROBLEM}
    kept = json.loads(json.dumps(log.check.memory()))
    log.connects()
    log.make()
    log.check.recall(kept)
    assert log.statuses() == {"address:192.0.2.7": PROBLEM}
    log.make()
    rows = [
        ["guessing", "10.0.0.0/8", 1, 0], ["guessing", 7, 1, 0], ["other", "192.0.2.9", 1, 0],
        ["guessing", "192.0.2.9", "x", 0], ["guessing", "192.0.2.9", 1], 3,
    ]  # fmt: skip
    log.check.recall({**kept, "followed": rows})
    assert log.statuses() == {}


def test_where_nobody_can_tell_who_is_banned_it_is_unknown_for_those_it_is_about() -> None:
    log = Watched(most_at_once=1)
    log.tries("192.0.2.7")
    log.tries("192.0.2.8")
    log.connects("192.0.2.7")
    for question in ("bans", "kept_networks", "connected"):
        log.host.faults.fail(question, times=1)
        assert log.statuses() == {"address:192.0.2.7": UNKNOWN}
    assert log.statuses() == {"address:192.0.2.7": PROBLEM}


def test_one_that_was_banned_with_its_network_counts_as_banned() -> None:
    log = Watched()
    log.tries("2001:db8:1::7")
    log.connects("2001:db8:1::7")
    assert log.statuses() == {"address:2001:db8:1::7": PROBLEM}
    log.ban("2001:db8:1::/64")
    assert log.statuses() == {"address:2001:db8:1::7": OK}


def test_a_flood_of_lines_asks_the_host_no_more_often_and_a_new_address_at_once() -> None:
    log = Watched()
    log.connects("192.0.2.7", "192.0.2.8")
    log.tries("192.0.2.7")
    assert log.statuses() == {"address:192.0.2.7": PROBLEM}
    followed = (log.check.memory() or {})["followed"]
    log.host.faults.fail("bans")
    for _ in range(3):
        log.tries("192.0.2.7", times=1)
        assert log.statuses(after=0.1) == {"address:192.0.2.7": PROBLEM}
    assert (log.check.memory() or {})["followed"] == followed
    log.tries("192.0.2.8")
    assert log.statuses(after=0.1) == {"address:192.0.2.7": UNKNOWN, "address:192.0.2.8": UNKNOWN}
    log.host.faults.heal()
    assert set(log.statuses(after=1.0).values()) == {PROBLEM}


def test_an_address_is_shown_with_its_own_lines() -> None:
    log = Watched()
    log.connects("192.0.2.7", "192.0.2.8")
    for times in (2, 1):
        log.tries("192.0.2.7", times=times)
        log.tries("192.0.2.8", times=1)
    (found,) = log.look()
    lines = [line.text for line in lines_in(found.facts)]
    assert lines
    assert all("from 192.0.2.7 port" in line for line in lines)


def test_no_glance_changes_what_was_found_while_it_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    log, judge, glanced = Watched(), log_bans._Look, list[bool]()

    def judged(*arguments: Any) -> Any:
        with ThreadPoolExecutor(1) as beside:
            glanced.append(beside.submit(log.check.glance, log.host.look(), log.host.clock.now()).result())
        return judge(*arguments)

    monkeypatch.setattr(log_bans, "_Look", judged)
    log.connects("192.0.2.7")
    log.tries("192.0.2.7")
    assert log.statuses() == {"address:192.0.2.7": PROBLEM}
    assert glanced == [True], "a look is to tell"
