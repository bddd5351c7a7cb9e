"""Who may do what: an approver who cannot answer, a socket that is shut, an engine that may not restart what it is to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from zen_agents.doctor import rights
from zen_agents.doctor.checks import CHECKS
from zen_agents.doctor.examination import Finding, Site, State, examine
from zen_agents.settings import crosscheck_approvals
from zen_agents.settings.loader import load

AGENTS = "agents: {system_health: {services: {web: {unit: web.service}}}}\n"
ME = os.getgid()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a host with an engine that runs as whoever runs this."""
    for name in ("etc", "state", "usr"):
        (tmp_path / name).mkdir(mode=0o700)
    return Site(tmp_path / "state", {}, None, engine_pid=4242, root=tmp_path)


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, int]], None]:
    """Say which of the two groups there are."""

    def there(ids: Mapping[str, int]) -> None:
        for module in (rights, crosscheck_approvals):
            monkeypatch.setattr(module, "group_id", ids.get)

    return there


def asked(name: str, site: Site, text: str = "") -> Finding:
    if text:
        path = site.path("/etc/config.yaml")
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        site = replace(site, loaded=load(path, {}))
    return examine(site, {name: CHECKS[name]})[name]


def sudo(site: Site, *, exit_code: int) -> None:
    """Put a sudo on the host that answers all questions alike."""
    program = site.path("/usr/bin/sudo")
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\nexit {exit_code}\n", encoding="ascii")
    program.chmod(0o755)


def test_whoever_may_act_may_answer_where_nobody_is_named(site: Site) -> None:
    assert asked("approvers", site, AGENTS).state is State.OK
    assert asked("approvers", site).state is State.UNKNOWN


def test_an_approver_who_could_not_answer_is_told_with_what_helps(
    site: Site, groups: Callable[[Mapping[str, int]], None]
) -> None:
    groups({})
    found = asked("approvers", site, f"{AGENTS}approvals: {{approvers: [user:daemon]}}\n")
    assert found.state is State.WARNING
    assert "`user:daemon` could not reach the engine: there is no group zen-ops" in found.text
    assert found.fix.startswith("groupadd zen-ops && usermod")
    unknown = asked("approvers", site, f"{AGENTS}approvals: {{approvers: [user:nobody-of-that-name]}}\n")
    assert (unknown.state, unknown.fix) == (State.WARNING, "correct the name in approvals.approvers")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is told by sudo what others may")
@pytest.mark.parametrize(("exit_code", "state"), [(0, State.OK), (1, State.WARNING)])
def test_sudo_is_a_way_to_answer_as_well(
    site: Site, groups: Callable[[Mapping[str, int]], None], exit_code: int, state: State
) -> None:
    groups({})
    sudo(site, exit_code=exit_code)
    found = asked("approvers", site, f"{AGENTS}approvals: {{approvers: [user:daemon]}}\n")
    assert found.state is state
    assert ("daemon with sudo" in found.text) == (state is State.OK)


@pytest.mark.skipif(os.geteuid() != 0, reason="the sockets of an engine that is not root are its account's alone")
@pytest.mark.parametrize(
    ("gid", "mode", "state"),
    [(ME, 0o660, State.OK), (ME + 1, 0o660, State.WARNING), (ME, 0o600, State.WARNING), (None, 0, State.FAILED)],
)
def test_a_socket_that_its_group_cannot_use_is_found(
    site: Site, groups: Callable[[Mapping[str, int]], None], gid: int | None, mode: int, state: State
) -> None:
    groups({"zen-view": ME, "zen-ops": ME})
    for name in ("view.sock", "control.sock") if gid is not None else ():
        (site.state_dir / name).touch()
        os.chown(site.state_dir / name, -1, gid)
        (site.state_dir / name).chmod(mode)
    found = asked("sockets", site)
    assert found.state is state
    assert bool(found.fix) == (state is not State.OK)


def test_without_groups_or_an_engine_there_is_nothing_to_open(
    site: Site, groups: Callable[[Mapping[str, int]], None]
) -> None:
    groups({})
    assert asked("sockets", site).state is State.OK
    assert asked("sockets", replace(site, engine_pid=None)).state is State.UNKNOWN


def test_an_engine_that_is_not_root_needs_a_rule_to_restart_units(site: Site) -> None:
    assert asked("restarts", site, "agents: {system_health: {}}\n").text == "no unit is to be restarted"
    if os.geteuid() == 0:
        assert asked("restarts", site, AGENTS).state is State.OK
        os.chown(site.state_dir, 1, -1)
    found = asked("restarts", site, AGENTS)
    assert (found.state, "web.service" in found.text) == (State.WARNING, True)
    rules = site.path("/etc/polkit-1/rules.d")
    rules.mkdir(parents=True)
    (rules / "50-zen.rules").write_text('polkit.addRule(... "org.freedesktop.systemd1.manage-units" ...)')
    assert asked("restarts", site, AGENTS).state is State.OK
