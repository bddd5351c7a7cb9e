"""What `data` is measured beside: the same twelve questions, asked by others. Imports nothing of ours.

`python data_contenders.py make|dirty|sql|rewrite|pandera|great_expectations FILE [ROWS]` prints how many rows fail each
question, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

STATES = ["new", "paid", "shipped", "returned", "cancelled"]
EMAIL, CUSTOMER = r"[^@]+@[^@]+\.[a-z]+", r"C[0-9]{7}"

#: A table of a shop, with faults in known places; each tenth of it has the same share of them.
_ROWS = """
SELECT CASE WHEN i % 1000000 = 999999 THEN i - 1 ELSE i END AS order_id,
    'C' || lpad((hash(i) % 1000000)::VARCHAR, 7, '0') AS customer,
    CASE WHEN hash(i, 1) % 1000 = 0 THEN NULL ELSE 'user' || (hash(i, 2) % 500000)
        || CASE WHEN hash(i, 3) % 2000 = 0 THEN '' ELSE '@' END || 'example.com' END AS email,
    ['new', 'paid', 'shipped', 'returned', 'cancelled'][(1 + hash(i, 4) % 5)::INT]
        || CASE WHEN hash(i, 5) % 5000 = 0 THEN '?' ELSE '' END AS status,
    round(((hash(i, 6) % 10000100)::DOUBLE) / 100, 2) AS amount,
    (hash(i, 7) % 50)::INTEGER AS quantity,
    ['DE', 'FR', 'IT', 'ES', 'PL', 'NL'][(1 + hash(i, 8) % 6)::INT] || CASE WHEN hash(i, 15) % 9000 = 0 THEN 'X' ELSE '' END
        AS country,
    DATE '2024-01-01' + (hash(i, 9) % 700)::INTEGER AS ordered,
    DATE '2024-01-01' + (hash(i, 9) % 700)::INTEGER + ((hash(i, 10) % 30)::INTEGER
        - CASE WHEN hash(i, 11) % 3000 = 0 THEN 40 ELSE 0 END) AS shipped,
    TIMESTAMP '2024-01-01' + to_seconds((i * 7)::BIGINT) AS updated_at,
    CASE WHEN hash(i, 12) % 100 = 0 THEN NULL ELSE (hash(i, 13) % 101) / 100.0 END::DOUBLE AS discount,
    'note ' || (hash(i, 14) % 100000) AS note
FROM range({rows}) AS numbers(i)
"""


def make(file: str, rows: int) -> dict[str, int]:
    """Write the table, as Parquet or CSV by its name."""
    import duckdb

    form = "FORMAT parquet" if file.endswith(".parquet") else "FORMAT csv, HEADER"
    with duckdb.connect(config={"threads": 2, "memory_limit": "2GB"}) as duck:
        duck.execute("SET enable_progress_bar = false")
        duck.execute("SET preserve_insertion_order = false" if rows > 20_000_000 else "SET threads = 2")
        duck.execute(f"COPY ({_ROWS.format(rows=rows)}) TO '{file}' ({form})")
    return {"rows": rows}


def dirty(file: str, rows: int) -> dict[str, int]:
    """Write the table as CSV, with a blank too many in each hundredth row."""
    import duckdb

    some = "SELECT * REPLACE (CASE WHEN hash(order_id, 20) % 100 = 0 THEN ' ' || status ELSE status END AS status)"
    with duckdb.connect(config={"threads": 2, "memory_limit": "2GB"}) as duck:
        duck.execute("SET enable_progress_bar = false")
        duck.execute(f"COPY ({some} FROM ({_ROWS.format(rows=rows)})) TO '{file}' (FORMAT csv, HEADER)")
    return {"rows": rows}


def rewrite(file: str) -> dict[str, int]:
    """Write the file again, each value as it stands there, the fastest way there is."""
    import duckdb

    with duckdb.connect(config={"threads": 2}) as duck:
        duck.execute("SET enable_progress_bar = false")
        query = f"COPY (SELECT * FROM read_csv('{file}', all_varchar = true)) TO '{file}.again' (FORMAT csv, HEADER)"
        (rows,) = duck.execute(query).fetchone() or (0,)
    Path(f"{file}.again").unlink()
    return {"rows": rows}


def sql(file: str) -> dict[str, int]:
    """Ask as somebody would who knows DuckDB: types as it tells them itself, one aggregate query, and one for the twins."""
    import duckdb

    source = f"read_parquet('{file}')" if file.endswith(".parquet") else f"read_csv('{file}')"
    states = ", ".join(f"'{each}'" for each in STATES)
    failing = {
        "not_null.order_id": "order_id IS NULL",
        "not_null.email": "email IS NULL",
        "matches.email": f"NOT regexp_full_match(email, '{EMAIL}')",
        "matches.customer": f"NOT regexp_full_match(customer, '{CUSTOMER}')",
        "one_of.status": f"status NOT IN ({states})",
        "between.amount": "amount NOT BETWEEN 0 AND 100000",
        "between.quantity": "quantity NOT BETWEEN 1 AND 100",
        "between.discount": "discount NOT BETWEEN 0 AND 1",
        "length.country": "length(country) <> 2",
        "compared.shipped+ordered": "shipped < ordered",
    }
    counts = ", ".join(f"count(CASE WHEN {each} THEN 1 END)" for each in failing.values())
    twins = f"SELECT count(*) AS n FROM {source} WHERE order_id IS NOT NULL GROUP BY order_id HAVING count(*) > 1"
    with duckdb.connect(config={"threads": 2}) as duck:
        duck.execute("SET enable_progress_bar = false")
        query = f"SELECT (SELECT coalesce(sum(n), 0) FROM ({twins})), count(*), {counts} FROM {source}"
        unique, rows, *found = map(int, duck.execute(query).fetchone() or ())
    return {"row_count": int(rows < 1), "unique.order_id": unique, **dict(zip(failing, found, strict=True))}


def pandera(file: str) -> dict[str, int]:
    """Ask pandera over polars, all questions at once (`lazy`)."""
    import pandera.polars as pa
    import polars as pl

    frame = pl.read_parquet(file) if file.endswith(".parquet") else pl.read_csv(file, try_parse_dates=True)
    ordered = pa.Check(lambda data: data.lazyframe.select(pl.col("shipped") >= pl.col("ordered")), name="order")
    schema = pa.DataFrameSchema(
        {
            "order_id": pa.Column(pl.Int64, nullable=False, unique=True),
            "customer": pa.Column(pl.String, pa.Check.str_matches(f"^{CUSTOMER}$")),
            "email": pa.Column(pl.String, pa.Check.str_matches(f"^{EMAIL}$"), nullable=False),
            "status": pa.Column(pl.String, pa.Check.isin(STATES)),
            "amount": pa.Column(pl.Float64, pa.Check.between(0, 100000)),
            "quantity": pa.Column(None, pa.Check.between(1, 100)),
            "country": pa.Column(pl.String, pa.Check.str_length(2, 2)),
            "discount": pa.Column(pl.Float64, pa.Check.between(0, 1), nullable=True),
        },
        checks=[ordered],
    )
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.group_by("column", "check").len().iter_rows()
        found = {(str(column), str(check)): int(count) for column, check, count in cases}
    else:
        found = {}

    def of(column: str, begin: str) -> int:
        return sum(count for (each, check), count in found.items() if each == column and check.startswith(begin))

    order = sum(count for (_, check), count in found.items() if check == "order")
    return {
        "row_count": int(frame.height < 1), "unique.order_id": of("order_id", "field_uniqueness"),
        "not_null.order_id": of("order_id", "not_nullable"), "not_null.email": of("email", "not_nullable"),
        "matches.email": of("email", "str_matches"), "matches.customer": of("customer", "str_matches"),
        "one_of.status": of("status", "isin"), "between.amount": of("amount", "in_range"),
        "between.quantity": of("quantity", "in_range"), "between.discount": of("discount", "in_range"),
        "length.country": of("country", "str_length"), "compared.shipped+ordered": order,
    }  # fmt: skip


def great_expectations(file: str) -> dict[str, int]:
    """Ask Great Expectations over pandas."""
    import great_expectations as gx
    import pandas as pd
    from pyarrow import parquet

    if file.endswith(".parquet"):  # dates as its arrays have them: as objects of Python they are compared one by one
        frame = parquet.read_table(file).to_pandas(date_as_object=False)
    else:
        # With the engine that pandas has by itself: that of pyarrow takes four times its CPU here.
        frame = pd.read_csv(file, parse_dates=["ordered", "shipped"])
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("bench").add_dataframe_asset(name="orders")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch(batch_parameters={"dataframe": frame})
    expect: Any = gx.expectations
    asked = {
        "row_count": expect.ExpectTableRowCountToBeBetween(min_value=1),
        "unique.order_id": expect.ExpectColumnValuesToBeUnique(column="order_id"),
        "not_null.order_id": expect.ExpectColumnValuesToNotBeNull(column="order_id"),
        "not_null.email": expect.ExpectColumnValuesToNotBeNull(column="email"),
        "matches.email": expect.ExpectColumnValuesToMatchRegex(column="email", regex=f"^{EMAIL}$"),
        "matches.customer": expect.ExpectColumnValuesToMatchRegex(column="customer", regex=f"^{CUSTOMER}$"),
        "one_of.status": expect.ExpectColumnValuesToBeInSet(column="status", value_set=STATES),
        "between.amount": expect.ExpectColumnValuesToBeBetween(column="amount", min_value=0, max_value=100000),
        "between.quantity": expect.ExpectColumnValuesToBeBetween(column="quantity", min_value=1, max_value=100),
        "between.discount": expect.ExpectColumnValuesToBeBetween(column="discount", min_value=0, max_value=1),
        "length.country": expect.ExpectColumnValueLengthsToEqual(column="country", value=2),
        "compared.shipped+ordered": expect.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="shipped", column_B="ordered", or_equal=True
        ),
    }
    suite = gx.ExpectationSuite(name="orders", expectations=[*asked.values()])
    results = batch.validate(suite, result_format="BASIC").results
    kinds = {
        (each.expectation_type, json.dumps(each.configuration.kwargs.get("column"))): name for name, each in asked.items()
    }
    found = {}
    for result in results:
        config = result.expectation_config
        name = kinds[(config.type, json.dumps(config.kwargs.get("column")))]
        found[name] = int(result.result.get("unexpected_count", 0)) if name != "row_count" else int(not result.success)
    return found


def main() -> int:
    """Ask, and print what failed and how long that took, without the start of the interpreter."""
    began = time.perf_counter()
    who, file, *rows = sys.argv[1:]
    asks = {"sql": sql, "rewrite": rewrite, "pandera": pandera, "great_expectations": great_expectations}
    makes = {"make": make, "dirty": dirty}
    found = makes[who](file, int(rows[0])) if who in makes else asks[who](file)
    print(json.dumps({"counts": found, "seconds": time.perf_counter() - began}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
