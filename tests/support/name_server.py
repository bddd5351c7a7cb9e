"""A name server on the loopback, on a port that the kernel picks, by UDP and TCP; what it answers is up to the test."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

#: Given the question and whether it came by TCP, returns the answer, or None for silence.
Answering = Callable[[bytes, bool], bytes | None]


def an_answer(asked: bytes, *addresses: bytes, code: int = 0, flags: int = 0x8180, kind: int = 1) -> bytes:
    """Return a well-formed answer with these addresses, as bytes."""
    records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(each)) + each for each in addresses)
    return asked[:2] + struct.pack("!5H", flags | code, 1, len(addresses), 0, 0) + asked[12:] + records


@contextlib.contextmanager
def name_server(answering: Answering) -> Iterator[int]:
    """Run it and give its port."""
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = stream.getsockname()[1]
        datagram = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagram.bind(("127.0.0.1", port))

        def by_udp() -> None:
            while True:
                asked, sender = datagram.recvfrom(4096)
                if not asked:
                    return
                if (said := answering(asked, False)) is not None:
                    datagram.sendto(said, sender)

        def by_tcp() -> None:
            with contextlib.suppress(OSError):
                while True:
                    with stream.accept()[0] as talk:
                        said = answering(talk.recv(4096)[2:], True)
                        if said is not None:
                            talk.sendall(len(said).to_bytes(2, "big") + said)

        threads = [threading.Thread(target=serve) for serve in (by_udp, by_tcp)]
        for thread in threads:
            thread.start()
        try:
            yield port
        finally:
            stream.shutdown(socket.SHUT_RDWR)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ("127.0.0.1", port))
            for thread in threads:
                thread.join()
