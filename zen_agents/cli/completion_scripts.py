"""The completion scripts of three shells, from the grammar of all commands.

No script hands text of the state to the shell as anything but a word to offer: ids are compared, never expanded.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping

from zen_agents import catalog
from zen_agents.cli.grammar import CommandGrammar, Flag, common_flags, grammar
from zen_agents.model.reason import Reason

#: Which ids a command's words may be.
IDS: Mapping[str, str] = {
    "why": "inc act dec apr", "ack": "inc", "incidents": "inc", "actions": "act", "decisions": "dec", "approvals": "apr",
    "approve": "apr", "deny": "apr", "undo": "act", "runbook": "inc names", "alert": "inc", "breaker": "brk", "act": "names",
    "pause": "names", "resume": "names", "explain": "names",
}  # fmt: skip
#: Flags whose value is an id, by command.
_FLAG_IDS = {("actions", "--incident"): "inc", ("decisions", "--incident"): "inc", ("rollback", "--to"): "act"}
#: Words that a command takes besides its choices; those of a list stand before an id.
_VERBS = {"incidents": "show", "actions": "show", "decisions": "show", "approvals": "show token"}
#: What a value is called that is a file or a directory.
_FILES = frozenset({"FILE", "DIR", "PATH"})


def _values(command: str, flag: Flag) -> tuple[str, str]:
    """Return what kind of value a flag takes and which: words, ids, files, anything, or none."""
    if not flag.takes or flag.may_stand_alone:
        return "none", ""
    if flag.choices:
        return "words", " ".join(flag.choices)
    for word in flag.words:
        if (command, word) in _FLAG_IDS:
            return "ids", _FLAG_IDS[command, word]
    return ("files", "") if flag.takes in _FILES else ("anything", "")


def _all_flags(command: CommandGrammar) -> tuple[Flag, ...]:
    own = {word for flag in command.flags for word in flag.words}
    return (*command.flags, *(flag for flag in common_flags() if not own.intersection(flag.words)))


def _words(command: CommandGrammar) -> str:
    """Return the words that a command takes besides ids and flags."""
    choices = [choice for positional in command.positionals for choice in positional.choices]
    return " ".join([*_VERBS.get(command.name, "").split(), *_named(command.name), *choices])


def _named(command: str) -> tuple[str, ...]:
    """Return the names of our own that a command takes."""
    agents = tuple(catalog.AGENTS)
    if command == "act":
        return tuple(catalog.ACTIONS)
    if command == "explain":
        kinds = ("config", "graph", "agents", "checks", "actions", "guards", "inverses", "reasons", "codes")
        guards = tuple(guard.name for guard in catalog.GUARDS)
        return tuple(dict.fromkeys((*kinds, *agents, *catalog.ACTIONS, *guards, *(reason.value for reason in Reason))))
    return agents if command in ("pause", "resume") else ()


def _takes_a_file(command: CommandGrammar) -> bool:
    return any(positional.name in _FILES for positional in command.positionals)


def _takers() -> str:
    """Return, for a `case`, every flag whose value is no command."""
    commands = list(grammar().values())
    flags = {word for command in commands for flag in _all_flags(command) for word in flag.words
             if flag.takes and not flag.may_stand_alone}  # fmt: skip
    return "|".join(sorted(flags))


def bash() -> str:
    """Return the script for bash."""
    return _filled(_BASH, " ".join(grammar()), _bash_value)


def zsh() -> str:
    """Return the script for zsh."""
    named = " ".join(shlex.quote(f"{name}:{command.summary}") for name, command in grammar().items())
    return _filled(_ZSH, named, _zsh_value)


def _filled(script: str, commands: str, value: Callable[[str, str], str]) -> str:
    """Return a script with what is the same for shells that go by `case`."""
    known = grammar()
    skip = _SKIP.format(takers=_takers(), values="\n".join(_case_of_values(known, value)))
    return script.format(
        commands=commands, skip=skip, flags=" ".join(word for flag in common_flags() for word in flag.words),
        words="\n".join(_case_of_words(known)),
    )  # fmt: skip


def _case_of_values(commands: Mapping[str, CommandGrammar], value: Callable[[str, str], str]) -> Iterator[str]:
    """Yield what is offered behind a flag: the command's own first, then those that every command knows."""
    flags = [(command.name, flag) for command in commands.values() for flag in command.flags]
    for name, flag in (*flags, *(("*", flag) for flag in common_flags())):
        kind, what = _values(name, flag)
        if kind != "none":
            yield f"        {'|'.join(f'{name}:{word}' for word in flag.words)}) {value(kind, what)}; return ;;"


def _case_of_words(commands: Mapping[str, CommandGrammar]) -> Iterator[str]:
    for command in commands.values():
        flags = " ".join(word for flag in _all_flags(command) for word in flag.words)
        ids = IDS.get(command.name, "")
        files = "yes" if _takes_a_file(command) else ""
        yield f'        {command.name}) flags="{flags}"; others="{_words(command)}"; ids="{ids}"; files="{files}" ;;'


def _bash_value(kind: str, what: str) -> str:
    return {
        "words": f'_zen_agents_offer "{what}"', "ids": f"_zen_agents_ids {what}",
        "files": "_zen_agents_files", "anything": ":",
    }[kind]  # fmt: skip


def _zsh_value(kind: str, what: str) -> str:
    return {"words": f"compadd -- {what}", "ids": f"_zen_agents_ids {what}", "files": "_files", "anything": ":"}[kind]


def fish() -> str:
    """Return the script for fish."""
    lines = [_FISH]
    commands = grammar()
    for name, command in commands.items():
        lines.append(f"complete -c zen-agents -n __zen_agents_no_command -f -a {name} -d {_fish(command.summary)}")
    for flag in common_flags():
        lines.append(
            f"complete -c zen-agents {_fish_flag(flag)} {_fish_value(*_values('*', flag))} -d {_fish(flag.meaning)}"
        )
    for name, command in commands.items():
        here = f'complete -c zen-agents -n "__zen_agents_is {name}"'
        for flag in command.flags:
            lines.append(f"{here} {_fish_flag(flag)} {_fish_value(*_values(name, flag))} -d {_fish(flag.meaning)}")
        if words := _words(command):
            lines.append(f"{here} -f -a {_fish(words)}")
        if name in IDS:
            lines.append(f'{here} -f -k -a "(__zen_agents_ids {IDS[name]})"')
        if not _takes_a_file(command):
            lines.append(f"{here} -f")
    return "\n".join(line.replace("  ", " ") for line in lines) + "\n"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish_flag(flag: Flag) -> str:
    forms = (
        f"-l {word[2:]}" if word.startswith("--") else f"-{'s' if len(word) == 2 else 'o'} {word[1:]}" for word in flag.words
    )
    return " ".join(forms)


def _fish_value(kind: str, what: str) -> str:
    return {
        "words": f"-x -a {_fish(what)}", "ids": f'-x -k -a "(__zen_agents_ids {what})"', "files": "-r -F", "anything": "-x",
        "none": "",
    }[kind]  # fmt: skip


SCRIPTS: Mapping[str, Callable[[], str]] = {"bash": bash, "zsh": zsh, "fish": fish}

#: How bash and zsh alike find the command among the words before, and what is offered behind a flag.
_SKIP = """\
        case $word in
        {takers}) ((index++)) ;;
        -*) ;;
        *) [[ -z $command ]] && command=$word ;;
        esac
    done
    case ${{command:-status}}:$prev in
{values}
    esac
    if [[ -z $command ]]; then
"""

_BASH = """\
# bash completion for zen-agents; made by: zen-agents completion bash

_zen_agents_offer() {{  # words of ours, never anybody's text: compgen -W expands them
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}}

_zen_agents_files() {{  # adds files that begin with what was typed, quoted by bash itself
    local -a found
    compopt -o filenames
    mapfile -t found < <(compgen -f -- "$cur")
    COMPREPLY+=("${{found[@]}}")
}}

_zen_agents_ids() {{  # kinds: adds the ids there are now that begin with what was typed, quoted: a breaker has | and :
    local id rest typed=${{cur#[\\'\\"]}}
    while IFS=$'\\t' read -r id rest; do
        [[ $id == "${{typed//\\\\/}}"* ]] || continue
        if [[ $typed == "$cur" ]]; then printf -v id %q "$id"; id=${{id//:/\\\\:}}; fi
        COMPREPLY+=("$id")
    done < <("${{COMP_WORDS[0]}}" completion ids "$@" "${{state[@]}}" 2>/dev/null)
}}

_zen_agents() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}} command="" word index
    local flags="" others="" ids="" files=""
    local -a state=()
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        word=${{COMP_WORDS[index]}}
        [[ $word == --state-dir ]] && state=(--state-dir "${{COMP_WORDS[index + 1]}}")
{skip}        if [[ $cur == -* ]]; then _zen_agents_offer "{flags}"; else _zen_agents_offer "{commands}"; fi
        return
    fi
    case $command in
{words}
        *) return ;;
    esac
    if [[ $cur == -* ]]; then
        _zen_agents_offer "$flags"
    else
        _zen_agents_offer "$others"
        # shellcheck disable=SC2086 # several kinds
        [[ -n $ids ]] && _zen_agents_ids $ids
        [[ -n $files ]] && _zen_agents_files
    fi
}}

complete -o nosort -F _zen_agents zen-agents
"""

_ZSH = """\
#compdef zen-agents
# zsh completion for zen-agents; made by: zen-agents completion zsh

_zen_agents_ids() {{  # kinds: adds the ids there are now, each with what it is about
    local id text
    local -a found
    while IFS=$'\\t' read -r id text; do
        found+=("${{id//:/\\:}}:$text")
    done < <("${{words_typed[1]}}" completion ids "$@" "${{state_dir[@]}}" 2>/dev/null)
    (( $#found )) && _describe -V id found
}}

_zen_agents() {{
    local -a words_typed=("${{words[@]}}") state_dir commands flag_words other_words id_kinds
    local cur=${{words[CURRENT]}} prev=${{words[CURRENT - 1]}} command="" word
    local flags="" others="" ids="" files=""
    local -i index
    commands=({commands})
    for ((index = 2; index < CURRENT; index++)); do
        word=${{words_typed[index]}}
        [[ $word == --state-dir ]] && state_dir=(--state-dir "${{words_typed[index + 1]}}")
{skip}        if [[ $cur == -* ]]; then compadd -- {flags}; else _describe command commands; fi
        return
    fi
    case $command in
{words}
        *) return ;;
    esac
    flag_words=(${{=flags}}) other_words=(${{=others}}) id_kinds=(${{=ids}})
    if [[ $cur == -* ]]; then
        compadd -- $flag_words
    else
        (( $#other_words )) && compadd -- $other_words
        if (( $#id_kinds )); then _zen_agents_ids $id_kinds; fi
        if [[ -n $files ]]; then _files; fi
    fi
}}

if [[ $funcstack[1] == _zen_agents ]]; then
    _zen_agents "$@"
else
    compdef _zen_agents zen-agents
fi
"""

_FISH = """\
# fish completion for zen-agents; made by: zen-agents completion fish

function __zen_agents_command
    set -l tokens (commandline -opc)
    for token in $tokens[2..]
        string match -q -- '-*' $token; or begin
            echo $token
            return
        end
    end
end

function __zen_agents_no_command
    set -l command (__zen_agents_command)
    test -z "$command"
end

function __zen_agents_is
    set -l command (__zen_agents_command)
    test "$command" = $argv[1]
end

function __zen_agents_ids
    command zen-agents completion ids $argv 2>/dev/null
end
"""
