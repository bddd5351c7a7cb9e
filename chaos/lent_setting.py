"""Lends a disposable host a setting that its kernel has only once: `python -m chaos.lent_setting PID PATH`.

A namespace of its own sees such a setting and cannot write it. The file of the outer one takes its place, seen from inside,
until the host ends; what is set there is set for the whole machine.
"""

from __future__ import annotations

import sys
from pathlib import Path

from chaos.kernel import attach_mount, detached_mount, enter_mounts, enter_network


def main() -> int:
    """Mount the file at this path, as it is here, at the same path of the host that this process belongs to."""
    pid, path = sys.argv[1:]
    lent = detached_mount(path)
    # Both are opened while /proc still is that of this side.
    with Path(f"/proc/{pid}/ns/net").open("rb") as network, Path(f"/proc/{pid}/ns/mnt").open("rb") as mounts:
        # Which settings there are below /proc/sys/net, and so where it is mounted, is a question of the network.
        enter_network(network.fileno())
        enter_mounts(mounts.fileno())
    attach_mount(lent, path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
