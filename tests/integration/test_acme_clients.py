"""certbot and lego renew against a real ACME server: pebble, with its own names and real HTTP challenges."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chaos import inside
from tests.support.authority import Authority
from tests.support.changing import IS_ROOT, Changing, changing
from tests.support.engine_process import wait_for
from zen_agents.actions.renew_certificate import RenewCertificate
from zen_agents.agents.system_health.areas.certificate_settings import Renewal
from zen_agents.clock import ManualClock
from zen_agents.model.certificate import Certificate, CertificateLook, CertificateQuestion

NAME = "web.example.test"
PROGRAMS = ("pebble", "pebble-challtestsrv", "openssl")
pytestmark = [
    pytest.mark.skipif(
        any(shutil.which(name) is None for name in PROGRAMS),
        reason="needs the packages pebble and openssl: a real ACME server",
    ),
    pytest.mark.skipif(not IS_ROOT, reason="certbot keeps what it has for root"),
]


@dataclass(frozen=True, slots=True)
class Acme:
    """A running ACME server."""

    directory: str
    #: Where clients answer its challenges.
    port: int
    #: Trusted for talking to it, and the root of what it issues.
    own_root: Path
    root: Path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextlib.contextmanager
def running(argv: Sequence[str], **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(argv, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    place = tmp_path_factory.mktemp("pebble")
    authority = Authority(place / "own")
    issued = authority.issue("pebble", days=9)
    listen, manage, http, tls, names, ask = (free_port() for _ in range(6))
    settings = {
        "listenAddress": f"127.0.0.1:{listen}", "managementListenAddress": f"127.0.0.1:{manage}", "httpPort": http,
        "tlsPort": tls, "certificate": str(issued.file), "privateKey": str(issued.key),
    }  # fmt: skip
    (place / "pebble.json").write_text(json.dumps({"pebble": settings}))
    none = ("-http01", "", "-https01", "", "-tlsalpn01", "")
    resolver = ["pebble-challtestsrv", *none, "-dns01", f"127.0.0.1:{names}", "-management", f"127.0.0.1:{ask}"]
    server = ["pebble", "-config", str(place / "pebble.json"), "-dnsserver", f"127.0.0.1:{names}"]
    with running([*resolver, "-defaultIPv6", ""]), running(server, PEBBLE_VA_NOSLEEP="1", PEBBLE_WFE_NONCEREJECT="0"):
        root = place / "issued-by.pem"
        wait_for(lambda: _fetch(f"https://localhost:{manage}/roots/0", authority.root, root), "pebble")
        yield Acme(f"https://localhost:{listen}/dir", http, authority.root, root)


def _fetch(url: str, trusted: Path, into: Path) -> bool:
    try:
        with urllib.request.urlopen(url, context=ssl.create_default_context(cafile=trusted), timeout=5) as answer:
            into.write_bytes(answer.read())
    except OSError:
        return False
    return True


def certbot(acme: Acme, place: Path) -> tuple[list[str], Mapping[str, Any]]:
    directories = ["--config-dir", str(place), "--work-dir", str(place / "work"), "--logs-dir", str(place / "logs")]
    own = [*directories, "--server", acme.directory, "--no-verify-ssl"]
    challenge = ["--standalone", "--http-01-port", str(acme.port), "--preferred-challenges", "http"]
    first = ["certbot", "certonly", *own, *challenge, "-d", NAME, "--non-interactive", "--agree-tos",
             "--register-unsafely-without-email"]  # fmt: skip
    return first, {"certbot": NAME, "directory": str(place), "options": [*own[2:], "--force-renewal"]}


def lego(acme: Acme, place: Path) -> tuple[list[str], Mapping[str, Any]]:
    options = ["--server", acme.directory, "--email", "ops@example.test", "--http", "--http.port", f":{acme.port}"]
    first = ["lego", "--path", str(place), "--domains", NAME, "--accept-tos", *options, "run"]
    renew = {"lego": NAME, "directory": str(place), "options": options, "env": {"LEGO_CA_CERTIFICATES": str(acme.own_root)}}
    return first, renew


@pytest.mark.parametrize("client", [certbot, lego])
async def test_a_client_renews_and_the_server_shows_the_new_one(client: Any, acme: Acme, tmp_path: Path) -> None:
    if shutil.which(client.__name__) is None:
        pytest.skip(f"needs the package {client.__name__}")
    first, entry = client(acme, tmp_path / "client")
    environment = {**os.environ, "LEGO_CA_CERTIFICATES": str(acme.own_root)}
    await asyncio.to_thread(subprocess.run, first, check=True, capture_output=True, env=environment)
    renewal = Renewal.model_validate(entry)
    made, made_key = renewal.places("", "")
    served = tmp_path / "web.pem", tmp_path / "web.key"
    for source, target in zip((made, made_key), served, strict=True):
        shutil.copyfile(source, target)
        target.chmod(0o600)
    here, port = changing(tmp_path), free_port()
    show = [sys.executable, str(Path(inside.__file__).parent / "tls_web.py"), str(port), *map(str, served)]
    with running(show) as web:
        before = await _present(here, acme, served, port)
        # A certificate's times are whole seconds: what is issued within the same one lasts no longer.
        await asyncio.to_thread(wait_for, lambda: time.time() >= before.not_before + 2, "the next second")
        # As if its end had come near: what has as much left as this one is renewed, and the clock stands meanwhile.
        now = datetime.now(UTC)
        left = before.not_after - now.timestamp()
        params = {
            "certificate": "web", "file": str(served[0]), "key": str(served[1]), "server": f"127.0.0.1:{port}", "name": NAME,
            "authority": str(acme.root), "reload": {"argv": ["kill", "-HUP", str(web.pid)], "user": "root"},
            "client": renewal.client, "argv": list(renewal.argv(timedelta(seconds=left))), "environment": dict(renewal.env),
            "made": made, "made_key": made_key, "at_least_seconds": left,
        }  # fmt: skip
        action = RenewCertificate(ManualClock(now, steady=0.0))
        plan = await asyncio.to_thread(here.plan, action, "certificate:web", params)
        assert plan.steps[0].startswith("run")
        effect = await action.execute(plan, here.control())
        assert effect.ok, effect
        after = await _present(here, acme, served, port)
    assert after.serial != before.serial
    assert after.not_after > before.not_after
    assert after.authority == before.authority


async def _present(here: Changing, acme: Acme, served: tuple[Path, Path], port: int) -> Certificate:
    """Return what lies in the files and is shown by the server, which is the same."""
    file, key = map(str, served)
    asked = CertificateQuestion(file, key, server=f"127.0.0.1:{port}", name=NAME, authority=str(acme.root))
    look = CertificateLook()
    for _ in range(300):
        look = await here.host.look().certificate(asked, 5.0)
        if look.server is not None and look.server.certificate is not None:
            break
        # Polling what another process does.
        await asyncio.sleep(0.1)
    assert look.file == look.server
    assert look.file is not None
    assert look.file.fault == ""
    assert look.file.certificate is not None
    return look.file.certificate
