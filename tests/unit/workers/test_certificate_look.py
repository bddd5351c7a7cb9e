"""What the worker says of certificates in files and at servers, by the real openssl and real handshakes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support.authority import Authority, Issued, needs_openssl, serving
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.jobs.certificate_look import LookRequest
from zen_agents.model.certificate import CertificateQuestion, Seen
from zen_agents.workers.certificate_look import look

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def fresh(authority: Authority) -> Issued:
    return authority.issue("fresh", days=90)


@pytest.fixture(scope="module")
def ended(authority: Authority) -> Issued:
    return authority.issue("ended", days=-3)


def in_file(issued: Issued, authority: Authority | None, *, key: Path | None = None, name: str = "localhost") -> Seen:
    root = str(authority.root) if authority is not None else ""
    asked = CertificateQuestion(file=str(issued.file), key=str(key or issued.key), name=name, authority=root)
    found = look(LookRequest(asked, 5.0)).file
    assert found is not None
    return found


def at_server(server: str, authority: Authority | None, *, name: str = "localhost") -> Seen:
    root = str(authority.root) if authority is not None else ""
    found = look(LookRequest(CertificateQuestion(server=server, name=name, authority=root), 5.0)).server
    assert found is not None
    return found


def test_a_certificate_in_order_is_told_with_its_dates_and_who_issued_it(authority: Authority, fresh: Issued) -> None:
    seen = in_file(fresh, authority)
    assert (seen.fault, seen.untold) == ("", "")
    assert seen.certificate is not None
    assert seen.certificate.authority == "Test Authority"
    assert seen.certificate.not_after - seen.certificate.not_before == 91 * 86400


def test_a_key_of_another_certificate_and_no_key_at_all_are_faults(
    authority: Authority, fresh: Issued, ended: Issued, tmp_path: Path
) -> None:
    assert "belongs to another certificate" in in_file(fresh, authority, key=ended.key).fault
    (tmp_path / "empty.key").touch()
    assert "no key that can be used" in in_file(fresh, authority, key=tmp_path / "empty.key").fault
    assert "is not there" in in_file(fresh, authority, key=tmp_path / "gone.key").fault


def test_another_name_and_an_authority_nobody_trusts_are_faults(authority: Authority, fresh: Issued) -> None:
    assert in_file(fresh, authority, name="example.org").fault == "it is not for the name example.org"
    assert in_file(fresh, authority, name="192.0.2.1").fault == "it is not for the name 192.0.2.1"
    assert "no chain leads from it to a trusted authority" in in_file(fresh, None).fault


def test_authorities_that_the_surroundings_name_are_trusted(
    authority: Authority, fresh: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    with serving(fresh) as server:
        assert (in_file(fresh, None).fault, at_server(server, None).fault) == ("", "")


def test_an_age_is_no_fault_but_told_by_its_dates(authority: Authority, ended: Issued) -> None:
    seen = in_file(ended, authority)
    assert seen.fault == ""
    assert seen.certificate is not None
    with serving(ended) as server:
        shown = at_server(server, authority)
    assert shown == seen


def test_what_is_no_certificate_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n")
    (tmp_path / "signs").write_text("-----BEGIN CERTIFICATE-----\nb\n-----END CERTIFICATE-----\n")
    (tmp_path / "none").write_text("nothing")
    for name, said in (
        ("text", "no certificate that openssl can read"),
        ("signs", "no certificate that openssl can read"),
        ("none", "holds no certificate"),
        ("gone", "not there"),
    ):
        found = look(LookRequest(CertificateQuestion(file=str(tmp_path / name)), 5.0)).file
        assert found is not None
        assert said in found.fault


def test_what_a_server_shows_is_judged_as_a_client_would(authority: Authority, fresh: Issued) -> None:
    with serving(fresh) as server:
        assert at_server(server, authority) == in_file(fresh, authority)
        assert at_server(server, authority, name="example.org").fault == "it is not for the name example.org"
        stranger = at_server(server, None)
    assert "no chain leads" in stranger.fault
    assert stranger.certificate is not None


def test_a_server_that_is_not_there_or_does_not_speak_tls_tells_nothing(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        silent = look(LookRequest(CertificateQuestion(server=address, authority=str(authority.root)), 0.2)).server
    assert silent is not None
    assert silent.certificate is None
    assert silent.fault == ""
    assert "shows no certificate" in silent.untold
    assert "refused" in at_server(address, authority).untold.lower()


async def test_the_engine_has_a_worker_look(authority: Authority, fresh: Issued, tmp_path: Path) -> None:
    view = LinuxHost(tmp_path).look()
    with serving(fresh) as server:
        asked = CertificateQuestion(
            file=str(fresh.file), key=str(fresh.key), server=server, name="localhost", authority=str(authority.root)
        )
        found = await view.certificate(asked, 5.0)
    assert found.file is not None
    assert found.file.fault == found.file.untold == ""
    assert found.file == found.server
