"""What apt says, asked of the real apt and dpkg in a root of their own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.apt_repository import AptRepository, AptRoot
from zen_agents.adapters.apt_look import look
from zen_agents.adapters.packages_newer_debian import age_of_lists, newer_debian
from zen_agents.model.debian_upgrade import DebianCandidate, DebianChange, DebianLook, DebianQuestion

pytestmark = pytest.mark.skipif(
    not all(shutil.which(each) for each in ("apt-get", "apt-cache", "dpkg-deb")), reason="apt and dpkg are not installed"
)


@pytest.fixture
def repository(tmp_path: Path) -> AptRepository:
    made = AptRepository(tmp_path / "repository")
    for version in ("1.0", "1.1", "2.0"):
        made.add("libacme1", version, files={"/usr/lib/systemd/system/acme.service": "[Service]\n"})
    made.add("app", "1.0", Depends="libacme1")
    made.add("app", "1.1", Depends="libacme1 (>= 1.1), extra")
    made.add("app", "1.2", Depends="libacme1", Conflicts="old")
    made.add("extra", "1.0")
    made.add("old", "1.0")
    made.add("slow", "1.0")
    made.add("slow", "1.1", Phased_Update_Percentage="10")
    made.index()
    return made


@pytest.fixture
def root(tmp_path: Path, repository: AptRepository, monkeypatch: pytest.MonkeyPatch) -> AptRoot:
    """Return a root with all of them installed in their first version; whoever asks apt from here on asks that one."""
    made = AptRoot(tmp_path / "root", repository.source)
    made.has("libacme1=1.0", "app=1.0", "old=1.0", "slow=1.0")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


def asked(*wanted: str, refresh: float = 0.0) -> DebianLook:
    return look(DebianQuestion(wanted, refresh))


def test_what_could_be_upgraded_is_told_with_every_version_that_could_be_had(root: AptRoot) -> None:
    root.run("apt-mark", "hold", "app")
    found = asked()
    assert found == DebianLook(
        candidates=(
            DebianCandidate("app", "1.0", "1.2", ("1.1", "1.2"), is_held=True),
            DebianCandidate("libacme1", "1.0", "2.0", ("1.1", "2.0"), is_held=False),
            DebianCandidate("slow", "1.0", "1.1", ("1.1",), is_held=False),
        )
    )


def test_a_pin_keeps_what_it_keeps(root: AptRoot) -> None:
    (root.folder / "etc/apt/preferences.d/libacme").write_text("Package: libacme1\nPin: version 1.1\nPin-Priority: 1001\n")
    assert next(each.candidate for each in asked().candidates if each.name == "libacme1") == "1.1"


def test_what_a_pin_keeps_apt_from_cannot_be_had(root: AptRoot) -> None:
    # As backports are: there, and not what apt would choose.
    (root.folder / "etc/apt/preferences.d/libacme").write_text("Package: libacme1\nPin: version 2.0\nPin-Priority: 100\n")
    found = newer_debian()
    assert (found.available.versions or {})["libacme1"] == ("1.1",)
    assert (found.held, found.untold) == ([], "")


def test_what_lists_do_tell_holds_where_they_could_not_be_fetched_anew(root: AptRoot, repository: AptRepository) -> None:
    (repository.folder / "Packages").unlink()
    found = newer_debian(refresh_after_seconds=1e-9)
    assert "could not be fetched" in found.untold
    assert (found.available.versions or {})["libacme1"] == ("1.1", "2.0")
    assert age_of_lists().startswith("apt's package lists were fetched")


def test_an_upgrade_is_what_apt_itself_would_do(root: AptRoot) -> None:
    root.run("apt-mark", "auto", "libacme1")
    found = asked("app=1.1")
    assert found.changes == (
        DebianChange("libacme1", "1.0", "2.0", "all", "libacme1", True, "archive"),
        DebianChange("app", "1.0", "1.1", "all", "app", False, "archive"),
    )
    assert (found.adds, found.removes, found.ships) == (("extra 1.0",), (), ("acme.service",))
    assert asked("libacme1=1.1", "app=1.1").changes[0].wanted == "1.1"


def test_what_it_would_remove_and_what_is_phased_is_told(root: AptRoot) -> None:
    assert asked("app=1.2").removes == ("old",)
    assert asked("slow=1.1").phased == ("slow: 10 %",)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("libacme1=9", "was not found"),
        ("nothing=1", "Unable to locate"),
        ("app=1.0;x", "no package"),
        ("-o=1", "no package"),
    ],
)
def test_what_apt_would_not_do_is_refused(root: AptRoot, wanted: str, said: str) -> None:
    assert said in asked(wanted).refused


def test_what_a_person_holds_is_not_upgraded_also_if_it_would_come_along(root: AptRoot) -> None:
    root.run("apt-mark", "hold", "libacme1")
    assert "eld packages" in asked("libacme1=1.1").refused
    assert asked("app=1.1").refused


def test_nothing_goes_back(root: AptRoot) -> None:
    root.has("libacme1=2.0")
    assert "downgraded" in asked("libacme1=1.1").refused.lower()


def test_where_the_present_version_is_offered_no_more_apts_cache_may_have_it(
    root: AptRoot, repository: AptRepository
) -> None:
    gone = repository.folder / "libacme1_1.0_all.deb"
    kept = root.folder / "var/cache/apt/archives" / gone.name
    gone.rename(kept)
    repository.index()
    root.run("apt-get", "update")
    assert asked("libacme1=1.1").changes[0].way_back == str(kept)
    kept.unlink()
    assert asked("libacme1=1.1").changes[0].way_back in ("", "repack")


def test_lists_that_are_too_old_are_fetched_and_one_that_cannot_be_is_a_problem(
    root: AptRoot, repository: AptRepository
) -> None:
    repository.add("libacme1", "1.2")
    repository.index()
    assert "1.2" not in asked().candidates[1].later
    assert "1.2" in asked(refresh=1e-9).candidates[1].later
    (repository.folder / "Packages").unlink()
    assert "could not be fetched" in asked(refresh=1e-9).problems[0]


def test_a_list_that_was_never_fetched_is_a_problem(root: AptRoot) -> None:
    with (root.folder / "etc/apt/sources.list").open("a") as sources:
        sources.write("deb [trusted=yes] file:/nowhere ./\n")
    assert "was never fetched" in asked().problems[0]


def test_lists_of_long_ago_do_not_tell_what_could_be_had(root: AptRoot) -> None:
    lists = root.folder / "var/lib/apt/lists"
    for folder in (lists / "partial", lists):
        os.utime(folder, (1e9, 1e9))
    assert "days ago; run: apt-get update" in asked().problems[0]
    # What an upgrade to a version would do is known from them all the same.
    assert asked("libacme1=1.1").problems == ()


def test_a_list_of_garbage_is_a_problem(root: AptRoot, repository: AptRepository) -> None:
    (repository.folder / "Packages").write_bytes(b"\x00\xffno list\n" * 100)
    found = asked(refresh=1e-9)
    assert found.problems


def test_an_interrupted_dpkg_is_told(root: AptRoot) -> None:
    status = root.folder / "var/lib/dpkg/status"
    status.write_text(status.read_text().replace("install ok installed", "install ok half-configured", 1))
    assert "half configured" in asked().interrupted


def test_unattended_upgrades_counts_where_it_is_installed_and_switched_on(
    root: AptRoot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert not asked().is_unattended
    monkeypatch.setattr("zen_agents.adapters.apt_state.UNATTENDED", tmp_path / "unattended-upgrade")
    root.configure('APT::Periodic::Unattended-Upgrade "1";')
    assert not asked().is_unattended
    (tmp_path / "unattended-upgrade").touch()
    assert asked().is_unattended
    root.configure('APT::Periodic::Unattended-Upgrade "0";')
    assert not asked().is_unattended
