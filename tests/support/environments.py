"""Environments with packages, as the installers leave them."""

from __future__ import annotations

from pathlib import Path


def a_venv(path: Path, packages: dict[str, str], *, python: str = "python3.11") -> Path:
    """Write a virtual environment that has these packages; return its site-packages."""
    site = path / "lib" / python / "site-packages"
    site.mkdir(parents=True)
    (path / "bin").mkdir()
    (path / "bin" / "python").write_bytes(b"")
    (path / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    for name, version in packages.items():
        a_record(site, name, version)
    return site


def a_record(site: Path, name: str, version: str) -> Path:
    """Write what an installer leaves of one package; return its METADATA."""
    record = site / f"{name.replace('-', '_')}-{version}.dist-info"
    record.mkdir()
    metadata = record / "METADATA"
    metadata.write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: x\n\nName: not-this\n")
    return metadata


def a_dpkg_root(path: Path, *paragraphs: str, release: str = 'ID=debian\nVERSION_CODENAME="bookworm"\n') -> Path:
    """Write a root whose dpkg has these paragraphs in its list; return the list."""
    (path / "etc").mkdir(parents=True)
    (path / "etc" / "os-release").write_text(release)
    status = path / "var" / "lib" / "dpkg" / "status"
    status.parent.mkdir(parents=True)
    (status.parent / "updates").mkdir()
    status.write_text("".join(f"{paragraph}\n\n" for paragraph in paragraphs))
    return status


def installed(name: str, version: str, *, state: str = "install ok installed", more: str = "") -> str:
    """Return the paragraph of an installed Debian package."""
    return f"Package: {name}\nStatus: {state}\nPriority: optional\nArchitecture: amd64\n{more}Version: {version}"
