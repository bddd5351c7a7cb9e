"""Names that refer to nothing, what is not safe, and the environment."""

from __future__ import annotations

from zen_agents.settings.code import Code

MEANING: dict[str, Code] = {
    "ZC301": Code(
        "An unknown action.",
        "A ladder with a step that does not exist would stop there.",
        "Correct the name; `zen-agents explain actions` lists them.",
        "on_failure: [restart_servce]",
    ),
    "ZC302": Code(
        "An action that the allow-list does not name.",
        "An `actions:` section is complete: what it does not allow is never run, so this step would be denied each time.",
        "Add it under `actions.allow`, or remove it here.",
        "on_failure: [clear_cache]\nactions: {allow: {restart_service: {}}}",
    ),
    "ZC303": Code(
        "A name that refers to nothing.",
        "The service, directory, channel or window is not defined in this configuration.",
        "Correct the name, or define it.",
        'on_breach: ["restart_service:wbe"]',
    ),
    "ZC304": Code(
        "Things that depend on each other in a circle.",
        "Each would wait for the other, and none would ever be repaired.",
        "Remove one of the `depends_on`.",
        "a: {depends_on: [b]}\nb: {depends_on: [a]}",
    ),
    "ZC305": Code(
        "A rule's expression that does not compile.",
        "It names something that is not observed, or joins what cannot be joined.",
        "Correct it at the place under the caret; `zen-agents explain rules` lists names and functions.",
        'when: "avg(laod1, 5m) > 2"',
    ),
    "ZC401": Code(
        "A secret is written in the configuration.",
        "Configuration is read by people, copied into tickets and kept in version control.",
        "Move it to a file with mode 0600 and name that file, or set the environment variable.",
        "alerts:\n  pagerduty: {routing_key: R0ABCDEFGHIJKLMNOPQRSTUVWXYZ1234}",
    ),
    "ZC402": Code(
        "A file with a secret can be read by others.",
        "Then it is no secret.",
        "chmod 0600 the file and give it to the account that runs the engine.",
        "routing_key_file: /etc/zen-agents/secrets/pagerduty.key   # mode 0644",
    ),
    "ZC403": Code(
        "A configuration file, or a directory above it, can be written by others.",
        "Whoever may write it decides what the engine does as root.",
        "chown root and chmod go-w what the message names.",
        "chmod 0666 /etc/zen-agents/config.yaml",
    ),
    "ZC404": Code(
        "A command that would run as root without saying so.",
        "Root runs nobody else's code; who means it says `user: root`.",
        "Name the account with `user:`.",
        "services:\n  web: {command: {start: [/usr/bin/web]}}",
    ),
    "ZC405": Code(
        "A protected thing is named as a target.",
        "The system's own directories and services are never touched.",
        "Name the application's own directory or service.",
        "temp_dirs:\n  all: {path: /etc, older_than: 2d}",
    ),
    "ZC406": Code(
        "A plug-in cannot be used.",
        "Its code would run as the engine: it is loaded only from the host's own file, and only if others cannot write it.",
        "Install the package where only root may write, and name it in the main file.",
        "plugins: [some-package]",
    ),
    "ZC407": Code(
        "A monitoring plugin that others can write.",
        "What it says opens incidents and starts repairs, so only root may decide what it is.",
        "chown root and chmod go-w what the message names.",
        "agents:\n  system_health:\n    scripts: {disk: {command: [/srv/shared/check_disk]}}",
    ),
    "ZC408": Code(
        "A pack that says more than packs may, has the name of a shipped one, or is named where none may be.",
        "What may be done, who is told and who is asked is the host's to say, in its own file; a pack holds `agents` alone.",
        "Write it in the host's own file, beside `extends`.",
        "extends: [pack:nginx]   # in conf.d/10-web.yaml",
    ),
    "ZC601": Code(
        "An environment variable has a value that cannot be used.",
        "It wins over the file, so guessing would change what the engine does.",
        "Give it a value of the kind that the message names, or unset it.",
        "AGENT_SYSTEM_HEALTH_ENABLED=ture",
    ),
    "ZC602": Code(
        "PagerDuty is switched on without a key.",
        "Pages would go nowhere.",
        "Set alerts.pagerduty.routing_key_file, PAGERDUTY_ROUTING_KEY or PAGERDUTY_ROUTING_KEY_FILE.",
        "ALERT_PAGERDUTY_ENABLED=true",
    ),
    "ZC603": Code(
        "An environment variable that looks like one of ours is read by nothing.",
        "It is probably misspelt, and what it was to set is not set.",
        "Correct its name.",
        "AGENT_SYSTEM_HEALT_ENABLED=true",
    ),
    "ZC604": Code(
        "ZEN_AGENTS_MODE or --mode is looser than the file.",
        "From outside the file the mode can only be made safer.",
        "Change `mode` in the file, or leave the variable out.",
        "mode: observe   # with ZEN_AGENTS_MODE=enforce",
    ),
}
