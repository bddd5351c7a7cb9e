"""The way back of an upgrade: the present .debs, from where they can be had, each compared with what is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.apt_repository import AptRepository, AptRoot
from zen_agents.jobs.debian_keep import KeepReply, KeepRequest
from zen_agents.model.debian_upgrade import DebianChange
from zen_agents.workers.debian_keep import keep

pytestmark = pytest.mark.skipif(
    not all(shutil.which(each) for each in ("apt-get", "dpkg-deb")), reason="apt and dpkg are not installed"
)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AptRepository:
    """Return a repository of two versions, whose first is what the root that apt is led to has installed."""
    made = AptRepository(tmp_path / "repository")
    for version in ("1:1.0", "1:1.1"):
        made.add("libacme1", version)
    made.index()
    root = AptRoot(tmp_path / "root", made.source)
    root.has("libacme1=1:1.0")
    for name, value in root.environment.items():
        monkeypatch.setenv(name, value)
    return made


def kept(tmp_path: Path, way_back: str, installed: str = "1:1.0") -> KeepReply:
    change = DebianChange("libacme1", installed, "1:1.1", "all", "libacme1", False, way_back)
    return keep(KeepRequest(str(tmp_path / "kept"), (change,)))


def test_it_is_fetched_from_a_list_that_offers_it(repository: AptRepository, tmp_path: Path) -> None:
    assert kept(tmp_path, "archive") == KeepReply(("libacme1_1%3a1.0_all.deb",))
    found = tmp_path / "kept/libacme1_1%3a1.0_all.deb"
    assert found.read_bytes() == (repository.folder / found.name).read_bytes()
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700


def test_it_is_taken_from_where_it_lies_and_what_an_earlier_worker_left_is_gone(
    repository: AptRepository, tmp_path: Path
) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/left.deb").touch()
    path = str(repository.folder / "libacme1_1%3a1.0_all.deb")
    assert kept(tmp_path, path) == KeepReply(("libacme1_1%3a1.0_all.deb",))
    assert [each.name for each in (tmp_path / "kept").iterdir()] == ["libacme1_1%3a1.0_all.deb"]


def test_another_version_under_its_name_does_not_count(repository: AptRepository, tmp_path: Path) -> None:
    path = str(repository.folder / "libacme1_1%3a1.1_all.deb")
    assert "holds libacme1 1:1.1 (all), not libacme1 1:1.0" in kept(tmp_path, path).failed


@pytest.mark.parametrize(("way_back", "installed"), [("", "1:1.0"), ("archive", "1:0.9"), ("/nowhere.deb", "1:1.0")])
@pytest.mark.usefixtures("repository")
def test_where_it_cannot_be_had_there_is_no_way_back(tmp_path: Path, way_back: str, installed: str) -> None:
    reply = kept(tmp_path, way_back, installed)
    assert (reply.names, bool(reply.failed)) == ((), True)
