"""The least upgrade of an environment that brings what is wanted, as uv resolves it.

Everything else is held at what is installed. If that cannot be, as little more as possible comes along: nothing goes back,
and of each package the lowest version is taken that will do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from zen_agents.model.environment import Environment, Pin, Resolution, Step, Wanted
from zen_agents.packages.package import Ecosystem, normal_name
from zen_agents.packages.plan import kind_of
from zen_agents.packages.requirements import lines_of
from zen_agents.workers.locked import Lock
from zen_agents.workers.locked_by_uv import UvLock
from zen_agents.workers.uv import Uv, UvError

_LEAST = ("--resolution", "lowest-direct")
_HASH = "--hash="
#: How uv begins to say that no versions go together.
_CONFLICT = "No solution found"


def resolve(uv: Uv, environment: Environment, wanted: Sequence[Wanted]) -> Resolution:
    """Return what the environment would become; UvError if that cannot be told."""
    freeze = uv.told("freeze")
    installed = {_name(each["name"]): str(each["version"]) for each in uv.json("list", "--format=json")}
    short = [each for each in wanted if _is_short(each, installed)]
    if not short:
        return Resolution(freeze=freeze)
    lock = UvLock(environment) if environment.is_locked_by_uv else Lock.of(environment.requirements)
    try:
        steps = _steps(_least(uv, _asked(installed, short, lock), lock), short)
    except UvError as error:
        # Whatever else it says means that nobody can tell.
        if _CONFLICT not in str(error):
            raise
        return Resolution(freeze=freeze, conflict=" ".join(str(error).partition("cause:")[2].split()))
    pins = tuple(_pins(uv, environment, lock, steps))
    rewrite, unwritten = lock.rewritten(pins, uv)
    return Resolution(steps, pins, freeze, rewrite=rewrite, unwritten=unwritten)


def _is_short(wanted: Wanted, installed: Mapping[str, str]) -> bool:
    version = installed.get(_name(wanted.name))
    return version is not None and _version(version) < _version(wanted.least)


def _asked(installed: Mapping[str, str], short: Sequence[Wanted], lock: Lock | UvLock) -> Mapping[str, str]:
    """Return what each package is to be, as a requirement; what a lock already names is that exactly."""
    least = {_name(each.name): each.least for each in short}
    asked = {name: f"{name}=={version}" for name, version in installed.items() if name not in least}
    for name, version in least.items():
        locked = lock.version(name)
        exact = locked is not None and _version(locked) >= _version(version)
        asked[name] = f"{name}=={locked}" if exact else f"{name}>={version}"
    return asked


def _least(uv: Uv, asked: Mapping[str, str], lock: Lock | UvLock) -> Any:
    try:
        return _changes(uv, [*asked.values(), *lock.loose])
    except UvError:
        # Something has to come along.
        return _changes(uv, [*(each.replace("==", ">=") for each in asked.values()), *lock.loose])


def _changes(uv: Uv, asked: Sequence[str]) -> Any:
    words = ["install", "--dry-run", "--output-format=json", *_LEAST, *uv.sources(), "--requirements", "-"]
    return uv.json(*words, given="\n".join([*asked, ""]))["changes"]


def _steps(changes: Sequence[Mapping[str, str]], short: Sequence[Wanted]) -> tuple[Step, ...]:
    gone = {_name(each["name"]): each["version"] for each in changes if each["action"] == "uninstalled"}
    come = {_name(each["name"]): each["version"] for each in changes if each["action"] == "installed"}
    fixes = {_name(each.name): each.fixes for each in short}
    return tuple(_step(name, gone.get(name, ""), come.get(name, ""), fixes) for name in sorted({*gone, *come}))


def _step(name: str, gone: str, come: str, fixes: Mapping[str, tuple[str, ...]]) -> Step:
    ended = fixes.get(name, ())
    kind = kind_of(Ecosystem.PYPI, gone, come, is_fix=bool(ended)).value if gone and come else ""
    return Step(name, gone, come, kind, ended)


def _pins(uv: Uv, environment: Environment, lock: Lock | UvLock, steps: Sequence[Step]) -> Iterator[Pin]:
    """Yield every step's new version with the hashes that its wheel may have: those of the lock, if it names it."""
    come = [step for step in steps if step.wanted]
    unlocked = [step for step in come if not lock.hashes(step.name, step.wanted)]
    told = {} if environment.is_offline else _told_by_index(uv, unlocked)
    for step in come:
        hashes = lock.hashes(step.name, step.wanted) or told.get(step.name) or _at_hand(environment, step)
        if not hashes:
            raise UvError(f"there is no wheel of {step.name} {step.wanted} whose hash is known")
        yield Pin(step.name, step.wanted, tuple(sorted(set(hashes))))


def _told_by_index(uv: Uv, steps: Sequence[Step]) -> Mapping[str, Sequence[str]]:
    if not steps:
        return {}
    words = ["compile", "-", "--no-deps", "--generate-hashes", "--no-header", "--no-annotate", *uv.sources()]
    said = uv.told(*words, given="\n".join(f"{step.name}=={step.wanted}" for step in steps))
    found = [(Requirement(line.text.partition(" --hash")[0]), line.text.split()) for line in lines_of(said)]
    return {_name(read.name): [word[len(_HASH) :] for word in words if word.startswith(_HASH)] for read, words in found}


def _at_hand(environment: Environment, step: Step) -> Sequence[str]:
    """Return the hashes of all wheels of this version in the directories."""
    wheels = [wheel for place in environment.wheels for wheel in Path(place).glob("*.whl") if _is_of(wheel, step)]
    return [f"sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" for wheel in wheels]


def _is_of(wheel: Path, step: Step) -> bool:
    try:
        name, version, *_ = parse_wheel_filename(wheel.name)
    except InvalidWheelFilename:
        return False
    return name == step.name and version == _version(step.wanted)


def _name(name: str) -> str:
    return normal_name(Ecosystem.PYPI, name)


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion as error:
        raise UvError(f"{text!r} is no version that can be ordered") from error
