"""A contract in a file, in our words or in formats of others: one that comes back the same from a worker, or an error."""

from __future__ import annotations

from chaos.fuzz.given import folder, put
from chaos.fuzz.promise import promise
from zen_agents.datasets.plain import contract_from_plain, contract_to_plain
from zen_agents.datasets.source import SourceKind
from zen_agents.settings.codes import CODES
from zen_agents.settings.contract_files import read_contract

SEEDS = (
    b"source: {csv: /srv/a.csv}\ncolumns: {id: integer, day: {type: date, format: '%d.%m.%Y'}}\n"
    b"expect: [{column: id, unique: true}, {row: 'id > 0 and day is not null'}]\nrepair: [trim, {coerce: {id: ','}}]\n",
    b"source: {postgres: /etc/a, table: s.t}\nexpect: [{column: a, matches: '[a-z]+'}, {rows: {min: 1}}]\n"
    b"repair: [{clamp: {a: [0, null]}}, quarantine_rows]\nquarantine: /srv/q\nrepair_at_most: 5%\n",
    b"source: {jsonl: /srv/a.jsonl}\nrepair: [restore_snapshot]\nkeep_snapshots: {count: 3, every: 1h}\n",
    b"kind: DataContract\napiVersion: v3.1.0\nid: a\nversion: 1.0.0\nstatus: active\nschema: [{name: a, properties: "
    b"[{name: n, logicalType: integer, quality: [{metric: nullValues, mustBeLessThan: 1, unit: percent}]}]}]\n",
    b'{"name": "p", "resources": [{"name": "a", "path": "a.csv", "dialect": {"delimiter": ";"}, "schema": {"fields": '
    b'[{"name": "n", "type": "integer", "constraints": {"minimum": 1}}], "primaryKey": "n"}}]}',
    b'{"fields": [{"name": "d", "type": "date", "format": "%Y"}], "missingValues": ["", "-"]}',
    b'{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object","properties": {"a": {"$ref": "#/$defs/a"}'
    b'}, "$defs": {"a": {"type": ["string", "null"], "maxLength": 3, "pattern": "^a"}}}',
    b'{"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}}',
)
WORDS = (
    b"expect: ",
    b"columns: ",
    b"repair: ",
    b'"$ref": "#/',
    b"logicalType: ",
    b'"constraints": {',
    b"1e999",
    b".nan",
    b"null",
)


def fuzz(data: bytes) -> None:
    """Read one file as it stands, and as the contract of a file that is named beside it."""
    file = str(put(folder("contract") / "contract.yaml", data))
    for source in (None, (SourceKind.CSV, "/srv/a.csv")):
        contract, diagnostics = read_contract(file, source)
        promise(contract is not None or bool(diagnostics), "no contract, and nobody says why")
        for each in diagnostics:
            promise(each.code in CODES, f"{each.code} is not explained")
        if contract is not None:
            promise(contract_from_plain(contract_to_plain(contract)) == contract, "a contract changed on its way")
