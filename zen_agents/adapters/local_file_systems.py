"""On which kind of file system paths lie, as the mounts say: nothing there is touched to find out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zen_agents.adapters.linux_view_files import MountReader
from zen_agents.errors import HostError

#: Those that wait for somebody else: another host, or a program.
_REMOTE = frozenset(
    {"9p", "afs", "autofs", "ceph", "cifs", "coda", "fuse", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
)
#: Those that change through this host's kernel alone, which tells of it; what lies over others may change below.
_OWN = frozenset({"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "tmpfs", "xfs", "zfs"})


def kinds_of(paths: Iterable[str]) -> Mapping[str, str]:
    """Return the kind of file system that each absolute path lies on; "" where the mounts cannot be told."""
    try:
        mounts = MountReader("/proc").mounts()
    except HostError:
        mounts = ()
    # Where the root itself waits for somebody else, nothing goes on without it anyway.
    kinds = {f"{mount.path.rstrip('/')}/": mount.kind for mount in mounts if mount.path != "/" or not is_remote(mount.kind)}
    # The longest path that one lies below is where it is mounted.
    places = sorted(kinds.items(), key=lambda place: -len(place[0]))
    return {path: next((kind for place, kind in places if path.startswith(place)), "") for path in paths}


def is_remote(kind: str) -> bool:
    """Tell whether a file system waits for somebody else."""
    return kind in _REMOTE or kind.startswith("fuse.")


def is_own(kind: str) -> bool:
    """Tell whether nobody but this host's kernel changes what is on a file system."""
    return kind in _OWN
