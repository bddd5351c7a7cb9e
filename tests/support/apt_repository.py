"""A local repository of tiny Debian packages, which apt and dpkg take for real, and a root of its own for them.

`python apt_repository.py` inside a disposable host makes it the host's only one: its dpkg then knows those packages alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
_CONTROL = """Package: {name}
Version: {version}
Architecture: all
Maintainer: nobody <nobody@example.com>
{fields}Description: a package of this test alone
"""
#: Where the host's own are while the test's are there.
_FOLDERS = (
    "etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "var/lib/apt/lists/partial",
    "var/cache/apt/archives/partial", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log/apt",
)  # fmt: skip
DPKG, LISTS = Path("/var/lib/dpkg"), Path("/var/lib/apt/lists")


class AptRepository:
    """A directory of packages with the index that apt reads; call `index` when it is complete."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)

    def add(
        self, name: str, version: str, *, files: Mapping[str, str] | None = None, scripts: Mapping[str, str] | None = None,
        keeps: tuple[str, ...] = (), copies: Mapping[str, str] | None = None, **fields: str,
    ) -> Path:  # fmt: skip
        """Build one package and return its file.

        Args:
            files: Content by absolute path, beside a file of its own that says the version.
            scripts: Maintainer scripts by name, each the lines behind `#!/bin/sh`.
            keeps: Which of the files are configuration files.
            copies: Further files, each with the file whose content it has.
            fields: Control fields, `Depends="other"`, with `_` for `-`.
        """
        tree = self.folder / ".build" / f"{name}-{version}"
        shutil.rmtree(tree, ignore_errors=True)
        control = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in fields.items())
        self._write(tree / "DEBIAN/control", _CONTROL.format(name=name, version=version, fields=control))
        for path, text in {f"/usr/share/{name}/version": f"{version}\n", **(files or {})}.items():
            self._write(tree / path.lstrip("/"), text)
        for path, original in (copies or {}).items():
            target = tree / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(original, target)
        for script, lines in (scripts or {}).items():
            self._write(tree / "DEBIAN" / script, f"#!/bin/sh\n{lines}\n", mode=0o755)
        if keeps:
            self._write(tree / "DEBIAN/conffiles", "".join(f"{path}\n" for path in keeps))
        made = self.folder / f"{name}_{version.replace(':', '%3a')}_all.deb"
        self._run("dpkg-deb", "--build", "--root-owner-group", "-Znone", str(tree), str(made))
        return made

    def index(self) -> None:
        """Write what apt reads."""
        paragraphs = [self._paragraph(deb) for deb in sorted(self.folder.glob("*.deb"))]
        (self.folder / "Packages").write_text("\n".join(paragraphs))

    @property
    def source(self) -> str:
        """A line of sources.list for it; what is fetched is copied, as from a server."""
        return f"deb [trusted=yes] copy:{self.folder} ./\n"

    def _paragraph(self, deb: Path) -> str:
        content = deb.read_bytes()
        control = self._run("dpkg-deb", "--field", str(deb))
        return f"{control}Filename: ./{deb.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"

    def _write(self, path: Path, text: str, mode: int = 0o644) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def _run(self, *argv: str) -> str:
        return subprocess.run(argv, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout


class AptRoot:
    """A root of its own for apt and dpkg, for which nobody has to be root; what `environment` says leads them there."""

    def __init__(self, folder: Path, source: str) -> None:
        self.folder = folder
        for place in _FOLDERS:
            (folder / place).mkdir(parents=True)
        (folder / "var/lib/dpkg/status").touch()
        (folder / "etc/apt/sources.list").write_text(source)
        self.config = folder / "apt.conf"
        self.configure()

    @property
    def environment(self) -> Mapping[str, str]:
        """What leads apt and dpkg here."""
        return {"APT_CONFIG": str(self.config), "DPKG_ADMINDIR": f"{self.folder}/var/lib/dpkg"}

    def configure(self, *lines: str) -> None:
        """Write apt's configuration anew, with lines more."""
        status = f"{self.folder}/var/lib/dpkg/status"
        options = f'"--root={self.folder}"; "--force-not-root"; "--force-script-chrootless"; "--log=/dev/null";'
        own = (
            f'Dir "{self.folder}/";', f'Dir::State::status "{status}";', 'Dir::Bin::dpkg "/usr/bin/dpkg";',
            f"DPkg::Options {{{options}}};", 'APT::Architecture "amd64";', 'APT::Architectures {"amd64";};',
            f'APT::Sandbox::User "{os.geteuid()}";',
        )  # fmt: skip
        self.config.write_text("\n".join((*own, *lines)) + "\n")

    def run(self, *argv: str, check: bool = True) -> str:
        """Run a program of apt and return what it printed."""
        ended = subprocess.run(
            argv,
            env={**ENVIRONMENT, **self.environment},
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert ended.returncode == 0 or not check, ended.stderr + ended.stdout
        return ended.stdout

    def has(self, *wanted: str) -> None:
        """Fetch the lists and install these, each `NAME=VERSION`; what was fetched for that is not kept."""
        self.run("apt-get", "update")
        self.run("apt-get", "--assume-yes", "--allow-downgrades", "install", *wanted)
        self.run("apt-get", "clean")


def take_over_host(repository: AptRepository) -> None:
    """Make a repository the only one of this disposable host, whose dpkg forgets all that was installed."""
    if not Path("/run/zen-disposable-host").exists():
        raise SystemExit("this is no disposable host")
    for path in (*DPKG.glob("*"), *LISTS.glob("*_*")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for folder in ("info", "updates", "triggers", "alternatives", "parts"):
        (DPKG / folder).mkdir(exist_ok=True)
    for name in ("status", "available", "diversions", "statoverride"):
        (DPKG / name).touch()
    sources = Path("/etc/apt/sources.list.d")
    for path in sources.glob("*"):
        path.unlink()
    Path("/etc/apt/sources.list").write_text(repository.source)
    # As on a host that is no container: the first keeps what was fetched, the second what it found.
    for path in Path("/etc/apt/apt.conf.d").glob("docker*"):
        path.unlink()
    subprocess.run(("apt-get", "update", "-qq"), env=ENVIRONMENT, check=True, capture_output=True)


def main() -> None:
    """Make the repository that the JSON on stdin lists, in the directory that is named, and the host's only one."""
    repository = AptRepository(Path(sys.argv[1]))
    for package in json.load(sys.stdin):
        repository.add(**{**package, "keeps": tuple(package.get("keeps", ()))})
    repository.index()
    take_over_host(repository)
    sys.stdout.write("{}")


if __name__ == "__main__":
    main()
