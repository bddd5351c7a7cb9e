"""Whether a process is the interpreter of a certain script; the kernel knows only the interpreter as its program."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence

#: What runs a script that names no interpreter of its own, without its version.
_INTERPRETERS = frozenset(
    {"bash", "dash", "ksh", "lua", "node", "perl", "php", "pypy", "python", "ruby", "sh", "tclsh", "zsh"}
)
_VERSION = re.compile(r"[\d.]+$")
_FIRST_LINE_BYTES = 256


def runs_script(program: str, argv: Sequence[str], script: Collection[str]) -> bool:
    """Tell whether `program`, started with `argv`, runs the script that has one of these paths.

    The script has to be the first argument that is no option, by its very path, and the program an interpreter: the one that
    the script's first line names, whatever its version, else a known one. An editor that has the script open is neither.
    """
    first = next((word for word in argv[1:] if not word.startswith("-")), "")
    if first not in script:
        return False
    wanted = _named_interpreter(first)
    return _family(program) == wanted if wanted else _family(program) in _INTERPRETERS


def _named_interpreter(script: str) -> str:
    """Return the interpreter of the script's first line without path and version, "" if it names none."""
    try:
        with open(script, "rb") as stream:
            line = stream.readline(_FIRST_LINE_BYTES)
    except OSError:
        # One that is gone, or not to be read, names none.
        return ""
    if not line.startswith(b"#!"):
        return ""
    words = [word for word in line[2:].decode("utf-8", "replace").split() if not word.startswith("-")]
    # `env` becomes what it is given.
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if "=" not in word]
    return _family(words[0]) if words else ""


def _family(program: str) -> str:
    return _VERSION.sub("", os.path.basename(os.path.realpath(program) if program.startswith("/") else program))
