"""Which cgroups a disposable host gets, so that its systemd can cap units, by either version of control groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos import host_cgroup
from chaos.host_cgroup import COMMANDS, has_cpu_controller, make_cgroups


@pytest.fixture
def unified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with version 2 alone."""
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("")
    monkeypatch.setattr(host_cgroup, "_own_cgroup", lambda: tmp_path)
    monkeypatch.setattr(host_cgroup, "cpu_hierarchy", lambda: None)
    return tmp_path


def test_with_version_2_alone_the_cpu_controller_is_handed_down(unified: Path) -> None:
    assert has_cpu_controller()
    (made,) = make_cgroups(cpu_quotas=True)
    assert (made.parent, (made / COMMANDS).is_dir()) == (unified, True)
    assert (unified / "cgroup.subtree_control").read_text() == "+cpu"


def test_a_host_that_caps_nothing_takes_no_controller(unified: Path) -> None:
    make_cgroups(cpu_quotas=False)
    assert (unified / "cgroup.subtree_control").read_text() == ""


def test_without_a_controller_there_is_no_such_host(unified: Path) -> None:
    (unified / "cgroup.controllers").write_text("hugetlb\n")
    assert not has_cpu_controller()
    with pytest.raises(OSError, match="no CPU controller"):
        make_cgroups(cpu_quotas=True)
    assert [path.name for path in unified.iterdir() if path.is_dir()] == []
