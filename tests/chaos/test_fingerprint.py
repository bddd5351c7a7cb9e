"""Nothing that a repair could change on a host escapes its fingerprint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaos.fingerprint import difference, fingerprint
from chaos.host import DisposableHost
from chaos.workload import start_web
from tests.support.disposable import host_or_skip

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root]


@pytest.fixture(scope="module")
def host() -> Iterator[DisposableHost]:
    yield from host_or_skip()


def test_a_host_that_is_left_alone_stays_as_it_is(host: DisposableHost) -> None:
    assert difference(fingerprint(host), fingerprint(host)) == ()


def test_every_kind_of_change_is_a_line_that_people_read(host: DisposableHost) -> None:
    host.write_file("/srv/app/kept", "one\n")
    host.write_file("/srv/app/gone", "one\n")
    before = fingerprint(host, ["/srv/app"])
    start_web(host, "web", 8080)
    host.write_file("/srv/app/kept", "two\n")
    host.run(["rm", "/srv/app/gone"], check=True)
    host.run(["chmod", "0600", "/etc/hosts"], check=True)
    host.run(["sed", "-i", "0,/^Version: .*/s//Version: 0.0-test/", "/var/lib/dpkg/status"], check=True)
    after = fingerprint(host, ["/srv/app"])

    changes = {change.subject: change for change in difference(before, after)}
    assert str(changes["unit web.service"]) == "unit web.service: absent -> loaded active running"
    assert str(changes["port tcp 8080"]) == "port tcp 8080: absent -> open"
    assert str(changes["file /srv/app/gone"]).endswith("-> absent")
    assert changes["file /srv/app/kept"].before.split()[:2] == changes["file /srv/app/kept"].after.split()[:2]
    assert changes["file /etc/hosts"].after.startswith("-rw------- 0:0")
    packages = [change for subject, change in changes.items() if subject.startswith("package ")]
    assert [change.after for change in packages] == ["0.0-test"]

    allowed = ["file /srv/app*", "file /etc/*", "unit web.service", "port tcp 8080", "package *"]
    assert difference(before, after, allowed=allowed) == ()
    assert [change.subject for change in difference(before, after, allowed=allowed[:-1])] == [packages[0].subject]
