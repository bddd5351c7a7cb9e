"""A worker does not outlive whoever started it: the kernel kills it as soon as that is gone, however it went."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
#: Process that is outlived by nothing, 0 for a worker that was started otherwise; set once, before anything else is done.
_parent = 0


def end_with(pid: int) -> None:
    """Have this process killed once its parent, which is that one, has ended; raises OSError where that cannot be had."""
    global _parent  # noqa: PLW0603 - a process has one parent
    _parent = pid
    still_bound()


def still_bound() -> None:
    """Say so again: the kernel forgets it of a process that changes accounts."""
    if not _parent:
        return
    kernel = ctypes.CDLL(None, use_errno=True)
    if kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    # Who has ended before the kernel was asked is told by nobody.
    if os.getppid() != _parent:
        os._exit(1)
