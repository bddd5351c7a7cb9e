"""renew_certificate: have the host's own client renew a certificate, look at the new one, put it in place and load it."""

from __future__ import annotations

import json

from zen_agents.actions.base import Action
from zen_agents.actions.certificate_params import RELOAD_SECONDS, CertificatePolicy, RenewalParams
from zen_agents.actions.certificate_swap import is_by_another, load, swap, unfit
from zen_agents.actions.reload_service import file_fingerprint, reload_of, reload_step, unit_fingerprint
from zen_agents.actions.scope import day_of, subject_of, touched_paths
from zen_agents.clock import Clock, SystemClock
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.certificate import Certificate, Seen
from zen_agents.ports.host import HostControl, HostView

#: Looking and swapping, beside the client and the reload (seconds).
_OWN_SECONDS = 60.0


class RenewCertificate(Action):
    """Renews by the authority that issued the present certificate; one of another authority is left for a person."""

    name = "renew_certificate"
    summary = "Renew a certificate by certbot, lego or a command, look at the new one, swap it in and reload the server."
    side_effects = "The client asks the authority for a certificate, which counts against its rate limits."
    risk = Risk.MEDIUM
    #: What is replaced is kept in the quarantine; it is about to end, so nothing takes a renewal back.
    reversible = Reversible.NO
    mends = ("certificate.{name}",)
    Params = RenewalParams
    Policy = CertificatePolicy

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params = self._params_of(request)
        present = host.certificate_file(params.question)
        made = present if params.in_place else host.certificate_file(params.at(params.made, params.made_key))
        if present.certificate is None and present.untold:
            raise RefusedError(f"the present certificate cannot be told: {present.untold}")
        ready = not params.in_place and not self._unfit(made, present.certificate, params)
        if ready and is_by_another(made, present.certificate):
            self._refuse_other(made, present.certificate, params)
        if not ready and self._is_fresh(present, params):
            raise StalePlanError(f"{params.file} is in order and lasts long enough; there is nothing to renew")
        return self._plan(request, params, host, self._steps(params, made if ready else None), run=not ready)

    def _plan(
        self, request: ActionRequest, params: RenewalParams, host: HostView, steps: tuple[str, ...], *, run: bool
    ) -> Plan:
        reload = reload_of(request, params) if params.reload is not None else None
        files = [params.file, *([params.key] if params.key else [])]
        unit = unit_fingerprint(reload, host) if reload is not None else ""
        return self.planned(
            request,
            steps=steps,
            touches=(*touched_paths(files), *(reload.touches if reload is not None else ())),
            fingerprint=":".join([*(file_fingerprint(path, host) for path in files), unit, str(run)]),
            expected_seconds=30.0 if run else 5.0,
            timeout_seconds=(params.timeout_seconds if run else 0.0) + RELOAD_SECONDS + _OWN_SECONDS,
            detail={"run": run},
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params = self._params_of(plan.request)
        look = (await control.view.certificate(params.question, _OWN_SECONDS / 4)).file
        present = look.certificate if look is not None else None
        notes: list[str] = []
        if plan.detail["run"]:
            notes.append(await self._run(params, control))
        made = (await control.view.certificate(params.at(params.made, params.made_key), _OWN_SECONDS / 4)).file
        new = self._accepted(made, present, params, notes)
        if not params.in_place:
            kept = await swap(params, Seen(new), action=self.name, control=control)
            notes.append(f"put it in {params.file}; what was there is kept as {', '.join(kept)}")
        effect = await load(params, new, control, notes)
        before = f"serial {present.serial}" if present is not None else ""
        return Effect(effect.ok, effect.detail, before, effect.after, effect.exit_code, effect.output)

    async def _run(self, params: RenewalParams, control: HostControl) -> str:
        result = await control.run(params.command)
        end = "did not end in time" if result.timed_out else f"exit {result.exit_code}"
        if result.timed_out or result.exit_code != 0:
            raise ActionFailedError(f"{params.client} renewed nothing ({end}): {result.output.strip()[-500:]}")
        return f"{params.client} ended with {end}"

    def _accepted(
        self, made: Seen | None, present: Certificate | None, params: RenewalParams, notes: list[str]
    ) -> Certificate:
        why = self._unfit(made, present, params) if made is not None else "it was not looked at"
        if why or made is None or made.certificate is None:
            left = "the server was not reloaded" if params.in_place else f"{params.file} is as it was"
            raise ActionFailedError(
                f"{'; '.join([*notes, ''])}the certificate in {params.made} was not taken: {why}; {left}"
            )
        if is_by_another(made, present):
            self._refuse_other(made, present, params)
        notes.append(f"the new one (serial {made.certificate.serial}) lasts until {day_of(made.certificate.not_after)}")
        return made.certificate

    def _refuse_other(self, made: Seen, present: Certificate | None, params: RenewalParams) -> None:
        new = made.certificate.issuer if made.certificate is not None else ""
        old = present.issuer if present is not None else ""
        raise RefusedError(
            f"the certificate in {params.made} was issued by {new}, the present one by {old}: a new authority is a person's "
            f"to accept; if it is meant: zen-agents act change_certificate_authority certificate:{params.certificate}"
        )

    def _unfit(self, made: Seen, present: Certificate | None, params: RenewalParams) -> str:
        return unfit(made, present, now=self._now(), at_least_seconds=params.at_least_seconds)

    def _is_fresh(self, present: Seen, params: RenewalParams) -> bool:
        found = present.certificate
        return not present.fault and found is not None and found.not_after - self._now() > params.at_least_seconds

    def _steps(self, params: RenewalParams, ready: Seen | None) -> tuple[str, ...]:
        """Return what will be done; without the client if it has left a new certificate already."""
        steps = []
        if ready is None or ready.certificate is None:
            who = f" as {params.user}" if params.user else ""
            steps.append(f"run {json.dumps(params.argv)}{who}")
            steps.append(f"look whether {params.made} holds a valid newer certificate by the same authority, else stop here")
        else:
            found = ready.certificate
            steps.append(f"take the certificate {found.serial} in {params.made}, valid until {day_of(found.not_after)}")
        if not params.in_place:
            steps.append(f"swap it into {params.file}" + (f" and its key into {params.key}" if params.key else ""))
        steps += [reload_step(params.reload)] if params.reload is not None else []
        steps += [f"compare what {params.server} shows"] if params.server else []
        return tuple(steps)

    def _params_of(self, request: ActionRequest) -> RenewalParams:
        params: RenewalParams = self.params(request)
        if subject_of(request, "certificate") != params.certificate:
            raise RefusedError(f"the target is {request.target}, the parameters name {params.certificate}; nothing was done")
        return params

    def _now(self) -> float:
        return self._clock.now().wall.timestamp()

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        name = subject_of(plan.request, "certificate")
        params = self._params_of(plan.request)
        return f"certificate.{name}.loaded" if params.server else f"certificate.{name}", plan.request.target
