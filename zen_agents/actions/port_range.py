"""widen_port_range and restore_port_range: more ports to connect from while they run out, for a while."""

from __future__ import annotations

from pydantic import Field

from zen_agents.actions.base import ActionParams
from zen_agents.actions.setting_for_a_while import SetAsUsual, SetForAWhile, SettingForAWhile
from zen_agents.errors import RefusedError
from zen_agents.model.action import Plan
from zen_agents.ports.host import HostView

SETTING = "net.ipv4.ip_local_port_range"
_SPAN = r"^[0-9]{4,5} [0-9]{4,5}$"
#: So many ports are named one by one.
_SHOWN = 5


class PortRangeParams(ActionParams):
    """The range of every day, and the wider one, as the kernel writes them."""

    usual: str = Field(pattern=_SPAN, description="first and last port")
    wider: str = Field(pattern=_SPAN, description="first and last port while they run out")

    @property
    def values(self) -> tuple[str, str]:
        """Both as the kernel writes them."""
        return self.usual, self.wider


class RestorePortRangeParams(PortRangeParams):
    """And how much of the usual range may be taken."""

    above_percent: float = Field(gt=0, le=100, description="percent of it that may be taken towards one address and port")


class _PortRange(SettingForAWhile):
    setting, subject = SETTING, "local_ports"

    def _done(self, wanted: str) -> str:
        return f"connections are made from ports {_words(wanted)}"


class WidenPortRange(_PortRange, SetForAWhile):
    """Sets the wider range, if the usual one is set; the ports of this host's services that lie in it are named."""

    name = "widen_port_range"
    summary = "Let this host connect from more ports for a while."
    side_effects = "A service that starts later may find its port taken, if it lies in the wider range."
    mends = ("local_ports.percent",)
    disturbs = ("local_ports.widened",)
    Params = PortRangeParams

    def _look_first(self, params: PortRangeParams, host: HostView) -> str:
        return _in_the_way(params, host)


class RestorePortRange(_PortRange, SetAsUsual):
    """Sets the usual range again, if the wider one still is set and the usual one would not run out at once."""

    name = "restore_port_range"
    summary = "Let this host connect from its usual ports again."
    side_effects = "Connections that are made from other ports go on; new ones are made from the usual ports."
    mends = ("local_ports.widened",)
    Params = RestorePortRangeParams

    def _require_room(self, params: RestorePortRangeParams, host: HostView) -> None:
        first, last = _ports(params.usual)
        ports = host.local_ports()
        if ports.taken >= (last - first + 1) * params.above_percent / 100:
            raise RefusedError(
                f"{ports.taken} ports are still taken towards {ports.towards}: the usual range would run out again at once"
            )

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return "local_ports.widened", plan.request.target


def _in_the_way(params: PortRangeParams, host: HostView) -> str:
    """Return which ports of services could be taken from now on, in words; "" if none."""
    first, last = _ports(params.wider)
    usual = range(_ports(params.usual)[0], _ports(params.usual)[1] + 1)
    mine = [port for port in host.local_ports().listening if first <= port <= last and port not in usual]
    shown = ", ".join(map(str, mine[:_SHOWN])) + (f" and {len(mine) - _SHOWN} more" if len(mine) > _SHOWN else "")
    return f"services listen on {shown} of it: put them into net.ipv4.ip_local_reserved_ports" if mine else ""


def _ports(span: str) -> tuple[int, int]:
    first, last = span.split()
    return int(first), int(last)


def _words(span: str) -> str:
    return span.replace(" ", " to ")
