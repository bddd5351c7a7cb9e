"""A file that cannot be read, and keys that it may not have."""

from __future__ import annotations

from zen_agents.settings.code import Code

READING: dict[str, Code] = {
    "ZC001": Code(
        "The file is not YAML.",
        "Nothing can be told about a file that cannot be read to its end.",
        "Look at the place named and a little before it: a missing quote, bracket or colon, or a wrong indent.",
        "agents: [system_health",
    ),
    "ZC002": Code(
        "A tab is used for indentation.",
        "YAML forbids it, since nobody can see how deep a tab is.",
        "Replace it by two spaces a level.",
        "agents:\n\tsystem_health: {enabled: true}",
    ),
    "ZC003": Code(
        "A cron expression that starts with `*` is not quoted.",
        "YAML reads a leading `*` as the name of an anchor.",
        "Put the expression in double quotes.",
        "schedule: */15 * * * *",
    ),
    "ZC004": Code(
        "A YAML tag that is not allowed.",
        "Tags can build any object of the program; here values are what they look like.",
        "Remove the tag; `!!str` is the only one of use.",
        "mode: !!python/name:os.system",
    ),
    "ZC005": Code(
        "The file is too large or nested too deeply.",
        "A file that unfolds without bound (an alias bomb) would take the engine's memory.",
        "Split it into conf.d/*.yaml, or write out what aliases repeat.",
        "a: &a [x, x]\nb: [*a, *a]  # and so on",
    ),
    "ZC006": Code(
        "A configuration file cannot be read.",
        "The engine never starts on a part of its configuration, and never falls back to defaults.",
        "Check the path given with --config or ZEN_AGENTS_CONFIG, and that this account may read it.",
        "zen-agents check-config /no/such/file.yaml",
    ),
    "ZC101": Code(
        "An unknown key.",
        "A misspelt key that is ignored is a setting that silently does not hold.",
        "Correct the name; `zen-agents explain config PATH` lists the keys. Notes of your own go under `x-` keys.",
        "agents:\n  system_health:\n    cpu_treshold: 80",
    ),
    "ZC102": Code(
        "A key is given twice.",
        "YAML libraries let the second win without a word.",
        "Keep one of them, or merge what stands below both.",
        "agents: {}\nagents: {}",
    ),
    "ZC103": Code(
        "A setting of an agent stands where agents' names stand.",
        "It is indented too little, so it is read as an agent.",
        "Indent it below its agent.",
        "agents:\n  system_health:\n    enabled: true\n  cpu_threshold: 80",
    ),
    "ZC104": Code(
        "The same leaf is set in two files.",
        "The later file wins; whoever reads the other is misled.",
        "Keep it in one place.",
        "conf.d/10-a.yaml and conf.d/20-b.yaml both: limits: {max_concurrent: 1}",
    ),
    "ZC105": Code(
        "A key that is needed is missing.",
        "There is no default that would be right.",
        "Add it; `zen-agents explain config PATH` says what it takes.",
        "temp_dirs:\n  app: {older_than: 2d}",
    ),
    "ZC110": Code(
        "A part of the grammar that this version does not bring.",
        "It is understood, but nothing would act on it, and a setting is never ignored.",
        "Remove it, or use a version that has it.",
        'console: {listen: "127.0.0.1:8787"}',
    ),
    "ZC112": Code(
        "A step of a pack's ladder that the allow-list does not name.",
        "With `actions:` in your own file nothing else may run, and a pack never widens that, so the step is left out.",
        "Name the action in `actions.allow`, or write the ladder in your own file; an empty one only tells.",
        "extends: [pack:nginx]\nactions: {allow: {rotate_logs: {}}}",
    ),
}
