"""Which host this is, and since when it runs."""

from __future__ import annotations

import re

from zen_agents.adapters.linux_view_once import OnceLook
from zen_agents.adapters.linux_view_reading import read_kernel_file, require_kernel_file
from zen_agents.errors import HostError

_MACHINE_ID = re.compile(r"[0-9a-f]{32}")


class IdentityLook(OnceLook):
    """Part of `LinuxView`: the host's own name and age."""

    def boot_seconds(self) -> float:
        """Return seconds since boot, as of this look."""
        return self._once("boot_seconds", self._uptime)

    def machine_id(self) -> str:
        """Return the 32 hexadecimal digits of /etc/machine-id, "" where the host has none."""
        text = (read_kernel_file(f"{self._host.root}/etc/machine-id", limit=64) or b"").decode("ascii", "replace").strip()
        return text if _MACHINE_ID.fullmatch(text) else ""

    def _uptime(self) -> float:
        path = f"{self._host.proc_root}/uptime"
        try:
            return float(require_kernel_file(path).split()[0])
        except (ValueError, IndexError) as error:
            raise HostError(f"{path} is not as expected") from error
