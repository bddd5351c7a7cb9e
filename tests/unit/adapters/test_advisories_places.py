"""Advisories that lie in files: records of OSV in a directory or an archive, and feeds of Debian's tracker."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.advisories import catalogue, debian, feed, pypi, record
from tests.support.osv_server import OsvServer, osv_server
from zen_agents.adapters.advisories_cache import AdvisoryCache
from zen_agents.adapters.advisories_debsecan import DebianTracker
from zen_agents.adapters.advisories_exploited import exploited_at
from zen_agents.adapters.advisories_records import OsvRecords
from zen_agents.packages.advisories.answer import Answer
from zen_agents.packages.package import Distribution, Ecosystem, Package

NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)
BEFORE = {"introduced": "0"}, {"fixed": "3.1.4"}
BASH = debian("bash", "5.1")
FEED = feed(["bash,0,SHRF,5.2,"])


# -- records ----------------------------------------------------------------------------------------------------------
def test_records_below_a_directory_are_judged_here(tmp_path: Path) -> None:
    (tmp_path / "PyPI").mkdir()
    (tmp_path / "PyPI" / "PYSEC-1.json").write_bytes(record("PYSEC-1", "Jinja2", BEFORE))
    (tmp_path / "PYSEC-2.json").write_bytes(record("PYSEC-2", "jinja2"))
    (tmp_path / "PYSEC-3.json").write_bytes(record("PYSEC-3", "jinja2", BEFORE, withdrawn="2026-01-01T00:00:00Z"))
    (tmp_path / "README.md").write_text("no record")
    answer = OsvRecords(tmp_path).ask([pypi("jinja2", "3.1.3"), BASH])
    assert [(each.advisory, each.fixed_in) for each in answer.findings] == [("PYSEC-1", "3.1.4")]
    assert [each.why for each in answer.unknown] == ["PYSEC-2 does not say which versions of jinja2 it is about"]
    assert answer.ecosystems == {Ecosystem.PYPI}


def test_an_archive_of_records_is_read_without_unpacking_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("PYSEC-1.json", record("PYSEC-1", "jinja2", BEFORE))
        archive.writestr("PYSEC-2.json", b"<html>")
    answer = OsvRecords(tmp_path / "all.zip").ask([pypi("jinja2", "3.1.3")])
    assert [each.advisory for each in answer.findings] == ["PYSEC-1"]
    assert "files that are no records: 1; PYSEC-2.json is no record of OSV" in answer.unknown[0].why


def test_a_place_without_records_has_answered_for_no_ecosystem(tmp_path: Path) -> None:
    assert OsvRecords(tmp_path).ask([pypi("jinja2", "1")]).ecosystems == frozenset()
    (tmp_path / "all.zip").write_bytes(b"PK garbage")
    for place in (tmp_path / "all.zip", tmp_path / "none"):
        (unknown,) = OsvRecords(place).ask([pypi("jinja2", "1")]).unknown
        assert unknown.why.startswith("cannot be read: ")


# -- feeds ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def server() -> Iterator[OsvServer]:
    with osv_server() as running:
        yield running


def of_release(package: Package, name: str, release: str) -> Package:
    return Package(
        package.ecosystem, package.name, package.version, package.where, package.source, package.source_version,
        distribution=Distribution(name, release),
    )  # fmt: skip


def ask(location: str, folder: Path, *packages: Package, at: datetime = NOW, suite: str = "") -> Answer:
    cache = AdvisoryCache(folder / "state", at)
    try:
        return DebianTracker(location, cache, at, timedelta(hours=6), suite=suite).ask(packages)
    finally:
        cache.close()


def test_the_feed_of_the_release_is_taken_from_a_directory(tmp_path: Path) -> None:
    (tmp_path / "bookworm").write_bytes(FEED)
    os.utime(tmp_path / "bookworm", (NOW.timestamp(), NOW.timestamp()))
    answer = ask(str(tmp_path), tmp_path, of_release(BASH, "debian", "bookworm"), pypi("jinja2", "1"))
    assert [(each.advisory, each.fixed_in, each.severity.rating) for each in answer.findings] == [
        ("CVE-2026-1", "5.2", "high")
    ]
    assert (answer.unknown, answer.as_of) == ((), NOW)
    (unknown,) = ask(str(tmp_path), tmp_path, of_release(BASH, "debian", "trixie")).unknown
    assert "trixie is not there; packages of Debian that stay unknown: 1" in unknown.why
    (unknown,) = ask(str(tmp_path), tmp_path, BASH).unknown
    assert "--suite" in unknown.why


def test_one_file_is_the_feed_of_what_does_not_say_its_release(tmp_path: Path) -> None:
    (tmp_path / "feed").write_bytes(FEED)
    assert len(ask(str(tmp_path / "feed"), tmp_path, BASH).findings) == 1
    (tmp_path / "feed").write_bytes(b"<html>")
    (unknown,) = ask(str(tmp_path / "feed"), tmp_path, BASH).unknown
    assert "is no feed of debsecan" in unknown.why


def test_what_was_made_of_debian_is_not_judged_by_debians_feed(tmp_path: Path) -> None:
    (tmp_path / "feed").write_bytes(FEED)
    answer = ask(str(tmp_path / "feed"), tmp_path, of_release(BASH, "ubuntu", "noble"))
    assert answer.findings == ()
    assert "packages of ubuntu that stay unknown: 1" in answer.unknown[0].why


def test_a_version_that_cannot_be_ordered_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "feed").write_bytes(FEED)
    strange = debian("bash", "not a version")
    answer = ask(str(tmp_path / "feed"), tmp_path, strange, BASH)
    assert [each.package for each in answer.unknown] == [strange]
    assert [each.package for each in answer.findings] == [BASH]


def test_a_feed_from_an_address_is_kept_with_its_age(server: OsvServer, tmp_path: Path) -> None:
    server.instead = ("/bookworm", 200, FEED)
    assert len(ask(f"{server.url}/", tmp_path, BASH, suite="bookworm").findings) == 1
    assert ask(f"{server.url}/", tmp_path, BASH, suite="bookworm", at=NOW + timedelta(hours=1)).as_of == NOW
    assert server.asked == ["/bookworm"]
    for damaged in (FEED[:-5], b""):
        server.instead = ("/bookworm", 200, damaged)
        answer = ask(f"{server.url}/", tmp_path, BASH, suite="bookworm", at=NOW + timedelta(days=1))
        assert (len(answer.findings), answer.as_of) == (1, NOW)
        assert "it is told what was answered 1 d ago" in answer.unknown[0].why
    server.instead = ("/", 500, b"")
    (unknown,) = ask(f"{server.url}/", tmp_path, BASH, suite="trixie").unknown
    assert "answers with status 500; packages of Debian that stay unknown: 1" in unknown.why


# -- what is exploited ------------------------------------------------------------------------------------------------
def marked(location: str, folder: Path, *, at: datetime = NOW) -> tuple[list[str], Answer]:
    cache = AdvisoryCache(folder / "state", at)
    try:
        listed, answer = exploited_at(location, cache, at, timedelta(hours=6))
        return [*listed], answer
    finally:
        cache.close()


def test_a_catalogue_from_an_address_is_kept_with_its_age(server: OsvServer, tmp_path: Path) -> None:
    server.instead = ("/kev.json", 200, catalogue("CVE-2026-2222"))
    place = f"{server.url}/kev.json"
    for later in (timedelta(0), timedelta(hours=5)):
        listed, answer = marked(place, tmp_path, at=NOW + later)
        assert (listed, answer.as_of, answer.unknown) == (["CVE-2026-2222"], NOW, ())
    assert server.asked == ["/kev.json"]
    server.instead = ("/kev.json", 200, b"<html>")
    listed, answer = marked(place, tmp_path, at=NOW + timedelta(days=2))
    assert (listed, answer.as_of) == (["CVE-2026-2222"], NOW)
    assert "is no catalogue of exploited weaknesses" in answer.unknown[0].why
    assert "it is told what was answered 2 d ago" in answer.unknown[0].why


def test_what_was_kept_and_cannot_be_read_any_more_is_asked_again(server: OsvServer, tmp_path: Path) -> None:
    place = f"{server.url}/kev.json"
    cache = AdvisoryCache(tmp_path / "state", NOW)
    cache.put(place, [("", b"of another time")])
    cache.close()
    server.instead = ("/kev.json", 200, catalogue("CVE-2026-2222"))
    assert marked(place, tmp_path)[0] == ["CVE-2026-2222"]


def test_a_catalogue_that_is_not_there_marks_nothing_and_is_unknown(tmp_path: Path) -> None:
    listed, answer = marked(str(tmp_path / "gone.json"), tmp_path)
    assert (listed, answer.as_of) == ([], None)
    assert answer.unknown[0].why.endswith("gone.json is not there; which weaknesses are known to be exploited stays unknown")
