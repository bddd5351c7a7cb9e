"""A server that speaks the API of OSV as the real one does: batches with pages, records, single queries, refusals."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from tests.support.http_server import Reply, serving
from zen_agents.packages.package import Ecosystem, normal_name

#: The real one has 1000; so few show that pages are followed.
_PAGE: Final = 2
_MOST_QUERIES: Final = 1000
_INVALID_ARGUMENT, _NOT_FOUND = 3, 5


class _RefusedError(Exception):
    """The question is none that the API takes."""


class OsvServer:
    """What it knows, how it misbehaves, and what it was asked."""

    def __init__(self, *, page: int = _PAGE) -> None:
        self._page_size = page
        self.records: dict[str, Mapping[str, Any]] = {}
        #: (ecosystem as OSV calls it, name, version) -> ids.
        self.affected: dict[tuple[str, str, str], list[str]] = {}
        self.asked: list[str] = []
        #: What is answered instead of the truth, to every path that begins so.
        self.instead: tuple[str, int, bytes] | None = None
        #: What is answered first, each to one question.
        self.first: list[Reply] = []
        #: Nothing is answered before it is set.
        self.answers = threading.Event()
        self.answers.set()
        self.url = ""

    def knows(self, record: bytes, *versions: str) -> None:
        """Hold a record, which affects these versions of the first package that it names."""
        body = json.loads(record)
        self.records[body["id"]] = body
        named = body["affected"][0]["package"]
        for version in versions:
            self.affected.setdefault((named["ecosystem"], _normal(named), version), []).append(body["id"])

    def answer(self, path: str, body: Any) -> Reply:
        """Return what is answered to a path."""
        self.asked.append(path)
        if self.first:
            return self.first.pop(0)
        if self.instead is not None and path.startswith(self.instead[0]):
            return Reply(*self.instead[1:])
        try:
            return Reply(200, json.dumps(self._truth(path, body)).encode())
        except _RefusedError as error:
            return _error(400, _INVALID_ARGUMENT, str(error))
        except LookupError:
            return _error(404, _NOT_FOUND, "Bug not found.")

    def _truth(self, path: str, body: Any) -> Any:
        if path == "/v1/querybatch":
            if len(body["queries"]) > _MOST_QUERIES:
                raise _RefusedError("Too many queries.")
            return {"results": [self._page(query, whole=False) for query in body["queries"]]}
        return self._page(body, whole=True) if path == "/v1/query" else self.records[path.removeprefix("/v1/vulns/")]

    def _ids(self, query: Mapping[str, Any]) -> Sequence[str]:
        named = query.get("package", {})
        if not named.get("name") or not named.get("ecosystem"):
            raise _RefusedError("Invalid query.")
        return self.affected.get((named["ecosystem"], _normal(named), query["version"]), [])

    def _page(self, query: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
        """Return records, of a batch only what they are called and when they were changed."""
        start, ids = _start(query.get("page_token")), self._ids(query)
        shown = [self.records[id] for id in ids[start : start + self._page_size]]
        vulns = shown if whole else [{"id": each["id"], "modified": each.get("modified", "")} for each in shown]
        end = start + self._page_size
        return {**({"vulns": vulns} if vulns else {}), **({"next_page_token": _token(end)} if end < len(ids) else {})}


def _normal(named: Mapping[str, str]) -> str:
    return normal_name(Ecosystem.PYPI, named["name"]) if named["ecosystem"] == "PyPI" else named["name"]


def _token(start: int) -> str:
    return base64.urlsafe_b64encode(b"%d" % start).decode()


def _start(token: str | None) -> int:
    try:
        return int(base64.urlsafe_b64decode(token)) if token else 0
    except ValueError:
        raise _RefusedError("Invalid page token.") from None


def _error(status: int, code: int, message: str) -> Reply:
    return Reply(status, json.dumps({"code": code, "message": message}).encode())


@contextmanager
def osv_server(*, page: int = _PAGE) -> Iterator[OsvServer]:
    """Run one on a free port of this host."""
    known = OsvServer(page=page)
    with serving(known.answer, gate=known.answers) as known.url:
        yield known
