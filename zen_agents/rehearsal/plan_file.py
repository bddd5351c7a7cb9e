"""A plan in a file: what would have run when `plan --out` wrote it, so that `once --plan` runs exactly that, or nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zen_agents.errors import UsageError
from zen_agents.rehearsal.plan import PlanReport

#: No plan of one host is longer (bytes).
_MOST_BYTES = 16 << 20


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Planned(_Part):
    """One action that would have run."""

    rule: str
    action: str
    target: str
    #: SHA-256 of action, target, parameters, steps and the target's state (`Plan.digest`).
    digest: str
    #: For whoever reads the file; the digest binds them.
    steps: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"


class PlanFile(_Part):
    """What would run on one host by one configuration."""

    format: Literal["zen-agents/plan-file/v1"] = Field("zen-agents/plan-file/v1", alias="schema")
    host: str
    #: Digest of the configuration.
    config: str
    mode: str
    #: Only these agents were asked; empty: all.
    agents: tuple[str, ...]
    at: str
    planned: tuple[Planned, ...]

    @classmethod
    def of(cls, report: PlanReport, agents: frozenset[str]) -> PlanFile:
        """Return a rehearsal's plan."""
        made = [(line.rule.name, line.judged.plan) for line in report.lines if line.word == "would_run" and line.judged]
        planned = [
            Planned(rule=rule, action=plan.request.action, target=plan.request.target, digest=plan.digest, steps=plan.steps)
            for rule, plan in made
            if plan is not None
        ]
        return cls(
            host=report.host, config=report.digest, mode=report.mode, agents=tuple(sorted(agents)), at=report.at.isoformat(),
            planned=tuple(planned),
        )  # fmt: skip

    @classmethod
    def read(cls, path: Path) -> PlanFile:
        """Return what `plan --out` wrote; UsageError if it is something else, or cannot be read."""
        try:
            with path.open("rb") as file:
                return cls.model_validate_json(file.read(_MOST_BYTES))
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from None
        except ValidationError:
            raise UsageError(f"{path} is no plan; write one with: zen-agents plan --out {path}") from None

    def text(self) -> str:
        """Return the file's content."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=2) + "\n"

    @property
    def digests(self) -> frozenset[str]:
        """The digests of everything that may run."""
        return frozenset(each.digest for each in self.planned)

    def moved(self, now: PlanFile) -> Sequence[str]:
        """Return in what the host or its configuration is no longer as it was planned for; empty: in nothing."""
        then: dict[str, Any] = {"host": self.host, "mode": self.mode}
        wrong = [f"it is for {name} {value}, and this is {getattr(now, name)}" for name, value in then.items()
                 if value != getattr(now, name)]  # fmt: skip
        if self.config != now.config:
            wrong.append("the configuration has changed")
        planned, would = ({(each.rule, str(each)): each.digest for each in file.planned} for file in (self, now))
        for key, digest in planned.items():
            if key not in would:
                wrong.append(f"{key[1]} ({key[0]}) would no longer run")
            elif would[key] != digest:
                wrong.append(f"{key[1]} ({key[0]}) would run otherwise: its target or its steps have changed")
        return [*wrong, *(f"{key[1]} ({key[0]}) would run as well" for key in would if key not in planned)]
