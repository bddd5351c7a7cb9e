"""The steps of an upgrade of Debian packages and of its way back: each looks afterwards, and says what it found."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zen_agents.actions.restart_unit import is_busy
from zen_agents.actions.unless_stopped import unless_stopped
from zen_agents.errors import ActionFailedError, HostError, ZenError
from zen_agents.model.action import Plan
from zen_agents.model.debian_upgrade import UNASKED, DebianChange, DebianLook, DebianQuestion, DebianTrial, DebianTried
from zen_agents.ports.host import HostControl
from zen_agents.ports.host_commands import Command
from zen_agents.ports.host_units import with_all_taken_along

#: Configuration files stay as they are; no terminal is pretended; a lock is waited for so long (seconds), no longer.
_APT_OPTIONS = (
    "-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=5",
    "-o", "APT::Get::AutomaticRemove=false",
)  # fmt: skip
_MARK_SECONDS, _LOOK_SECONDS, _BACK_SECONDS = 60.0, 120.0, 900.0
#: A service that is on its way is up again within the first; one that is not, and nobody starts, has so long to be.
_UP_SECONDS, _LEFT_SECONDS, _ASK_AGAIN_SECONDS = 30.0, 3.0, 0.5
_MOST_NAMES = 5


def wanted_of(look: DebianLook) -> tuple[str, ...]:
    """Return `NAME=VERSION` of all that a look would install: what was agreed to is what runs, or apt refuses."""
    added = tuple("=".join(each.split(" ", 1)) for each in look.adds)
    return (*(f"{each.name}={each.wanted}" for each in look.changes), *added)


def install_command(look: DebianLook, *, within_seconds: float) -> Command:
    """Return the one command that upgrades; it is let finish."""
    removing = () if look.removes else ("--no-remove",)
    argv = ("apt-get", "--assume-yes", "--no-install-recommends", *removing, *_APT_OPTIONS, "install", *wanted_of(look))
    return Command(argv, environment=UNASKED, timeout_seconds=within_seconds, is_let_finish=True)


async def sets_of(whole: DebianLook, control: HostControl) -> Sequence[DebianLook]:
    """Return the sets in which an upgrade is made, one after the other: what was built from one source, and what apt adds.

    What would take more along by itself than was agreed to is made together with the rest.
    """
    groups: dict[str, list[DebianChange]] = {}
    for change in whole.changes:
        groups.setdefault(change.source, []).append(change)
    if len(groups) < 2 or whole.removes:
        return (whole,)
    sets, covered, together = list[DebianLook](), set[str](), list[DebianChange]()
    for group in groups.values():
        wanted = tuple(f"{each.name}={each.wanted}" for each in group if each.name not in covered)
        part = await control.view.debian_packages(DebianQuestion(wanted), _LOOK_SECONDS) if wanted else DebianLook()
        if part.refused or part.problems or not _is_within(part, whole):
            together += group
        elif part.changes:
            sets.append(part)
            covered |= {each.name for each in part.changes} | set(part.adds)
    if together:
        left = tuple(each for each in together if each.name not in covered)
        sets.append(DebianLook(changes=left, adds=tuple(each for each in whole.adds if each not in covered)))
    return sets


async def try_first(trial: DebianTrial, control: HostControl) -> DebianTried:
    """Have the upgrade made in a copy of the root; ActionFailedError if it goes wrong there, or cannot be told."""
    control.check_stop()
    tried = await unless_stopped(control.view.debian_trial(trial), control)
    if tried.untried:
        raise ActionFailedError(f"it could not be tried in a copy of the root, so nothing was changed: {tried.untried}")
    if tried.failed:
        raise ActionFailedError(f"it went wrong in a copy of the root, so nothing was changed: {tried.failed}")
    control.check_stop()
    return tried


async def unlike(versions: Sequence[str], control: HostControl) -> str:
    """Return in which way what is installed is not exactly these versions, each `NAME=VERSION`; "" if it is."""
    try:
        look = await control.view.debian_packages(DebianQuestion(tuple(versions)), _LOOK_SECONDS)
    except HostError as error:
        return str(error)
    if look.interrupted:
        return f"dpkg left something half done: {look.interrupted}"
    if look.refused or look.problems:
        return look.refused or look.problems[0]
    others = [f"{each.name} is {each.installed}, not {each.wanted}" for each in look.changes]
    others += [f"{each} is not installed" for each in look.adds]
    return "; ".join(others[:_MOST_NAMES])


async def finish_marks(changes: Iterable[DebianChange], adds: Iterable[str], control: HostControl) -> str:
    """Mark as automatic what was, and what came along: apt took it for asked for. Return what went wrong, "" if nothing."""
    names = [each.name for each in changes if each.is_auto] + [each.partition(" ")[0] for each in adds]
    if not names:
        return ""
    ended = await control.run(Command(("apt-mark", "auto", *names), environment=UNASKED, timeout_seconds=_MARK_SECONDS))
    return "" if ended.exit_code == 0 else f"apt-mark auto {' '.join(names)}: {ended.output.strip()[-200:]}"


def active_units(look: DebianLook, control: HostControl) -> tuple[str, ...]:
    """Return which of the units that an upgrade concerns, and of those that depend on them, are active now. Blocks."""
    host = control.view
    known = {unit.id: unit for name in {*look.ships, *look.restarts} if (unit := host.unit(name)) is not None}
    everything = with_all_taken_along(known, host).values()
    return tuple(sorted(unit.id for unit in everything if unit is not None and unit.active_state == "active"))


async def fallen(units: Sequence[str], control: HostControl) -> str:
    """Return which of these units do not get active again in time, "" if all are."""
    waited = 0.0
    while down := await asyncio.to_thread(_down, units, control):
        if waited >= (_UP_SECONDS if any(is_on_its_way for _, is_on_its_way in down) else _LEFT_SECONDS):
            names = ", ".join(name for name, _ in down[:_MOST_NAMES])
            return f"{names} ran before and {'does' if len(down) == 1 else 'do'} not now"
        await asyncio.sleep(_ASK_AGAIN_SECONDS)
        waited += _ASK_AGAIN_SECONDS
    return ""


async def go_back(look: DebianLook, kept: Sequence[str], control: HostControl) -> str:
    """Install what was kept again, take away what was added, and return in words what came of it."""
    before = [f"{each.name}={each.installed}" for each in look.changes]
    if not await unlike(before, control):
        await finish_marks(look.changes, (), control)
        return "what was there before is still there"
    if not kept:
        return "there is no way back; look at: dpkg --audit"
    try:
        await control.install_kept_packages(kept, timeout_seconds=_BACK_SECONDS)
        await remove_added(look.adds, control)
        await finish_marks(look.changes, (), control)
        left = await unlike(before, control)
    except ZenError as error:
        left = str(error)
    return f"and it could not be taken back: {left}; look at: dpkg --audit" if left else "what was there before is back"


async def remove_added(adds: Sequence[str], control: HostControl) -> None:
    """Remove what came along, as far as nothing needs it."""
    names = [each.partition(" ")[0] for each in adds]
    if names:
        argv = ("dpkg", "--remove", *names)
        await control.run(Command(argv, environment=UNASKED, timeout_seconds=_BACK_SECONDS, is_let_finish=True))


def evidence(tried: DebianTried) -> str:
    """Return what was run in the copy of the root and how each step ended, a line each."""
    return "".join(f"tried: {each.words[:200]}: {each.exit_code} after {each.seconds:.1f} s\n" for each in tried.steps)


def detail_of(look: DebianLook) -> dict[str, Any]:
    """Return what `look_of` reads, as plain JSON values."""
    lists = {name: list(getattr(look, name)) for name in ("adds", "removes", "ships", "restarts")}
    return {**lists, "changes": [list(each) for each in look.changes]}


def look_of(plan: Plan) -> DebianLook:
    """Return the look that a plan was made of."""
    found: Mapping[str, Any] = plan.detail
    return DebianLook(
        changes=tuple(DebianChange(*each) for each in found["changes"]),
        adds=tuple(found["adds"]),
        removes=tuple(found["removes"]),
        ships=tuple(found["ships"]),
        restarts=tuple(found["restarts"]),
    )


def versions(changes: Iterable[DebianChange], *, wanted: bool) -> str:
    """Return names with the versions before or after, for people."""
    return ", ".join(f"{each.name} {each.wanted if wanted else each.installed}" for each in changes)


def _is_within(part: DebianLook, whole: DebianLook) -> bool:
    agreed = {(each.name, each.wanted) for each in whole.changes}
    changes = {(each.name, each.wanted) for each in part.changes}
    return changes <= agreed and set(part.adds) <= set(whole.adds) and not part.removes


def _down(units: Sequence[str], control: HostControl) -> list[tuple[str, bool]]:
    """Return the units that are not active, and whether systemd is about to change that."""
    host = control.view
    found = ((name, host.unit(name)) for name in units)
    return [
        (name, unit is not None and is_busy(unit)) for name, unit in found if unit is None or unit.active_state != "active"
    ]
