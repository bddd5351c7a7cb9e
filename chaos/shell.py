"""A shell in which a person sits: it is open before anything happens, so that what a command takes is its own."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from chaos.host import DisposableHost


class Shell:
    """Runs commands inside a host one after the other; what they print is read by nobody."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - they were asked for
        self._keyboard, self._screen = process.stdin, process.stdout

    def run(self, argv: Sequence[str]) -> int:
        """Run a command and return its exit code; ValueError if the shell has ended."""
        self._keyboard.write(f"{shlex.join(argv)} > /dev/null 2>&1 < /dev/null; echo $?\n")
        self._keyboard.flush()
        return int(self._screen.readline())


@contextmanager
def open_shell(host: DisposableHost, *, cwd: str, environment: Mapping[str, str]) -> Iterator[Shell]:
    """Yield a shell as root."""
    pipe = subprocess.PIPE
    with host.popen(["sh"], cwd=cwd, environment=environment, stdin=pipe, stdout=pipe) as process:
        try:
            yield Shell(process)
        finally:
            process.kill()
