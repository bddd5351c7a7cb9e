"""Builds a wheel of one module, whose source is read from standard input: `wheel.py FOLDER NAME VERSION`."""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

_WHEEL = "Wheel-Version: 1.0\nGenerator: chaos\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def main(folder: Path, name: str, version: str, source: str) -> None:
    """Write it."""
    folder.mkdir(parents=True, exist_ok=True)
    meta = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{meta}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{meta}/WHEEL": _WHEEL,
    }
    record = "".join(f"{path},sha256={_hash(text)},{len(text.encode())}\n" for path, text in files.items())
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, f"{meta}/RECORD": f"{record}{meta}/RECORD,,\n"}.items():
            wheel.writestr(path, text)


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.stdin.read())
