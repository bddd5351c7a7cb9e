"""Run inside a disposable host: prints, as JSON, what systemd says over each way to its bus and what systemctl says."""

import dataclasses
import json
import sys

from zen_agents.adapters.linux_view_units import UnitReader
from zen_agents.adapters.systemd_bus import SystemdBus


def main() -> None:
    names = sys.argv[1:]
    ways = {
        # The system bus first: it is started by whoever asks it, and then runs for the others as well.
        "bus": SystemdBus(private="/nonexistent"),
        "private": SystemdBus(bus="/nonexistent"),
        "systemctl": UnitReader("systemctl", 5.0),
    }
    told = {
        way: {
            "state": reader.system_state(),
            "units": {name: unit and dataclasses.asdict(unit) for name, unit in reader.units(names).items()},
        }
        for way, reader in ways.items()
    }
    sys.stdout.write(json.dumps(told))


main()
