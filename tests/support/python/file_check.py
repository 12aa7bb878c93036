# Holds what manifests say of data files against the Parquet files themselves, with PyIceberg and pyarrow as readers.
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.conversions import from_bytes
from pyiceberg.types import DateType, PrimitiveType, TimestampType, TimestamptzType, TimeType
from pyiceberg.utils.datetime import date_to_days, datetime_to_micros, time_to_micros

from pyiceberg_reader import open_table

TO_ICEBERG = {
    DateType: date_to_days,
    TimestampType: datetime_to_micros,
    TimestamptzType: datetime_to_micros,
    TimeType: time_to_micros,
}


def as_iceberg(type, value):
    convert = TO_ICEBERG.get(type.__class__)
    return value if value is None or convert is None else convert(value)


def check_files(catalog, table):
    """Complaints, none when all is well; and what was seen, so that nothing passes for having looked at nothing."""
    found = open_table(catalog, table)
    seen = {"files": 0, "bounds": 0, "partitions": 0, "counts": 0, "sorted": 0}
    complaints = []
    for manifest in found.current_snapshot().manifests(found.io):
        entries = manifest.fetch_manifest_entry(found.io, discard_deleted=True)
        live = manifest.added_files_count + manifest.existing_files_count
        if live != len(entries):
            complaints.append(f"{manifest.manifest_path}: {live} files in the list, {len(entries)} in it")
        lines = len(found.io.new_input(manifest.manifest_path))
        if lines != manifest.manifest_length:
            complaints.append(f"{manifest.manifest_path}: {manifest.manifest_length} bytes in the list, {lines} in truth")
        for entry in entries:
            file = entry.data_file
            complaints += [f"{file.file_path}: {what}" for what in check_file(found, file, seen)]
    return {"complaints": complaints, "seen": seen}


def check_file(table, file, seen):
    seen["files"] += 1
    source = table.io.new_input(file.file_path)
    if len(source) != file.file_size_in_bytes:
        yield f"has {len(source)} bytes, not {file.file_size_in_bytes}"
    with source.open() as stream:
        parquet = pq.ParquetFile(stream)
        rows, footer = parquet.read(), parquet.metadata
    if len(rows) != file.record_count:
        yield f"has {len(rows)} rows, not {file.record_count}"
    groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
    if file.split_offsets and list(file.split_offsets) != [first_byte(group) for group in groups]:
        yield f"split offsets {file.split_offsets} are not those of row groups {[first_byte(group) for group in groups]}"
    codecs = {group.column(i).compression for group in groups for i in range(group.num_columns)}
    if codecs - {"ZSTD"}:
        yield f"is compressed with {codecs}"
    ids = {rows.schema.field(i).name: int(rows.schema.field(i).metadata[b"PARQUET:field_id"]) for i in range(rows.num_columns)}
    schema = table.schema()
    for name, id in ids.items():
        if schema.find_field(id).name != name:
            yield f"column {name} has the id of {schema.find_field(id).name}"
        yield from check_column(schema.find_field(id), rows.column(name), file, seen)
    yield from check_partition(table, file, rows, seen)
    if file.sort_order_id:
        yield from check_order(table, file, rows, seen)


def first_byte(group):
    """Where its first page is."""
    column = group.column(0)
    at = [column.dictionary_page_offset, column.data_page_offset] if column.has_dictionary_page else [column.data_page_offset]
    return min(at)


def check_column(field, values, file, seen):
    id, name = field.field_id, field.name
    if file.null_value_counts and id in file.null_value_counts:
        seen["counts"] += 1
        if file.null_value_counts[id] != values.null_count:
            yield f"{name} has {values.null_count} nulls, not {file.null_value_counts[id]}"
        if file.value_counts[id] != len(values):
            yield f"{name} has {len(values)} values, not {file.value_counts[id]}"
    if not isinstance(field.field_type, PrimitiveType) or values.null_count == len(values):
        if id in (file.lower_bounds or {}):
            yield f"{name} has a bound and no value"
        return
    present = [value for value in values.to_pylist() if value is not None]
    converted = [as_iceberg(field.field_type, value) for value in present]
    for bounds, extreme, is_beyond in [
        (file.lower_bounds, min(converted), lambda bound, value: bound > value),
        (file.upper_bounds, max(converted), lambda bound, value: bound < value),
    ]:
        if id not in (bounds or {}):
            continue
        seen["bounds"] += 1
        bound = from_bytes(field.field_type, bounds[id])
        bound, extreme = comparable(bound), comparable(extreme)
        if is_beyond(bound, extreme):
            yield f"{name} has the bound {bound!r} although {extreme!r} is in it"


def comparable(value):
    """Texts in the order of their bytes, as the format has it."""
    return value.encode() if isinstance(value, str) else value


def check_partition(table, file, rows, seen):
    for position, field in enumerate(table.specs()[file.spec_id].fields):
        source = table.schema().find_field(field.source_id)
        transform = field.transform.transform(source.field_type)
        values = {transform(as_iceberg(source.field_type, value)) for value in set(rows.column(source.name).to_pylist())}
        seen["partitions"] += 1
        if values != {file.partition[position]}:
            yield f"is in partition {field.name}={file.partition[position]} but holds {sorted(values)[:5]}"


def check_order(table, file, rows, seen):
    order = table.sort_orders()[file.sort_order_id]
    seen["sorted"] += 1
    columns = [table.schema().find_field(field.source_id).name for field in order.fields]
    numbers = pa.array(range(len(rows)), pa.int64())
    ordered = rows.append_column("row", numbers).sort_by([(name, "ascending") for name in [*columns, "row"]])
    if ordered.column("row").to_pylist() != numbers.to_pylist():
        yield f"is not sorted by {columns}"


QUESTIONS = {"check_files": check_files}
