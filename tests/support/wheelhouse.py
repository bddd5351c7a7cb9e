"""Wheels of a few lines, environments that hold them, and what those hold: for tests of real upgrades."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from uv import find_uv_bin

UV = (find_uv_bin(), "--no-config", "--offline", "--quiet")
_WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write_wheel(
    folder: Path, name: str, version: str, *, needs: Sequence[str] = (), modules: Mapping[str, str] | None = None,
    scripts: Mapping[str, str] | None = None,
) -> Path:  # fmt: skip
    """Write a wheel whose one module has the package's name, or these; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = name.replace("-", "_").replace(".", "_").lower()
    meta = f"{plain}-{version}.dist-info"
    files = dict(modules) if modules is not None else {f"{plain}.py": f"VERSION = {version!r}\n"}
    requires = "".join(f"Requires-Dist: {need}\n" for need in needs)
    files[f"{meta}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"
    files[f"{meta}/WHEEL"] = _WHEEL
    if scripts:
        entries = "".join(f"{script} = {target}\n" for script, target in scripts.items())
        files[f"{meta}/entry_points.txt"] = f"[console_scripts]\n{entries}"
    record = "".join(f"{path},sha256={_hash(text)},{len(text.encode())}\n" for path, text in files.items())
    wheel = folder / f"{plain}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{meta}/RECORD": f"{record}{meta}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return wheel


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def python_for_all() -> str:
    """Return an interpreter that any account may run: the one of the tests may lie in somebody's home."""
    return sys.executable if os.geteuid() else shutil.which("python3", path="/usr/bin:/usr/local/bin") or ""


def make_environment(venv: Path, wheels: Path, pins: Sequence[str]) -> Path:
    """Make a real virtual environment that holds these; return it."""
    _run([*UV, f"--cache-dir={venv.parent / 'uv-cache'}", "venv", "--python", python_for_all(), str(venv)])
    install(venv, wheels, pins)
    return venv


def uv_lock(project: Path, *words: str) -> None:
    """Have uv lock a project, or do what it is told with its lock."""
    where = [f"--cache-dir={project.parent / 'uv-cache'}", f"--project={project}", f"--python={python_for_all()}"]
    # By the project's own settings, and so without `--no-config`.
    _run([UV[0], "--quiet", "lock", *where, *words])


def install(venv: Path, wheels: Path, pins: Sequence[str]) -> None:
    """Install these into an environment."""
    where = ["--python", f"{venv}/bin/python", "--no-index", "--find-links", str(wheels), "--link-mode=copy"]
    _run([*UV, f"--cache-dir={venv.parent / 'uv-cache'}", "pip", "install", *where, *pins])


def freeze(venv: Path) -> bytes:
    """Return what an environment holds, as the resolver itself says."""
    return _run([*UV, f"--cache-dir={venv.parent / 'uv-cache'}", "pip", "freeze", "--python", f"{venv}/bin/python"])


def _run(argv: Sequence[str]) -> bytes:
    return subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout
