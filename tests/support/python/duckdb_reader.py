# What DuckDB's own Iceberg extension finds in a table, from its metadata file alone.
import functools
import importlib.util
import os

import duckdb

from digest import digest


def extension(name):
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    folder = os.path.join(os.path.dirname(spec.origin), "extensions", f"v{duckdb.__version__}")
    return os.path.join(folder, f"{name}.duckdb_extension")


@functools.cache
def connection():
    found = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    for name in ["avro", "httpfs", "iceberg"]:
        found.load_extension(extension(name))
    return found


def source(metadata, snapshot_id):
    at = "" if snapshot_id is None else f", snapshot_from_id = {int(snapshot_id)}"
    return "iceberg_scan('" + metadata.replace("'", "''") + f"'{at})"


def duckdb_scan(metadata, where="true", columns="*", snapshot_id=None):
    query = f"SELECT {columns} FROM {source(metadata, snapshot_id)} WHERE {where}"
    return digest(connection().execute(query).to_arrow_table())


def duckdb_rows(query):
    """Any question in SQL, its values as texts."""
    rows = connection().execute(query).fetchall()
    return [[None if value is None else str(value) for value in row] for row in rows]


QUESTIONS = {each.__name__: each for each in [duckdb_scan, duckdb_rows]}
