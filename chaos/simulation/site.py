"""The host that is simulated, and the configuration that its engine runs with."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from chaos.simulation import datasets
from chaos.simulation.host import SimulatedHost

#: Services that the engine may restart.
REPAIRABLE = ("web", "api", "worker", "mail")
#: A database, which it may not; a service that nothing is said of; one that is never touched.
LEFT_ALONE = ("postgresql", "bystander", "ssh")
#: Service -> the one without which it is not restarted.
DEPENDS_ON = {"api": "web"}
SERVICES = (*REPAIRABLE, *LEFT_ALONE)
DATA, SPOOL, SCRATCH, LOG, CACHE = "/srv/data", "/srv/spool", "/srv/scratch", "/var/log/app/app.log", "/srv/cache"
_GIB = 1 << 30


def make_host(seed: int, engine_pid: int) -> SimulatedHost:
    """Return a host on which everything is well, the engine among its processes."""
    host = SimulatedHost(seed=seed)
    host.add_process("zen-agents", pid=engine_pid)
    for number, name in enumerate(SERVICES):
        host.add_service(name, unit=f"{name}.service", port=8000 + number, start_seconds=host.random.choice([0.0, 0.5, 3.0]))
        host.start(name)
    host.files.add_disk("/srv", total_bytes=10 * _GIB)
    for path, mode in ((DATA, 0o750), (SPOOL, 0o755), (SCRATCH, 0o755), (CACHE, 0o755)):
        host.files.add_directory(path, mode=mode)
    host.files.add_file(LOG, size=1 << 20)
    datasets.hold_orders(host)
    host.files.fill("/srv", 40)
    return host


def configuration(key_file: str, *, without: str = "", **changes: Any) -> str:
    """Return the configuration as JSON, which is YAML, `without` one service; `changes` replace whole sections."""
    services: dict[str, Any] = {
        name: {
            "unit": f"{name}.service", "check": {"tcp": f"127.0.0.1:{8000 + SERVICES.index(name)}", "timeout": "2s"},
            "every": "30s", "fail_after": 2, "recover_after": 2, "bake": "15s", "severity": "error",
            "on_failure": ["restart_service"],
        }
        for name in (*REPAIRABLE, "postgresql")
        if name != without
    }  # fmt: skip
    root = {"owner": "root", "group": "root"}
    for child, needed in DEPENDS_ON.items():
        services[child]["depends_on"] = [needed]
    whole: dict[str, Any] = {
        "version": 1,
        "host": {"name": "sim"},
        "agents": {
            "system_health": {
                "interval": 300,
                "sample_interval": "1m",
                "services": services,
                "paths": {
                    "data": {"path": DATA, "kind": "directory", "mode": "0750", **root},
                    "spool": {"path": SPOOL, "kind": "directory", "create": True, "mode": "0755", **root},
                },
                "temp_dirs": {"scratch": {"path": SCRATCH, "older_than": "1h", "above": "80%", "down_to": "60%"}},
            },
            "data_validation": datasets.agent(),
        },
        "actions": {
            "default": "deny",
            "allow": {
                "restart_service": {
                    "units": [f"{name}.service" for name in (*REPAIRABLE, "postgresql")], "cooldown": "2m", "timeout": "60s",
                    "verify_within": "60s",
                },
                "create_directory": {"paths": [SPOOL]},
                "restore_permissions": {"paths": [DATA, SPOOL]},
                "clean_temp_files": {"paths": [SCRATCH]},
                "repair_data": datasets.allowed(),
            },
        },
        "alerts": {"email": {"to": ["ops@example.com"]}, "pagerduty": {"enabled": True, "routing_key_file": key_file}},
    }  # fmt: skip
    return json.dumps(whole | changes, indent=1)


def temper(chance: Random) -> dict[str, Any]:
    """Return limits and brakes to run with: half of all engines stop early, as shipped, the others are let act much."""
    if chance.random() < 0.5:
        return {}
    never = {"unknown_outcomes": 0, "exhausted_ladders": 0, "audit_write_fails": False, "engine_restarts": 0, "storm": False}
    most = chance.choice([3, 6, 100])
    return {
        "limits": {
            "max_auto_repairs_per_hour": most, "per_target_per_hour": chance.choice([2, 4, 50]),
            "max_concurrent": chance.choice([1, 2, 3]), "boot_grace": "30s",
        },
        "breakers": {
            "failures": {"open_after": chance.choice([2, 4, 50])}, "recurrence": {"open_after": chance.choice([2, 3, 50])},
            "flapping": {"open_after": chance.choice([4, 50])},
            "storm": {"targets": chance.choice([3, 10]), "share": "90%"},
        },
        "safe_mode": {"enter_when": never},
        "mode": chance.choice(["enforce", "enforce", "approve"]),
        "approvals": {"expire_after": chance.choice(["2m", "30m"])},
    }  # fmt: skip
