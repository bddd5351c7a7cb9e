"""What the kernel says: the stack of a process, and the errors of a disk since it was mounted."""

from __future__ import annotations

import os
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from chaos.waiting import wait_until
from zen_agents.adapters import linux_view_kernel as kernel
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.errors import HostError
from zen_agents.ports.host_resources import Mount

MOUNTED = (
    "6,10,1,-;EXT4-fs (sdb1): mounted filesystem 1f08 r/w with ordered data mode. Quota mode: none.\n SUBSYSTEM=block\n"
)
ERROR = "3,11,2,-;EXT4-fs error (device sdb1): ext4_lookup:1855: inode #2: comm stat: deleted inode referenced: 12\n"
READ_ONLY = "2,12,3,-;EXT4-fs (sdb1): Remounting filesystem read-only\n"
BY_HAND = "6,13,4,-;EXT4-fs (sdb1): re-mounted 1f08 ro. Quota mode: none.\n"
DISK = "3,14,5,c;I/O error, dev sdb, sector 2048 op 0x1:(WRITE)\n"
OTHER = "3,15,6,-;EXT4-fs error (device sdb11): ext4_lookup: bad\n6,16,7,-;usb 1-1: new device, no error of any disk\n"


def said(text: str, names: tuple[str, ...] = ("sdb1", "sdb")) -> list[str]:
    return [line.partition(":")[0] for line in kernel.said_about(list(kernel.parsed(text.encode())), names, "/srv")]


@pytest.mark.parametrize(
    ("log", "errors"),
    [
        (MOUNTED, []),
        (MOUNTED + BY_HAND + OTHER, []),
        (MOUNTED + ERROR + READ_ONLY + BY_HAND, ["EXT4-fs error (device sdb1)", "EXT4-fs (sdb1)"]),
        (MOUNTED + DISK, ["I/O error, dev sdb, sector 2048 op 0x1"]),
        # What was before is over: it was checked, or the mount would say so.
        (ERROR + MOUNTED + BY_HAND, []),
        ("6,0,0,-;Linux version 6.1\n" + BY_HAND, []),
    ],
)
def test_only_what_was_said_of_this_disk_since_the_mount_counts(log: str, errors: list[str]) -> None:
    assert said(log) == errors


@pytest.mark.parametrize("log", ["", BY_HAND, ERROR, "6,9,1,-;EXT4-fs (sdb1): unmounting filesystem 1f08.\n"])
def test_a_log_that_does_not_reach_back_to_the_mount_tells_nothing(log: str) -> None:
    with pytest.raises(HostError, match="no longer reaches back"):
        said(log)


def test_a_damaged_record_tells_nothing() -> None:
    with pytest.raises(HostError, match="not as expected"):
        list(kernel.parsed(b"no record\n"))


def system(root: Path, *, errors: str = "0") -> Path:
    """Make a /sys with the partition sdb1 (8:17) of the disk sdb."""
    partition = root / "devices" / "sdb" / "sdb1"
    partition.mkdir(parents=True)
    (partition / "partition").write_text("1\n")
    (root / "dev" / "block").mkdir(parents=True)
    (root / "dev" / "block" / "8:17").symlink_to(partition)
    (root / "fs" / "ext4" / "sdb1").mkdir(parents=True)
    (root / "fs" / "ext4" / "sdb1" / "errors_count").write_text(f"{errors}\n")
    return root


def test_the_disk_below_a_partition_and_the_count_on_the_disk_itself_are_asked(tmp_path: Path) -> None:
    log = tmp_path / "kmsg"
    log.write_text(MOUNTED + DISK)
    mount = Mount("/srv", "/dev/sdb1", "ext4", True, os.makedev(8, 17))
    damaged = str(system(tmp_path / "damaged", errors="2"))
    found = kernel.errors_of(mount, kernel_log=str(tmp_path / "absent"), sys_root=damaged)
    assert found == ("sdb1 counts 2 errors of its file system",)
    sys_root = str(system(tmp_path / "sys"))
    found = kernel.errors_of(mount, kernel_log=str(log), sys_root=sys_root)
    assert found == ("I/O error, dev sdb, sector 2048 op 0x1:(WRITE)",)
    with pytest.raises(HostError, match="kernel's log cannot be read"):
        kernel.errors_of(mount, kernel_log=str(tmp_path / "absent"), sys_root=sys_root)
    with pytest.raises(HostError, match="on no disk of this host"):
        kernel.errors_of(Mount("/mnt", "server:/x", "nfs4", True, os.makedev(0, 40)), kernel_log=str(log), sys_root=sys_root)


def test_this_hosts_own_log_is_read_to_its_end() -> None:
    try:
        records = list(kernel.records("/dev/kmsg"))
    except HostError as reason:
        pytest.skip(str(reason))
    assert records
    assert all(first.sequence < second.sequence for first, second in pairwise(records))


@pytest.mark.needs_root
def test_a_sleeping_process_says_where_it_is_in_the_kernel(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        view = LinuxHost(tmp_path).look()
        process = view.process(child.pid)
        assert process is not None
        wait_until(lambda: any("sleep" in frame for frame in view.kernel_stack(process)), "its sleep", seconds=60)
        child.kill()
    with pytest.raises(HostError, match="is gone"):
        LinuxHost(tmp_path).look().kernel_stack(process)
