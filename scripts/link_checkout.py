"""Makes the checkout importable in the environment that runs this, with its `zen-agents` command. No network, no build."""

import stat
import sys
import sysconfig
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Write one .pth file and one script."""
    if sys.prefix == sys.base_prefix:
        sys.exit("this is for an environment of its own; run scripts/start.sh, which makes one")
    Path(sysconfig.get_path("purelib"), "zen-agents-checkout.pth").write_text(f"{CHECKOUT}\n", encoding="utf-8")
    script = Path(sysconfig.get_path("scripts"), "zen-agents")
    script.write_text(
        f"{first_lines()}import sys\nfrom zen_agents.__main__ import main\nsys.exit(main())\n", encoding="utf-8"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def first_lines() -> str:
    """Return what has this interpreter read the rest: a path with blanks, or a long one, cannot stand behind `#!`."""
    if " " not in sys.executable and len(sys.executable) < 120:
        return f"#!{sys.executable}\n"
    quoted = sys.executable.replace("'", "'\\''")
    # sh runs the second line; for Python the same line is text.
    return f"#!/bin/sh\n'''exec' '{quoted}' \"$0\" \"$@\"\n' '''\n"


if __name__ == "__main__":
    main()
