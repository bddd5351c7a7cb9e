"""Who holds which descriptor: listeners on TCP ports, and deleted files that still take space."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence

from zen_agents.adapters.linux_view_reading import GONE
from zen_agents.errors import HostError
from zen_agents.ports.host_processes import Process

#: A look at every descriptor of the host stops here, so that a host with millions of them does not stop the sampler.
MOST_DESCRIPTORS = 500_000
_LISTEN = "0A"
_DELETED = " (deleted)"
#: Kernel objects that look like deleted files: memory shared by descriptor or by System V id.
_NO_FILES = ("/memfd:", "/SYSV", "/dev/zero", "/[aio]", "/drm ", "/i915", "/dmabuf:")


class DescriptorReader:
    """Walks the descriptors of those processes that the engine may look into; as root, of all."""

    def __init__(self, proc_root: str) -> None:
        self._root = proc_root

    def deleted_files(self, processes: Mapping[int, Process]) -> Sequence[tuple[Process, int, str, int]]:
        """Return (process, descriptor, former path, bytes) of regular files without a link that somebody holds open."""
        found = []
        for pid, descriptor, target in self._links(processes):
            if target.endswith(_DELETED) and target.startswith("/") and not target.startswith(_NO_FILES):
                try:
                    state = os.stat(f"{self._root}/{pid}/fd/{descriptor}")
                except OSError:
                    # Closed meanwhile, or a file system that does not answer: nothing that could be truncated.
                    continue
                if stat.S_ISREG(state.st_mode) and state.st_nlink == 0:
                    found.append((processes[pid], descriptor, target.removesuffix(_DELETED), state.st_size))
        return found

    def socket_owners(self, processes: Mapping[int, Process]) -> Mapping[int, Sequence[int]]:
        """Return the pids that hold each socket, by the socket's inode."""
        owners: dict[int, list[int]] = {}
        for pid, _, target in self._links(processes):
            if target.startswith("socket:["):
                holders = owners.setdefault(int(target[8:-1]), [])
                if pid not in holders:
                    holders.append(pid)
        return owners

    def listening_inodes(self, port: int) -> frozenset[int]:
        """Return the inodes of the sockets that listen on a TCP port of the engine's network, IPv4 or IPv6."""
        return frozenset(inode for file in ("tcp", "tcp6") for inode in self._listening(file, f"{port:04X}"))

    def _listening(self, file: str, port: str) -> Iterator[int]:
        try:
            with open(f"{self._root}/net/{file}", encoding="ascii", errors="replace") as lines:
                next(lines, None)
                for line in lines:
                    fields = line.split(None, 10)
                    # The kernel lists listeners first, so the connections of a busy host need not be read.
                    if len(fields) < 10 or fields[3] != _LISTEN:
                        return
                    if fields[1].rpartition(":")[2] == port:
                        yield int(fields[9])
        except OSError as error:
            # No IPv6 means no tcp6.
            if error.errno not in GONE:
                raise HostError(f"cannot read {self._root}/net/{file}: {error.strerror}") from error
        except ValueError as error:
            raise HostError(f"{self._root}/net/{file} is not as expected") from error

    def _links(self, processes: Mapping[int, Process]) -> Iterator[tuple[int, int, str]]:
        count = 0
        for pid in processes:
            directory = f"{self._root}/{pid}/fd"
            try:
                names = os.listdir(directory)
            except OSError:
                # Gone, or another account's and the engine is not root: documented as "where that can be told".
                continue
            count += len(names)
            if count > MOST_DESCRIPTORS:
                raise HostError(f"more than {MOST_DESCRIPTORS} descriptors are open on this host; they are not walked")
            for name in names:
                try:
                    yield pid, int(name), os.readlink(f"{directory}/{name}")
                except (OSError, ValueError):
                    # Closed meanwhile.
                    continue
