"""What small files hold, those of the quarantine too: asked of the host each time, not remembered."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from zen_agents.adapters import linux_view_files
from zen_agents.errors import HostError
from zen_agents.ports.host_contents import LARGEST_CONTENT
from zen_agents.ports.host_files import KeptFile

if TYPE_CHECKING:
    from zen_agents.adapters.linux_host import LinuxHost


class ContentLook:
    """Part of `LinuxView`: contents, as `ports.host_contents.ContentView` asks for them."""

    _host: LinuxHost

    def content(self, path: str) -> bytes | None:
        """Return all that a small regular file holds, None if there is nothing; not remembered."""
        return linux_view_files.content(path)

    def content_end(self, path: str, limit: int) -> bytes | None:
        """Return the last lines of a regular file, None if there is nothing; not remembered."""
        return linux_view_files.content_end(path, limit)

    def kept_content(self, id: str) -> bytes:
        """Return what a file of the quarantine holds; StalePlanError or HostError if it is not there as it was taken."""
        with self._host.kept.opened(id) as (descriptor, kept):
            if kept.size > LARGEST_CONTENT:
                raise HostError(f"{id} is larger than {LARGEST_CONTENT >> 20} MiB; restore {kept.path} by hand")
            return os.pread(descriptor, LARGEST_CONTENT, 0)

    def no_room_to_keep(self, size: int) -> str:
        """Return why so many bytes more do not fit; "" if they do, and where nothing is ever kept."""
        return self._host.kept.no_room_for(size)

    def kept_file(self, id: str) -> KeptFile:
        """Return a file of the quarantine once its content was compared; StalePlanError or HostError if it is not so."""
        with self._host.kept.opened(id) as (_, kept):
            like = kept.likeness
            return KeptFile(
                kept.id, kept.path, kept.sha256, kept.size, like.mode & 0o777, like.owner, like.group, like.modified_ns / 1e9
            )

    def kernel_setting(self, name: str) -> str | None:
        """Return a kernel setting, None if there is none; not remembered."""
        from zen_agents.adapters.linux_kernel import read_setting  # noqa: PLC0415 - only where one is listed

        return read_setting(name, self._host.proc_root)
