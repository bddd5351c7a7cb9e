"""switch_resolver: let listed name servers stand in for those of a resolv.conf while these do not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.put_back_file import PutBackFile
from zen_agents.actions.replacing import Replacement, identity, replace_files, replaceable
from zen_agents.actions.scope import PathsPolicy, plain_path, subject_of, touched_paths
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.resolver_file import read_resolver_file, switched
from zen_agents.model.scalars import AbsolutePath
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState

#: Who writes a resolv.conf, known by where a link leads or by a word in its comments -> how to change it with them.
_WRITERS = {
    "systemd": "systemd-resolved writes it; with it: resolvectl dns INTERFACE ADDRESS",
    "NetworkManager": "NetworkManager writes it; with it: nmcli connection modify NAME ipv4.dns ADDRESS",
    "resolvconf": "resolvconf writes it; with it: resolvconf -a INTERFACE",
    "netconfig": "netconfig writes it; with it: NETCONFIG_DNS_STATIC_SERVERS in /etc/sysconfig/network/config",
    "connman": "connman writes it; with it: connmanctl config SERVICE --nameservers ADDRESS",
}


class ResolverParams(ActionParams):
    """Which resolv.conf, and how a name server shows that it is well."""

    file: AbsolutePath = Field(description="the resolv.conf")
    asks: str = Field(min_length=1, description="a name that a name server has to know")
    expects: tuple[str, ...] = Field((), description="addresses of which the answer must have one; empty: any will do")
    timeout_seconds: float = Field(2.0, gt=0, le=60, description="how long a name server may take to answer")


class SwitchResolverParams(ResolverParams):
    """Who may stand in as well."""

    fallbacks: tuple[str, ...] = Field(min_length=1, description="addresses of name servers, the best one first")


class SwitchResolver(Action):
    """Swaps a resolv.conf in that names those of the listed name servers that know the name now, and keeps the old one.

    Never what another program writes, or a link to it: that has to be asked itself.
    """

    name = "switch_resolver"
    summary = "Let listed name servers stand in for those of a resolv.conf that do not answer."
    side_effects = "Every program that starts, or reads the file again, asks other name servers than before."
    risk = Risk.HIGH
    reversible = Reversible.YES
    mends = ("resolver.{name}",)
    disturbs = ("resolver.{name}.switched",)
    Params = SwitchResolverParams
    Policy = PathsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "resolver")
        params: SwitchResolverParams = self.params(request)
        state, text = own_file(params.file, host)
        present, others = read_resolver_file(text).servers, self._others(params, text)
        if not others:
            raise StalePlanError(f"{', '.join(present)} is in {params.file} already; there is nobody else to ask")
        _switched(text, others)
        said = (
            f"in {params.file} name those of {', '.join(others)} that know {params.asks}, in place of {', '.join(present)}"
        )
        return file_plan(self, request, params.file, state, said)

    async def preflight(self, plan: Plan, host: HostView) -> None:
        """Refuse if nobody else knows the name either: then it is not the name server that has the trouble (T4)."""
        params: SwitchResolverParams = self.params(plan.request)
        if not await knowing(params.fallbacks, params, host):
            raise RefusedError(f"none of {', '.join(params.fallbacks)} knows {params.asks} either; {params.file} is left")

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: SwitchResolverParams = self.params(plan.request)
        host = control.view
        state, text = own_file(params.file, host)
        if identity(state, "") != plan.fingerprint:
            raise StalePlanError
        servers = await knowing(self._others(params, text), params, host)
        if not servers:
            raise StalePlanError(f"nobody else knows {params.asks} any more; {params.file} is left")
        present = ", ".join(read_resolver_file(text).servers)
        effect = await put(_switched(text, servers), params.file, state, control, action=self.name)
        return Effect(True, f"{', '.join(servers)} stands in for {present} in {params.file}", before=present,
                      after=", ".join(servers), undo=effect)  # fmt: skip

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        return put_back(self, plan, effect)

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"resolver.{subject_of(plan.request, 'resolver')}", plan.request.target

    def _others(self, params: SwitchResolverParams, text: str) -> Sequence[str]:
        """Return who could stand in: not the first of the file, which is the one that does not answer."""
        return [server for server in params.fallbacks if server not in read_resolver_file(text).servers[:1]]


async def knowing(servers: Sequence[str], params: ResolverParams, host: HostView) -> Sequence[str]:
    """Return which of these name servers know the name now, in their order."""
    answers = await asyncio.gather(*(host.ask_name(server, params.asks, params.timeout_seconds) for server in servers))
    return [
        server
        for server, answer in zip(servers, answers, strict=True)
        if not answer.error and (not params.expects or set(params.expects) & set(answer.addresses))
    ]


def own_file(path: str, host: HostView) -> tuple[FileState, str]:
    """Return a resolv.conf that nobody else writes; RefusedError says who does, and how to change it with them."""
    if host.file(plain_path(path)) is not None and (real := host.real_path(path)) != path:
        writer = _writer(real)
        raise RefusedError(f"{path} is a link to {real}: {writer or 'name that file itself'}")
    state = replaceable(path, host)
    if state is None:
        raise StalePlanError(f"{path} is not there; there is nothing to switch")
    text = (host.content(path) or b"").decode("utf-8", "replace")
    comments = " ".join(line for line in text.splitlines() if line.startswith(("#", ";")))
    if writer := _writer(comments):
        raise RefusedError(f"{path} says that {writer}")
    if "\ufffd" in text:
        raise RefusedError(f"{path} is not plain text; it is left")
    return state, text


def _writer(text: str) -> str:
    return next((who for word, who in _WRITERS.items() if word in text), "")


def file_plan(action: Action, request: ActionRequest, path: str, state: FileState, said: str) -> Plan:
    """Return the plan of a change of a resolv.conf that is as it was seen."""
    return action.planned(
        request,
        steps=(said, "keep the file as it is in the quarantine"),
        touches=touched_paths([path]),
        fingerprint=identity(state, ""),
        timeout_seconds=60.0,
    )


async def put(text: str, path: str, state: FileState, control: HostControl, *, action: str) -> dict[str, Any]:
    """Swap a text in, and return what its undo needs."""
    wanted = Replacement(path, text.encode(), like=state, expected=state)
    return {"files": await replace_files([wanted], control, action=action, test=None)}


def put_back(action: Action, plan: Plan, effect: Effect) -> ActionRequest | None:
    """Return the request that swaps the former file in again."""
    if not effect.undo:
        return None
    return ActionRequest(PutBackFile.name, plan.request.target, dict(effect.undo), inverse_of=action.name)


def _switched(text: str, servers: Sequence[str]) -> str:
    try:
        return switched(text, servers)
    except ValueError as error:
        raise RefusedError(f"it cannot be switched: {error}") from error
