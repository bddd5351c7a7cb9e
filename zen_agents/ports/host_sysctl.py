"""The kernel's settings (sysctl): the part of the host's port that reads and sets them."""

from __future__ import annotations

from typing import Protocol


class SysctlView(Protocol):
    """Questions about kernel settings."""

    def kernel_setting(self, name: str) -> str | None:
        """Return a setting like `net.ipv4.ip_forward`, its values parted by single spaces; None if there is none.

        HostError if it cannot be read. Not remembered.
        """
        ...


class SysctlControl(Protocol):
    """The one change of a kernel setting."""

    def set_kernel_setting(self, name: str, value: str, *, expected: str) -> None:
        """Set a setting that still is as `expected`.

        Raises StalePlanError if it is not, HostError if the kernel refuses; then it is as it was.
        """
        ...
