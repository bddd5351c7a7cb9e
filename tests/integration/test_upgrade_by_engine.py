"""A real engine upgrades a real environment: asked by `packages apply`, undone by `undo`, and by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine_process import EngineProcess, wait_for
from tests.support.upgrading import UpgradeSite, upgrade_site, why_no_trials
from tests.support.wheelhouse import freeze

pytestmark = pytest.mark.skipif(bool(why_no_trials()), reason=why_no_trials() or "it can")

CONFIG = """
agents:
  dependency_manager:
    interval: {interval}
    security_updates: {security}
    advisories: {{osv: {osv}}}
    environments:
      app: {{venv: {venv}, wheels: {wheels}, user: {user}, smoke: [{venv}/bin/acme], bake: 0s}}
actions:
  allow:
    upgrade_python_packages: {{cooldown: 0s}}
limits: {{boot_grace: 0s}}
"""


@pytest.fixture
def site() -> Iterator[UpgradeSite]:
    with upgrade_site() as made:
        yield made


@pytest.fixture
def engine(site: UpgradeSite, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[EngineProcess]:
    user = "nobody" if os.geteuid() == 0 else "~"
    words = {"interval": "1h", "security": "notify", **getattr(request, "param", {})}
    config = CONFIG.format(osv=site.osv, venv=site.venv, wheels=site.wheels, user=user, **words)
    running = EngineProcess(tmp_path, config)
    running.start()
    yield running
    # Not killed: what it has begun would go on writing to the site that is removed now.
    running.stop()
    running.close()


def test_packages_apply_shows_upgrades_and_undo_gives_back(site: UpgradeSite, engine: EngineProcess) -> None:
    config = ("-c", str(engine.config))
    shown = engine.cli(*config, "packages", "apply", "--dry-run")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "acme-lib 1.0 -> 1.2 (A-acme-lib)" in shown.stdout
    assert site.is_as_before()

    [done] = engine.json(*config, "packages", "apply", "app", "--yes", "--reason", "the advisory of today")["items"]
    assert (done["outcome"], done["exit"]) == ("verified", 0), done
    assert freeze(site.venv) == b"acme-lib==1.2\napp==1.0\n"
    again = engine.cli(*config, "packages", "apply", "app", "--yes", "--reason", "once more")
    assert (again.returncode, again.stdout) == (0, "environment:app: nothing to do\n")

    undone = engine.cli("undo", "@last", "--yes", "--reason", "it was too early")
    assert undone.returncode == 0, undone.stderr
    assert site.is_as_before()


@pytest.mark.parametrize("engine", [{"interval": "1s", "security": "auto"}], indirect=True)
def test_what_policy_does_unasked_is_done_by_itself_and_seen_to_help(site: UpgradeSite, engine: EngineProcess) -> None:
    wait_for(lambda: [each["outcome"] for each in engine.actions()] == ["verified"], "the upgrade")
    assert site.says(["acme"]) == "1.2"
