"""create_directory: make a missing listed directory, one component at a time, where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.remove_made_directories import RemoveMadeDirectories
from zen_agents.actions.scope import (
    PathsPolicy,
    file_name,
    in_thread,
    parent_of,
    place_of,
    plain_path,
    subject_of,
    touched_paths,
    within,
)
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.reason import Reason
from zen_agents.model.scalars import AbsolutePath, Account, OctalMode
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState

#: Directories on the way to the listed one get no more than this.
_ON_THE_WAY = 0o755


class CreateDirectoryParams(ActionParams):
    """Where, and whose."""

    path: AbsolutePath = Field(description="the directory that must be there")
    mode: OctalMode = Field(description='permission bits, quoted octal like "0750"')
    owner: Account = Field(description="account that owns it, by name or number")
    group: Account = Field(description="group it belongs to, by name or number")


class CreateDirectory(Action):
    """Makes missing components, each first for the engine alone, then with owner, then with mode."""

    name = "create_directory"
    summary = "Make a listed directory that is missing, with the listed mode, owner and group."
    side_effects = "None: an empty directory appears."
    risk = Risk.LOW
    reversible = Reversible.YES
    mends = ("path.{name}",)
    Params = CreateDirectoryParams
    Policy = PathsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "path")
        params: CreateDirectoryParams = self.params(request)
        _check_mode(params)
        top, missing = _missing(params.path, host)
        _check_mounts(params.path, host)
        present = host.file(top)
        if present is None or present.kind != "directory":
            raise UnsafePathError(f"{top} is no directory; name the real path in the configuration")
        owner, group = host.user_id(params.owner), host.group_id(params.group)
        return self.planned(
            request,
            steps=tuple(
                f"make directory {path} with mode {mode:04o}, owner {params.owner}, group {params.group}"
                for path, mode in _to_make(params, top, missing)
            ),
            touches=touched_paths(path for path, _ in _to_make(params, top, missing)),
            fingerprint=f"{place_of(present)}+{'/'.join(missing)}",
            timeout_seconds=30.0,
            detail={"top": top, "missing": list(missing), "owner": owner, "group": group},
            warning="anyone may write in it" if int(params.mode, 8) & 0o002 else "",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: CreateDirectoryParams = self.params(plan.request)
        owner, group = int(plan.detail["owner"]), int(plan.detail["group"])

        def work(go_on: Callable[[], None]) -> list[FileState]:
            top, missing = _missing(params.path, control.view)
            _check_mounts(params.path, control.view)
            made = []
            for path, mode in _to_make(params, top, missing):
                go_on()
                with control.open_directory(parent_of(path)) as parent:
                    parent.create_directory(file_name(path), mode=mode, owner=owner, group=group)
                if (state := control.view.file(path)) is None:
                    raise HostError(f"{path} was made and is gone again; look who else works there")
                made.append(state)
            return made

        made = await in_thread(work, control)
        return Effect(
            ok=True,
            detail=f"made {', '.join(state.path for state in made)}",
            before="missing",
            after=f"mode {params.mode}",
            undo={"made": [{"path": state.path, "place": place_of(state)} for state in made]},
        )

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        made = {"made": effect.undo["made"]}
        return ActionRequest(RemoveMadeDirectories.name, plan.request.target, made, inverse_of=self.name)

    def undone(self, plan: Plan) -> str:
        """A directory does not go away by itself."""
        return f"removed {plan.request.params['path']}"

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        name = subject_of(plan.request, "path")
        return f"path.{name}", plan.request.target


def _check_mode(params: CreateDirectoryParams) -> None:
    if int(params.mode, 8) & 0o4000:
        raise UnsafePathError(f"{params.path} is to be setuid, which means nothing for a directory; correct its mode")


def _missing(path: str, host: HostView) -> tuple[str, tuple[str, ...]]:
    """Return the deepest directory that is there, and the components below it that are not."""
    top, missing = plain_path(path), list[str]()
    while (state := host.file(top)) is None and top != "/":
        missing.insert(0, file_name(top))
        top = parent_of(top)
    if not missing:
        kind = state.kind if state else "nothing"
        if kind == "directory":
            raise StalePlanError(f"{path} is there already; nothing was done")
        raise UnsafePathError(f"{path} is there and is a {kind}; look at it and move it away by hand")
    return top, tuple(missing)


def _check_mounts(path: str, host: HostView) -> None:
    """Refuse while a file system that belongs above the path is not mounted: it would hide what is made now (R35)."""
    mounted = {mount.path for mount in host.mounts()}
    for point in _configured_mounts(host):
        if within(path, point) and point not in mounted:
            raise RefusedError(
                f"{point} is not mounted; {path} would be made below it, on the wrong disk. Mount it first",
                reason=Reason.MOUNT_MISSING,
            )


def _configured_mounts(host: HostView) -> Iterator[str]:
    if host.file("/etc/fstab") is None:
        return
    for line in host.read_text("/etc/fstab", limit=1 << 20).splitlines():
        fields = line.split()
        if len(fields) < 4 or fields[0].startswith("#") or fields[1] == "/" or not fields[1].startswith("/"):
            continue
        if "noauto" not in fields[3].split(","):
            # fstab writes a space in a path as \040.
            yield fields[1].replace("\\040", " ").rstrip("/")


def _to_make(params: CreateDirectoryParams, top: str, missing: tuple[str, ...]) -> list[tuple[str, int]]:
    wanted, path, found = int(params.mode, 8), top.rstrip("/"), []
    for number, name in enumerate(missing, start=1):
        path = f"{path}/{name}"
        found.append((path, wanted if number == len(missing) else _ON_THE_WAY))
    return found
