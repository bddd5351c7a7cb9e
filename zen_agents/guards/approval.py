"""Who has to agree. Nobody can be asked in this version, so what needs a yes is refused."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.wording import one_line
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer

#: What only a person decides (R26), unless the host's own file writes `approval: auto` at that very action.
NEEDS_PERSON = frozenset(
    {"change_schema", "change_configuration", "change_security", "major_upgrade", "kill_process", "reboot_host"}
)


class Approval(Guard):
    """Refuses the engine whatever somebody has to agree to first. A person's own act, with a reason, is one agreement."""

    name = "approval"
    why = "What is hard to take back is a person's to decide, and nobody can be asked yet."

    def assess(self, question: Question) -> Answer:
        request, policy = question.request, question.policy
        path = f"actions.allow.{request.action}"
        origin = policy.origin(f"{path}.approval", path)
        allowance = policy.allowed.get(request.action)
        wanted = "auto" if allowance is None else str(allowance.approval)
        if wanted not in ("auto", "required", "two_person"):
            raise ValueError(f"unknown approval {wanted!r}")
        if wanted == "auto" and request.action in NEEDS_PERSON and f"{path}.approval" not in policy.origins:
            wanted = "required"
        if wanted == "auto" and policy.mode == "approve":
            wanted, origin = "required", policy.origin("mode")
        if wanted == "auto":
            return self.allow("auto", origin=origin)
        if wanted == "required" and request.requested_by.is_person and request.because.strip():
            return self.allow(f"required, and {one_line(request.requested_by.name)} asks in person", origin=origin)
        return self.deny(Reason.NO_APPROVER, wanted, origin=origin)
