"""restore_resolver: give a resolv.conf its own name servers back when the first of them answers again."""

from __future__ import annotations

from zen_agents.actions.base import Action
from zen_agents.actions.replacing import identity
from zen_agents.actions.scope import PathsPolicy, subject_of
from zen_agents.actions.switch_resolver import ResolverParams, file_plan, knowing, own_file, put, put_back
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.resolver_file import ResolverFile, given_back, read_resolver_file
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState


class RestoreResolver(Action):
    """Takes out what `switch_resolver` has put into the file, if nobody changed its name servers since."""

    name = "restore_resolver"
    summary = "Give a resolv.conf its own name servers back, once the first of them answers again."
    side_effects = "Every program that starts, or reads the file again, asks the file's own name servers."
    risk = Risk.HIGH
    reversible = Reversible.YES
    mends = ("resolver.{name}.switched",)
    Params = ResolverParams
    Policy = PathsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "resolver")
        params: ResolverParams = self.params(request)
        state, _, file = _switched(params.file, host)
        said = f"in {params.file} name {', '.join(file.former)} again, in place of {', '.join(file.servers)}"
        return file_plan(self, request, params.file, state, said)

    async def preflight(self, plan: Plan, host: HostView) -> None:
        """Refuse if the first of the file's own name servers does not answer now."""
        params: ResolverParams = self.params(plan.request)
        first = _switched(params.file, host)[2].former[0]
        if not await knowing([first], params, host):
            raise RefusedError(f"{first} does not know {params.asks} now; {params.file} is left")

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: ResolverParams = self.params(plan.request)
        state, text, file = _switched(params.file, control.view)
        if identity(state, "") != plan.fingerprint:
            raise StalePlanError
        undo = await put(given_back(text), params.file, state, control, action=self.name)
        former, others = ", ".join(file.former), ", ".join(file.servers)
        return Effect(True, f"{params.file} names {former} again", before=others, after=former, undo=undo)

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        return put_back(self, plan, effect)

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"resolver.{subject_of(plan.request, 'resolver')}.switched", plan.request.target


def _switched(path: str, host: HostView) -> tuple[FileState, str, ResolverFile]:
    state, text = own_file(path, host)
    file = read_resolver_file(text)
    if not file.is_switched:
        raise StalePlanError(f"nobody stands in for the name servers of {path}, or somebody changed them since")
    return state, text, file
