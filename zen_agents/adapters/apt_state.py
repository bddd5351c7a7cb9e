"""The state of apt and dpkg: how old the package lists are, what was begun and not finished, and who else upgrades."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from zen_agents.adapters.apt_programs import AptError, answer, run
from zen_agents.clock import SystemClock
from zen_agents.packages.apt_text import refusal

_SECONDS, _REFRESH_SECONDS = 30.0, 180.0
#: A server that does not answer holds nobody up for long, and one list that cannot be had is said.
_SOON: Final = (
    "-o", "APT::Update::Error-Mode=any", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20",
    "-o", "Acquire::Retries=1",
)  # fmt: skip
_LISTS: Final = "Dir::State::lists/d"
_DAY_SECONDS: Final = 86400.0
#: What could be had is not known from lists that are older.
_OLD_SECONDS: Final = 14 * _DAY_SECONDS
UNATTENDED: Final = Path("/usr/bin/unattended-upgrade")


def configured(name: str) -> str:
    """Return what apt's configuration says, with `/f` or `/d` behind a name as a path; "" if nothing."""
    return answer(("apt-config", "shell", "VALUE", name), _SECONDS).partition("=")[2].strip().strip("'")


def answer_file(name: str) -> str:
    """Return what a file holds that apt's configuration names, "" if it is not there."""
    path = Path(configured(name))
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def refreshed(after_seconds: float) -> tuple[str, ...]:
    """Fetch the package lists if they are older than that; return what could not be fetched.

    Whoever may not write them leaves that to whoever may.
    """
    if not after_seconds or lists_age_seconds() < after_seconds or not os.access(configured(_LISTS), os.W_OK):
        return ()
    try:
        ended = run(("apt-get", "update", *_SOON), _REFRESH_SECONDS)
    except AptError as error:
        return (f"the package lists could not be fetched: {error}",)
    return (f"the package lists could not be fetched: {refusal(ended.out + ended.error)}",) if ended.code else ()


def old_lists() -> tuple[str, ...]:
    """Return that the package lists are too old to tell what could be had, if they are."""
    age = lists_age_seconds()
    if age < _OLD_SECONDS or age == float("inf"):
        return ()
    return (f"the package lists were fetched {age / _DAY_SECONDS:.0f} days ago; run: apt-get update",)


def lists_age_seconds() -> float:
    """Return how long ago the package lists were fetched; infinity if never."""
    folder = configured(_LISTS)
    # apt leaves the times of what the server has on the lists themselves; what it fetched changes the directory beside.
    times = [path.stat().st_mtime for path in (Path(folder), Path(folder, "partial")) if path.exists()]
    return SystemClock().now().wall.timestamp() - max(times) if times else float("inf")


def missing_lists() -> tuple[str, ...]:
    """Return the sources of which no list of packages is there: what they offer is unknown."""
    wanted = "$(CREATED_BY)\t$(FILENAME)\t$(REPO_URI) $(RELEASE)"
    shown = answer(("apt-get", "indextargets", "--no-release-info", "--format", wanted), _SECONDS)
    lists = [line.split("\t")[1:] for line in shown.splitlines() if line.startswith("Packages\t")]
    fetched = {source for path, source in lists if _is_there(path)}
    missing = dict.fromkeys(source for _, source in lists if source not in fetched)
    return tuple(f"the list of {source.strip()} was never fetched; run: apt-get update" for source in missing)


def _is_there(path: str) -> bool:
    # Kept packed where the host says so.
    return any(Path(path + ending).exists() for ending in ("", ".lz4", ".xz", ".gz", ".zst"))


def interrupted() -> str:
    """Return what dpkg began and did not finish, "" if there is nothing."""
    ended = run(("dpkg", "--audit"), _SECONDS)
    if ended.code != 0 or ended.out.strip():
        return " ".join((ended.out or ended.error).split())[:600] or "dpkg --audit failed"
    return ""


def is_unattended() -> bool:
    """Tell whether unattended-upgrades is installed and switched on, as apt's daily job reads it."""
    interval = configured("APT::Periodic::Unattended-Upgrade")
    return interval not in ("", "0") and UNATTENDED.exists()
