"""The soaked host: directories, files, a service and a pager, all below one directory, and the configuration for them."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from chaos.soak.faults import ChangedMode, Fault, FullDirectory, GrownLog, KilledService, MissingDirectory
from chaos.soak.pace import Pace
from chaos.soak.sink import Sink
from scripts.benchmarks.processes import free_port
from scripts.benchmarks.repair import service_argv

ROTATE_AT = 64 * 1024
_CACHE_FILE, _CACHE_FILES = 4096, 20


@dataclass(frozen=True, slots=True)
class Scene:
    """What is watched, and what breaks it."""

    config: Path
    state: Path
    faults: tuple[Fault, ...]
    sink: Sink


def prepare(folder: Path, pace: Pace) -> Scene:
    """Make everything below `folder`, which is empty, and return it."""
    for name in ("spool", "old", "cache", "log"):
        (folder / name).mkdir(mode=0o755)
    (folder / "app.conf").touch(mode=0o640)
    (folder / "app.conf").chmod(0o640)
    (folder / "log" / "app.log").touch(mode=0o644)
    (folder / "routing-key").touch(mode=0o600)
    (folder / "routing-key").write_text("0123456789abcdef0123456789abcdef", encoding="ascii")
    port, sink = free_port(), Sink(pace.scaled(pace.fault_seconds))
    config = folder / "config.yaml"
    config.touch(mode=0o600)
    config.write_text(_configuration(folder, pace, port, sink.port), encoding="utf-8")
    state = folder / "state"
    faults: tuple[Fault, ...] = (
        KilledService(state / "services" / "web", port),
        MissingDirectory(folder / "spool"),
        ChangedMode(folder / "app.conf", 0o640),
        GrownLog(folder / "log" / "app.log", ROTATE_AT),
        FullDirectory(folder / "old", "old temporary files", "temp_dir:old"),
        FullDirectory(folder / "cache", "cache grown", "cache:cache", files=_CACHE_FILES, left=_CACHE_FILES // 2),
    )
    return Scene(config, state, faults, sink)


#: Nothing here can be reached. Whoever injects faults undoes repairs again and again: that is no fight here.
_UNLIMITED = """limits:
  max_auto_repairs_per_hour: 1000000
  max_housekeeping_per_hour: 1000000
  per_target_per_hour: 1000000
  boot_grace: 0s
breakers:
  failures: {open_after: 1000000}
  recurrence: {open_after: 1000000, within: 1s, retry_after: 1s}
  flapping: {open_after: 1000000}
  storm: {targets: 1000000, share: 100%}
safe_mode: {enter_when: {unknown_outcomes: 0, exhausted_ladders: 0, engine_restarts: 0, storm: false}}
"""


def _configuration(folder: Path, pace: Pace, port: int, sink_port: int) -> str:
    """Return the configuration: the shipped periods divided by the speed, and limits that nothing here can reach."""
    argv = ", ".join(f'"{word}"' for word in service_argv(folder, port))
    me, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    every_path, every_walk = pace.yaml(pace.path_seconds), pace.yaml(pace.walk_seconds)
    return f"""version: 1
agents:
  system_health:
    interval: {pace.interval}
    sample_interval: {pace.yaml(pace.sample_seconds)}
    services:
      web:
        command: {{start: [{argv}], user: {me}}}
        check: {{tcp: "127.0.0.1:{port}", timeout: 1s}}
        every: {pace.yaml(pace.service_seconds)}
        fail_after: 1
        recover_after: 1
        bake: 0s
        attempts: 10
    paths:
      spool: {{path: {folder}/spool, kind: directory, mode: "0755", owner: {me}, group: {group}, create: true,
               every: {every_path}}}
      conf: {{path: {folder}/app.conf, mode: "0640", owner: {me}, group: {group}, every: {every_path}}}
    temp_dirs: {{old: {{path: {folder}/old, older_than: 1m, every: {every_walk}}}}}
    logs: {{app: {{path: {folder}/log/app.log, rotate_at: {ROTATE_AT}B, keep: 3, every: {every_path}}}}}
    caches: {{cache: {{path: {folder}/cache, above: {_CACHE_FILE * _CACHE_FILES * 3 // 4}B,
                       down_to: {_CACHE_FILE * _CACHE_FILES // 2}B, every: {every_walk}}}}}
actions:
  allow:
    restart_service: {{services: [web], {_free("verify_within: 30s")}}}
    create_directory: {{paths: [{folder}/spool], {_free()}}}
    restore_permissions: {{paths: [{folder}/app.conf, {folder}/spool], {_free()}}}
    clean_temp_files: {{paths: [{folder}/old], {_free()}}}
    rotate_logs: {{paths: [{folder}/log/app.log], {_free()}}}
    clear_cache: {{paths: [{folder}/cache], {_free()}}}
alerts:
  group_wait: 0s
  max_per_hour: 10000
  pagerduty: {{enabled: true, url: "http://127.0.0.1:{sink_port}", routing_key_file: {folder}/routing-key}}
{_UNLIMITED}"""


def _free(more: str = "") -> str:
    return ", ".join(filter(None, ("approval: auto, cooldown: 0s, max_per_hour: 1000000", more)))
