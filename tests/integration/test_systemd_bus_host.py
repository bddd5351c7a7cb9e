"""A real systemd: over D-Bus it says of every kind of unit what `systemctl show` says."""

from collections.abc import Iterator

import pytest

from chaos.host import DisposableHost
from tests.support.disposable import answer_of, host_or_skip

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root]

UNITS = (
    "dbus.service", "systemd-journald.service", "no-such.service", "no_such-either.timer", "basic.target", "-.mount",
    "dbus.socket", "getty@tty1.service", "systemd-tmpfiles-clean.timer", "system.slice", "init.scope",
)  # fmt: skip


@pytest.fixture(scope="module")
def host() -> Iterator[DisposableHost]:
    yield from host_or_skip()


@pytest.mark.parametrize("way", ["private", "bus"])
def test_the_bus_says_what_systemctl_says(host: DisposableHost, way: str) -> None:
    told = answer_of(host, "inside_bus.py", *UNITS)
    assert told[way]["units"] == told["systemctl"]["units"]
    assert told[way]["state"] == told["systemctl"]["state"]
    assert told[way]["units"]["no-such.service"] is None
    assert told[way]["units"]["dbus.service"]["main_pid"] > 1


def test_more_units_than_the_bus_answers_at_once_are_told(host: DisposableHost) -> None:
    told = answer_of(host, "inside_bus.py", *(f"getty@many{number}.service" for number in range(150)))
    assert told["bus"]["units"] == told["private"]["units"] == told["systemctl"]["units"]
    assert len(told["bus"]["units"]) == 150
