# Tables that PyIceberg reads but does not write by itself: rows deleted by position or by value, as Spark or Flink does it,
# and files that another program made. Its own machinery is made to write the delete files, manifests and entries.
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestContent, ManifestWriterV2
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.types import LongType, NestedField, StringType

import foreign_rows as rows

PATH, POSITION = 2147483546, 2147483545
POSITIONS = Schema(
    NestedField(PATH, "file_path", StringType(), required=True),
    NestedField(POSITION, "pos", LongType(), required=True),
)


class DeleteManifest(ManifestWriterV2):
    def content(self):
        return ManifestContent.DELETES

    @property
    def _meta(self):
        return {**super()._meta, "content": "deletes"}


class AppendDeletes(_FastAppendFiles):
    def new_manifest_writer(self, spec):
        return DeleteManifest(spec, self.schema(), self.new_manifest_output(), self._snapshot_id, self._compression)


def commit_deletes(table, files):
    with table.transaction() as transaction:
        with AppendDeletes(Operation.DELETE, transaction, table.io) as update:
            for file in files:
                update.append_data_file(file)
    table.refresh()


def delete_file(table, schema, values, content, partition, **more):
    """Writes a Parquet file of these rows, with field ids, and describes it."""
    location = f"{table.location()}/data/{uuid.uuid4()}-deletes.parquet"
    arrow = pa.Table.from_pylist(values, schema=schema_to_pyarrow(schema))
    with table.io.new_output(location).create() as stream:
        pq.write_table(arrow, stream)
    file = DataFile.from_args(
        content=content,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=partition,
        record_count=len(values),
        file_size_in_bytes=len(table.io.new_input(location)),
        **more,
    )
    file.spec_id = table.spec().spec_id
    return file


def positions(table, places, bounded=False):
    """A position delete file for places of one partition: (file, position). `bounded` says in its bounds which file it is for."""
    places = sorted(places, key=lambda place: (place[0].file_path, place[1]))
    bounds = {}
    if bounded:
        path = places[0][0].file_path.encode()
        bounds = {"lower_bounds": {PATH: path}, "upper_bounds": {PATH: path}}
    return delete_file(
        table,
        POSITIONS,
        [{"file_path": file.file_path, "pos": position} for file, position in places],
        DataFileContent.POSITION_DELETES,
        places[0][0].partition,
        **bounds,
    )


def data_files(table):
    return sorted((task.file for task in table.scan().plan_files()), key=lambda file: (str(file.partition), file.file_path))


def by_symbol():
    return {"partition_spec": PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "symbol"))}


def position_deletes(create):
    """Of one file and of several at once, twice over; and none that reaches what was appended later."""
    made = create()
    made.append(rows.ticks(0, 100))
    made.append(rows.ticks(100, 100))
    first, second = data_files(made)
    commit_deletes(made, [positions(made, [(first, 0), (first, 99), (second, 50), (second, 51)])])
    made.append(rows.ticks(200, 50))
    commit_deletes(made, [positions(made, [(first, p) for p in range(0, 100, 3)], bounded=True)])
    made.append(rows.ticks(50, 25))


def position_deletes_by_partition(create):
    made = create(**by_symbol())
    made.append(rows.ticks(0, 200))
    files = data_files(made)
    commit_deletes(made, [positions(made, [(file, 0), (file, file.record_count - 1)]) for file in files])
    made.append(rows.ticks(200, 100))
    one = max(data_files(made), key=lambda file: file.record_count)
    commit_deletes(made, [positions(made, [(one, p) for p in range(one.record_count)], bounded=True)])


def position_deletes_evolved(create):
    """Rows deleted in files older than the schema they are read with."""
    made = create()
    made.append(rows.ticks(0, 80))
    with made.update_schema() as update:
        update.rename_column("venue", "market")
        update.add_column("note", StringType())
    (file,) = data_files(made)
    commit_deletes(made, [positions(made, [(file, p) for p in range(0, 80, 7)])])
    made.append(rows.ticks(80, 40, made.schema(), lambda i: {"note": "new", "market": "X"}))


def position_deletes_many_groups(create):
    """Positions count through all the row groups of a file."""
    made = create(properties={"write.parquet.row-group-limit": "10"})
    made.append(rows.ticks(0, 100))
    (file,) = data_files(made)
    commit_deletes(made, [positions(made, [(file, p) for p in [9, 10, 11, 55, 99]])])


def equality_deletes(create):
    """All rows of a symbol deleted by its name, in one partition; the others have no deletes."""
    made = create(**by_symbol())
    made.append(rows.ticks(0, 100))
    schema = Schema(NestedField(2, "symbol", StringType()))
    file = delete_file(
        made, schema, [{"symbol": "BHP"}], DataFileContent.EQUALITY_DELETES, Record("BHP"), equality_ids=[2]
    )
    commit_deletes(made, [file])


def files_without_ids(create):
    """Parquet files that were there before the table: their columns are known by the names they had then."""
    made = create()
    made.append(rows.ticks(0, 30))
    location = f"{made.location()}/data/before.parquet"
    with made.io.new_output(location).create() as stream:
        pq.write_table(rows.ticks(30, 30), stream)
    made.add_files([location])
    with made.update_schema() as update:
        update.rename_column("venue", "market")
    with made.update_schema() as update:
        update.add_column("venue", StringType())
    made.append(rows.ticks(60, 30, made.schema(), lambda i: {"market": "X", "venue": "new"}))


def partition_column_left_out(create):
    """As Hive writes: the file lacks the column it is partitioned by, its value is the partition's."""
    made = create(**by_symbol())
    made.append(rows.ticks(0, 30))
    table = rows.ticks(30, 30).drop_columns(["symbol"])
    location = f"{made.location()}/data/symbol=HIVE/0.parquet"
    ids = {field.name: field.field_id for field in made.schema().fields}
    fields = [field.with_metadata({"PARQUET:field_id": str(ids[field.name])}) for field in table.schema]
    with made.io.new_output(location).create() as stream:
        pq.write_table(pa.Table.from_arrays(table.columns, schema=pa.schema(fields)), stream)
    file = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=Record("HIVE"),
        record_count=30,
        file_size_in_bytes=len(made.io.new_input(location)),
    )
    file.spec_id = 0
    with made.transaction() as transaction:
        with transaction.update_snapshot().fast_append() as update:
            update.append_data_file(file)
    made.refresh()
    return [[{"column": "symbol", "op": "=", "value": "HIVE"}], [{"column": "symbol", "op": "is null"}]]


TABLES = {
    each.__name__: each
    for each in [
        position_deletes,
        position_deletes_by_partition,
        position_deletes_evolved,
        position_deletes_many_groups,
        equality_deletes,
        files_without_ids,
        partition_column_left_out,
    ]
}
