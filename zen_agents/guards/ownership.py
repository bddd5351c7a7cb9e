"""Other people's things, and a host that is being worked on (R24)."""

from __future__ import annotations

import re

from zen_agents.guards import touched
from zen_agents.guards.base import Guard, Question
from zen_agents.guards.patterns import matches
from zen_agents.guards.set_by import built_in
from zen_agents.guards.wording import one_line, span
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer
from zen_agents.ports.host import HostView

#: Who owns a process, by its control group; each pattern ends where the container's own part of the path ends.
_OWNERS = (
    ("Kubernetes", re.compile(r"kubepods\S*?[0-9a-f]{64}|kubepods\S*")),
    ("Docker", re.compile(r"docker[-/][0-9a-f]{12,}")),
    ("Podman", re.compile(r"libpod[-_]\S*?[0-9a-f]{12,}|libpod\S*")),
    ("CRI-O", re.compile(r"crio-\S*?[0-9a-f]{12,}")),
    ("containerd", re.compile(r"cri-containerd[-:]\S*?[0-9a-f]{12,}|nerdctl\S*|/containerd/\S*")),
    ("LXC", re.compile(r"lxc\.payload[./][^/\s]+|/lxc/[^/\s]+")),
    ("a container engine", re.compile(r"(?:^|/)[0-9a-f]{64}(?=/|\s|$)|machine\.slice/\S+")),
)

#: Units in which container engines keep what is theirs.
_OWNED_UNITS = (
    "docker-*.scope", "libpod-*", "crio-*", "cri-containerd-*", "kubepods*", "machine-*.scope", "systemd-nspawn@*.service",
)  # fmt: skip

#: Words of `systemctl is-system-running` that do not speak against acting; "" is a host without systemd.
_CALM = frozenset({"", "running", "degraded", "offline"})

#: How long after a boot nothing is done.
_GRACE = "limits.boot_grace"
_LEAVE_ALONE = "limits.leave_alone_while"


class Ownership(Guard):
    """Refuses while the host boots, upgrades or is configured, and what a container engine owns."""

    name = "ownership"
    why = "Whoever owns a thing, or works on the host right now, would fight the repair."
    overridable = True

    def assess(self, question: Question) -> Answer:
        owner = _owner(question)
        if owner:
            return self.deny(Reason.NOT_OURS, owner)
        origin = question.policy.origin(_GRACE)
        left = question.policy.boot_grace_seconds - question.host.boot_seconds()
        if left > 0:
            value = f"booted less than {span(question.policy.boot_grace_seconds)} ago, {span(left)} left"
            return self.deny(
                Reason.BUSY_ELSEWHERE, value, origin=origin or built_in(_GRACE), until=question.now.steady + left
            )
        if leaving := question.host.leaving(question.policy.leave_alone_while):
            return self.deny(Reason.BUSY_ELSEWHERE, one_line(leaving), origin=question.policy.origin(_LEAVE_ALONE))
        busy = _host_busy(question.host) or _unit_busy(question)
        if busy:
            return self.deny(Reason.BUSY_ELSEWHERE, one_line(busy))
        return self.allow("ours, and the host is calm", origin=origin)


def _host_busy(host: HostView) -> str:
    """Return what is being done to the whole host, "" if nothing is."""
    state = host.system_state()
    if state not in _CALM:
        return f"systemd is {state}"
    if transaction := host.package_transaction():
        return f"a package transaction is in progress: {transaction}"
    if run := host.configuration_run():
        return f"a configuration run is in progress: {run}"
    return "cloud-init has not finished" if host.cloud_init_pending() else ""


def _unit_busy(question: Question) -> str:
    busy = (unit.id for unit in touched.units(question).values() if unit.busy)
    return next((f"systemd has a job for {name}" for name in busy), "")


def _owner(question: Question) -> str:
    """Return who else owns what is touched, "" if nobody does."""
    host = question.host
    seen = list(touched.processes(question))
    for unit in touched.units(question).values():
        if matches(unit.id, _OWNED_UNITS) or matches(unit.slice, _OWNED_UNITS):
            return f"{unit.id} belongs to a container engine"
        main = host.process(unit.main_pid) if unit.main_pid > 0 else None
        seen += [main] if main else []
    for process in seen:
        group = host.cgroup(process)
        for owner, pattern in _OWNERS:
            match = pattern.search(group)
            # Inside a container the engine's own neighbours are its own.
            if match and match[0] not in _own_group(question):
                return f"process {process.pid} ({one_line(process.name)}) belongs to {owner}"
    return ""


def _own_group(question: Question) -> str:
    """Return the engine's own control group; the kernel answers only once nobody moves anything between groups."""
    engine = question.host.process(question.policy.own_pid)
    return question.host.cgroup(engine) if engine else ""
