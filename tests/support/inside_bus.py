"""Run inside a disposable host: prints, as JSON, what systemd says over each way to its bus and what systemctl says."""

import json
import sys
from collections.abc import Mapping

from zen_agents.adapters.linux_view_units import UnitReader
from zen_agents.adapters.systemd_bus import SystemdBus
from zen_agents.ports.host_units import Unit

PATIENCE_SECONDS = 20.0


def units_of(reader: SystemdBus | UnitReader, names: list[str]) -> Mapping[str, Unit | None]:
    return reader.units(names)[0] if isinstance(reader, SystemdBus) else reader.units(names)


def main() -> None:
    names = sys.argv[1:]
    ways = {
        # The system bus first: it is started by whoever asks it, and then runs for the others as well.
        "bus": SystemdBus(private="/nonexistent", timeout_seconds=PATIENCE_SECONDS),
        "private": SystemdBus(bus="/nonexistent", timeout_seconds=PATIENCE_SECONDS),
        "systemctl": UnitReader("systemctl", PATIENCE_SECONDS),
    }
    told = {
        way: {
            "state": reader.system_state(),
            "units": {name: unit and unit._asdict() for name, unit in units_of(reader, names).items()},
        }
        for way, reader in ways.items()
    }
    sys.stdout.write(json.dumps(told))


main()
