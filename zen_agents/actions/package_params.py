"""What actions on packages are told: who knows of weaknesses, and what policy does of an upgrade."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from zen_agents.actions.base import ActionParams
from zen_agents.model.package_look import PackageQuestion
from zen_agents.packages.policy import Policy, Updates

#: Asking who knows of weaknesses, and a resolver; on a host that is busy both take their time (seconds).
PLAN_SECONDS = 240.0
_Updates = Literal["auto", "notify", "disabled"]


class PackageParams(ActionParams):
    """By what it is told which upgrades are due."""

    osv: tuple[str, ...] = Field((), description="who is asked about weaknesses of Python and npm packages")
    tracker: str = Field("", description="feed of Debian's tracker, an address or a file")
    npm: str = Field("", description="a registry of npm that is asked besides")
    exploited: str = Field("", description="catalogue of what is known to be exploited, an address or a file")
    vex: tuple[str, ...] = Field((), description="files of statements on what does not affect it")
    ignore: tuple[tuple[str, str, str, str], ...] = Field(
        (), description="what is ignored, each: advisory, reason, until, package"
    )
    cache_directory: str = Field("", description="where answers are kept")
    max_age_seconds: float = Field(0.0, ge=0, description="for how long they are not asked for again")
    security: _Updates = Field("auto", description="what is done of an upgrade that ends a weakness")
    minor: _Updates = Field("notify", description="what is done of a small one")
    major: _Updates = Field("disabled", description="what is done of a large one")
    hold: tuple[str, ...] = Field((), description="packages that are never touched")

    def asked_by_person(self) -> Self:
        """Return the same for a person who asks for it: what they were only told of is what they want done."""
        return self.model_copy(update={"security": "auto"}) if self.security == "notify" else self

    @property
    def policy(self) -> Policy:
        """What policy says."""
        return Policy(Updates(self.security), Updates(self.minor), Updates(self.major), self.hold)

    def question(self, ecosystem: str, place: str, *, index: str = "", wheels: tuple[str, ...] = ()) -> PackageQuestion:
        """Return what is asked about the packages of a place."""
        said = {name: getattr(self, name) for name in PackageParams.model_fields}
        return PackageQuestion(ecosystem, place, index=index, wheels=wheels, **said)
