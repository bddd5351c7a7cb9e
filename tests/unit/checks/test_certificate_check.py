"""The check of a certificate: judged, days left, and whether the server shows what lies in the file."""

from __future__ import annotations

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.checks.certificate import CertificateCheck
from zen_agents.model.certificate import CertificateQuestion
from zen_agents.model.observation import Observation, Status

FILE, KEY, SERVER = "/srv/tls/web.pem", "/srv/tls/web.key", "127.0.0.1:8443"
BOTH = CertificateQuestion(file=FILE, key=KEY, server=SERVER)


@pytest.fixture
def host() -> SimulatedHost:
    return SimulatedHost()


def put(host: SimulatedHost, serial: str, *, days: float = 90.0, fault: str = "") -> None:
    ends = host.clock.now().wall.timestamp() + days * 86400
    host.files.add_file(FILE, host.certificates.text(serial, ends=ends, fault=fault))
    host.files.add_file(KEY, f"key of {serial}")


async def seen(host: SimulatedHost, asked: CertificateQuestion = BOTH) -> dict[str, Observation]:
    check = CertificateCheck("web", asked, every_seconds=3600.0, answer_within_seconds=5.0)
    found = await check.probe(host.look(), host.clock.now())
    assert [each.name for each in found] == list(check.observes)
    assert {each.target for each in found} == {"certificate:web"}
    return {each.name.removeprefix("certificate.web"): each for each in found}


async def test_in_order_and_shown(host: SimulatedHost) -> None:
    put(host, "1")
    host.certificates.serve("tls.service", SERVER, FILE)
    found = await seen(host)
    assert {name: each.status for name, each in found.items()} == dict.fromkeys(["", ".days_left", ".loaded"], Status.OK)
    assert found[".days_left"].value == pytest.approx(90.0)


async def test_one_that_has_ended_is_in_order_with_less_than_no_days_left(host: SimulatedHost) -> None:
    put(host, "1", days=-3)
    found = await seen(host, CertificateQuestion(file=FILE))
    assert found[""].status is Status.OK
    assert found[".days_left"].value == pytest.approx(-3.0)
    assert "ended 3.0 days ago" in found[".days_left"].detail


async def test_a_renewed_file_that_is_not_shown(host: SimulatedHost) -> None:
    put(host, "1", days=2)
    host.certificates.serve("tls.service", SERVER, FILE)
    put(host, "2")
    found = await seen(host)
    assert found[".loaded"].status is Status.PROBLEM
    assert found[".loaded"].detail == f"{SERVER} shows serial 1, {FILE} has 2"
    assert found[".days_left"].value == pytest.approx(90.0)


async def test_a_fault_is_told_with_its_place(host: SimulatedHost) -> None:
    put(host, "1", fault="it is not for the name x")
    host.certificates.serve("tls.service", SERVER, FILE)
    put(host, "1")
    found = await seen(host)
    assert found[""].status is Status.PROBLEM
    assert found[""].detail == f"what is shown by {SERVER}: it is not for the name x"
    host.files.add_file(KEY, "key of 7")
    assert "belongs to another" in (await seen(host))[""].detail


async def test_a_server_that_is_not_reached_tells_nothing_about_its_certificate(host: SimulatedHost) -> None:
    put(host, "1")
    found = await seen(host)
    assert found[""].status is Status.UNKNOWN
    assert found[".loaded"].status is Status.UNKNOWN
    assert found[".days_left"].status is Status.OK
    alone = await seen(host, CertificateQuestion(server=SERVER))
    assert alone[".days_left"].status is Status.UNKNOWN


async def test_a_file_that_is_gone_is_a_problem_and_has_no_age(host: SimulatedHost) -> None:
    found = await seen(host, CertificateQuestion(file=FILE))
    assert found[""].status is Status.PROBLEM
    assert found[".days_left"].status is Status.UNKNOWN
