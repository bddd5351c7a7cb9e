"""Every code that settings can report: what it says, why it is refused, how to put it right, and an example."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """One code's page, as `zen-agents explain CODE` prints it."""

    what: str
    why: str
    fix: str
    #: A piece of configuration (or the environment) that has this fault.
    example: str


CODES: dict[str, Code] = {
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
    "ZC201": Code(
        "A value that is none of the choices.",
        "Only the listed words have a meaning here.",
        "Use one of the words that the message lists.",
        "minor_updates: automatic",
    ),
    "ZC202": Code(
        "A percentage outside its range.",
        "Thresholds are percent from 1 to 100; 0.8 would fire all the time and 900 never.",
        "Write 80 for 80 %.",
        "cpu_threshold: 0.8",
    ),
    "ZC203": Code(
        "A number without its unit.",
        "Five of what? Bare numbers are accepted only where the short form has them.",
        "Add the unit: 30s 5m 2h 7d, 512MiB, 10%.",
        "thresholds:\n  cpu: {for: 5}",
    ),
    "ZC204": Code(
        "An unknown time zone.",
        "A window in the wrong zone is open at the wrong time.",
        "Use a name of the IANA database, like Europe/Berlin or UTC.",
        "timezone: Europe/Berlim",
    ),
    "ZC205": Code(
        "A regular expression that does not compile, or could take without end.",
        "It could never match, or hold the engine: expressions are run by RE2, in linear time.",
        "Correct it at the place under the caret; single quotes keep backslashes as they are. Look-around, back-references "
        "and possessive repetition are not there; `\\d`, `\\w` and `\\b` mean ASCII, `\\pL` is any letter, `\\z` the end.",
        "match: 'Killed process (?P<pid>\\d+'",
    ),
    "ZC206": Code(
        "`clear` is not below the threshold.",
        "The alert could never clear.",
        "Set `clear` some points below the threshold; the default is five.",
        "cpu_threshold: 80\nthresholds:\n  cpu: {clear: 85}",
    ),
    "ZC207": Code(
        "A value of the wrong kind.",
        "A list, a map, a text, a number and true/false are different things here.",
        "Write the kind that the message names.",
        "enabled: [true]",
    ),
    "ZC208": Code(
        "A sample that its own pattern does not judge as it has to.",
        "The pattern would miss what it was written for, or fire at what it was not.",
        "Correct the expression, or the sample; `zen-agents test pattern NAME -` tries lines of your own.",
        "match: 'Killed process \\d+'\nsamples: {match: [\"Kill process 4242\"]}",
    ),
    "ZC209": Code(
        "A number outside its range.",
        "The engine could not work with it, or it would mean something else than it says.",
        "Use a value within the range that the message names.",
        "limits: {max_concurrent: 0}",
    ),
    "ZC210": Code(
        "A path that is not plain and absolute.",
        "A path that depends on a directory, on `..` or on a wildcard may name something else tomorrow.",
        "Write the absolute path; wildcards only where the key says so, in the last component.",
        "logs:\n  app: {path: ../app.log}",
    ),
    "ZC211": Code(
        "A file mode that is not a quoted octal number.",
        "YAML reads 0600 as the number six hundred.",
        'Write it in quotes: "0600".',
        "mode: 0600",
    ),
    "ZC212": Code(
        "A cron expression that is not valid.",
        "It would never run, or run at another time.",
        "Five fields: minute, hour, day of month, month, day of week.",
        'schedule: "61 * * * *"',
    ),
    "ZC213": Code(
        "A text that does not have the form it needs.",
        "Names, addresses and units go into commands and messages; only plain ones are accepted.",
        "Follow the form in the message.",
        "alerts:\n  email: {to: [not an address]}",
    ),
    "ZC214": Code(
        "Settings that contradict each other.",
        "Whichever one was meant, the other would silently lose.",
        "Keep one of them, or change them so that both hold.",
        "temp_dirs:\n  app: {path: /srv/tmp, above: 60%, down_to: 80%}",
    ),
    "ZC215": Code(
        "Not a time of day.",
        "Windows begin and end at times like 22:00.",
        "Write hours and minutes from 00:00 to 23:59.",
        'quiet_hours: {start: "25:00"}',
    ),
    "ZC218": Code(
        "Published rules that are not taken.",
        "They ask for what the lines of this source do not say, or are not read: what they are about is not seen.",
        "`zen-agents logs sigma PATH` names each with its reason; leave out the directories that are about other logs.",
        "sources:\n  web: {file: /var/log/nginx/access.log, format: access, sigma: /etc/sigma/rules}",
    ),
    "ZC219": Code(
        "A contract in a format of others that cannot be read.",
        "It breaks the rules of its own format, or says how data is read in a way that is not known here.",
        "Correct it at the place named; for a contract that describes several tables, say which: --table NAME.",
        "fields:\n  - {name: id, type: intger}",
    ),
    "ZC220": Code(
        "A part of a contract of others that is not asked.",
        "A check that is left out without a word looks like one that holds.",
        "Ask it in a contract of your own, or leave it: the rest of the contract is asked.",
        "fields:\n  - {name: id, type: integer, rdfType: http://schema.org/identifier}",
    ),
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
    "ZC501": Code(
        "The engine may act, but nobody would be told at night.",
        "What it cannot repair needs a person, and no route reaches one.",
        "Set `alerts.pagerduty` or `alerts.email`, or ALERT_EMAIL.",
        "mode: enforce\nalerts: {}",
    ),
    "ZC502": Code(
        "A hold that rests on one sample.",
        "`for` is not longer than the time between two samples, so it would not mean what it says.",
        "Shorten `sample_interval` or lengthen `for`.",
        "sample_interval: 5m\nthresholds:\n  cpu: {for: 5m}",
    ),
    "ZC503": Code(
        "ALERT_EMAIL is empty.",
        "Email is switched off, also where the file names addresses.",
        "Unset the variable, or give it an address.",
        "ALERT_EMAIL=",
    ),
    "ZC504": Code(
        "No agent is named.",
        "The engine would run and do nothing.",
        "Add a section under `agents:`.",
        "version: 1",
    ),
    "ZC505": Code(
        "A mode that gives setuid or setgid, or lets anyone write.",
        "A repair never widens access but to exactly what is listed; that this is listed on purpose needs a second look.",
        "List a narrower mode, or keep it: it is a warning, and an error only with `check-config --strict`.",
        'paths:\n  tool: {path: /opt/app/tool, mode: "4755", owner: root, group: root}',
    ),
    "ZC506": Code(
        "An approver who is not known here, or could not answer.",
        "A question that nobody can answer ends as a no, however urgent it was.",
        "Correct the name, or add the account to the group that may act (zen-ops; and zen-view, where that one is there).",
        'approvals:\n  approvers: ["user:alcie"]',
    ),
    "ZC507": Code(
        "A program that an action needs is not installed here.",
        "The action would be asked for, and could never be done.",
        "Install it, or take out what asks for the action.",
        "patterns:\n  guessing: {..., ban_at: [22]}   # needs nft",
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
    "ZC701": Code(
        "Rules that set each other off in a circle.",
        "What one does makes bad what the next looks at: they would go on until a limit stops them.",
        "Let one of them only tell, or say with `depends_on` which service suffers from the other.",
        "rules:\n  a: {when: probe.web is bad, on_match: [restart_service:db]}\n  b: {...: [restart_service:web]}",
    ),
    "ZC702": Code(
        "Two rules that act on one resource.",
        "Each judges by its own view; what one has repaired the other may take apart, and both spend the same limits.",
        "Leave it to one of them, or let the other only tell.",
        "services:\n  web: {unit: nginx.service}\n  site: {unit: nginx.service}",
    ),
    "ZC703": Code(
        "An action that a rule can never take.",
        "A guard refuses it on a calm host with nothing spent, so it refuses always, and a night shows it first.",
        "Widen the scope or the limit that the message names, or take the action out of the ladder.",
        "services:\n  web: {unit: nginx.service}\nactions:\n  allow: {restart_service: {units: [mysql.service]}}",
    ),
    "ZC704": Code(
        "A condition that nothing can meet.",
        "The rule looks like a safeguard, and is none.",
        "Use a limit that can be passed.",
        "thresholds:\n  disk: [{path: /, above: 100%}]",
    ),
    "ZC705": Code(
        "An action whose effect the rule cannot see.",
        "It is judged by the rule's own condition: what is mended elsewhere is retried, and told as failed.",
        "Put into the condition what the action is to mend.",
        "rules:\n  hot: {when: cpu.percent > 90, on_match: [clear_cache:pip]}",
    ),
    "ZC706": Code(
        "A condition that is always met.",
        "The rule is bad from the first look on, whatever happens, and nothing that it does can help.",
        "Use a limit that something can stay within.",
        "rules:\n  hot: {when: cpu.percent >= 0}",
    ),
    "ZC707": Code(
        "A `clear` that can never hold, or that also holds while the rule is bad.",
        "In the first case an incident never ends; in the second nothing lies between bad and well, and it flutters.",
        "Let `clear` hold only well within the limit of `when`.",
        "rules:\n  hot: {when: cpu.percent > 90, clear: cpu.percent < 95}",
    ),
    "ZC708": Code(
        "Rules of an agent that is switched off.",
        "They look like safeguards, and are never asked.",
        "Switch the agent on, or take its rules out.",
        "system_health:\n  enabled: false\n  rules: {hot: {when: cpu.percent > 90}}",
    ),
}
