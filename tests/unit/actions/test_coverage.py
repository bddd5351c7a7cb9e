from __future__ import annotations

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.coverage import logrotate_covers, logrotate_patterns, matches, tmpfiles_covers
from zen_agents.errors import HostError

CONF = """# a comment with /var/log/not-this.log {
weekly
include /etc/logrotate.d
/var/log/wtmp {
    missingok
    postrotate
        test -e /var/log/inside.log { && echo }
    endscript
}
/var/log/a.log "/var/log/with space.log"
/var/log/app/*.log
{
    rotate 4
}
"""


def test_paths_stand_before_the_braces() -> None:
    assert logrotate_patterns(CONF) == ("/var/log/wtmp", "/var/log/a.log", "/var/log/with space.log", "/var/log/app/*.log")


def test_an_odd_quote_covers_rather_than_not() -> None:
    assert "/var/log/a.log" in logrotate_patterns("/var/log/a.log 'half {\n}\n")


@pytest.mark.parametrize(
    ("path", "pattern", "fits"),
    [
        ("/var/log/app/x.log", "/var/log/app/*.log", True),
        ("/var/log/app/deep/x.log", "/var/log/app/*.log", False),
        ("/var/log/app/x.log", "/var/log/*/*.log", True),
        ("/var/log/App/x.log", "/var/log/app/*.log", False),
    ],
)
def test_a_wildcard_stays_within_its_component(path: str, pattern: str, fits: bool) -> None:
    assert matches(path, pattern) is fits


def test_logrotate_counts_only_where_it_is_installed() -> None:
    host = SimulatedHost()
    host.files.add_file("/etc/logrotate.conf", CONF)
    host.files.add_file("/etc/logrotate.d/app", "/srv/app/*.log {\n daily\n}\n")
    host.files.add_file("/etc/logrotate.d/old.dpkg-old", "/srv/old/*.log {\n daily\n}\n")
    assert logrotate_covers("/srv/app/web.log", host.look()) == ""
    host.files.add_file("/usr/sbin/logrotate")
    assert logrotate_covers("/srv/app/web.log", host.look()) == "/etc/logrotate.d/app"
    assert logrotate_covers("/var/log/a.log", host.look()) == "/etc/logrotate.conf"
    assert logrotate_covers("/srv/old/web.log", host.look()) == ""
    assert logrotate_covers("/srv/other/web.log", host.look()) == ""


def test_a_configuration_that_cannot_be_read_is_no_answer() -> None:
    host = SimulatedHost()
    host.files.add_file("/usr/sbin/logrotate")
    host.files.add_file("/etc/logrotate.conf", CONF)
    host.faults.fail("read_text")
    with pytest.raises(HostError):
        logrotate_covers("/srv/app/web.log", host.look())


def test_tmpfiles_covers_what_is_below_a_line_with_an_age() -> None:
    host = SimulatedHost()
    host.files.add_file("/usr/lib/tmpfiles.d/tmp.conf", "q /tmp 1777 root root 10d\nD /run/x 0755 root root -\n")
    host.files.add_file("/etc/tmpfiles.d/app.conf", "# none\nd /srv/app/tmp 0700 app app 2d\nx /tmp/kept\n")
    for path, origin in {
        "/tmp/app": "/usr/lib/tmpfiles.d/tmp.conf",
        "/srv/app/tmp": "/etc/tmpfiles.d/app.conf",
        "/srv/app": "",
        "/run/x": "",
        "/srv/application/tmp": "",
    }.items():
        assert tmpfiles_covers(path, host.look()) == origin, path


def test_a_file_of_the_administrator_replaces_the_shipped_one() -> None:
    host = SimulatedHost()
    host.files.add_file("/usr/lib/tmpfiles.d/tmp.conf", "q /tmp 1777 root root 10d\n")
    host.files.add_file("/etc/tmpfiles.d/tmp.conf", "q /tmp 1777 root root -\n")
    assert tmpfiles_covers("/tmp/app", host.look()) == ""


def test_without_systemd_nobody_runs_tmpfiles() -> None:
    host = SimulatedHost(systemd=False)
    host.files.add_file("/usr/lib/tmpfiles.d/tmp.conf", "q /tmp 1777 root root 10d\n")
    assert tmpfiles_covers("/tmp/app", host.look()) == ""
