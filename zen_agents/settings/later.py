"""The grammar that later versions bring: checked, so that a mistake in it is told, and then refused.

Nothing here would act, and a setting is never ignored. Imported only for files that use it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from zen_agents.actions.base import ActionPolicy
from zen_agents.model.scalars import (
    AbsolutePath,
    HostPort,
    HttpUrl,
    Percent,
)


class LaterSection(BaseModel):
    """A map of the configuration that is only checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConsoleSettings(LaterSection):
    """The web console."""

    listen: HostPort = "127.0.0.1:8787"
    auth: Literal["local", "pam", "oidc", "token"] = "local"
    public_url: HttpUrl | None = None


class LaterFleetSettings(LaterSection):
    """This host's part in a fleet."""

    role: Literal["standalone", "node", "control_plane"] = Field("standalone", description="standalone: no fleet")
    control_plane: HttpUrl | None = None


class FleetBreakerSettings(LaterSection):
    """The limit over all hosts."""

    max_hosts_acting: Percent


class QuarantineFilePolicy(ActionPolicy):
    """`quarantine_file`."""

    paths: tuple[AbsolutePath, ...] = ()


#: Action -> its policy's grammar.
ACTIONS: dict[str, type[ActionPolicy]] = {
    "npm_upgrade": ActionPolicy,
    "clean_package_cache": ActionPolicy,
    "quarantine_file": QuarantineFilePolicy,
    "reboot_host": ActionPolicy,
}


class LaterParts(LaterSection):
    """The sections of the file that are refused wherever they are written."""

    console: ConsoleSettings | None = Field(None, description="the web console")
