"""A look at one place by whom it names: registries, catalogues and statements count, and a failure of each is untold."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.advisories import catalogue, record
from tests.support.environments import a_record, a_venv
from tests.support.npm_registry import advisory, npm_registry
from zen_agents.adapters import packages_look
from zen_agents.adapters.packages_look import look
from zen_agents.model.package_look import PackageLook, PackageQuestion
from zen_agents.packages.updates import Available

NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)
BEFORE = {"introduced": "0"}, {"fixed": "5.0.0"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    lock = {"lockfileVersion": 3, "packages": {"node_modules/lodash": {"version": "4.17.20"}}}
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "package-lock.json").write_text(json.dumps(lock))
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv" / "1.json").write_bytes(record("CVE-2026-1111", "lodash", BEFORE, ecosystem="npm"))
    (tmp_path / "kev.json").write_bytes(catalogue("CVE-2026-1111"))
    return tmp_path


def looked(project: Path, **more: object) -> PackageLook:
    given = {"osv": (str(project / "osv"),), "exploited": str(project / "kev.json"), **more}
    return look(PackageQuestion("npm", str(project / "web"), **given), NOW)  # type: ignore[arg-type]


def test_a_registry_of_npm_and_marks_of_what_is_exploited(project: Path) -> None:
    with npm_registry() as registry:
        registry.advisories["lodash"] = [advisory(1, "<4.17.21")]
        found = looked(project, npm=registry.url, cache_directory=str(project / "state"))
    assert [(each.advisory, each.fixed_in, each.is_exploited) for each in found.weaknesses] == [
        ("CVE-2026-1111", "5.0.0", True), ("GHSA-0001-aaaa-bbbb", "4.17.21", False)
    ]  # fmt: skip
    assert found.untold == ()
    assert (project / "state" / "advisories.db").exists()


def test_what_somebody_says_is_not_affected_is_counted_apart(project: Path) -> None:
    weakness = {"id": "CVE-2026-1111", "analysis": {"state": "not_affected", "detail": "not called"}}
    vex = {"bomFormat": "CycloneDX", "vulnerabilities": [{**weakness, "affects": [{"ref": "pkg:npm/lodash@4.17.20"}]}]}
    (project / "vex.json").write_text(json.dumps(vex))
    found = looked(project, vex=(str(project / "vex.json"),))
    assert (found.weaknesses, found.ignored, found.untold) == ((), 1, ())


def test_what_cannot_be_read_is_untold_and_excuses_and_marks_nothing(project: Path) -> None:
    (project / "vex.json").write_text("{}")
    (project / "kev.json").write_text("{}")
    found = looked(project, vex=(str(project / "vex.json"), str(project / "gone.json")))
    assert [(each.advisory, each.is_exploited) for each in found.weaknesses] == [("CVE-2026-1111", False)]
    told = "\n".join(found.untold)
    assert "vex.json is neither OpenVEX nor CycloneDX" in told
    assert "gone.json is not there" in told
    assert "which weaknesses are known to be exploited stays unknown" in told


def installing(site: Path) -> Available:
    a_record(site, f"p{len(list(site.iterdir()))}", "1")
    return Available({})


def test_what_is_installed_while_it_is_looked_is_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = a_venv(tmp_path / "app", {"jinja2": "3.1.2"})
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv" / "1.json").write_bytes(record("CVE-1", "jinja2", ({"introduced": "0"}, {"fixed": "3.1.4"})))
    asked = PackageQuestion("pypi", str(tmp_path / "app"), osv=(str(tmp_path / "osv"),), wheels=("/srv/wheels",))
    turns: list[int] = []

    def upgraded_meanwhile(*_: object, **__: object) -> Available:
        turns.append(1)
        if len(turns) == 1:
            shutil.rmtree(site / "jinja2-3.1.2.dist-info")
            a_record(site, "jinja2", "3.1.4")
        return Available({})

    monkeypatch.setattr(packages_look, "newer_python", upgraded_meanwhile)
    assert look(asked, NOW) == PackageLook(1)
    assert len(turns) == 2

    monkeypatch.setattr(packages_look, "newer_python", lambda *_, **__: installing(site))
    found = look(asked, NOW)
    assert "being changed at this moment" in found.untold[0]
