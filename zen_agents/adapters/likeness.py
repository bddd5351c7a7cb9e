"""What a file is besides its content, and how a new file gets it: owner before mode, never wider (R19, R27, R31)."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import field
from pathlib import Path

from zen_agents.adapters.file_identity import proc_path
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError

_ACL = "system.posix_acl_access"
#: What may be given to a new file: access lists, labels and the users' own; never capabilities, which are like setuid.
_COPIED = (_ACL, "security.selinux", "security.SMACK64")


@dataclass(frozen=True, slots=True)
class Likeness:
    """Mode, owner, times and attributes of one file."""

    mode: int
    owner: int
    group: int
    accessed_ns: int
    modified_ns: int
    attributes: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, descriptor: int) -> Likeness:
        """Return the likeness of an open file; HostError if its attributes cannot be read.

        An access list that is missed would be one that is not given on, and without it the mode means another thing.
        """
        found = os.fstat(descriptor)
        try:
            names = [name for name in os.listxattr(descriptor) if name in _COPIED or name.startswith("user.")]
            attributes = {name: os.getxattr(descriptor, name) for name in names}
        except OSError as error:
            if error.errno != errno.ENOTSUP:
                raise HostError(
                    f"access list and attributes cannot be read: {error.strerror}; nothing was changed"
                ) from error
            attributes = {}  # a file system without attributes has nothing to give on
        return cls(stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, found.st_atime_ns, found.st_mtime_ns, attributes)

    def give_to(self, descriptor: int, path: str) -> None:
        """Make a new file like this, without setuid and setgid; without its access list the group gets nothing."""
        set_owner_and_mode(descriptor, path, mode=0o600, owner=self.owner, group=self.group)
        mode = self.mode & 0o777
        for name, value in self.attributes.items():
            try:
                os.setxattr(descriptor, name, value)
            except OSError:
                if name == _ACL:
                    # With an access list the mode's group bits are its mask, not the group's own rights.
                    mode &= ~0o070
        if _ACL not in self.attributes or mode != self.mode & 0o777:
            set_owner_and_mode(descriptor, path, mode=mode, owner=None, group=None)
        os.utime(descriptor, ns=(self.accessed_ns, self.modified_ns))


def set_owner_and_mode(descriptor: int, path: str, *, mode: int | None, owner: int | None, group: int | None) -> None:
    """Set owner, then mode, on what a descriptor holds; in between the mode is never wider than before and after.

    None leaves a thing as it is. HostError if the engine's account may not; then mode and owner are as they were.
    """
    found = os.fstat(descriptor)
    place, present = Path(proc_path(descriptor)), stat.S_IMODE(found.st_mode)
    final = present if mode is None else mode
    wanted = (found.st_uid if owner is None else owner, found.st_gid if group is None else group)
    try:
        if wanted != (found.st_uid, found.st_gid):
            # A wider or special mode must never meet the wrong owner.
            place.chmod(present & final & 0o777)
            os.chown(place, *wanted)
        place.chmod(final)
    except OSError as error:
        with contextlib.suppress(OSError):
            place.chmod(present)
        raise HostError(f"mode or owner of {path} cannot be set: {error.strerror}; the engine's account may not") from error
