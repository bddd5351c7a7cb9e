"""`--out FILE`: what a command prints goes into a file, the whole of it or nothing, and never through a link."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable, Collection
from contextlib import redirect_stdout
from pathlib import Path

from zen_agents.adapters.durable_file import replace_durably
from zen_agents.errors import UsageError, ZenError

#: How a file's name ends -> the format that is meant.
_ENDINGS = {
    ".htm": "html", ".html": "html", ".json": "json", ".jsonl": "jsonl", ".markdown": "md", ".md": "md", ".txt": "table",
    ".yaml": "yaml", ".yml": "yaml",
}  # fmt: skip


def format_by_ending(path: Path, formats: Collection[str]) -> str:
    """Return the format that a file's name asks for; UsageError if it asks for none of these."""
    meant = _ENDINGS.get(path.suffix.lower(), "")
    if meant in formats:
        return meant
    known = " ".join(ending for ending, name in _ENDINGS.items() if name in formats)
    raise UsageError(f"what {path.name or path} is to hold cannot be told: end it in one of {known}, or say -o FORMAT")


def print_into(path: Path, show: Callable[[], None]) -> None:
    """Give a file what `show` prints, at once and for good.

    Raises UsageError if it is a link or no regular file, ZenError if it cannot be written: it is as it was then. A fresh
    file is what the account's umask lets it be, one that was there keeps its mode.
    """
    mode = _mode_of(path)
    with redirect_stdout(io.StringIO()) as printed:
        show()
    try:
        replace_durably(path, printed.getvalue().encode("utf-8", "backslashreplace"), mode=mode)
    except OSError as error:
        raise ZenError(f"{path} could not be written ({error.strerror}); nothing was changed") from None


def _mode_of(path: Path) -> int:
    try:
        found = path.lstat().st_mode
    except FileNotFoundError:
        return 0o666
    except OSError as error:
        raise ZenError(f"{path} could not be written ({error.strerror}); nothing was changed") from None
    if stat.S_ISLNK(found):
        raise UsageError(f"{path} is a symbolic link and is left alone; name the file itself")
    if not stat.S_ISREG(found):
        raise UsageError(f"{path} is no regular file and is left alone; name another")
    return stat.S_IMODE(found)
