"""A contract as the text of a file, in YAML: names and values of others' in it are quoted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.inference import Strays, Suggestion

#: As many as a contract takes.
_MOST_EXPECTED: Final = 2000
_LONGEST_NAME: Final = 1000


def contract_text(suggestions: Sequence[Suggestion], *, about: Sequence[str]) -> str:
    """Return the file that says all this; what it is about stands at its head as remarks."""
    return "".join(f"{line}\n" for line in _lines(suggestions, about))


def _lines(suggestions: Sequence[Suggestion], about: Sequence[str]) -> Iterator[str]:
    yield from (f"# {_printable(line)}" for line in about)
    said = [each for each in suggestions if 0 < len(each.column) <= _LONGEST_NAME]
    yield "columns:" if said else "columns: {}"
    for each in said:
        form = f"{{type: {each.type}, format: {quoted(each.form)}}}" if each.form else str(each.type)
        yield f"  {quoted(each.column)}: {form}{_unsure(each) if not each.asks else ''}"
    yield "expect:"
    yield "  - {row_count: {min: 1}}"
    asked = [line for each in said for line in _expected(each)]
    yield from asked[: _MOST_EXPECTED - 1]
    if len(asked) >= _MOST_EXPECTED:
        yield f"# {len(asked) - _MOST_EXPECTED + 1} more could have been expected of columns; a contract has no room"


def _expected(each: Suggestion) -> Iterator[str]:
    begun = f"  - {{column: {quoted(each.column)}, "
    if (strays := each.strays) is not None:
        yield f"{begun}{_map(strays.asks)}, tolerate: {strays.tolerated}}}  # unsure: {_of_strays(strays, each.examples)}"
    if (repeats := each.repeats) is not None:
        yield f"{begun}{_map(repeats.asks)}, tolerate: {repeats.tolerated}}}  # unsure: {_of_strays(repeats, each.repeated)}"
    if each.asks:
        yield f"{begun}{_map(each.asks)}}}{_unsure(each)}"


def _of_strays(strays: Strays, examples: Sequence[str]) -> str:
    """Return how many values are not what most are, and which: as texts in quotes, on one line, whatever is in them."""
    shown = ", ".join(f'"{"".join(map(_character, each))}"' for each in examples)
    what = "stand there more than once" if "unique" in strays.asks else "do not match"
    what = f"are no {strays.asks['type']}" if "type" in strays.asks else what
    return f"{strays.count:,} of {strays.there:,} values {what}: {shown}{', ...' if strays.count > len(examples) else ''}"


def _unsure(suggestion: Suggestion) -> str:
    return f"  # unsure: {'; '.join(suggestion.unsure)}" if suggestion.unsure else ""


def _map(asks: Mapping[str, object]) -> str:
    return ", ".join(f"{key}: {_flow(given)}" for key, given in asks.items())


def _flow(given: object) -> str:
    if isinstance(given, list):
        return f"[{', '.join(map(_flow, given))}]"
    if isinstance(given, ColumnType):
        return str(given)
    return quoted(given) if isinstance(given, str) else str(given).lower() if isinstance(given, bool) else repr(given)


def quoted(text: str) -> str:
    """Return a text that YAML reads as just this: in quotes, and what cannot be printed by its number."""
    if text.replace("_", "a").isalnum() and text.isascii() and text[0].isalpha() and text.lower() not in _WORDS:
        return text
    return '"' + "".join(map(_character, text)) + '"'


def _character(each: str) -> str:
    if each in '"\\':
        return f"\\{each}"
    if each.isprintable() and each != "\ufeff":
        return each
    code = ord(each)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)


#: Plain words that YAML, or an older one, takes for something else.
_WORDS: Final = frozenset(
    {"null", "true", "false", "yes", "no", "on", "off", "y", "n", *(each.value for each in ColumnType)}
)
