"""An advisory about a Python package that an application runs with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.packages import ADVISORIES, INSTALL, VENV, advisory, affected, build_wheel, frozen, make_environment
from chaos.workload import struck

_NAME, _INSTALLED, _FIXED, _LATER = "acmelib", "1.0", "1.2", "1.2.1"
_WORKS, _BROKEN = "def greet():\n    return 'hello'\n", "raise ImportError('forgotten file')\n"
_SMOKE = f"import {_NAME}; raise SystemExit({_NAME}.greet() != 'hello')"


@dataclass(frozen=True, slots=True)
class VulnerablePythonPackage(Fault):
    """The advisory comes in; the version that it calls fixed is among the host's wheels, and works or does not."""

    name = "vulnerable_python_package"

    fixed_works: bool = True

    def prepare(self, host: DisposableHost) -> None:
        build_wheel(host, _NAME, _INSTALLED, _WORKS)
        build_wheel(host, _NAME, _FIXED, _WORKS if self.fixed_works else _BROKEN)
        # What the authors bring out some days later.
        build_wheel(host, _NAME, _LATER, _WORKS, "/srv/later")
        make_environment(host)
        host.run([INSTALL, f"{_NAME}=={_INSTALLED}"], check=True)
        # What is known of others: a directory without any record would say nothing.
        host.write_file(f"{ADVISORIES}/OTHER-2026-1.json", advisory("another", "2.0", "OTHER-2026-1"))
        host.write_file(f"{self.REMEMBERED}/advisory.json", advisory(_NAME, _FIXED))
        host.write_file(f"{self.REMEMBERED}/freeze", frozen(host))

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("run", "cp", f"{self.REMEMBERED}/advisory.json", f"{ADVISORIES}/ACME-2026-1.json"))

    def is_gone(self, host: DisposableHost) -> bool:
        return not affected(host) and self._works(host)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        if self._works(host):
            return []
        return [f"the application does not work with {frozen(host).strip()}; it did with {self._before(host)}"]

    def _works(self, host: DisposableHost) -> bool:
        return host.run([f"{VENV}/bin/python", "-I", "-c", _SMOKE]).returncode == 0

    def _before(self, host: DisposableHost) -> str:
        return host.read_file(f"{self.REMEMBERED}/freeze").strip()
