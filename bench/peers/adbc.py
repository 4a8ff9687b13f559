"""The peer of copies between SQLite and PostgreSQL: an ADBC reader into an ADBC ingest, nothing between.

`python bench/peers/adbc.py SOURCE TARGET TABLE`: two addresses and a table that both have; prints the seconds. It runs
in an environment of its own, made from `requirements/bench.lock`.
"""

import sys
import time
from typing import Any

BATCH_ROWS = "65536"


def connect(address: str) -> Any:
    if address.startswith("postgresql:"):
        import adbc_driver_postgresql.dbapi as postgresql

        return postgresql.connect(address)
    import adbc_driver_sqlite.dbapi as sqlite

    return sqlite.connect(address)


def main() -> None:
    source_address, target_address, table = sys.argv[1:]
    connect(source_address).close()  # imports and loads both drivers: no part of a copy
    connect(target_address).close()
    started = time.perf_counter()
    with connect(source_address) as source, connect(target_address) as target:
        with source.cursor() as reading, target.cursor() as writing:
            if not source_address.startswith("postgresql:"):
                reading.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": BATCH_ROWS})
            reading.execute(f"SELECT * FROM {table}")
            writing.adbc_ingest(table, reading.fetch_record_batch(), mode="append")
        target.commit()
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main()
