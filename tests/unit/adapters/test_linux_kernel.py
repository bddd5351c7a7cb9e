"""Kernel settings, on files that stand for /proc/sys."""

from __future__ import annotations

from pathlib import Path

import pytest

from zen_agents.adapters.linux_kernel import read_setting, setting_path, write_setting
from zen_agents.errors import HostError, StalePlanError


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "sys/net/ipv4").mkdir(parents=True)
    (tmp_path / "sys/net/ipv4/tcp_rmem").write_text("4096\t131072\t6291456\n")
    return tmp_path


def test_values_are_parted_by_single_spaces(proc: Path) -> None:
    assert read_setting("net.ipv4.tcp_rmem", str(proc)) == "4096 131072 6291456"
    assert read_setting("net.ipv4.no_such", str(proc)) is None


def test_a_setting_is_set_only_while_it_is_as_expected(proc: Path) -> None:
    with pytest.raises(StalePlanError):
        write_setting("net.ipv4.tcp_rmem", "1 2 3", expected="other", proc_root=str(proc))
    write_setting("net.ipv4.tcp_rmem", "1024 131072 6291456", expected="4096 131072 6291456", proc_root=str(proc))
    assert read_setting("net.ipv4.tcp_rmem", str(proc)) == "1024 131072 6291456"


def test_what_the_kernel_does_not_take_is_told(proc: Path) -> None:
    (proc / "sys/net/ipv4/link").symlink_to("tcp_rmem")
    with pytest.raises(HostError, match=r"does not take '1' for net\.ipv4\.link"):
        write_setting("net.ipv4.link", "1", expected="4096 131072 6291456", proc_root=str(proc))


def test_a_slash_stands_for_a_dot_within_a_part() -> None:
    assert setting_path("net.ipv4.conf.eth0/100.rp_filter", "/proc") == "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"


@pytest.mark.parametrize("name", ["", "net", "../etc", "net.//", "net.ipv4./..", "net.ipv4.a b", "/etc/passwd", "net./"])
def test_no_name_leads_anywhere_else(name: str) -> None:
    with pytest.raises(HostError):
        setting_path(name, "/proc")
