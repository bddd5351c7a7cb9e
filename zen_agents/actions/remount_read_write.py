"""remount_read_write: let a file system that somebody made read-only be written to again, if nothing is wrong with it."""

from __future__ import annotations

import asyncio

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.scope import PathsPolicy, plain_path, subject_of, touched_paths
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.reason import Reason
from zen_agents.model.scalars import AbsolutePath
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_commands import Command
from zen_agents.ports.host_resources import Mount

_FSTAB = "/etc/fstab"
_TIMEOUT_SECONDS = 30.0
#: Only of these the kernel's log tells what it met; a server's or an overlay's errors are elsewhere.
_TOLD = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "reiserfs", "vfat", "exfat"})


class RemountReadWriteParams(ActionParams):
    """Which file system."""

    path: AbsolutePath = Field(description="its mount point")


class RemountReadWrite(Action):
    """Remounts a listed file system read-write, once; never one of which the kernel has met an error."""

    name = "remount_read_write"
    summary = "Let a file system be written to again, if the kernel has met no error of it since it was mounted."
    side_effects = "Programs write to it again."
    risk = Risk.HIGH
    reversible = Reversible.NO
    mends = ("mount.{name}",)
    Params = RemountReadWriteParams
    Policy = PathsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "mount")
        params: RemountReadWriteParams = self.params(request)
        mount = _read_only(params.path, host)
        _refuse_damaged(mount, host)
        return self.planned(
            request,
            steps=(f"mount -o remount,rw -- {mount.path} ({mount.source}, {mount.kind})",),
            touches=touched_paths([mount.path]),
            fingerprint=f"{mount.device}:{mount.source}",
            timeout_seconds=_TIMEOUT_SECONDS + 10.0,
            warning="if its disk is failing after all, what is written now may be lost",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: RemountReadWriteParams = self.params(plan.request)
        await asyncio.to_thread(lambda: self._looked_again(plan, control.view))
        argv = ("mount", "-o", "remount,rw", "--", params.path)
        result = await control.run(Command(argv, timeout_seconds=_TIMEOUT_SECONDS))
        if result.exit_code != 0:
            said = "took too long" if result.timed_out else result.output.strip()[-300:]
            raise ActionFailedError(f"{params.path} stays read-only: {said}")
        return Effect(True, f"{params.path} was remounted read-write", before="read-only", after="read-write", exit_code=0)

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"mount.{subject_of(plan.request, 'mount')}", plan.request.target

    def _looked_again(self, plan: Plan, host: HostView) -> None:
        mount = _read_only(plan.request.params["path"], host)
        if f"{mount.device}:{mount.source}" != plan.fingerprint:
            raise StalePlanError(f"another file system is mounted at {mount.path} now; nothing was done")
        _refuse_damaged(mount, host)


def _read_only(path: str, host: HostView) -> Mount:
    """Return the mount; RefusedError if none is there, StalePlanError if it can be written to already."""
    mount = next((mount for mount in host.mounts() if mount.path == plain_path(path)), None)
    if mount is None:
        raise RefusedError(f"nothing is mounted at {path}; nothing was done", reason=Reason.MOUNT_MISSING)
    if not mount.read_only:
        raise StalePlanError(f"{path} can be written to; there is nothing to do")
    return mount


def _refuse_damaged(mount: Mount, host: HostView) -> None:
    """Raise RefusedError where writing could do harm; HostError if nobody can tell, which means no as well."""
    if mount.kind not in _TOLD:
        raise RefusedError(f"whether {mount.path} ({mount.kind}) has errors is not in the kernel's log; remount it by hand")
    if _is_meant_read_only(mount.path, host):
        raise RefusedError(f"{_FSTAB} says that {mount.path} is read-only; nothing was done")
    if errors := host.file_system_errors(mount):
        raise RefusedError(
            f"the kernel met errors on {mount.path}, and writing may damage it further: {errors[0]}; take what runs on it "
            "elsewhere, then check it unmounted (fsck)"
        )


def _is_meant_read_only(path: str, host: HostView) -> bool:
    if host.file(_FSTAB) is None:
        return False
    rows = (line.split() for line in host.read_text(_FSTAB, limit=1 << 20).splitlines())
    options = [row[3].split(",") for row in rows if len(row) > 3 and not row[0].startswith("#") and row[1] == path]
    return any("ro" in each for each in options)
