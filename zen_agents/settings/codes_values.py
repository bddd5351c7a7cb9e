"""Values that are not what they have to be."""

from __future__ import annotations

from zen_agents.settings.code import Code

VALUES: dict[str, Code] = {
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
}
