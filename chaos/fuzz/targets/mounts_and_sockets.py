"""Lines of mountinfo, of /proc/net/tcp and of `systemctl show`, names of units, and time spans."""

from __future__ import annotations

import contextlib

from chaos.fuzz.given import folder, joined, put, sections
from chaos.fuzz.promise import promise
from zen_agents.adapters.linux_view_files import MountReader
from zen_agents.adapters.linux_view_sockets import DescriptorReader
from zen_agents.adapters.linux_view_units import parse_unit, span_seconds, unit_name
from zen_agents.errors import HostError

_TCP = b"  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 1000 0 4711 1 0 100\n"
_SHOW = (
    b"Id=web.service\nLoadState=loaded\nActiveState=active\nSubState=running\nMainPID=1\nStartLimitIntervalUSec=1min 30s\n"
)
SEEDS = (
    joined(b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n", _TCP, _SHOW, b"web@1.service"),
    joined(
        b"22 1 8:1 / /a\\040b ro master:1 shared:2 - tmpfs none ro\n23 1 99999999999999999999:1 / /x rw - a b c\n",
        b"x\n" + b"1 " * 12,
        b"LoadState=not-found\nActiveState=inactive\n",
        b"infinity",
    ),
    joined(
        b"1 1 -1:-1 / / rw - a b c",
        _TCP.replace(b"4711", b"\xff"),
        _SHOW.replace(b"1min", b"9" * 400 + b"y"),
        b"-x@.service",
    ),
    joined(
        b"1 1 8:1 / / rw - a",
        _TCP.replace(b"4711", b"9" * 5000),
        _SHOW.replace(b"MainPID=1", b"MainPID=" + b"9" * 5000),
        b"1us 2y",
    ),
)
WORDS = (
    b" - ",
    b"8:1 / ",
    b"\\040",
    b":1F90 ",
    b" 0A ",
    b"LoadState=",
    b"StartLimitIntervalUSec=",
    b"infinity",
    b"min ",
    b"@.service",
)


def fuzz(data: bytes) -> None:
    """Read one input as each of them."""
    mountinfo, tcp, show, word = sections(data, 4)
    root = folder("kernel")
    put(root / "self" / "mountinfo", mountinfo)
    put(root / "net" / "tcp", tcp)
    with contextlib.suppress(HostError):
        MountReader(str(root)).mounts()
    with contextlib.suppress(HostError):
        DescriptorReader(str(root)).listening_inodes(0x1F90)
    with contextlib.suppress(HostError):
        parse_unit(show.decode("utf-8", "replace"))
    text = word.decode("utf-8", "replace")
    with contextlib.suppress(HostError):
        name = unit_name(text)
        promise(not name.startswith("-") and "\n" not in name and "/" not in name, f"{name!r} passes for a unit")
    with contextlib.suppress(ValueError):
        promise(span_seconds(text) >= 0, f"{text!r} is a negative span")
