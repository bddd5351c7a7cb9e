"""R11: what of the protected set an action may touch, where its allow-list names exactly that, is no wider than this."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zen_agents.actions.restore_sysctl import place_of_setting
from zen_agents.catalog import ACTIONS
from zen_agents.guards.approval import NEEDS_PERSON
from zen_agents.guards.protected_names import ENDS, EXEMPT, PATHS, TREES, is_exempt

_UNIT = r"(?!\.)[^/]+\.(service|socket|timer|path)"
#: Written apart from the patterns that they judge.
_AT_MOST = {
    "restore_file": rf"/etc/(hosts|resolv\.conf|(sysctl|tmpfiles)\.d/[^/]+\.conf|systemd/system/{_UNIT}(\.d/[^/]+\.conf)?)",
    "switch_resolver": r"/etc/resolv\.conf",
    "restore_resolver": r"/etc/resolv\.conf",
    "widen_port_range": r"/proc/sys/net/ipv4/ip_local_port_range",
    "restore_port_range": r"/proc/sys/net/ipv4/ip_local_port_range",
    "raise_conntrack_limit": r"/proc/sys/net/netfilter/nf_conntrack_max",
    "restore_conntrack_limit": r"/proc/sys/net/netfilter/nf_conntrack_max",
    "restore_sysctl": r"/proc/sys(/[^/]+){2,7}",
}
_PARTS = st.sampled_from(
    [
        "etc", "systemd", "system", "hosts", "resolv.conf", "sysctl.d", "tmpfiles.d", "a.conf", "a", "", "..", "passwd",
        "web.service", "web.service.d", "service.d", "cloud-.service.d", ".service", ".service.d", "ssh.service",
        "multi-user.target.wants", "ssh", "sshd_config", "boot", "proc", "sys", "kernel", "core_pattern", "net", "ipv4",
        "ip_local_port_range", "netfilter", "nf_conntrack_max", "user", "usr", "lib",
    ]
)  # fmt: skip
_MADE = st.lists(_PARTS, min_size=1, max_size=8).map(lambda parts: "/" + "/".join(parts))
_KNOWN = st.sampled_from((*TREES, *PATHS, *(path for paths in EXEMPT.values() for path in paths)))
_PATHS = st.one_of(_MADE, _KNOWN, st.builds(lambda tree, part: f"{tree}/{part}", _KNOWN, _PARTS), st.text(max_size=40))


@given(action=st.sampled_from(sorted(ACTIONS)), path=_PATHS)
@example(action="restore_file", path="/etc/systemd/system/multi-user.target.wants/web.service")
@example(action="restore_file", path="/etc/systemd/system/service.d/all.conf")
@example(action="restore_file", path="/etc/systemd/system/cloud-.service.d/all.conf")
@example(action="restore_sysctl", path="/proc/sys/kernel/core_pattern")
def test_nothing_beyond_what_is_written_here_is_an_exception(action: str, path: str) -> None:
    if not is_exempt(action, path):
        return
    assert re.fullmatch(_AT_MOST.get(action, "nothing"), path)
    # Of one unit alone: not of all of a kind, or with a prefix.
    assert "/service.d/" not in path
    assert "-.service.d/" not in path


def test_every_exception_has_its_use_and_a_person_behind_it() -> None:
    assert set(EXEMPT) == set(_AT_MOST)
    for action in EXEMPT:
        assert action in ACTIONS
        assert action in NEEDS_PERSON
    for action, begins in ENDS.items():
        assert EXEMPT[action] == EXEMPT[begins]
    for path in ("/etc/hosts", "/etc/systemd/system/web.service", "/etc/systemd/system/web.service.d/limits.conf"):
        assert is_exempt("restore_file", path)


@pytest.mark.parametrize(
    "setting", ["kernel.core_pattern", "kernel.modprobe", "kernel.usermodehelper.bset", "kernel.modules_disabled"]
)
def test_what_the_kernel_runs_or_cannot_take_back_is_never_set(setting: str) -> None:
    assert not is_exempt("restore_sysctl", place_of_setting(setting))
    assert is_exempt("restore_sysctl", place_of_setting("net.ipv4.tcp_keepalive_time"))
