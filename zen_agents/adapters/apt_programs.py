"""How apt and dpkg are run by workers: argument lists, the C locale, nobody asked anything, a bounded time."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from zen_agents.model.debian_upgrade import UNASKED, TrialStep

#: Where another root's apt and dpkg are told to look, if whoever starts a worker says so.
_PASSED_ON: Final = ("APT_CONFIG", "DPKG_ROOT", "DPKG_ADMINDIR")
ENVIRONMENT: Final[Mapping[str, str]] = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
    "HOME": "/nonexistent", **dict(UNASKED),
}  # fmt: skip
_SAID: Final = 600


class Ended(NamedTuple):
    """How a program ended, and what it printed."""

    code: int
    out: str
    error: str


class AptError(Exception):
    """A program could not be run, or did not end in time; nothing is known."""


def run(argv: tuple[str, ...], within_seconds: float, folder: Path = Path("/")) -> Ended:
    """Run a program that asks nothing; AptError if it cannot be run or does not end in time."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        ended = subprocess.run(
            argv, env={**ENVIRONMENT, **passed}, stdin=subprocess.DEVNULL, capture_output=True, timeout=within_seconds,
            check=False, cwd=folder, text=True, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise AptError(f"{argv[0]} did not end within {within_seconds:g} s") from error
    except OSError as error:
        raise AptError(f"{argv[0]} cannot be run: {error.strerror}") from error
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def answer(argv: tuple[str, ...], within_seconds: float, folder: Path = Path("/")) -> str:
    """Run a program that has to succeed and return what it printed; AptError with its words if it does not."""
    ended = run(argv, within_seconds, folder)
    if ended.code != 0:
        raise AptError(f"{' '.join(argv[:2])} failed with {ended.code}: {last_words(ended)}")
    return ended.out


def step(argv: tuple[str, ...], within_seconds: float) -> TrialStep:
    """Run a program and return it as a step, also one that could not be run, with an exit code of -1."""
    began = time.monotonic()
    try:
        ended = run(argv, within_seconds)
    except AptError as error:
        return TrialStep(" ".join(argv)[:_SAID], -1, str(error), time.monotonic() - began)
    return TrialStep(" ".join(argv)[:_SAID], ended.code, last_words(ended), time.monotonic() - began)


def last_words(ended: Ended) -> str:
    """Return the end of what a program said, what it complained of first; printable, on one line."""
    said = " ".join((ended.error if ended.code else "").split() or ended.out.split())
    return "".join(each if each.isprintable() else "?" for each in said)[-_SAID:]
