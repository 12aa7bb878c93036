# ArcticDB beside the lake's own figures: one symbol's hour and day out of the same trades. Not part of a run: install
# arcticdb, then  python arctic.py WAREHOUSE_FOLDER STORE_FOLDER  with the folder that bench/support/day-warehouse.ts built.
# ArcticDB has no decimals: prices and quantities go in as doubles. Symbols are versioned tables of their own, sorted by time.
import glob
import random
import sys
import time

import arcticdb
import duckdb
import pandas as pd

warehouse, store = sys.argv[1:3]
library = arcticdb.Arctic(f"lmdb://{store}?map_size=8GB").get_library("trades", create_if_missing=True)
COLUMNS = ["price", "quantity"]
ROUNDS = 40


def fill():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'; SET threads = 2")
    # Those of compaction; the small ones before it have no folder of a bucket.
    files = glob.glob(f"{warehouse}/warehouse/market_data/trades/data/*/symbol_hash=*/*.parquet")
    started, rows = time.perf_counter(), 0
    for file in files:
        found = connection.execute(
            "SELECT symbol, exchange_timestamp::TIMESTAMP AS time, price::DOUBLE AS price, quantity::DOUBLE AS quantity, "
            "message_id, trade_id, side::VARCHAR AS side, source_sequence, _partition, _offset "
            f"FROM read_parquet('{file}', hive_partitioning = false) ORDER BY symbol, time"
        ).df()
        for symbol, part in found.groupby("symbol"):
            library.write(symbol, part.drop(columns="symbol").set_index("time"))
            rows += len(part)
    print(f"filled with {rows:,} rows in {time.perf_counter() - started:.1f} s")


def measure(name, length, columns):
    chosen, elapsed = random.Random(7), []
    day = pd.Timestamp("2026-03-10")
    for _ in range(ROUNDS + 5):
        start = day + pd.Timedelta(seconds=chosen.randrange(0, max(1, 86_400 - length)))
        symbol = f"S{chosen.randrange(100):03}"
        window = (start, start + pd.Timedelta(seconds=length) - pd.Timedelta(microseconds=1))
        started = time.perf_counter()
        rows = len(library.read(symbol, date_range=window, columns=columns).data)
        elapsed.append((time.perf_counter() - started) * 1000)
    elapsed = sorted(elapsed[5:])
    print(f"{name}: least {elapsed[0]:.2f}, p50 {elapsed[len(elapsed) // 2]:.2f}, p99 {elapsed[-1]:.2f} ms; {rows:,} rows")


print(f"arcticdb {arcticdb.__version__}")
if not library.list_symbols():
    fill()
for _ in range(2):
    measure("hour, time and 2 columns", 3600, COLUMNS)
    measure("day, time and 2 columns", 86_400, COLUMNS)
    measure("hour, all columns", 3600, None)
