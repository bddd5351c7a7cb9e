"""A service that says a line a second, and after SIGUSR1 as many as it can, of a kibibyte each: `chatter.py`."""

import os
import signal
import time

_FLOODING = False


def main() -> None:
    """Talk until killed."""
    signal.signal(signal.SIGUSR1, _begin)
    line = b"x" * 1023 + b"\n"
    while True:
        if _FLOODING:
            os.write(1, line)
        else:
            os.write(1, b"all is well\n")
            time.sleep(1)


def _begin(*_: object) -> None:
    global _FLOODING  # noqa: PLW0603 - a signal has nowhere else to put it
    _FLOODING = True


main()
