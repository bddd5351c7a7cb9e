"""Reads OpenVEX (0.2.0 and before)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from zen_agents.packages.advisories.vex import Product, Statement, VexStatus
from zen_agents.packages.advisories.vex_words import Moment, Status, joined


def _by_id(value: object) -> object:
    """Versions before 0.2.0 write the id alone where a component stands today."""
    return {"@id": value} if isinstance(value, str) else value


def _by_name(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class _Component(BaseModel):
    id: str = Field("", alias="@id")
    identifiers: dict[str, str] = {}

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(each for each in (self.id, self.identifiers.get("purl", "")) if each)


_Part = Annotated[_Component, BeforeValidator(_by_id)]


class _OpenProduct(_Component):
    subcomponents: list[_Part] = []


class _Vulnerability(BaseModel):
    name: str = Field(min_length=1)
    aliases: list[str] = []


class _OpenStatement(BaseModel):
    vulnerability: Annotated[_Vulnerability, BeforeValidator(_by_name)]
    products: list[Annotated[_OpenProduct, BeforeValidator(_by_id)]] = []
    subcomponents: list[_Part] = []
    status: Status
    justification: str = ""
    impact_statement: str = ""
    status_notes: str = ""
    timestamp: Moment | None = None
    last_updated: Moment | None = None


class _OpenVex(BaseModel):
    timestamp: Moment
    statements: list[_OpenStatement]


def of_openvex(document: Any, source: str) -> Iterator[Statement]:
    """Yield what a document says; ValidationError if it is not as OpenVEX is written."""
    read = _OpenVex.model_validate(document)
    for each in read.statements:
        products = [
            Product(one.ids, tuple(part.ids for part in (*one.subcomponents, *each.subcomponents))) for one in each.products
        ]  # fmt: skip
        at = each.last_updated or each.timestamp or read.timestamp
        said = (each.justification, each.impact_statement)
        reason = joined(said if each.status is VexStatus.NOT_AFFECTED else (each.status_notes,))
        names = frozenset({each.vulnerability.name, *each.vulnerability.aliases})
        yield Statement(names, tuple(products), each.status, reason, at, source)
