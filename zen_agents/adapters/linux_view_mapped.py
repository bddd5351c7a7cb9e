"""Which programs and libraries a process runs with that are no longer those on disk."""

from __future__ import annotations

import re
from collections.abc import Sequence

from zen_agents.adapters.linux_view_reading import read_kernel_file

#: A line of maps about a file that has no name any more: permissions and path.
_DELETED = re.compile(rb"^\S+ (\S{4}) \S+ \S+ \d+ +(/.*) \(deleted\)$", re.MULTILINE)
_LIBRARY = re.compile(r"\.so(\.[\d.]+)?$")
#: What is no file of a package: memory with a name, and what programs make for themselves.
_NO_FILES = ("/memfd:", "/dev/", "/SYSV", "/anon_hugepage", "/tmp/", "/var/tmp/", "/run/")  # noqa: S108 - only compared  # nosec B108
#: A large program has some hundred KiB of it.
_MOST_BYTES = 4 << 20


def replaced_files(proc_root: str, pid: int) -> Sequence[str]:
    """Return the paths of mapped libraries, and of the program itself, that were deleted or replaced since.

    Raises HostError if the process may not be looked into; nothing for one that is gone.
    """
    content = read_kernel_file(f"{proc_root}/{pid}/maps", limit=_MOST_BYTES) or b""
    if b" (deleted)\n" not in content:
        return ()
    found = {
        name
        for rights, path in _DELETED.findall(content)
        if not (name := path.decode("utf-8", "replace")).startswith(_NO_FILES) and (b"x" in rights or _LIBRARY.search(name))
    }
    return sorted(found)
