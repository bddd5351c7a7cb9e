"""Paths that name one thing, today and tomorrow: absolute, plain, with wildcards only where they are asked for."""

from __future__ import annotations

import re

from zen_agents.model.refusals import CONTROL, refuse


def check_absolute_path(value: str) -> str:
    """Return the path if it is absolute, normalised (no `.`, `..` or empty parts) and without control characters."""
    if not value.startswith("/"):
        raise refuse("path", f"has to be an absolute path, got `{value}`")
    if CONTROL.search(value):
        raise refuse("path", "has a control character in it")
    parts = value.rstrip("/").split("/")[1:]
    if any(part in ("", ".", "..") for part in parts):
        plain = "/" + "/".join(part for part in parts if part not in ("", "."))
        raise refuse(
            "path", f"has to be plain, without `.`, `..` or `//`, got `{value}`", suggest="" if ".." in parts else plain
        )
    return value.rstrip("/") or "/"


def check_plain_path(value: str) -> str:
    """Return an absolute path that holds no wildcard."""
    path = check_absolute_path(value)
    if re.search(r"[*?\[]", path):
        raise refuse("path", f"may not hold a wildcard, got `{value}`")
    return path


def check_glob_path(value: str) -> str:
    """Return an absolute path that may hold a wildcard in its last component only."""
    path = check_absolute_path(value)
    if re.search(r"[*?\[]", path.rpartition("/")[0]):
        raise refuse("path", f"may hold a wildcard in its last component only, got `{value}`")
    if path.rpartition("/")[2] in ("*", "**"):
        raise refuse("path", "may not be every file of a directory; name an ending", label="like *.log")
    return path
