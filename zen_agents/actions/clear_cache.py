"""clear_cache: make a listed cache smaller, oldest files first."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.oldest_first import Removal, opened_tree, remove_oldest, seen_tree
from zen_agents.actions.scope import (
    PathsPolicy,
    in_thread,
    place_of,
    real_directory,
    subject_of,
    touched_paths,
)
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Budget, Effect, Plan, Reversible, Risk
from zen_agents.model.scalars import AbsolutePath
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView

_PLAN_ENTRIES = 5_000


class ClearCacheParams(ActionParams):
    """Which cache, and how much of it may stay."""

    path: AbsolutePath = Field(description="the cache's directory")
    down_to_bytes: int = Field(ge=0, description="stop when the files in it are no more than this together")


class ClearCache(Action):
    """Removes regular files of a cache that nobody holds open, least recently used first; says how much before and after."""

    name = "clear_cache"
    summary = "Remove the least recently used files of a listed cache until it is small enough."
    side_effects = "The program that fills the cache has to fetch or compute those things again."
    risk = Risk.LOW
    reversible = Reversible.NO
    mends = ("cache.{name}.", "disk.")
    budget = Budget.HOUSEKEEPING
    Params = ClearCacheParams
    Policy = PathsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: ClearCacheParams = self.params(request)
        fingerprint = self.fingerprint(request, host)
        tree = seen_tree(params.path, host, older_than=None, most=_PLAN_ENTRIES)
        if tree.size <= params.down_to_bytes and not tree.cut:
            raise StalePlanError(f"{params.path} holds {size_in_words(tree.size)}, which is small enough")
        now = f"{'at least ' if tree.cut else ''}{tree.files} files, {size_in_words(tree.size)}"
        return self.planned(
            request,
            steps=(
                f"in {params.path}: remove the least recently used files down to {size_in_words(params.down_to_bytes)}",
                f"there now: {now}",
            ),
            touches=touched_paths([params.path]),
            fingerprint=fingerprint,
            expected_seconds=1.0 + tree.files / 5000,
            timeout_seconds=300.0,
            warning="irreversible: removed files are gone",
        )

    def fingerprint(self, request: ActionRequest, host: HostView) -> str:
        subject_of(request, "cache")
        return place_of(real_directory(self.params(request).path, host))

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: ClearCacheParams = self.params(plan.request)

        def work(go_on: Callable[[], None]) -> tuple[int, Removal]:
            with control.open_directory(params.path) as top:
                tree = opened_tree(top, go_on, older_than=None)

            def enough(done: Removal) -> bool:
                return tree.size - done.size <= params.down_to_bytes

            return tree.size, remove_oldest(params.path, tree.oldest, control, go_on, enough)

        size, done = await in_thread(work, control)
        return Effect(
            ok=size - done.size <= params.down_to_bytes,
            detail=done.in_words(size_in_words(done.size)),
            before=size_in_words(size),
            after=size_in_words(size - done.size),
        )
