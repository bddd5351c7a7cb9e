"""Which configuration is used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SYSTEM_CONFIG = "/etc/zen-agents/config.yaml"


def find_config(explicit: str, environ: Mapping[str, str], euid: int) -> str | None:
    """Return the path of the configuration, None if there is none.

    In this order: `--config`, ZEN_AGENTS_CONFIG, the user's own (not for root), the system's. The first two are returned
    also where nothing is: naming a file that is missing is an error, not a reason to look elsewhere. The working directory
    is never searched.
    """
    if explicit:
        return explicit
    if named := environ.get("ZEN_AGENTS_CONFIG"):
        return named
    if euid != 0:
        own = user_config(environ)
        if own is not None and own.exists():
            return str(own)
    return SYSTEM_CONFIG if Path(SYSTEM_CONFIG).exists() else None


def user_config(environ: Mapping[str, str]) -> Path | None:
    """Return where a user's own configuration would be, None if no home is known."""
    base = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else "")
    return Path(base, "zen-agents", "config.yaml") if base.startswith("/") else None
