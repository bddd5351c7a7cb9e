"""raise_conntrack_limit and restore_conntrack_limit: more connections that the firewall may track, for a while."""

from __future__ import annotations

from pydantic import Field

from zen_agents.actions.base import ActionParams
from zen_agents.actions.setting_for_a_while import SetAsUsual, SetForAWhile, SettingForAWhile
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import Plan
from zen_agents.ports.host import HostView

SETTING = "net.netfilter.nf_conntrack_max"
#: What the kernel takes for one tracked connection at most, in memory that cannot be swapped (bytes).
_BYTES_EACH = 512
#: So much of the memory that is free may be taken for that.
_SHARE = 0.1
_MOST = 2**31 - 1


class ConntrackLimitParams(ActionParams):
    """The limit of every day, and the higher one."""

    usual: int = Field(gt=0, le=_MOST, description="connections that may be tracked")
    raised: int = Field(gt=0, le=_MOST, description="connections that may be tracked while they run out")

    @property
    def values(self) -> tuple[str, str]:
        """Both as the kernel writes them."""
        return str(self.usual), str(self.raised)


class RestoreConntrackLimitParams(ConntrackLimitParams):
    """And how much of the usual limit may be used."""

    above_percent: float = Field(gt=0, le=100, description="percent of it that may be tracked")


class _ConntrackLimit(SettingForAWhile):
    setting, subject = SETTING, "conntrack"

    def _done(self, wanted: str) -> str:
        return f"up to {wanted} connections are tracked"


class RaiseConntrackLimit(_ConntrackLimit, SetForAWhile):
    """Sets the higher limit, if the usual one is set and its memory is there."""

    name = "raise_conntrack_limit"
    summary = "Let the firewall track more connections for a while."
    side_effects = "The kernel takes memory for each further one, and finds one among many a little later."
    mends = ("conntrack.percent",)
    disturbs = ("conntrack.raised",)
    Params = ConntrackLimitParams

    def _look_first(self, params: ConntrackLimitParams, host: HostView) -> str:
        if params.raised <= params.usual:
            raise RefusedError(f"{params.raised} is no more than {params.usual}")
        needed, free = (params.raised - params.usual) * _BYTES_EACH, host.memory().available
        if needed > free * _SHARE:
            mib = needed >> 20
            raise RefusedError(
                f"that may take {mib} MiB of the kernel's memory, more than a tenth of the {free >> 20} MiB free"
            )
        return ""


class RestoreConntrackLimit(_ConntrackLimit, SetAsUsual):
    """Sets the usual limit again, if the higher one still is set and the usual one would not be reached at once."""

    name = "restore_conntrack_limit"
    summary = "Let the firewall track as many connections as usual again."
    side_effects = "Connections that are tracked stay so; new ones beyond the limit would be dropped."
    mends = ("conntrack.raised",)
    Params = RestoreConntrackLimitParams

    def _require_room(self, params: RestoreConntrackLimitParams, host: HostView) -> None:
        table = host.tracked_connections()
        if table is None:
            raise StalePlanError("no connection is tracked any more; there is nothing to take back")
        if table.tracked >= params.usual * params.above_percent / 100:
            raise RefusedError(
                f"{table.tracked} connections are still tracked: the usual limit would be reached again at once"
            )

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return "conntrack.raised", plan.request.target
