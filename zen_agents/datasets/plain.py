"""Contracts and reports as plain JSON, for the way to a worker and back; checked on reading."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.difference import Difference
from zen_agents.datasets.finding import Profile, Report
from zen_agents.datasets.history import History

T = TypeVar("T")


class MalformedDatasetError(ValueError):
    """The JSON is not what was agreed; the message says which part."""


def contract_to_plain(contract: Contract) -> dict[str, Any]:
    """Return the contract as what JSON can say."""
    plain: dict[str, Any] = _contracts().dump_python(contract, mode="json")
    return plain


def contract_from_plain(plain: object) -> Contract:
    """Return the contract in it; raises MalformedDatasetError."""
    return _checked(_contracts, plain)


def report_to_plain(report: Report) -> dict[str, Any]:
    """Return the report as what JSON can say."""
    plain: dict[str, Any] = _reports().dump_python(report, mode="json")
    return plain


def report_from_plain(plain: object) -> Report:
    """Return the report in it; raises MalformedDatasetError."""
    return _checked(_reports, plain)


def profile_from_plain(plain: object) -> Profile:
    """Return what a good run left; raises MalformedDatasetError."""
    return _checked(_profiles, plain)


def profile_to_plain(profile: Profile) -> dict[str, Any]:
    """Return the profile as what JSON can say."""
    plain: dict[str, Any] = _profiles().dump_python(profile, mode="json")
    return plain


def history_from_plain(plain: object) -> History:
    """Return the history in it; raises MalformedDatasetError."""
    return _checked(_histories, plain)


def history_to_plain(history: History) -> dict[str, Any]:
    """Return the history as what JSON can say."""
    plain: dict[str, Any] = _histories().dump_python(history, mode="json")
    return plain


def difference_from_plain(plain: object) -> Difference:
    """Return what differs; raises MalformedDatasetError."""
    return _checked(_differences, plain)


def difference_to_plain(difference: Difference) -> dict[str, Any]:
    """Return what differs as what JSON can say."""
    plain: dict[str, Any] = _differences().dump_python(difference, mode="json")
    return plain


@cache
def _contracts() -> TypeAdapter[Contract]:
    return TypeAdapter(Contract)


@cache
def _reports() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


@cache
def _profiles() -> TypeAdapter[Profile]:
    return TypeAdapter(Profile)


@cache
def _histories() -> TypeAdapter[History]:
    return TypeAdapter(History)


@cache
def _differences() -> TypeAdapter[Difference]:
    return TypeAdapter(Difference)


def _checked(adapter: Callable[[], TypeAdapter[T]], plain: object) -> T:
    try:
        return adapter().validate_python(plain)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise MalformedDatasetError(f"{at}: {first['msg']}") from error
