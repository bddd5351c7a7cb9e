"""flush_resolver_cache: have whatever keeps names on this host forget them, so that they are asked for anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.scope import subject_of
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.scalars import Name
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_commands import Command

_WITHIN_SECONDS = 10.0
#: What keeps names -> how it is told to forget them all. It goes on running.
_FLUSH: Mapping[str, tuple[str, ...]] = {
    "systemd-resolved": ("resolvectl", "flush-caches"),
    "unbound": ("unbound-control", "flush_zone", "."),
    "nscd": ("nscd", "--invalidate=hosts"),
}
#: The kernel cuts the names of processes.
_LONGEST_NAME = 15


class FlushResolverCacheParams(ActionParams):
    """Of whom; whatever keeps names on this host is told."""

    resolver: Name = Field(description="the resolver whose names are wrong")


class FlushResolverCache(Action):
    """Runs the cache's own command: resolvectl, unbound-control or nscd, for each of them that runs here."""

    name = "flush_resolver_cache"
    summary = "Have systemd-resolved, unbound or nscd forget the names that they keep."
    side_effects = "The next look-ups take longer, until the names are known again."
    risk = Risk.LOW
    reversible = Reversible.NO
    mends = ("resolver.{name}",)
    Params = FlushResolverCacheParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: FlushResolverCacheParams = self.params(request)
        if params.resolver != subject_of(request, "resolver"):
            raise RefusedError(f"the target is {request.target}, the names are said to be {params.resolver}'s")
        running = _running(host)
        if not running:
            raise StalePlanError(f"none of {', '.join(_FLUSH)} runs here; no names are kept that could be forgotten")
        return self.planned(
            request,
            steps=tuple(f"run {list(_FLUSH[name])}" for name in running),
            touches=tuple(Resource(ResourceKind.SERVICE, name) for name in running),
            fingerprint="+".join(running),
            timeout_seconds=len(running) * _WITHIN_SECONDS,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        for name in (running := plan.fingerprint.split("+")):
            result = await control.run(Command(_FLUSH[name], timeout_seconds=_WITHIN_SECONDS))
            if result.exit_code != 0 or result.timed_out:
                raise ActionFailedError(f"{name} did not forget its names: {result.output.strip()[-300:] or 'no word why'}")
        return Effect(True, f"{', '.join(running)} forgot the names that were kept")

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"resolver.{subject_of(plan.request, 'resolver')}", plan.request.target


def _running(host: HostView) -> Sequence[str]:
    """Return which of the caches runs: by its unit where there is systemd, else by its process."""
    if host.has_systemd():
        units = {name: host.unit(f"{name}.service") for name in _FLUSH}
        return [name for name, unit in units.items() if unit is not None and unit.active_state == "active"]
    present = {process.name for process in host.processes().values()}
    return [name for name in _FLUSH if name[:_LONGEST_NAME] in present]
