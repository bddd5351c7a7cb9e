"""Makes the checkout importable in the environment that runs this, with its `zen-agents` command. No network, no build."""

import stat
import sys
import sysconfig
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Write one .pth file and one script."""
    Path(sysconfig.get_path("purelib"), "zen-agents-checkout.pth").write_text(f"{CHECKOUT}\n", encoding="utf-8")
    script = Path(sysconfig.get_path("scripts"), "zen-agents")
    script.write_text(
        f"#!{sys.executable}\nimport sys\nfrom zen_agents.__main__ import main\nsys.exit(main())\n", encoding="utf-8"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


if __name__ == "__main__":
    main()
