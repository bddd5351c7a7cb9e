"""What is done in a copy of the root: fetch, install without a network, and look whether all of it fits together."""

from __future__ import annotations

import pwd
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from zen_agents.adapters.apt_programs import AptError, run, step
from zen_agents.model.debian_upgrade import DebianTrial, DebianTried, TrialStep

#: All that installing needs even as root.
_RIGHTS: Final = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setfcap", "setpcap",
    "sys_chroot", "audit_write",
)  # fmt: skip
_APT: Final = ("apt-get", "--assume-yes", "--no-install-recommends")
_OPTIONS: Final = (
    "-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Options::=--force-unsafe-io", "-o", "Dpkg::Use-Pty=0",
    "-o", "APT::Get::AutomaticRemove=false",
)  # fmt: skip
_NOBODY: Final = 65534
_CHECK_SECONDS, _SMOKE_SECONDS = 120.0, 120.0
#: So many files are asked for their libraries, at most.
_MOST_BINARIES: Final = 300


def try_upgrade(asked: DebianTrial, root: Path) -> DebianTried:
    """Make the upgrade below `root`, stop at the first step that goes wrong, and return all that was run."""
    steps: list[TrialStep] = []

    def goes_well(argv: tuple[str, ...], seconds: float, *, silent: bool = False) -> bool:
        steps.append(step(argv, seconds))
        return steps[-1].exit_code == 0 and not (silent and steps[-1].said)

    try:
        failed = _failed(asked, root, goes_well)
    except AptError as error:
        failed = str(error)
    return DebianTried(tuple(steps), _with_words(failed, steps))


def _failed(asked: DebianTrial, root: Path, goes_well: Callable[..., bool]) -> str:
    """Return what went wrong first, "" if nothing did."""
    names = tuple(each.partition("=")[0] for each in asked.installs)
    removing = () if asked.may_remove else ("--no-remove",)
    install = (*_APT, *removing, *_OPTIONS, "install")
    if not goes_well(("chroot", str(root), *install, "--download-only", *asked.installs), asked.within_seconds):
        return "the packages could not be fetched"
    lacked_before = _lacking(root, names, asked.programs)
    checks: tuple[tuple[str, tuple[str, ...], bool], ...] = (
        ("the packages could not be installed", (*install, *asked.installs), False),
        ("dpkg --audit finds something half done", ("dpkg", "--audit"), True),
        ("apt-get check finds broken dependencies", ("apt-get", "check"), False),
    )
    for failed, argv, silent in checks:
        if not goes_well(_cut_off(root, *argv), asked.within_seconds, silent=silent):
            return failed
    if lacking := sorted(_lacking(root, names, asked.programs) - lacked_before):
        return f"libraries are missing: {', '.join(lacking[:5])}"
    smoked = not asked.smoke or goes_well(_as_account(root, asked.user, asked.smoke), _SMOKE_SECONDS)
    return "" if smoked else "the smoke test fails"


def _cut_off(root: Path, *argv: str) -> tuple[str, ...]:
    """Return a command in the copy, without a network and with few rights."""
    rights = "--bounding-set=-all," + ",".join(f"+{name}" for name in _RIGHTS)
    return ("unshare", "--net", "--", "setpriv", rights, "--", "chroot", str(root), *argv)


def _as_account(root: Path, user: str, argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command in the copy as an account that is not root (R29)."""
    try:
        account = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
        uid, gid = account.pw_uid, account.pw_gid
    except KeyError:
        raise AptError(f"there is no account {user!r} on this host") from None
    if uid == 0:
        raise AptError("a smoke test never runs as root")
    return _unprivileged(root, uid, gid, argv)


def _unprivileged(root: Path, uid: int, gid: int, argv: tuple[str, ...]) -> tuple[str, ...]:
    who = f"--userspec={uid}:{gid}"
    return ("unshare", "--net", "--", "chroot", who, "--groups=", str(root), "setpriv", "--no-new-privs", "--", *argv)


def _lacking(root: Path, names: Iterable[str], programs: Iterable[str]) -> set[str]:
    """Return `FILE needs LIBRARY` for what the loader does not find, of programs and of what packages own."""
    paths = dict.fromkeys((*programs, *(path for name in names for path in _owned(root, name))))
    binaries = [path for path in paths if _is_binary(Path(f"{root}{path}"))][:_MOST_BINARIES]
    if not binaries:
        return set()
    said = run(_unprivileged(root, _NOBODY, _NOBODY, ("ldd", *sorted(binaries))), _CHECK_SECONDS).out
    return set(_missing(said, binaries))


def _missing(said: str, binaries: list[str]) -> Iterable[str]:
    file = sorted(binaries)[0]
    for line in said.splitlines():
        if line.startswith("/") and line.endswith(":"):
            file = line[:-1]
        elif line.endswith("=> not found"):
            yield f"{file} needs {line.split()[0]}"


def _owned(root: Path, name: str) -> Iterable[str]:
    ended = run(("chroot", str(root), "dpkg-query", "--listfiles", name), _CHECK_SECONDS)
    return [line for line in ended.out.splitlines() if line.startswith("/")]


def _is_binary(path: Path) -> bool:
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as stream:
            return stream.read(4) == b"\x7fELF"
    except OSError:
        return False


def _with_words(failed: str, steps: list[TrialStep]) -> str:
    if not failed or not steps or (steps[-1].exit_code == 0 and not steps[-1].said):
        return failed
    return f"{failed}: {steps[-1].said[-400:]}"
