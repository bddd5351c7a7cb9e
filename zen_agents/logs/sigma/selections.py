"""The selections of a rule: maps of fields, lists of such maps, and keywords."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.logs.record import LogRecord
from zen_agents.logs.sigma.conditions import Test, all_of, any_of
from zen_agents.logs.sigma.refused import SigmaRefusedError
from zen_agents.logs.sigma.sources import Source, value_of
from zen_agents.logs.sigma.values import text_test, words_of


def selection(name: str, wanted: Any, source: Source) -> Test:
    """Return what a selection says of a line: all fields of a map, one map of a list, one keyword of a list.

    Raises:
        SigmaRefusedError: it is empty, or names what lines of this source do not have.
    """
    place = f"detection.{name}"
    if isinstance(wanted, Mapping) and wanted:
        return _fields(place, wanted, source)
    if isinstance(wanted, list) and wanted and all(isinstance(each, Mapping) and each for each in wanted):
        return any_of([_fields(place, each, source) for each in wanted])
    values = wanted if isinstance(wanted, list) else [wanted]
    if not values or any(each is None or isinstance(each, list | Mapping) for each in values):
        raise SigmaRefusedError(place, "is neither fields with their values nor keywords")
    return _keywords(place, ["contains"], values)


def _fields(place: str, wanted: Mapping[Any, Any], source: Source) -> Test:
    return all_of([_field(place, str(key), value, source) for key, value in wanted.items()])


def _field(place: str, key: str, value: Any, source: Source) -> Test:
    name, *modifiers = key.split("|")
    place, values = f"{place}.{key}", value if isinstance(value, list) else [value]
    if not values:
        raise SigmaRefusedError(place, "has no value")
    if not name:
        return _keywords(place, [*modifiers, "contains"] if "re" not in modifiers else modifiers, values)
    ours = source.fields.get(name.lower())
    if ours is None:
        raise SigmaRefusedError(place, f"lines of {source.name} have no field {name!r}")
    if "exists" in modifiers:
        return _exists(ours, is_wanted=value is True)
    if None in values:
        absent, rest = _exists(ours, is_wanted=False), [each for each in values if each is not None]
        return any_of([absent, _holding(ours, place, modifiers, rest)]) if rest else absent
    return _holding(ours, place, modifiers, values)


def _holding(ours: Sequence[str], place: str, modifiers: Sequence[str], values: Sequence[Any]) -> Test:
    test = text_test(place, modifiers, values)

    def holds(record: LogRecord) -> bool:
        return any((text := value_of(record, name)) is not None and test(text) for name in ours)

    return Test(holds, words_of(modifiers, values))


def _exists(ours: Sequence[str], *, is_wanted: bool) -> Test:
    return Test(lambda record: any(value_of(record, name) is not None for name in ours) == is_wanted)


def _keywords(place: str, modifiers: Sequence[str], values: Sequence[Any]) -> Test:
    test = text_test(place, modifiers, values)
    return Test(lambda record: test(record.text), words_of(modifiers, values))
