"""What the actions on a certificate are told: its files, its server, who renews it and how the server loads it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from zen_agents.actions.base import ActionParams
from zen_agents.actions.scope import PathsPolicy
from zen_agents.model.action import Plan, Resource, ResourceKind
from zen_agents.model.certificate import CertificateQuestion
from zen_agents.model.scalars import AbsolutePath, HostPort, Name, UnitName
from zen_agents.ports.host_commands import Command

#: A reload that takes longer than this has not worked (seconds).
RELOAD_SECONDS = 60.0


class ReloadParams(BaseModel):
    """How the server is made to read its files anew, without a restart: one of `unit` and `argv`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    unit: UnitName | None = Field(None, description="systemd unit to reload")
    argv: tuple[str, ...] = Field((), description="argument list that reloads it, where no unit is")
    user: str = Field("", description="account the argument list runs as")

    @model_validator(mode="after")
    def _one_way(self) -> ReloadParams:
        if (self.unit is None) == (not self.argv):
            raise ValueError("a reload needs exactly one of unit and argv")
        return self

    @property
    def touches(self) -> tuple[Resource, ...]:
        """What guards judge."""
        return (Resource(ResourceKind.UNIT, self.unit),) if self.unit else ()


class CertificateParams(ActionParams):
    """Which certificate, and how its server is reloaded."""

    certificate: Name = Field(description="its name in the configuration")
    file: AbsolutePath = Field(description="PEM file that the server reads: the certificate, then its intermediates")
    key: str = Field("", description="PEM file of the private key; empty: it lies in `file`")
    chain: str = Field("", description="PEM file of further intermediates")
    server: HostPort | None = Field(None, description="HOST:PORT of the server that shows it")
    starttls: str = Field("", description="protocol in which it is asked for TLS; empty: it speaks TLS from the start")
    name: str = Field("", description="the name that clients ask for")
    authority: str = Field("", description="PEM file of the only trusted authorities; empty: the system's")
    reload: ReloadParams | None = Field(None, description="how the server loads it")

    @property
    def question(self) -> CertificateQuestion:
        """The certificate in its files and at its server."""
        server = self.server or ""
        return CertificateQuestion(self.file, self.key, self.chain, server, self.name, self.authority, self.starttls)

    def at(self, file: str, key: str) -> CertificateQuestion:
        """Return the same question about other files, and no server."""
        return CertificateQuestion(file, key, self.chain, "", self.name, self.authority)


class RenewalParams(CertificateParams):
    """Also who renews it, and where the new one is left."""

    client: str = Field(description="who renews it, in a word: certbot, lego or command")
    argv: tuple[str, ...] = Field(min_length=1, description="argument list that renews it")
    user: str = Field("", description="account that runs it")
    environment: dict[str, str] = Field(default_factory=dict, description="added to its small environment")
    timeout_seconds: float = Field(300.0, gt=0, description="how long renewing may take, in seconds")
    made: AbsolutePath = Field(description="PEM file in which the new certificate is left; may be `file` itself")
    made_key: str = Field("", description="PEM file in which its key is left; empty: it lies in `made`")
    at_least_seconds: float = Field(gt=0, description="a new certificate that lasts no longer than this is refused")

    @property
    def in_place(self) -> bool:
        """True if whoever renews writes the server's own file."""
        return self.made == self.file

    @property
    def command(self) -> Command:
        """What renews it."""
        environment = tuple(sorted(self.environment.items()))
        return Command(self.argv, self.user, environment=environment, timeout_seconds=self.timeout_seconds)


class CertificatePolicy(PathsPolicy):
    """The scope of an action on certificates: at most these files, and these units."""

    units: Annotated[tuple[UnitName, ...], Field(min_length=1)] | None = Field(
        None, description="reload only these systemd units; left out: whatever the configuration names"
    )

    def permits(self, plan: Plan) -> str:
        units = [touched.name for touched in plan.touches if touched.kind is ResourceKind.UNIT]
        if self.units and not set(units) <= set(self.units):
            return f"{units[0]} is not in units"
        return super().permits(plan)
