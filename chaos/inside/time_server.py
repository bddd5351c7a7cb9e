"""A time server on 127.0.0.1:123 whose clock is AHEAD seconds behind this one's: `time_server.py AHEAD`."""

import socket
import struct
import sys
import time

_FROM_1900 = 2_208_988_800


def main(ahead: float) -> None:
    """Answer whoever asks."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 123))
        while True:
            question, client = server.recvfrom(512)
            if len(question) >= 48:
                moment = struct.pack("!Q", int((time.time() - ahead + _FROM_1900) * 2**32))
                server.sendto(bytes([0x24, 2]) + bytes(22) + question[40:48] + moment + moment, client)


main(float(sys.argv[1]))
