"""Who has to agree before it is done."""

from __future__ import annotations

from collections.abc import Iterator

from zen_agents.guards import protected_names, touched
from zen_agents.guards.base import Guard, Policy, Question
from zen_agents.guards.patterns import matches
from zen_agents.guards.stateful import is_stateful
from zen_agents.guards.wording import one_line
from zen_agents.model.action import ActionRequest, ResourceKind
from zen_agents.model.approval import Approval as Asked
from zen_agents.model.approval import ApprovalState
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer

#: What only a person decides (R26), unless the host's own file writes `approval: auto` at that very action.
NEEDS_PERSON = frozenset(
    {
        "change_schema", "change_configuration", "change_security", "major_upgrade", "kill_process", "reboot_host",
        "remount_read_write", "change_certificate_authority", "restore_file", "restore_last_good", "restore_sysctl",
        "restore_data", "switch_resolver", "restore_resolver", "widen_port_range", "restore_port_range",
        "raise_conntrack_limit", "restore_conntrack_limit", "ban_address", "lock_account", "quarantine_setuid",
    }
)  # fmt: skip
#: The kind of brake that a bad outcome sets: the engine asks before it does this again for that rule.
DEMOTED = "demoted"


class Approval(Guard):
    """Holds the engine back from what somebody has to agree to, until they did. A person's own act is one agreement."""

    name = "approval"
    why = "What is hard to take back, or went wrong the last time, is a person's to decide."

    def assess(self, question: Question) -> Answer:
        request, policy = question.request, question.policy
        wanted, value, origin = _wanted(question)
        if wanted == "observe":
            return self.deny(Reason.MODE_OBSERVE, value, origin=origin)
        if wanted == "auto":
            return self.allow(value, origin=origin)
        if wanted == "required" and _agrees(request):
            return self.allow(f"{value}, and {one_line(request.requested_by.name)} asks in person", origin=origin)
        needed = people_needed(request, policy)
        if _is_one_person(policy.approvals.approvers) and needed > 1:
            return self.deny(Reason.NO_APPROVER, f"{value}, but approvals.approvers names one person", origin=origin)
        return self._asked(question, value, needed, origin)

    def _asked(self, question: Question, wanted: str, needed: int, origin: str) -> Answer:
        asked = question.store.open_approval(question.request.action, question.request.target)
        if asked is None or asked.expires_at <= question.now.steady:
            return self.hold(Reason.APPROVAL_PENDING, wanted, origin=origin)
        if asked.digest != question.plan.digest:
            value = f"{wanted}; approval stale: {asked.id} is about another plan or state"
            return self.hold(Reason.APPROVAL_PENDING, value, origin=origin)
        if asked.state is ApprovalState.APPROVED and asked.agreed >= needed:
            return self.allow(f"{wanted}; {asked.id} approved by {_names(asked)}", origin=origin)
        value = f"{wanted}; {asked.id}: {asked.agreed} of {needed} agreed"
        return self.hold(Reason.APPROVAL_PENDING, value, origin=origin, until=asked.expires_at)


def people_needed(request: ActionRequest, policy: Policy) -> int:
    """Return how many different people have to agree to an action that needs an approval."""
    allowance = policy.allowed.get(request.listed_as)
    return 2 if allowance is not None and str(allowance.approval) == "two_person" else 1


def asks_people(request: ActionRequest, policy: Policy) -> bool:
    """Tell whether somebody has to agree to an action whatever its plan is."""
    return _listed(request, policy)[0] != "auto" and not _agrees(request)


def demotion_scope(rule: str, action: str) -> str:
    """Return the scope of the brake that takes a rule's autonomy for one action."""
    return f"rule:{rule}/{action}"


def _wanted(question: Question) -> tuple[str, str, str]:
    """Return observe, auto, required or two_person; why, in words; and where that stands."""
    request = question.request
    wanted, origin = _listed(request, question.policy)
    said = wanted
    if wanted == "auto" and (asks := (*question.plan.asks, *_sensitive(question))):
        wanted, said, origin = "required", one_line("; ".join(asks)), ""
    less = None if request.requested_by.is_person else _less_autonomy(question)
    # Less autonomy never loosens what the allow-list asks for.
    return less if less is not None and (wanted == "auto" or less[0] == "observe") else (wanted, said, origin)


def _listed(request: ActionRequest, policy: Policy) -> tuple[str, str]:
    """Return auto, required or two_person by what the host's own file says, and where that stands."""
    path = f"actions.allow.{request.listed_as}"
    origin = policy.origin(f"{path}.approval")
    allowance = policy.allowed.get(request.listed_as)
    wanted = "auto" if allowance is None else str(allowance.approval)
    if wanted not in ("auto", "required", "two_person"):
        raise ValueError(f"unknown approval {wanted!r}")
    if wanted == "auto" and request.action in NEEDS_PERSON and f"{path}.approval" not in policy.origins:
        wanted = "required"
    if wanted == "auto" and policy.mode == "approve":
        return "required", policy.origin("mode")
    return wanted, origin


def _sensitive(question: Question) -> Iterator[str]:
    """Yield what the packages that a plan changes ship and would restart, as far as that is no engine's to decide."""
    if not touched.names(question, ResourceKind.PACKAGE):
        return
    policy = question.policy
    protected = (*protected_names.UNITS, *policy.protected_units, *policy.own_units)
    for unit in (each.name for each in question.plan.along if each.kind is ResourceKind.UNIT):
        if matches(unit, protected):
            yield f"it ships {unit}, which is protected"
        elif is_stateful(unit, policy) and unit not in policy.stateful_allowed:
            yield f"it ships {unit}, which is stateful"


def _less_autonomy(question: Question) -> tuple[str, str, str] | None:
    """Return how far the engine may go alone for this rule, None if as far as the allow-list says."""
    rule, action = question.request.rule or "", question.request.action
    autonomy, origin = question.policy.autonomy.get((rule, action), "auto"), question.policy.origin("autonomy")
    if autonomy == "observe":
        return "observe", "autonomy: observe", origin
    if autonomy == "approve":
        return "required", "autonomy: approve", origin
    scope = demotion_scope(rule, action)
    demoted = next((each for each in question.store.brakes() if (each.kind, each.scope) == (DEMOTED, scope)), None)
    return ("required", f"demoted: {one_line(demoted.reason)}", "") if demoted is not None else None


def _agrees(request: ActionRequest) -> bool:
    return request.requested_by.is_person and request.requested_by.approves and bool(request.because.strip())


def _is_one_person(approvers: frozenset[str]) -> bool:
    return len(approvers) == 1 and all(approver.startswith("user:") for approver in approvers)


def _names(asked: Asked) -> str:
    return " and ".join(dict.fromkeys(one_line(answer.by) for answer in asked.answers if answer.yes))
