"""What apt says of an upgrade, as a plan: what it changes, whether there is a way back, and why a person decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from zen_agents.model.debian_upgrade import DebianLook
from zen_agents.packages.package import Ecosystem
from zen_agents.packages.plan import DEBIAN_PLACE, Change, UpdateKind, UpgradePlan, change


def upgrade_plan(look: DebianLook, fixes: Mapping[str, Sequence[str]]) -> UpgradePlan:
    """Return the plan of what was looked at.

    Args:
        look: What apt says of upgrading some packages.
        fixes: The advisories that are meant to end, by package.
    """
    changes = tuple(
        change(Ecosystem.DEBIAN, each.name, each.installed, each.wanted, fixes.get(each.name, ())) for each in look.changes
    )
    has_way_back = all(each.way_back for each in look.changes) and not look.removes
    return UpgradePlan(
        Ecosystem.DEBIAN, DEBIAN_PLACE, changes, look.adds, look.removes,
        reversible=has_way_back, asks=tuple(_asks(changes, look)), restarts=look.restarts,
    )  # fmt: skip


def why_not(look: DebianLook) -> str:
    """Return why nothing is upgraded on this host now, with the next step; "" if nothing speaks against it."""
    if look.problems:
        return f"it cannot be told: {look.problems[0]}"
    if look.interrupted:
        return f"dpkg was interrupted, and has to be finished by a person first (dpkg --configure -a): {look.interrupted}"
    return f"apt would not do it: {look.refused}" if look.refused else ""


def _asks(changes: Sequence[Change], look: DebianLook) -> Iterator[str]:
    for step in changes:
        if step.kind is UpdateKind.MAJOR:
            yield f"{step.name} {step.installed} -> {step.wanted} is a major upgrade"
    for each in look.phased:
        yield f"it is released step by step, so far {each}"
