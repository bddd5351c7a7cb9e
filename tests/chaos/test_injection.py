"""Harm is done inside disposable hosts alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from chaos.faults.base import Fault
from chaos.host import MARKER, DisposableHost
from chaos.injection import NotDisposableError, inject
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
    inject(Told(happened), host)
    assert happened == [host]

    host.run(["rm", "--force", MARKER], check=True)
    with pytest.raises(NotDisposableError, match="does not hold its own name"):
        inject(Told(happened), host)
    host.write_file(MARKER, "another\n")
    with pytest.raises(NotDisposableError, match="does not hold its own name"):
        inject(Told(happened), host)
    assert happened == [host]
