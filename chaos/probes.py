"""Questions a scenario asks of a host, from outside: what holds in its steady state."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from chaos.host import DisposableHost
from chaos.workload import accepts, http_status, unit_property

Port = Annotated[int, Field(ge=1, le=65535)]


class _Probe(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Asked within a millisecond, without starting a process inside.
    is_quick: ClassVar[bool] = False


class TcpProbe(_Probe):
    """Somebody accepts on a port of 127.0.0.1."""

    is_quick: ClassVar[bool] = True

    tcp: Port

    def holds(self, host: DisposableHost) -> bool:
        """Ask the host."""
        return accepts(host, self.tcp)


class HttpProbe(_Probe):
    """A port of 127.0.0.1 answers with a status within a second."""

    is_quick: ClassVar[bool] = True

    http: Port
    path: str = "/"
    status: int = 200

    def holds(self, host: DisposableHost) -> bool:
        """Ask the host."""
        return http_status(host, self.http, self.path) == self.status


class UnitProbe(_Probe):
    """A unit is in a state."""

    unit: str
    state: Literal["active", "inactive", "failed"] = "active"

    def holds(self, host: DisposableHost) -> bool:
        """Ask the host."""
        return unit_property(host, self.unit, "ActiveState") == self.state


class CommandProbe(_Probe):
    """A command inside ends with an exit code and, if asked for, prints what a regular expression finds."""

    run: Annotated[list[str], Field(min_length=1)]
    exit: int = 0
    prints: str = ""

    def holds(self, host: DisposableHost) -> bool:
        """Ask the host."""
        ended = host.run(self.run, timeout=10)
        return ended.returncode == self.exit and re.search(self.prints, ended.stdout) is not None


Probe = TcpProbe | HttpProbe | UnitProbe | CommandProbe
