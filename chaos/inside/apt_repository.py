"""Makes a directory of Debian packages the only place this host gets packages from: `apt_repository.py FOLDER`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

_APT = Path("/etc/apt")


def main(folder: Path) -> None:
    """Write its index, forget all other places, and have apt read it."""
    (folder / "Packages").write_text("\n".join(_paragraph(deb) for deb in sorted(folder.glob("*.deb"))))
    for path in (*(_APT / "sources.list.d").glob("*"), *Path("/var/lib/apt/lists").glob("*_*")):
        path.unlink()
    # Copied, as from a server: what was fetched from a file would stay there.
    (_APT / "sources.list").write_text(f"deb [trusted=yes] copy:{folder} ./\n")
    subprocess.run(["apt-get", "--quiet", "update"], check=True)


def _paragraph(deb: Path) -> str:
    content = deb.read_bytes()
    control = subprocess.run(["dpkg-deb", "--field", str(deb)], check=True, capture_output=True, text=True).stdout
    return f"{control}Filename: ./{deb.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"


main(Path(sys.argv[1]))
