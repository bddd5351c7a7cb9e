"""The same pairs of package and weakness as pip-audit and debsecan find; `scripts/bench packages` asks them of many more."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.osv_server import osv_server
from tests.support.other_auditors import Pairs, by_debsecan, by_pip_audit
from tests.support.planted import plant_advisories, plant_environment, plant_host, planted_feed
from zen_agents.adapters.advisories_audit import Sources, audit

NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)
SUITE = "bookworm"


def ours(place: Path, sources: Sources) -> Pairs:
    outcome = audit([place], sources, NOW).outcome
    assert outcome.unknown == ()
    return {(each.package.name, each.names) for each in outcome.findings}


def test_the_same_pairs_as_pip_audit(tmp_path: Path) -> None:
    chance = random.Random(1)
    with osv_server(page=1000) as server:
        plant_advisories(server, chance, 60)
        site = plant_environment(tmp_path / "app", chance, 40, of=60)
        theirs = by_pip_audit(site, server.url)
        assert ours(tmp_path / "app", Sources(tmp_path / "cache", (server.url,))) == theirs
    assert len(theirs) > 15


@pytest.mark.skipif(shutil.which("debsecan") is None, reason="needs Debian's debsecan")
def test_the_same_pairs_as_debsecan(tmp_path: Path) -> None:
    chance = random.Random(2)
    (tmp_path / SUITE).write_bytes(planted_feed(chance, 80))
    found: Pairs = set()
    for number in range(4):
        status = plant_host(tmp_path / str(number), chance, 60, of=80)
        theirs = by_debsecan(status, tmp_path, SUITE)
        assert ours(tmp_path / str(number), Sources(tmp_path / "cache", debsecan=str(tmp_path))) == theirs
        found |= theirs
    assert len(found) > 50
