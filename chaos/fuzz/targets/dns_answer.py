"""What a name server answers, and a resolv.conf: addresses, or a named error."""

from __future__ import annotations

import contextlib
import ipaddress

from chaos.fuzz.given import joined, sections
from chaos.fuzz.promise import promise
from zen_agents.adapters.dns_message import IPV4, IPV6, BadMessageError, question, reply
from zen_agents.errors import HostError
from zen_agents.model.resolver_file import given_back, read_resolver_file, switched

_ASKED = question("db.internal", IPV4, 0x1234)
_HEAD = b"\x12\x34\x81\x80\0\1\0\1\0\0\0\0"
_RECORD = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1"
_FILE = b"search internal\nnameserver 192.0.2.1\noptions timeout:1\n"
SEEDS = (
    joined(_HEAD + _ASKED[12:] + _RECORD, _FILE, b"db.internal"),
    joined(
        _HEAD + _ASKED[12:] + b"\xc0\x0c\0\5\0\1\0\0\0\0\0\2\xc0\x0c" + _RECORD, b"nameserver ::1\nnameserver\n", b"a..b"
    ),
    joined(b"\x12\x34\x83\x80" + _HEAD[4:] + _ASKED[12:], b"", b"\xc3\xa4.internal"),
    joined(b"\x12\x34\x81\x83\0\0" + _HEAD[6:], b"#zen-agents before: nameserver 1.1.1.1\n", b"x." * 100),
    joined(_HEAD + _ASKED[12:] + b"\xff" * 20, switched("nameserver 1.1.1.1\n", ["127.0.0.2"]).encode(), b""),
)
WORDS = (b"\xc0\x0c", b"\xc0\x20", _RECORD, b"\0\x1c\0\1", b"\x81\x83", b"nameserver ", b"#zen-agents before: ", b"\n")


def fuzz(data: bytes) -> None:
    """Read one input as an answer, a file and a name."""
    answer, file, name = sections(data, 3)
    for kind in (IPV4, IPV6):
        with contextlib.suppress(BadMessageError):
            for address in reply(answer, question("db.internal", kind, 0x1234)).addresses:
                promise(ipaddress.ip_address(address).version == (4 if kind == IPV4 else 6), f"{address} is not wanted")
    _switch(file.decode("utf-8", "replace"))
    with contextlib.suppress(HostError):
        asked = question(name.decode("utf-8", "replace"), IPV4, 1)
        promise(len(asked) <= 12 + 255 + 4, "a name that is too long is asked for")


def _switch(text: str) -> None:
    promise(given_back(given_back(text)) == given_back(text), "giving back twice is not giving back once")
    if not read_resolver_file(text).is_switched:
        with contextlib.suppress(ValueError):
            promise(given_back(switched(text, ["127.0.0.2"])) == text, "what stood there does not come back")
