"""Upgrades of Debian packages by the real apt and dpkg, on a disposable host that knows a few tiny packages alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.host import REPOSITORY, DisposableHost
from tests.support.disposable import answer_of, host_or_skip, service
from tests.support.engine_process import wait_for

pytestmark = [pytest.mark.needs_root]

STATE, SOURCE = "/var/lib/zen-agents-test", "/srv/repository"
PACKAGES = [
    {"name": "libacme1", "version": "1.0"},
    {"name": "libacme1", "version": "1.1"},
    {"name": "app", "version": "1.0", "Depends": "libacme1"},
    {"name": "app", "version": "1.1", "Depends": "libacme1 (>= 1.1), extra", "files": {"/etc/app.conf": "new\n"},
     "keeps": ["/etc/app.conf"]},
    {"name": "extra", "version": "1.0"},
    {"name": "configured", "version": "1.0", "files": {"/etc/configured.conf": "old\n"}, "keeps": ["/etc/configured.conf"]},
    {"name": "configured", "version": "1.1", "files": {"/etc/configured.conf": "new\n"}, "keeps": ["/etc/configured.conf"]},
    {"name": "bad", "version": "1.0"},
    {"name": "bad", "version": "1.1", "scripts": {"postinst": "exit 3"}},
    {"name": "served", "version": "1.0"},
    # It ends its own service, and does not bring it back; in a copy of the root there is no service to end.
    {"name": "served", "version": "1.1", "scripts": {"postinst": "systemctl stop served.service || true"},
     "files": {"/usr/lib/systemd/system/served-too.service": "[Service]\nExecStart=/bin/true\n"}},
    {"name": "curious", "version": "1.0"},
    {"name": "curious", "version": "1.1", "scripts": {
        "postinst": 'set -e\n! systemctl is-system-running\n[ "$(tail -n +3 /proc/net/dev | wc -l)" = 1 ]\n'
                    'if mount -t tmpfs none /media; then umount /media; exit 9; fi\n[ "$(ls /dev | wc -l)" -lt 20 ]'}},
    {"name": "slow", "version": "1.0"},
    {"name": "slow", "version": "1.1", "scripts": {
        "postinst": "echo begun; while [ ! -e /run/go-on ]; do sleep 0.1; done; echo done"}},
]  # fmt: skip
LIBRARY = "/usr/lib/acme/libneeded.so"
#: Built where a compiler is: a library that goes away with an upgrade, and a program of somebody else that needs it.
LINKED = [
    {"name": "libneeded", "version": "1.0", "copies": {LIBRARY: "/srv/built/libneeded.so"}},
    {"name": "libneeded", "version": "1.1"},
]
INSTALLED = ["libacme1=1.0", "app=1.0", "bad=1.0", "served=1.0", "curious=1.0", "slow=1.0", "configured=1.0"]


@pytest.fixture(scope="module")
def host() -> Iterator[DisposableHost]:
    for made in host_or_skip(room="256m"):
        script = str(Path(REPOSITORY, "tests", "support", "apt_repository.py"))
        packages, wanted = (PACKAGES + LINKED, [*INSTALLED, "libneeded=1.0"]) if linked(made) else (PACKAGES, INSTALLED)
        made.run([sys.executable, script, SOURCE], text_in=json.dumps(packages), check=True)
        apt(made, "--no-install-recommends", "install", *wanted)
        yield made


def apt(host: DisposableHost, *words: str) -> None:
    host.run(["apt-get", "--assume-yes", "--quiet", *words], check=True, environment={"NEEDRESTART_SUSPEND": "1"})


def installed(host: DisposableHost) -> str:
    return host.run(["dpkg-query", "--show", "--showformat=${Package} ${Version} ${Status}\n"], check=True).stdout


def linked(host: DisposableHost) -> bool:
    """Build the library and the program in the host; False where no compiler is."""
    script = f"""set -e
mkdir -p /srv/built {Path(LIBRARY).parent}
cd /srv/built
echo 'int needed(void) {{ return 0; }}' > needed.c
printf '#include <unistd.h>\\nint needed(void); int main(void) {{ needed(); return pause(); }}' > user.c
gcc -shared -fPIC -o libneeded.so needed.c
gcc -o /usr/local/bin/needs user.c -L. -lneeded -Wl,-rpath,{Path(LIBRARY).parent}
"""
    return host.run(["sh", "-c", script]).returncode == 0


def upgrade(host: DisposableHost, how: str, packages: dict[str, str], **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = answer_of(
        host, "inside_debian.py", how, STATE, json.dumps({"packages": packages, **more}), timeout=120
    )
    return told


def test_an_upgrade_is_tried_made_checked_and_taken_back_whole(host: DisposableHost) -> None:
    host.run(["apt-mark", "auto", "libacme1"], check=True)
    before, mounts = installed(host), host.run(["cat", "/proc/mounts"]).stdout
    told = upgrade(host, "undo", {"app": "1.1"}, smoke=["cat", "/usr/share/app/version"], user="nobody")
    assert told["touches"] == ["libacme1", "app", "extra"]
    assert told["reversible"] == "yes"
    assert (told["effect"]["ok"], told["effect"]["after"]) == (True, "libacme1 1.1, app 1.1")
    assert "tried: " in told["effect"]["output"]
    assert (told["undo"]["ok"], told["missing"]) == (True, "")
    # What came along is gone again but for what dpkg remembers of it, and nothing is left of the copy.
    assert installed(host).replace("extra 1.0 deinstall ok config-files\n", "") == before
    assert host.run(["cat", "/proc/mounts"]).stdout == mounts
    assert host.run(["apt-mark", "showauto"]).stdout.split() == ["libacme1"]


def test_a_script_that_fails_is_found_in_the_copy_and_nothing_is_changed(host: DisposableHost) -> None:
    before, mounts = installed(host), host.run(["cat", "/proc/mounts"]).stdout
    told = upgrade(host, "act", {"bad": "1.1"})
    assert "so nothing was changed: the packages could not be installed" in told["said"]
    assert (installed(host), host.run(["cat", "/proc/mounts"]).stdout) == (before, mounts)
    assert host.run(["ls", "/usr/share/bad"]).stdout == "version\n"


def test_untried_it_fails_in_earnest_and_is_taken_back(host: DisposableHost) -> None:
    before = installed(host)
    told = upgrade(host, "act", {"bad": "1.1"}, trial=False)
    assert "what was there before is back" in told["said"]
    assert installed(host) == before
    assert host.run(["dpkg", "--audit"]).stdout == ""


def test_what_runs_in_the_copy_has_no_network_no_services_no_mounts_and_no_devices(host: DisposableHost) -> None:
    told = upgrade(host, "act", {"curious": "1.1"})
    # Tried, it found none of them; in earnest it did.
    assert "apt-get ended with" in told["said"], told
    assert "what was there before is back" in told["said"]


def test_a_smoke_test_that_fails_changes_nothing(host: DisposableHost) -> None:
    before = installed(host)
    told = upgrade(host, "act", {"libacme1": "1.1"}, smoke=["false"], user="nobody")
    assert "so nothing was changed: the smoke test fails" in told["said"]
    assert installed(host) == before


def test_a_program_that_runs_and_would_lack_a_library_is_found_in_the_copy(host: DisposableHost) -> None:
    if "libneeded" not in installed(host):
        pytest.skip("gcc is not installed")
    with host.popen(["/usr/local/bin/needs"]) as running:
        wait_for(lambda: host.run(["grep", "-qs", "libneeded", *_maps(host)]).returncode == 0, "a program that runs")
        told = upgrade(host, "act", {"libneeded": "1.1"})
        running.kill()
    assert "libraries are missing: /usr/local/bin/needs needs libneeded.so" in told["said"]
    assert host.run(["test", "-e", LIBRARY]).returncode == 0


def _maps(host: DisposableHost) -> list[str]:
    return [f"/proc/{pid}/maps" for pid in host.run(["pgrep", "needs"]).stdout.split()] or ["/dev/null"]


def test_a_configuration_file_that_somebody_changed_stays_so(host: DisposableHost) -> None:
    host.write_file("/etc/configured.conf", "mine\n")
    assert upgrade(host, "act", {"configured": "1.1"})["effect"]["ok"]
    assert host.read_file("/etc/configured.conf") == "mine\n"


@pytest.mark.systemd
def test_a_service_that_does_not_come_back_takes_the_upgrade_back(host: DisposableHost) -> None:
    service(host, "served", "/bin/sleep infinity")
    host.run(["sh", "-c", "echo /usr/lib/systemd/system/served.service >> /var/lib/dpkg/info/served.list"], check=True)
    host.run(["systemctl", "start", "served"], check=True)
    told = upgrade(host, "act", {"served": "1.1"})
    assert "served.service ran before and does not now; what was there before is back" in told["said"]
    assert "served 1.0 install ok installed" in installed(host)


def test_a_lock_that_somebody_holds_is_told_and_nothing_is_changed(host: DisposableHost) -> None:
    lock = "import fcntl, time; file = open('/var/lib/dpkg/lock-frontend', 'w'); fcntl.lockf(file, fcntl.LOCK_EX)"
    hold = f"{lock}; print('held', flush=True); time.sleep(60)"
    with host.popen([sys.executable, "-c", hold], stdout=-1) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        told = upgrade(host, "act", {"libacme1": "1.1"}, trial=False)
        holder.kill()
    assert "Could not get lock" in told["said"]
    assert "what was there before is still there" in told["said"]


def test_another_package_than_the_list_says_is_refused(host: DisposableHost) -> None:
    deb = f"{SOURCE}/libacme1_1.1_all.deb"
    host.run(["cp", deb, "/srv/kept.deb"], check=True)
    try:
        host.run(["sh", "-c", f"printf x | dd of={deb} bs=1 seek=200 conv=notrunc"], check=True)
        apt(host, "clean")
        before = installed(host)
        told = upgrade(host, "act", {"libacme1": "1.1"})
        assert "so nothing was changed: the packages could not be fetched" in told["said"]
        assert "ash Sum mismatch" in told["said"]
        assert installed(host) == before
    finally:
        host.run(["cp", "/srv/kept.deb", deb], check=True)


def test_an_emergency_stop_breaks_the_trial_off_and_nothing_is_left_of_it(host: DisposableHost) -> None:
    before, mounts = installed(host), host.run(["cat", "/proc/mounts"]).stdout
    with inside(host, "act", {"packages": {"slow": "1.1"}}, stdout=subprocess.PIPE) as trying:
        wait_for(lambda: tries(host), "the script of the package, in the copy")
        host.write_file(f"{STATE}/EMERGENCY_STOP", "set by the test\n", mode=0o600)
        told = json.loads(trying.communicate(timeout=60)[0])
    host.run(["rm", f"{STATE}/EMERGENCY_STOP"], check=True)
    assert "set by the test" in told["said"]
    assert not tries(host)
    assert (installed(host), host.run(["cat", "/proc/mounts"]).stdout) == (before, mounts)


def test_a_trial_ends_with_its_engine(host: DisposableHost) -> None:
    with inside(host, "act", {"packages": {"slow": "1.1"}}) as trying:
        wait_for(lambda: tries(host), "the script of the package, in the copy")
        trying.kill()
    wait_for(lambda: not tries(host), "the end of the trial")


def tries(host: DisposableHost) -> bool:
    return host.run(["pgrep", "--full", "slow.postinst"]).returncode == 0


def inside(host: DisposableHost, how: str, params: dict[str, Any], **streams: Any) -> subprocess.Popen[str]:
    script = str(Path(REPOSITORY, "tests", "support", "inside_debian.py"))
    words = [sys.executable, script, how, STATE, json.dumps(params)]
    return host.popen(words, environment={"PYTHONPATH": str(REPOSITORY)}, **streams)


def test_an_engine_that_is_killed_leaves_apt_to_finish_and_its_record(host: DisposableHost) -> None:
    engine = inside(host, "act", {"packages": {"slow": "1.1"}, "trial": False})
    wait_for(lambda: "half-configured" in installed(host), "dpkg at work")
    engine.kill()
    engine.wait()
    assert host.run(["cat", f"{STATE}/running/act-inside00"]).returncode == 0
    host.run(["touch", "/run/go-on"], check=True)
    wait_for(lambda: "slow 1.1 install ok installed" in installed(host), "the end of apt")
    assert host.run(["dpkg", "--audit"]).stdout == ""


def test_a_dpkg_that_was_interrupted_is_a_persons_to_finish(host: DisposableHost) -> None:
    status = "/var/lib/dpkg/status"
    host.run(["cp", status, "/srv/status"], check=True)
    try:
        host.run(
            ["sed", "-i", "/^Package: extra$/,/^$/d; 0,/install ok installed/s//install ok half-configured/", status],
            check=True,
        )
        told = upgrade(host, "plan", {"libacme1": "1.1"})
        assert (told["error"], told["reason"]) == ("RefusedError", "busy_elsewhere")
        assert "dpkg --configure -a" in told["said"]
    finally:
        host.run(["cp", "/srv/status", status], check=True)


def test_a_full_disk_changes_nothing_or_is_taken_back(host: DisposableHost) -> None:
    before = installed(host)
    host.run(
        ["sh", "-c", "for size in 1M 4k 1; do dd if=/dev/zero bs=$size 2>/dev/null >> /srv/fill; done; true"], timeout=120
    )
    try:
        told = upgrade(host, "act", {"libacme1": "1.1"}, trial=False)
        assert told.get("error"), told
    finally:
        host.run(["rm", "-f", "/srv/fill"], check=True)
    assert installed(host) == before
    assert host.run(["dpkg", "--audit"]).stdout == ""
