# What PyIceberg finds in a table: rows, the files a filter leaves, its own look at snapshots, manifests and files;
# and what it changes there when told to. Snapshot ids are texts on the way.
import functools
import json
from decimal import Decimal

import pyarrow as pa
import pyiceberg
from pyiceberg import expressions as ex
from pyiceberg.catalog import load_catalog
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.types import DecimalType, IntegerType, LongType

from digest import digest

OPERATORS = {
    "=": ex.EqualTo,
    "<": ex.LessThan,
    "<=": ex.LessThanOrEqual,
    ">": ex.GreaterThan,
    ">=": ex.GreaterThanOrEqual,
}


@functools.cache
def catalog_of(text):
    properties = json.loads(text)
    return load_catalog(properties.pop("name", "k2"), **properties)


def open_catalog(catalog):
    return catalog_of(json.dumps(catalog))


def open_table(catalog, table):
    return open_catalog(catalog).load_table(table)


def expression_of(schema, filter):
    """Conditions as the lake's own filters, their values as texts."""
    found = ex.AlwaysTrue()
    for condition in filter or []:
        column, op = condition["column"], condition["op"]
        type = schema.find_field(column).field_type
        if op == "in":
            one = ex.In(column, [literal(type, value) for value in condition["values"]])
        elif op == "is null":
            one = ex.IsNull(column)
        elif op == "is not null":
            one = ex.NotNull(column)
        else:
            one = OPERATORS[op](column, literal(type, condition["value"]))
        found = ex.And(found, one)
    return found


def literal(type, text):
    if isinstance(type, DecimalType):
        return Decimal(text).quantize(Decimal(1).scaleb(-type.scale))
    if isinstance(type, (IntegerType, LongType)):
        return int(text)
    return text


def scan_of(catalog, table, snapshot_id=None, filter=None, columns=None):
    found = open_table(catalog, table)
    at = None if snapshot_id is None else int(snapshot_id)
    schema = found.schema() if at is None else found.scan(snapshot_id=at).projection()
    return found.scan(
        row_filter=expression_of(schema, filter), selected_fields=tuple(columns or ["*"]), snapshot_id=at
    )


def scan(**question):
    rows = scan_of(**question).to_arrow()
    return digest(rows.select(question["columns"]) if question.get("columns") else rows)


def read(**question):
    """The rows that pass, and the files they were looked for in."""
    scan = scan_of(**question)
    tasks = list(scan.plan_files())
    reader = ArrowScan(scan.table_metadata, scan.io, scan.projection(), scan.row_filter, scan.case_sensitive, scan.limit)
    rows = reader.to_table(tasks)
    return {
        "rows": digest(rows.select(question["columns"]) if question.get("columns") else rows),
        "files": sorted(task.file.file_path for task in tasks),
        "deletes": sorted({delete.file_path for task in tasks for delete in task.delete_files}),
    }


def snapshots(catalog, table):
    def as_data(one):
        return {
            "id": str(one.snapshot_id),
            "parent": None if one.parent_snapshot_id is None else str(one.parent_snapshot_id),
            "sequence": one.sequence_number,
            "timestamp_ms": one.timestamp_ms,
            "operation": one.summary.operation.value,
            "summary": dict(one.summary.additional_properties),
        }

    return [as_data(one) for one in open_table(catalog, table).metadata.snapshots]


def inspect(catalog, table, what, snapshot_id=None):
    """One of PyIceberg's metadata tables, as rows of texts."""
    at = {} if snapshot_id is None else {"snapshot_id": int(snapshot_id)}
    rows = getattr(open_table(catalog, table).inspect, what)(**at).to_pylist()
    return json.loads(json.dumps(rows, default=str, skipkeys=True))


def refs(catalog, table):
    found = open_table(catalog, table).metadata.refs
    return {name: {"id": str(ref.snapshot_id), "type": ref.snapshot_ref_type.value} for name, ref in found.items()}


def as_of(catalog, table, moments_ms):
    """Which snapshot was current at each of these moments; none before the first."""
    found = [open_table(catalog, table).snapshot_as_of_timestamp(moment) for moment in moments_ms]
    return [None if one is None else str(one.snapshot_id) for one in found]


def append_copies(catalog, table, filter, changes):
    """Appends the rows of a filter once more with some texts changed: rows that are like the table's own."""
    found = open_table(catalog, table)
    rows = found.scan(row_filter=expression_of(found.schema(), filter)).to_arrow()
    for name, text in changes.items():
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(at, rows.schema.field(at), pa.array([text] * len(rows), rows.schema.field(at).type))
    found.append(rows)
    return len(rows)


def delete_rows(catalog, table, filter):
    found = open_table(catalog, table)
    found.delete(expression_of(found.schema(), filter))


def tag(catalog, table, name, snapshot_id):
    open_table(catalog, table).manage_snapshots().create_tag(int(snapshot_id), name).commit()


def add_column(catalog, table, name, type):
    from pyiceberg.types import DoubleType, StringType

    with open_table(catalog, table).update_schema() as update:
        update.add_column(name, {"string": StringType(), "double": DoubleType()}[type])


def versions():
    import duckdb

    return {"pyiceberg": pyiceberg.__version__, "duckdb": duckdb.__version__, "pyarrow": pa.__version__}


QUESTIONS = {
    each.__name__: each
    for each in [scan, read, snapshots, inspect, refs, as_of, append_copies, delete_rows, tag, add_column, versions]
}
