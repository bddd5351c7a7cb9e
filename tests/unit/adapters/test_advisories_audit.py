"""A whole audit: whichever sources fail, what they would have said is unknown, and never that there is nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.advisories import catalogue, feed, record
from tests.support.environments import a_dpkg_root, a_venv, installed
from tests.support.http_server import Reply
from tests.support.npm_registry import NpmRegistry, advisory, npm_registry
from tests.support.osv_server import OsvServer, osv_server
from zen_agents.adapters.advisories_audit import Audited, Sources, audit
from zen_agents.packages.advisories.ignore_lists import ignore_list

NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)
BEFORE = {"introduced": "0"}, {"fixed": "3.1.4"}
NOT_IT = b"<html>log in here</html>"
#: Which source tells what.
EACH = {
    "osv": {("jinja2", "CVE-2026-1111"), ("lodash", "GHSA-osv")}, "npm": {("lodash", "GHSA-0001-aaaa-bbbb")},
    "debsecan": {("bash", "CVE-2026-1")}, "exploited": set(),
}  # fmt: skip


class Place:
    """A host with packages of every ecosystem, and whoever knows of weaknesses in them."""

    def __init__(self, folder: Path, osv: OsvServer, npm: NpmRegistry) -> None:
        self.folder, self.osv, self.npm = folder, osv, npm
        a_dpkg_root(folder / "root", installed("bash", "5.1"))
        a_venv(folder / "app" / ".venv", {"Jinja2": "3.1.3"})
        lock = {"lockfileVersion": 3, "packages": {"node_modules/lodash": {"version": "4.17.20"}}}
        (folder / "app" / "package-lock.json").write_text(json.dumps(lock))
        osv.knows(record("CVE-2026-1111", "jinja2", BEFORE), "3.1.3")
        osv.knows(record("GHSA-osv", "lodash", BEFORE, ecosystem="npm"), "4.17.20")
        npm.advisories["lodash"] = [advisory(1, "<4.17.21")]

    def audit(self, *broken: str, kept: str = "cache", at: datetime = NOW) -> Audited:
        """Audit all of it while some sources answer nonsense; `kept` is where answers are kept."""
        self.osv.instead = ("/", 200, NOT_IT) if "osv" in broken else None
        self.npm.instead = Reply(200, NOT_IT) if "npm" in broken else None
        tracker, exploited = self.folder / "feed", self.folder / "exploited.json"
        tracker.write_bytes(NOT_IT if "debsecan" in broken else feed(["bash,0,SHRF,5.2,"]))
        exploited.write_bytes(NOT_IT if "exploited" in broken else catalogue("CVE-2026-1111"))
        sources = Sources(
            self.folder / kept, (self.osv.url,), self.npm.url, str(tracker), exploited=str(exploited)
        )  # fmt: skip
        return audit([self.folder / "root", self.folder / "app"], sources, at)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with osv_server() as osv, npm_registry() as npm:
        yield Place(tmp_path_factory.mktemp("host"), osv, npm)


def pairs(made: Audited) -> set[tuple[str, str]]:
    return {(each.package.name, each.advisory) for each in made.outcome.findings}


def test_everybody_is_asked_about_what_is_theirs(place: Place) -> None:
    made = place.audit(kept="whole")
    assert (pairs(made), made.outcome.unknown) == (set().union(*EACH.values()), ())
    assert [each.advisory for each in made.outcome.findings if each.exploited] == ["CVE-2026-1111"]
    assert made.outcome.findings[0].advisory == "CVE-2026-1111"
    assert [sorted(each.ecosystems) for each in made.answers] == [["npm", "pypi"], ["npm"], ["debian"], []]


@settings(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(sorted(EACH))))
def test_whichever_sources_fail_the_others_are_heard_and_each_failure_is_unknown(place: Place, broken: set[str]) -> None:
    made = place.audit(*broken, kept="-".join(["without", *sorted(broken)]))
    assert pairs(made) == set().union(*(found for name, found in EACH.items() if name not in broken))
    # Who has nothing to mark is not asked for marks.
    silent = {"exploited"} if broken >= {"osv", "npm", "debsecan"} else set()
    assert len(made.outcome.unknown) == len(broken - silent)
    assert bool(made.outcome.unknown) is bool(broken)


def test_without_the_sources_what_they_said_is_told_with_its_age(place: Place) -> None:
    before = place.audit(kept="kept")
    later = place.audit("osv", "npm", kept="kept", at=NOW + timedelta(days=3))
    assert pairs(later) == pairs(before)
    assert [each.as_of for each in later.answers[:2]] == [NOW, NOW]
    assert all("told as it was up to 3 d ago" in each.why for each in later.outcome.unknown)
    assert len(later.outcome.unknown) == 2


def test_a_place_that_cannot_be_looked_at_is_unknown_and_the_others_are_audited(place: Place) -> None:
    place.audit()
    sources = Sources(place.folder / "cache", debsecan=str(place.folder / "feed"))
    made = audit([place.folder / "gone", place.folder / "root"], sources, NOW, ignores=ignore_list([]))
    assert pairs(made) == EACH["debsecan"]
    (unknown,) = made.outcome.unknown
    assert unknown.why == f"{place.folder}/gone is not there"
