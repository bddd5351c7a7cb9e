"""A service that waits, and after SIGUSR1 hangs in the kernel until its child is gone: `hangs.py`."""

import ctypes
import os
import signal

#: clone(2) has no function in libc that leaves memory alone; its number by machine.
_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220}
#: The parent waits, uninterruptibly, until the child has ended or runs another program.
_WAITS_FOR_CHILD = 0x4000


def main() -> None:
    """Wait for the signal; what hangs is woken by `pkill -P` of it alone, or killed."""
    signal.signal(signal.SIGUSR1, _hang)
    while True:
        signal.pause()


def _hang(*_: object) -> None:
    libc = ctypes.CDLL(None)
    arguments = map(ctypes.c_long, (_CLONE[os.uname().machine], _WAITS_FOR_CHILD | signal.SIGCHLD, 0, 0, 0, 0))
    if libc.syscall(*arguments) == 0:
        libc.pause()
        os._exit(0)


main()
