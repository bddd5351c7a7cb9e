"""Run inside a disposable host: prints what the engine's own view says of the units named, as JSON."""

import json
import sys

from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.errors import HostError


def main() -> None:
    look = LinuxHost("/var/lib/zen-agents").look()
    units: dict[str, object] = {}
    for name in sys.argv[1:]:
        try:
            unit = look.unit(name)
            units[name] = unit._asdict() if unit is not None else None
        except HostError as error:
            units[name] = str(error)
    sys.stdout.write(json.dumps({"has_systemd": look.has_systemd(), "system_state": look.system_state(), "units": units}))


main()
