# The other engines of the lake's benchmarks, asked in lines of JSON by one process that stays: PyIceberg and DuckDB from
# Python. What they take is timed here, around their own calls, so that the way between the processes is not counted.
import functools
import gc
import json
import os
import sys
import time
import traceback

answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pyiceberg
from pyiceberg import expressions as ex
from pyiceberg.catalog import load_catalog


@functools.cache
def catalog_of(text):
    properties = json.loads(text)
    return load_catalog(properties.pop("name", "k2"), **properties)


def open_table(catalog, table):
    return catalog_of(json.dumps(catalog)).load_table(table)


@functools.cache
def connection():
    found = duckdb.connect()
    found.execute("SET TimeZone = 'UTC'; SET threads = 2; SET enable_progress_bar = false")
    found.execute("SET parquet_metadata_cache = true")
    return found


@functools.cache
def rows_of(files):
    return pa.concat_tables([pq.ParquetFile(file).read() for file in files])


def versions():
    return {"pyiceberg": pyiceberg.__version__, "duckdb": duckdb.__version__, "pyarrow": pa.__version__}


def create_like(catalog, table, new):
    """A table with the schema, partitions and sort order of another, as PyIceberg makes it."""
    like = open_table(catalog, table)
    schema = like.schema()
    catalog_of(json.dumps(catalog)).create_table(
        new, schema, partition_spec=like.spec(), sort_order=like.sort_order(),
        properties={"write.parquet.compression-codec": "zstd"},
    )


def append(catalog, table, files):
    """The same rows, which lie in memory as Arrow, to committed files."""
    found = open_table(catalog, table)
    rows = rows_of(tuple(files)).cast(found.schema().as_arrow())
    gc.collect()
    started, processed = time.perf_counter(), time.process_time()
    found.append(rows)
    elapsed, processed = time.perf_counter() - started, time.process_time() - processed
    files = found.inspect.files().to_pydict()
    return {"ms": elapsed * 1000, "processor_ms": processed * 1000, "bytes": sum(files["file_size_in_bytes"])}


def plan(catalog, table, snapshot_id=None, symbol=None, start=None, end=None):
    found = open_table(catalog, table)
    started = time.perf_counter()
    found = catalog_of(json.dumps(catalog)).load_table(table)
    loaded = time.perf_counter()
    at = None if snapshot_id is None else int(snapshot_id)
    files = list(found.scan(row_filter=where(symbol, start, end), snapshot_id=at).plan_files())
    planned = time.perf_counter()
    return {"load_ms": (loaded - started) * 1000, "ms": (planned - loaded) * 1000, "files": len(files)}


def where(symbol, start, end):
    if symbol is None:
        return ex.AlwaysTrue()
    return ex.And(
        ex.EqualTo("symbol", symbol),
        ex.GreaterThanOrEqual("exchange_timestamp", start),
        ex.LessThan("exchange_timestamp", end),
    )


def read_pyiceberg(catalog, table, symbol, start, end, columns):
    """Planned and read into Arrow; the metadata is at hand."""
    found = table_of(json.dumps(catalog), table)
    started = time.perf_counter()
    rows = found.scan(row_filter=where(symbol, start, end), selected_fields=tuple(columns)).to_arrow()
    return {"ms": (time.perf_counter() - started) * 1000, "rows": len(rows)}


@functools.cache
def table_of(catalog, table):
    return open_table(json.loads(catalog), table)


def read_duckdb(files, symbol, start, end, columns):
    """From just these files into Arrow."""
    names = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    query = (
        f"SELECT {', '.join(columns)} FROM read_parquet([{names}], hive_partitioning = false) "
        f"WHERE symbol = '{symbol}' AND exchange_timestamp >= TIMESTAMPTZ '{start}' AND exchange_timestamp < TIMESTAMPTZ '{end}'"
    )
    started = time.perf_counter()
    rows = connection().execute(query).to_arrow_table()
    return {"ms": (time.perf_counter() - started) * 1000, "rows": len(rows)}


QUESTIONS = {
    each.__name__: each for each in [versions, create_like, append, plan, read_pyiceberg, read_duckdb]
}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        reply = {"answer": QUESTIONS[asked["question"]](**asked["args"])}
    except Exception as error:
        reply = {"error": f"{asked['question']}: {error}\n{traceback.format_exc(limit=-6)}"}
    answers.write(json.dumps({"id": asked["id"], **reply}) + "\n")
    answers.flush()
