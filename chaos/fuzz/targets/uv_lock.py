"""A lock of uv and the project beside it: versions, hashes and what is asked for, or uv's error."""

from __future__ import annotations

from chaos.fuzz.given import folder, joined, put, sections
from chaos.fuzz.promise import promise, unless_refused
from zen_agents.model.environment import Environment
from zen_agents.workers.locked_by_uv import UvLock
from zen_agents.workers.uv import UvError

SEEDS = (
    joined(
        b'version = 1\n[[package]]\nname = "jinja2"\nversion = "3.1.0"\nsource = {registry = "x"}\n'
        b'wheels = [{url = "x", hash = "sha256:ab"}]\n',
        b'[project]\nname = "a"\ndependencies = ["Jinja2>=3", "b @ file:///c"]\n',
    ),
    joined(b'[[package]]\nname = "Jinja2"\nwheels = 1\n', b"[project]\ndependencies = 1\n"),
    joined(b"package = 1\n", b"project = 1\n"),
    joined(b'package = [1, {name = 2}, {name = "jinja2", version = 3}]\n', b"[project]\n"),
    joined(b"a = " + b"[" * 2000, b""),
    joined(b"\xff", b"\0"),
)
WORDS = (
    b"[[package]]\n",
    b"name = ",
    b"version = ",
    b"wheels = ",
    b"hash = ",
    b"[project]\n",
    b"dependencies = ",
    b"{",
    b"[",
)


def fuzz(data: bytes) -> None:
    """Read both files and ask for one package."""
    lock, project = sections(data, 2)
    place = folder("uv-lock")
    put(place / "pyproject.toml", project)
    environment = Environment("/srv/venv", requirements=str(put(place / "uv.lock", lock)))
    if (locked := unless_refused(UvError, lambda: UvLock(environment))) is None:
        return
    version = locked.version("jinja2")
    promise(all(isinstance(each, str) for each in locked.loose), "what is asked for is no text")
    promise(all(isinstance(each, str) for each in locked.hashes("jinja2", version or "")), "a hash is no text")
