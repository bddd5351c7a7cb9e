"""Connections, routes, links and local ports: of this machine where it can show them, of tables where it cannot."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from zen_agents.adapters import linux_local_ports, linux_network
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.errors import HostError
from zen_agents.ports.host_network import Link, Route

GENEROUS = 10.0
_ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth1\t00000000\t020200C0\t0002\t0\t0\t100\t00000000\t0\t0\t0
wg0\t00000000\t00000000\t0001\t0\t0\t200\t00000000\t0\t0\t0
"""
_NOWHERE = "0" * 32
_ROUTES6 = f"""{_NOWHERE} 00 {_NOWHERE} 00 {"0" * 31}1 00000400 00000001 00000000 00000003     eth0
{_NOWHERE} 00 {_NOWHERE} 00 {_NOWHERE} ffffffff 00000001 00000000 00200200       lo
"""
_HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


@pytest.fixture
def host(tmp_path: Path) -> LinuxHost:
    return LinuxHost(tmp_path)


def tables(folder: Path, **files: str) -> str:
    """Write what /proc would say and return where."""
    for name, content in {"sys__net__ipv4__ip_local_port_range": "40000\t40009\n", **files}.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return str(folder)


# -- connections ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def accepting(*, linger: bool = False, greeting: bytes = b"", stays: bool = True) -> Iterator[int]:
    over = threading.Event()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                with listener.accept()[0] as talk:
                    talk.sendall(greeting)
                    if linger:
                        talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    if stays:
                        over.wait(GENEROUS)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


async def test_a_connection_that_stays_is_well_and_so_is_one_that_greets(host: LinuxHost) -> None:
    for greeting in (b"", b"220 hello\r\n"):
        with accepting(greeting=greeting) as port:
            assert (await host.look().connection("127.0.0.1", port, GENEROUS)).ok


async def test_who_accepts_and_hangs_up_at_once_has_reset(host: LinuxHost) -> None:
    for linger in (False, True):
        with accepting(linger=linger, stays=False) as port:
            assert (await host.look().connection("127.0.0.1", port, GENEROUS)).error == "reset"


async def test_each_other_way_to_fail_has_its_word(host: LinuxHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    look = host.look()
    assert (await look.connection("127.0.0.1", port, GENEROUS)).error == "refused"
    assert (await look.connection("name.invalid", port, GENEROUS)).error == "name_error"
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        where = full.getsockname()
        with socket.create_connection(where), contextlib.ExitStack() as stack:
            for _ in range(3):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(where)
            assert (await look.connection("127.0.0.1", where[1], 0.2)).error == "timeout"


# -- routes and links -----------------------------------------------------------------------------------------------------


def test_the_default_routes_that_are_up_are_told_of_ipv4_first(tmp_path: Path) -> None:
    root = tables(tmp_path, net__route=_ROUTES, net__ipv6_route=_ROUTES6)
    assert linux_network.default_routes(root) == (Route("eth0", "192.0.2.1"), Route("wg0", ""), Route("eth0", "::1"))


def test_a_host_without_ipv6_has_the_routes_that_it_has(tmp_path: Path) -> None:
    assert linux_network.default_routes(tables(tmp_path, net__route=_ROUTES))[0] == Route("eth0", "192.0.2.1")


@pytest.mark.parametrize(
    "line", ["eth0\n", "eth0 00000000 zz 0001 0 0 0 00000000\n", "eth0 00000000 1FFFFFFFF 1 0 0 0 00000000\n"]
)
def test_routes_that_make_no_sense_cannot_be_told(tmp_path: Path, line: str) -> None:
    with pytest.raises(HostError, match="not as expected"):
        linux_network.default_routes(tables(tmp_path, net__route=f"head\n{line}"))


def test_this_machines_loopback_is_there_and_another_is_not(host: LinuxHost) -> None:
    look = host.look()
    assert isinstance(look.default_routes(), tuple)
    assert look.link("lo") in (Link("unknown", True), Link("down", False))
    assert look.link("nosuchlink") is None
    for name in ("", "..", "a/b", "x" * 16):
        with pytest.raises(HostError):
            look.link(name)


def test_where_a_link_leads_is_told(host: LinuxHost, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("file")
    look = host.look()
    assert look.real_path(str(tmp_path / "link")) == look.real_path(str(tmp_path / "file")) == str(tmp_path / "file")
    with pytest.raises(HostError):
        look.real_path("relative")


# -- local ports ----------------------------------------------------------------------------------------------------------


def line(own: int, other: str, state: str, inode: int, *, left: int = 0) -> str:
    timer = f"{'03' if left else '00'}:{left:08X}"
    return f"   0: 0100007F:{own:04X} {other} {state} 00000000:00000000 {timer} 00000000     0        0 {inode} 1 0\n"


def test_the_ports_towards_one_address_and_port_are_counted(tmp_path: Path) -> None:
    api, db = "0100007F:1F90", "0200007F:1538"
    tcp = [line(8080, "00000000:0000", "0A", 1)]
    tcp += [line(40000 + each, api, "01", 10 + each) for each in range(3)] + [line(40003, api, "06", 0)]
    # A port may be taken towards another one as well, and those outside the range are nobody's concern.
    tcp += [line(40000 + each, db, "01", 20 + each) for each in range(3)]
    tcp += [line(50000 + each, api, "01", 30 + each) for each in range(5)]
    reading = linux_local_ports.read(tables(tmp_path, net__tcp=_HEAD + "".join(tcp)))
    assert reading.use == (40000, 40009, 4, "127.0.0.1:8080", 1, (8080,))
    assert reading.use.percent == 40.0
    assert reading.inodes == {10, 11, 12}
    assert linux_local_ports.busiest(reading.inodes, {10: [7], 11: [7, 8], 12: [8], 13: [9]}) == (7, 2)
    assert linux_local_ports.busiest(reading.inodes, {}) is None


@pytest.mark.parametrize(("reuse", "here", "there"), [("0", 1, 1), ("1", 0, 0), ("2", 0, 1)])
def test_closed_connections_that_make_way_take_no_port(tmp_path: Path, reuse: str, here: int, there: int) -> None:
    loopback = ("0100007F:1F90", "0000000000000000FFFF00000100007F:1F90", f"{'0' * 24}01000000:1F90")
    for other, taken in ((loopback[0], here), (loopback[1], here), (loopback[2], here), ("0200000A:1F90", there)):
        tcp = _HEAD + line(40000, other, "06", 0)
        use = linux_local_ports.read(tables(tmp_path, net__tcp=tcp, sys__net__ipv4__tcp_tw_reuse=f"{reuse}\n")).use
        assert (use.taken, use.time_wait) == (taken, 1)


def test_what_was_closed_within_the_last_second_makes_no_way_yet(tmp_path: Path) -> None:
    for left, taken in ((5950, 1), (5890, 0)):
        tcp = _HEAD + line(40000, "0100007F:1F90", "06", 0, left=left)
        assert linux_local_ports.read(tables(tmp_path, net__tcp=tcp, sys__net__ipv4__tcp_tw_reuse="2\n")).use.taken == taken


def test_addresses_of_ipv6_are_written_as_people_write_them(tmp_path: Path) -> None:
    mapped, plain = "0000000000000000FFFF00000100007F:0050", f"{'0' * 24}01000000:0050"
    for other, shown in ((mapped, "127.0.0.1:80"), (plain, "[::1]:80")):
        root = tables(tmp_path, net__tcp=_HEAD, net__tcp6=_HEAD + line(40000, other, "01", 1))
        assert linux_local_ports.read(root).use.towards == shown


@pytest.mark.parametrize(
    "files",
    [
        {"sys__net__ipv4__ip_local_port_range": "9 1\n"},
        {"sys__net__ipv4__ip_local_port_range": "x\n"},
        {"net__tcp": _HEAD + "   0: nonsense\n"},
        {"net__tcp": _HEAD + line(40000, "zz:zz", "01", 1)},
    ],
)
def test_tables_that_make_no_sense_cannot_be_told(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(HostError, match="not as expected"):
        linux_local_ports.read(tables(tmp_path, **files))


def test_connections_of_this_process_are_seen_and_whose_they_are(host: LinuxHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        where, look, opened = listener.getsockname(), host.look(), 0
        # Whatever else is connected on this machine: more than that in the end.
        while look.local_ports().towards != f"127.0.0.1:{where[1]}" and opened < 300:
            for _ in range(30):
                stack.enter_context(socket.create_connection(where))
                stack.enter_context(listener.accept()[0])
            look, opened = host.look(), opened + 30
        ports, client = look.local_ports(), look.local_port_client()
    assert (ports.taken, ports.towards) == (opened, f"127.0.0.1:{where[1]}")
    assert where[1] in ports.listening
    assert client is not None
    assert (client[0].pid, client[1]) == (os.getpid(), opened)


def test_the_table_of_the_firewall_is_read_as_the_kernel_tells_it(tmp_path: Path) -> None:
    root = str(tmp_path)
    assert linux_network.tracked_connections(root) is None
    place = tmp_path / "sys/net/netfilter"
    place.mkdir(parents=True)
    (place / "nf_conntrack_count").write_text("12\n")
    assert linux_network.tracked_connections(root) is None
    (place / "nf_conntrack_max").write_text("262144\n")
    assert linux_network.tracked_connections(root) == (12, 262144)
    (place / "nf_conntrack_max").write_text("many\n")
    with pytest.raises(HostError, match="no numbers"):
        linux_network.tracked_connections(root)
