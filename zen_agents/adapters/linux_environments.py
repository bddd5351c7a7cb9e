"""Upgrades of Python environments: workers resolve and try, and what they built is switched here."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

from zen_agents.adapters.environment_copy import Owner
from zen_agents.adapters.environment_stage import EnvironmentStages, identity_at, kept, kept_at
from zen_agents.adapters.isolated_worker import Place, ask, make_scratch, tools_for
from zen_agents.adapters.packages_python import read_python_environment
from zen_agents.jobs.environment import BUILD, RESOLVER, TRIAL, TRY, ResolveRequest, TrialRequest
from zen_agents.model.environment import Environment, Holding, Resolution, Switched, Trial, TrialReport, Wanted

P = ParamSpec("P")
T = TypeVar("T")

#: Building and checking, beside the project's own test (seconds).
_BUILD_SECONDS = 300.0
_CHECK_SECONDS = 180.0


def resolve_now(environment: Environment, wanted: Sequence[Wanted], timeout_seconds: float) -> Resolution:
    """Have a worker resolve, in a thread that has no loop of its own."""
    with tempfile.TemporaryDirectory(prefix="zen-agents-") as directory:
        project = Path(environment.requirements).parent if environment.is_locked_by_uv else None
        place = Place(Path(directory), "none", project=str(project) if project is not None and project.is_dir() else "")
        tools = tools_for(environment, place, timeout_seconds)
        make_scratch(place.stage, tools.runs_as)
        request = ResolveRequest(tools, environment, tuple(wanted))
        return asyncio.run(ask(RESOLVER, request, Resolution, environment, place, tools))


def holding(place: str) -> Holding:
    """Return what an environment is and holds, wherever it lies; nothing of it is run."""
    found = read_python_environment(Path(place))
    held = [f"{each.name}=={each.version}" for each in found.packages]
    # What could not be read is told as such: it never compares equal to something that could.
    lines = [*held, *(f"# {each.why}" for each in found.problems)]
    real = os.path.realpath(place)
    return Holding(identity_at(place), "".join(f"{line}\n" for line in lines), real if real != place else "")


def kept_holding(state_dir: Path, id: str) -> tuple[str, Holding]:
    """Return where the environment was that an action replaced, and what it holds; StalePlanError if it is not kept."""
    note = kept(state_dir, id)
    return note.venv, holding(kept_at(note))


async def try_out(stages: EnvironmentStages, id: str, trial: Trial, go_on: Callable[[], None]) -> TrialReport:
    """Build and try; see `EnvironmentControl.try_environment`."""
    environment = trial.environment
    # Asked before anything is copied: it refuses root.
    account = tools_for(environment, Place(Path(environment.venv), "none"), 0.0).runs_as
    owner = Owner(account.uid, account.gid) if os.geteuid() == 0 else None
    note = await _in_thread(stages.make, id, environment.venv, owner, go_on)
    try:
        make_scratch(Path(note.stage), account)
        report = await _tried(stages, id, trial, Path(note.stage), go_on)
    except BaseException:
        await asyncio.shield(_in_thread(stages.discard, id))
        raise
    await _in_thread(stages.discard if report.failed is not None else stages.clear, id)
    return report


async def switch(stages: EnvironmentStages, id: str, go_on: Callable[[], None]) -> Switched:
    """Switch; see `EnvironmentControl.switch_environment`. Whatever keeps it from that, nothing is left."""
    begun = asyncio.ensure_future(asyncio.to_thread(stages.switch, id, go_on))
    try:
        return await asyncio.shield(begun)
    except BaseException:
        await asyncio.wait((begun,))
        switched = begun.exception() is None
        await asyncio.shield(_in_thread(stages.switch_back if switched else stages.discard, id))
        raise


async def _tried(stages: EnvironmentStages, id: str, trial: Trial, stage: Path, go_on: Callable[[], None]) -> TrialReport:
    go_on()
    built = await _ask(trial, Place(stage, "rw", trial.memory_bytes), BUILD, _BUILD_SECONDS)
    if built.failed is not None:
        return built
    await _in_thread(stages.settle, id)
    go_on()
    within = _CHECK_SECONDS + trial.smoke_seconds
    tried = await _ask(trial, Place(stage, "ro", trial.memory_bytes), TRY, within, built.broken_before)
    return TrialReport((*built.steps, *tried.steps), built.freeze_before, tried.freeze_after, built.broken_before)


async def _ask(trial: Trial, place: Place, part: str, within: float, excused: tuple[str, ...] = ()) -> TrialReport:
    tools = tools_for(trial.environment, place, within)
    return await ask(TRIAL, TrialRequest(tools, part, trial, excused), TrialReport, trial.environment, place, tools)


async def _in_thread(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Do blocking work beside the loop. What was begun has ended when this returns, also by a cancellation."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **named))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,))
        raise
