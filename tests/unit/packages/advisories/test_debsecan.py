"""The feed of Debian's tracker: whom an entry affects is what debsecan would say of it."""

from __future__ import annotations

import zlib

import pytest

from tests.support.advisories import debian, feed
from zen_agents.packages.advisories.advisory import MalformedAdvisoryError
from zen_agents.packages.advisories.debsecan import Entry, feed_of
from zen_agents.packages.advisories.severity import Rating
from zen_agents.packages.package import Package
from zen_agents.packages.versions.order import InvalidVersionError


def entries(line: str, package: Package) -> list[Entry]:
    return [each for each in feed_of(feed([line])).of(package) if each.affects(package)]


def test_a_source_is_affected_before_the_fix_but_for_versions_that_were_fixed_separately() -> None:
    line = "openssl,0,SHRF,3.2.0-1,3.0.11-1~deb12u2 1.1.1w-0+deb11u1"
    (found,) = entries(line, debian("libssl3", "3.0.11-1~deb12u1", "openssl"))
    assert (found.id, found.summary, found.rating) == ("CVE-2026-1", "a hole", Rating.HIGH)
    assert found.fixed_in(debian("libssl3", "3.0.11-1~deb12u1", "openssl")) == "3.0.11-1~deb12u2"
    for fine in ("3.0.11-1~deb12u2", "3.2.0-1", "3.2.0-1+b1"):
        assert entries(line, debian("libssl3", fine, "openssl")) == []
    assert entries(line, debian("openssl-tool", "1", "other")) == []


def test_the_version_of_the_source_counts_not_that_of_a_rebuilt_binary() -> None:
    line = "glibc,0,S ? ,2.36-9,"
    assert entries(line, debian("libc6", "2.36-9+b1", "glibc", "2.36-9")) == []
    assert entries(line, debian("libc6", "9:9", "glibc", "2.36-8"))


def test_without_a_fix_every_version_is_affected_that_is_not_listed() -> None:
    (found,) = entries("bash,0,SLR ,,5.1-2", debian("bash", "5.2.15-2"))
    assert found.fixed_in(debian("bash", "5.2.15-2")) == ""
    assert entries("bash,0,SLR ,,5.1-2", debian("bash", "5.1-2")) == []


def test_a_binary_entry_is_told_by_the_name_of_the_binary() -> None:
    line = "libfoo1,0,BM F,2.0,"
    assert entries(line, debian("libfoo1", "1.9", "foo"))[0].fixed_in(debian("libfoo1", "1.9", "foo")) == "2.0"
    assert entries(line, debian("libfoo1", "2.0", "foo")) == []
    assert entries("foo,0,BM F,2.0,", debian("libfoo1", "1.9", "foo"))


def test_what_is_said_of_the_source_comes_before_what_is_said_of_the_binary() -> None:
    feed_of_both = feed_of(feed(["foo,0,SM F,1.0,", "libfoo1,0,BM F,2.0,"]))
    assert [each.package for each in feed_of_both.of(debian("libfoo1", "1.9", "foo"))] == ["foo"]
    assert [each.package for each in feed_of_both.of(debian("libfoo1", "1.9", "bar"))] == ["libfoo1"]


def test_a_version_that_cannot_be_ordered_is_said() -> None:
    with pytest.raises(InvalidVersionError):
        entries("bash,0,SLR ,5.2,", debian("bash", "not a version"))


@pytest.mark.parametrize(
    "content",
    [
        b"", b"VERSION 1\n", zlib.compress(b"VERSION 2\n\n\n"), zlib.compress(b"VERSION 1"), feed(["bash,0,SLR ,5.2"]),
        feed(["bash,7,SLR ,5.2,"]), feed(["bash,-1,SLR ,5.2,"]), feed(["bash,0,S,5.2,"]), feed(["bash,0,SLR ,1,"])[:-9],
        feed(["bash,0,SLR ,5.2,"], ["CVE-2026-1"]),
    ],
)  # fmt: skip
def test_what_is_no_feed_or_half_of_one_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedAdvisoryError):
        feed_of(content)
