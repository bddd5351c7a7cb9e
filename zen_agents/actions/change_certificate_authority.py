"""change_certificate_authority: take a certificate that another authority issued; by default only after an approval."""

from __future__ import annotations

from zen_agents.actions.certificate_params import RenewalParams
from zen_agents.actions.certificate_swap import is_by_another, load, swap
from zen_agents.actions.renew_certificate import RenewCertificate
from zen_agents.actions.scope import day_of
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Risk
from zen_agents.model.certificate import Certificate, Seen
from zen_agents.ports.host import HostControl, HostView


class ChangeCertificateAuthority(RenewCertificate):
    """Puts the certificate that a renewal left in place, though another authority issued it; renews nothing itself."""

    name = "change_certificate_authority"
    summary = "Swap in a certificate that a renewal left and another authority issued, and reload the server."
    side_effects = "Clients that trust only the former authority, or pin its certificate, refuse the server."
    risk = Risk.HIGH

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params = self._params_of(request)
        if params.in_place:
            raise RefusedError(f"whoever renews {params.file} writes it in place; reload its server by hand")
        present = host.certificate_file(params.question)
        made = host.certificate_file(params.at(params.made, params.made_key))
        new = self._other(made, present.certificate, params)
        old = present.certificate.issuer if present.certificate is not None else "nobody who can be told"
        first = f"take the certificate {new.serial} in {params.made}, issued by {new.issuer} instead of {old}"
        rest = self._steps(params, made)[1:]
        return self._plan(request, params, host, (f"{first}, valid until {day_of(new.not_after)}", *rest), run=False)

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params = self._params_of(plan.request)
        view = control.view
        present = (await view.certificate(params.at(params.file, params.key), 10.0)).file
        made = (await view.certificate(params.at(params.made, params.made_key), 10.0)).file
        if present is None or made is None:
            raise ActionFailedError("the files were not looked at; nothing was done")
        new = self._other(made, present.certificate, params)
        if new.serial not in plan.steps[0]:
            raise StalePlanError(f"{params.made} holds another certificate than was planned for; nothing was done")
        kept = await swap(params, Seen(new), action=self.name, control=control)
        return await load(params, new, control, [f"swapped it in; what was there is kept as {', '.join(kept)}"])

    def _other(self, made: Seen, present: Certificate | None, params: RenewalParams) -> Certificate:
        """Return the new certificate; StalePlanError if there is none that waits for a person's word."""
        why = self._unfit(made, present, params)
        if why or made.certificate is None:
            raise StalePlanError(f"no new certificate waits in {params.made}: {why}")
        if not is_by_another(made, present):
            raise StalePlanError(f"the authority is the same; renew_certificate takes what is in {params.made}")
        return made.certificate
