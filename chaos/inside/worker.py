"""A worker that waits until it is let go, enters a control group, and takes memory until the kernel ends it.

Arguments: the file that lets it go, and the group.
"""

import sys
import time
from pathlib import Path

go, group = (Path(argument) for argument in sys.argv[1:])
while not go.exists():
    time.sleep(0.02)
# Whoever is started in its place waits again.
go.unlink()
# Where there is no such group it ends here: without the limit it would take all that the machine has.
(group / "cgroup.procs").write_text("0", encoding="ascii")
held = []
while True:
    held.append(bytearray(1 << 20))
    time.sleep(0.001)
