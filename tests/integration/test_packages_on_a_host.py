"""A real engine under a real systemd: upgrades that a person types, or that policy makes, and their way back."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from chaos.host import REPOSITORY, DisposableHost
from chaos.packages import (
    ADVISORIES,
    DEBIAN_PACKAGE,
    LIBRARY,
    VENV,
    advisory,
    build_debian,
    build_wheel,
    frozen,
    installed_debian,
    make_environment,
    offer_debian,
    write_feed,
)
from chaos.packages import REPOSITORY as REPOSITORY_OF_DEBS
from chaos.workload import program
from tests.support.disposable import host_or_skip, properties, service
from tests.support.engine_inside import EngineInside
from tests.support.engine_process import wait_for

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root]

NUMBERS = itertools.count(1)
WEAK = f"{DEBIAN_PACKAGE},0,SHRF,1.1,"
#: A library that a service runs with: it can be imported in every version, and only serves in some.
SERVES = "import time\n\n\ndef serve():\n    time.sleep(1e6)\n"
FALLS = "def serve():\n    raise SystemExit(3)\n"
FALLS_LATER = "import time\n\n\ndef serve():\n    time.sleep(1.5)\n    raise SystemExit(3)\n"
DEBIAN = """
agents:
  dependency_manager:
    interval: 1h
    security_updates: notify
    advisories: {debian: /srv/advisories/feed, cache_for: 0s}
    debian: {}
actions:
  allow: {upgrade_debian_packages: {packages: [libacme1], cooldown: 0s}}
limits: {boot_grace: 0s}
"""
PYTHON = """
agents:
  dependency_manager:
    interval: 4s
    security_updates: %s
    advisories: {osv: /srv/advisories, cache_for: 0s}
    environments:
      app: {venv: /srv/app/venv, wheels: /srv/wheels, user: nobody, units: [app.service], bake: 3s}
actions:
  allow: {upgrade_python_packages: {paths: [/srv/app/venv], units: [app.service], cooldown: 0s}}
limits: {boot_grace: 0s}
alerts: {email: {to: [ops@example.com], smtp: {host: 127.0.0.1, port: 9, starttls: never}}}
"""


@pytest.fixture(scope="module")
def host() -> Iterator[DisposableHost]:
    yield from host_or_skip()


@pytest.fixture
def engine(host: DisposableHost, request: pytest.FixtureRequest) -> Iterator[EngineInside]:
    made = EngineInside(host, f"zen-{next(NUMBERS)}", request.param, services=())
    yield made
    made.stop()


def reason(words: str) -> tuple[str, ...]:
    return ("--yes", "--reason", words)


# -- Debian -----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def weak_library(host: DisposableHost) -> None:
    """Install a library of which a weakness is known, and offer the version without it."""
    host.run(["dpkg", "--install", build_debian(host, "1.0")], check=True)
    build_debian(host, "1.1")
    offer_debian(host)
    write_feed(host, f"{ADVISORIES}/feed", WEAK)


@pytest.mark.usefixtures("weak_library")
@pytest.mark.parametrize("engine", [DEBIAN], indirect=True)
def test_debian_packages_are_upgraded_and_given_back_by_what_a_person_types(
    host: DisposableHost, engine: EngineInside
) -> None:
    before = host.read_file(LIBRARY)
    engine.start()
    config = ("-c", engine.config)
    shown = engine.cli(*config, "packages", "apply", "--dry-run")
    assert (shown.returncode, shown.stderr) == (0, ""), shown
    assert "upgrade libacme1 1.0 -> 1.1" in shown.stdout
    assert installed_debian(host) == "1.0"

    [done] = engine.json(*config, "packages", "apply", "debian", *reason("the advisory of today"))["items"]
    assert (done["outcome"], done["exit"]) == ("verified", 0), done
    assert installed_debian(host) == "1.1"
    again = engine.cli(*config, "packages", "apply", "debian", *reason("once more"))
    assert (again.returncode, again.stdout) == (0, "packages:debian: nothing to do\n")
    told = engine.cli(*config, "packages", "why", DEBIAN_PACKAGE)
    assert done["action"] in told.stdout

    undone = engine.cli("undo", done["action"], *reason("it was too early"))
    assert undone.returncode == 0, undone
    assert (installed_debian(host), host.read_file(LIBRARY)) == ("1.0", before)
    assert host.run(["dpkg", "--audit"]).stdout == ""
    assert [row["outcome"] for row in engine.actions()] == ["undone", "verified"]
    assert engine.cli("audit", "verify").returncode == 0


@pytest.mark.usefixtures("weak_library")
@pytest.mark.parametrize("engine", [DEBIAN.replace("notify", "auto")], indirect=True)
def test_package_lists_that_are_old_are_fetched_before_it_is_said_what_can_be_had(
    host: DisposableHost, engine: EngineInside
) -> None:
    lists = "/var/lib/apt/lists"
    script = f"""set -e
mv {REPOSITORY_OF_DEBS}/libacme1_1.1.deb /srv/later.deb
dpkg --install {REPOSITORY_OF_DEBS}/libacme1_1.0.deb
{" ".join(program("apt_repository.py"))} {REPOSITORY_OF_DEBS}
cp --archive {lists} /srv/lists-of-before
mv /srv/later.deb {REPOSITORY_OF_DEBS}/libacme1_1.1.deb
{" ".join(program("apt_repository.py"))} {REPOSITORY_OF_DEBS}
rm -r {lists} && mv /srv/lists-of-before {lists}
touch --date="3 days ago" {lists}/partial {lists}
"""
    host.run(["sh", "-c", script], check=True)
    assert "1.1" not in host.run(["apt-cache", "policy", DEBIAN_PACKAGE], check=True).stdout
    shown = engine.cli("-c", engine.config, "packages", "outdated")
    assert "apt's package lists were fetched 3 d ago" in shown.stdout
    engine.start()
    wait_for(lambda: [row["outcome"] for row in engine.actions()] == ["verified"], "the upgrade")
    assert installed_debian(host) == "1.1"
    assert "apt's package lists were fetched" in engine.cli("-c", engine.config, "packages", "outdated").stdout


# -- Python -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def served(host: DisposableHost, request: pytest.FixtureRequest) -> Iterator[bytes]:
    """Start a service that runs from an environment; what is offered as the fix is as the test says. Its freeze, before."""
    host.run(["rm", "-rf", VENV, ADVISORIES, "/srv/wheels"], check=True)
    build_wheel(host, "acmelib", "1.0", SERVES)
    build_wheel(host, "acmelib", "1.2", request.param)
    make_environment(host)
    host.run(["/srv/app/install", "acmelib==1.0"], check=True)
    host.write_file(f"{ADVISORIES}/ACME-2026-1.json", advisory("acmelib", "1.2"))
    host.write_file("/srv/app/serve.py", "import acmelib\n\nacmelib.serve()\n")
    service(host, "app", f"{VENV}/bin/python /srv/app/serve.py", "Restart=no")
    host.run(["systemctl", "start", "app"], check=True)
    yield everything(host)
    host.run(["systemctl", "stop", "app"])
    host.run(["systemctl", "reset-failed", "app"])


def everything(host: DisposableHost) -> bytes:
    """Return names, modes, owners and contents of all that is in the environment."""
    script = "find . ! -name __pycache__ ! -path '*/__pycache__/*' -printf '%P %M %u %l\\n' | sort; " \
        "find . -type f ! -path '*/__pycache__/*' | sort | xargs sha256sum"  # fmt: skip
    return host.run(["sh", "-c", script], cwd=VENV, check=True).stdout.encode()


def serving(host: DisposableHost) -> dict[str, str]:
    return properties(host, "app.service", "ActiveState", "MainPID")


def is_due(incident: dict[str, Any]) -> bool:
    return bool(incident["rule"] == "dependency_manager.app.due")


def upgrades(engine: EngineInside) -> list[dict[str, Any]]:
    return [row for row in engine.actions() if row["action"] == "upgrade_python_packages"]


@pytest.mark.parametrize("engine", [PYTHON % "auto"], indirect=True)
@pytest.mark.parametrize("served", [SERVES], indirect=True)
def test_a_unit_that_runs_on_an_environment_is_restarted_once_watched_and_verified(
    host: DisposableHost, engine: EngineInside, served: bytes
) -> None:
    before = serving(host)["MainPID"]
    engine.start()
    wait_for(lambda: [row["outcome"] for row in upgrades(engine)] == ["verified"], "the upgrade")
    assert frozen(host) == "acmelib==1.2\n"
    now = serving(host)
    assert now["ActiveState"] == "active"
    assert now["MainPID"] != before
    starts = host.run(["journalctl", "--unit=app.service", "--output=cat", "--grep=^Started"]).stdout.splitlines()
    assert len(starts) == 2, "by the test, then once by the engine"

    undone = engine.cli("undo", "@last", *reason("it was too early"))
    assert undone.returncode == 0, undone
    assert everything(host) == served
    assert serving(host)["ActiveState"] == "active"


@pytest.mark.parametrize(
    ("engine", "served"),
    # Only who looks each second is sure to look while the service is watched.
    [(PYTHON % "auto", FALLS), ((PYTHON % "auto").replace("interval: 4s", "interval: 1s"), FALLS_LATER)],
    ids=["at_once", "while_watched"], indirect=True,
)  # fmt: skip
def test_a_service_that_does_not_come_back_has_its_environment_again_to_the_byte_and_people_are_told(
    host: DisposableHost, engine: EngineInside, served: bytes
) -> None:
    engine.start()
    wait_for(lambda: [row["outcome"] for row in upgrades(engine)] == ["failed", "failed"], "both attempts", seconds=120)
    assert everything(host) == served
    assert serving(host)["ActiveState"] == "active"
    assert "was put back as it was" in engine.cli("actions", "show", upgrades(engine)[-1]["id"]).stdout
    # Told once, and it is one incident also where a look saw the new version while it was watched.
    wait_for(lambda: [each["state"] for each in engine.json("incidents")["items"] if is_due(each)] == ["escalated"])


@pytest.mark.parametrize("engine", [(PYTHON % "notify").replace("bake: 3s", "bake: 5m")], indirect=True)
@pytest.mark.parametrize("served", [SERVES], indirect=True)
def test_an_engine_that_is_killed_while_it_watches_leaves_what_was_there_once_the_next_one_runs(
    host: DisposableHost, engine: EngineInside, served: bytes
) -> None:
    engine.start()
    words = ["-c", engine.config, "--state-dir", engine.state, "packages", "apply", *reason("today")]
    typed = host.popen([sys.executable, "-m", "zen_agents", *words], cwd=str(REPOSITORY))
    before = serving(host)["MainPID"]
    wait_for(lambda: serving(host)["MainPID"] not in {"0", before}, "the restart on what is new")
    assert frozen(host) == "acmelib==1.2\n"
    host.run(["systemctl", "kill", "--signal=KILL", engine.unit], check=True)
    typed.wait()
    wait_for(lambda: not engine.is_running(), "the end of the engine")

    new = serving(host)["MainPID"]
    engine.start()
    assert everything(host) == served
    wait_for(lambda: serving(host)["MainPID"] not in {"0", new}, "the restart on what is back")
    assert serving(host)["ActiveState"] == "active"
