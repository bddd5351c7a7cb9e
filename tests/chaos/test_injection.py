"""Harm is done inside disposable hosts alone."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from chaos.faults.base import Fault
from chaos.host import MARKER, DisposableHost
from chaos.injection import NotDisposableError, inject
from chaos.workload import file_state, struck
from tests.support.disposable import host_or_skip


@dataclass(frozen=True)
class Told(Fault):
    """Tells only that it happened."""

    name = "told"
    on: list[object]

    def prepare(self, host: DisposableHost) -> None:
        raise NotImplementedError

    def inject(self, host: DisposableHost) -> None:
        self.on.append(host)

    def is_gone(self, host: DisposableHost) -> bool:
        raise NotImplementedError


@pytest.fixture
def host() -> Iterator[DisposableHost]:
    yield from host_or_skip()


class Pretending:
    """Has all that a host has, and is this machine."""

    pid, name = os.getpid(), "pretending"

    def read_file(self, path: str) -> str:
        return self.name


class ThisMachine(DisposableHost):
    """One whose systemd is said to be a process out here."""

    def read_file(self, path: str) -> str:
        return self.name


def this_machine() -> DisposableHost:
    machine = ThisMachine()
    machine.pid = os.getpid()
    return machine


@pytest.mark.parametrize("where", [Pretending(), DisposableHost(), this_machine()], ids=["pretending", "stopped", "outside"])
def test_nothing_happens_where_no_disposable_host_runs(where: Any) -> None:
    happened: list[object] = []
    with pytest.raises(NotDisposableError):
        inject(Told(happened), where)
    assert happened == []


@pytest.mark.systemd
@pytest.mark.needs_root
def test_a_fault_happens_on_a_host_that_holds_its_own_name_and_on_no_other(host: DisposableHost) -> None:
    happened: list[object] = []
    asked_at = time.monotonic()
    assert asked_at <= inject(Told(happened), host) <= time.monotonic(), "it does not say when it took effect"
    assert happened == [host]

    host.run(["rm", "--force", MARKER], check=True)
    with pytest.raises(NotDisposableError, match="does not hold its own name"):
        inject(Told(happened), host)
    host.write_file(MARKER, "another\n")
    with pytest.raises(NotDisposableError, match="does not hold its own name"):
        inject(Told(happened), host)
    assert happened == [host]


@pytest.mark.systemd
@pytest.mark.needs_root
def test_deeds_happen_in_order_and_their_moment_is_read_right_before_the_first(host: DisposableHost) -> None:
    for path in ("/srv/one", "/srv/two"):
        host.write_file(path, "kept", mode=0o640)
    before = time.monotonic()
    at = struck(host, ("chmod", "0600", "/srv/one"), ("unlink", "/srv/two"), ("run", "touch", "/srv/three"))
    assert before < at < time.monotonic()
    assert (file_state(host, "/srv/one"), file_state(host, "/srv/two")) == ("600 0:0", "")
    assert file_state(host, "/srv/three")
    with pytest.raises(subprocess.CalledProcessError):
        struck(host, ("run", "false"))
