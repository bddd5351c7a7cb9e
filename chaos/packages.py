"""Packages that are built on a disposable host: a Debian package with a library, and Python wheels with advisories."""

from __future__ import annotations

import json
import os
import shutil
import sys

from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, program, start_unit

DEBIAN_PACKAGE, LIBRARY = "libacme1", "/usr/lib/acme/libacme.so.1"
REPOSITORY, WHEELS, ADVISORIES = "/srv/repository", "/srv/wheels", "/srv/advisories"
#: Installs into the environment at VENV, from the wheels on the host alone: `install NAME==VERSION`.
VENV, INSTALL = "/srv/app/venv", "/srv/app/install"
_CONTROL = """Package: {name}
Version: {version}
Architecture: all
Maintainer: nobody <nobody@example.com>
Description: a library of this host alone
"""
_STARTED_WITHIN_SECONDS = 10.0


def build_debian(host: DisposableHost, version: str) -> str:
    """Build one version of the library's package and return the path of its file."""
    tree = f"/srv/build/{version}"
    host.write_file(f"{tree}/DEBIAN/control", _CONTROL.format(name=DEBIAN_PACKAGE, version=version))
    host.write_file(f"{tree}{LIBRARY}", f"version {version}\n" + "." * 4096)
    built = f"{REPOSITORY}/{DEBIAN_PACKAGE}_{version}.deb"
    host.run(["mkdir", "-p", REPOSITORY], check=True)
    host.run(["dpkg-deb", "--build", "--root-owner-group", "-Znone", tree, built], check=True)
    return built


def installed_debian(host: DisposableHost) -> str:
    """Return the version of the library that is installed, "" if none is."""
    return host.run(["dpkg-query", "--show", "--showformat=${Version}", DEBIAN_PACKAGE]).stdout


def offer_debian(host: DisposableHost) -> None:
    """Let apt know the packages that were built, and no others."""
    host.run([*program("apt_repository.py"), REPOSITORY], check=True)


def write_feed(host: DisposableHost, path: str, *entries: str) -> None:
    """Write a feed of Debian's security tracker with these entries, each `PACKAGE,0,FLAGS,FIXED,`."""
    host.run([*program("feed.py"), path], text_in="\n".join((*entries, "")), check=True)


def start_mapping(host: DisposableHost, unit: str, port: int) -> None:
    """Start a service that keeps the library mapped, as one that is linked with it does."""
    start_unit(host, unit, [*program("mapping.py"), str(port), LIBRARY], "Restart=no")
    wait_until(lambda: accepts(host, port), f"{unit}.service", seconds=_STARTED_WITHIN_SECONDS)


def maps_deleted(host: DisposableHost, pid: str) -> bool:
    """Tell whether a process still runs with a library whose file was replaced."""
    maps = host.run(["cat", f"/proc/{pid}/maps"]).stdout.splitlines()
    return any(LIBRARY in line and line.endswith("(deleted)") for line in maps)


def build_wheel(host: DisposableHost, name: str, version: str, source: str, folder: str = WHEELS) -> None:
    """Build a wheel of one module."""
    host.run([*program("wheel.py"), folder, name, version], text_in=source, check=True)


def make_environment(host: DisposableHost) -> None:
    """Make the virtual environment and the program that installs into it."""
    # What applications run with; an interpreter in somebody's home is out of reach of other accounts.
    python = shutil.which("python3", path=os.defpath) or sys.executable
    host.run([python, "-m", "venv", "--without-pip", VENV], check=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        f"{VENV}/bin/python",
        "--quiet",
        "--disable-pip-version-check",
        "install",
    ]
    where = ["--no-index", "--no-deps", "--no-cache-dir", f"--find-links={WHEELS}"]
    host.write_file(INSTALL, f'#!/bin/sh\nexec {" ".join([*pip, *where])} "$@"\n', mode=0o755)


def advisory(name: str, fixed: str, id: str = "ACME-2026-1") -> str:
    """Return the text of an advisory about all versions of a package before `fixed`, in the form of OSV."""
    span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}
    affected = [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": [span]}]
    return json.dumps({"id": id, "summary": "it can be made to say anything", "affected": affected})


def affected(host: DisposableHost) -> bool:
    """Tell whether an advisory on the host is about what is installed in the environment."""
    return host.run([*program("advisories.py"), VENV, ADVISORIES]).returncode != 0


def frozen(host: DisposableHost) -> str:
    """Return name and version of all that is installed in the environment, one a line."""
    return host.run([*program("advisories.py"), VENV], check=True).stdout
