"""The kernel's settings as files below /proc/sys, reached by names that cannot lead anywhere else."""

from __future__ import annotations

import os
import re

from zen_agents.adapters.linux_view_reading import read_kernel_file
from zen_agents.errors import HostError, StalePlanError

_NAME = re.compile(r"[a-z0-9_]+(?:\.[A-Za-z0-9_/@:-]+)+", re.ASCII)
_MOST_BYTES = 4096


def read_setting(name: str, proc_root: str) -> str | None:
    """Return a setting with single spaces between its values, None if there is none; HostError if it cannot be read."""
    content = read_kernel_file(setting_path(name, proc_root), limit=_MOST_BYTES)
    return None if content is None else " ".join(content.decode("utf-8", "replace").split())


def write_setting(name: str, value: str, *, expected: str, proc_root: str = "/proc") -> None:
    """Set a setting; StalePlanError if it is not as expected, HostError if the kernel refuses."""
    if (present := read_setting(name, proc_root)) != expected:
        raise StalePlanError(f"{name} is {present!r} now, not {expected!r}; nothing was done")
    try:
        descriptor = os.open(setting_path(name, proc_root), os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.write(descriptor, f"{value}\n".encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        raise HostError(f"the kernel does not take {value!r} for {name}: {error.strerror}; it is as it was") from error


def setting_path(name: str, proc_root: str) -> str:
    """Return where a setting is; a `/` in its name stands for a dot in one of its parts, as sysctl(8) has it."""
    if not _NAME.fullmatch(name):
        raise HostError(f"{name!r} is not the name of a kernel setting")
    parts = [part.replace("/", ".") for part in name.split(".")]
    if any(part in (".", "..") for part in parts):
        raise HostError(f"{name!r} is not the name of a kernel setting")
    return f"{proc_root}/sys/{'/'.join(parts)}"
