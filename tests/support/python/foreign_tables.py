# Tables as PyIceberg writes them, which the lake must read as PyIceberg does: each function makes one, under its own name
# in the namespace `foreign`, and says which filters are worth asking.
import json
from decimal import Decimal

import pyarrow as pa
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import parse_transform
from pyiceberg.types import DecimalType, DoubleType, IntegerType, LongType, NestedField, StringType

import foreign_by_hand
import foreign_rows as rows
from pyiceberg_reader import open_catalog

TICK_FILTERS = [
    [{"column": "symbol", "op": "=", "value": "BHP"}],
    [{"column": "symbol", "op": "in", "values": ["RIO", "Zürich AG"]}],
    [{"column": "symbol", "op": "is null"}],
    [
        {"column": "traded_at", "op": ">=", "value": "2014-03-11T00:00:00+00:00"},
        {"column": "traded_at", "op": "<", "value": "2014-03-11T06:30:00.000001+00:00"},
    ],
    [{"column": "id", "op": "<=", "value": "40"}],
    [{"column": "id", "op": ">", "value": "100000"}],
    [{"column": "price", "op": ">", "value": "900.5"}, {"column": "symbol", "op": "is not null"}],
]
TABLES = dict(foreign_by_hand.TABLES)


def table(make):
    TABLES[make.__name__] = make
    return make


def make_foreign(catalog, name):
    found = open_catalog(catalog)
    found.create_namespace_if_not_exists("foreign")
    filters = TABLES[name](lambda schema=rows.TICKS, **more: found.create_table(f"foreign.{name}", schema, **more))
    return {"table": f"foreign.{name}", "filters": TICK_FILTERS if filters is None else filters}


def foreign_names():
    return list(TABLES)


@table
def every_type(create):
    made = create(rows.ALL_TYPES)
    for start in [0, 100, 200]:
        made.append(rows.all_types(start, 100))
    moment = "2014-03-11T00:00:00.000001+00:00"
    return [
        [{"column": "flag", "op": "=", "value": True}],
        [{"column": "small", "op": "=", "value": "-1"}],
        [{"column": "big", "op": ">", "value": "9007199254740992"}],
        [{"column": "double", "op": ">", "value": 0.1}],
        [{"column": "single", "op": "<=", "value": 0.5}],
        [{"column": "cents", "op": "<", "value": "-0.01"}],
        [{"column": "price", "op": ">=", "value": "9999999999.99999999"}],
        [{"column": "wide", "op": "=", "value": "0.0000000007"}],
        [{"column": "day", "op": "<", "value": "2014-03-10"}],
        [{"column": "wall", "op": "<", "value": moment[:-6]}],
        [{"column": "moment", "op": ">=", "value": moment}],
        [{"column": "word", "op": "=", "value": "a'b\"c\\d"}],
        [{"column": "word", "op": "in", "values": ["", "株式会社", "\u00ff\uffff", "tab\tline\n"]}],
        [{"column": "word", "op": ">", "value": "x"}],
        [{"column": "pair", "op": "is not null"}],
    ]


@table
def empty(create):
    create()


@table
def emptied(create):
    made = create()
    made.append(rows.ticks(0, 50))
    made.delete()


@table
def odd_properties(create):
    """What looks like metadata, but is text; and numbers that no double holds."""
    made = create(
        properties={
            "note": '{"snapshot-id": 9223372036854775807, "current-snapshot-id": 12345678901234567890}',
            "a \"quoted\" \\ key: 1": "line\nbreak",
            "big": "9007199254740993",
        }
    )
    made.append(rows.ticks(0, 20), snapshot_properties={"note": '"snapshot-id": 1152921504606846977,'})


@table
def schema_evolved(create):
    made = create()
    made.append(rows.ticks(0, 60))
    with made.update_schema() as update:
        update.add_column("currency", StringType())
        update.rename_column("venue", "market")
    more = {"currency": "AUD", "market": "X"}
    made.append(rows.ticks(60, 60, made.schema(), lambda i: more))
    with made.update_schema() as update:
        update.update_column("id", LongType())
        update.update_column("ratio", DoubleType())
        update.update_column("price", DecimalType(18, 2))
        update.move_first("price")
        update.move_after("symbol", "ratio")
    big = {"id": 2**40, "price": Decimal("1234567890123456.78"), "ratio": 0.1}
    made.append(rows.ticks(120, 60, made.schema(), lambda i: {**more, **(big if i % 7 == 0 else {})}))
    with made.update_schema() as update:
        update.delete_column("market")
    made.append(rows.ticks(180, 60, made.schema(), lambda i: more))
    with made.update_schema() as update:
        # The same name, but another column: what was written before must not show.
        update.add_column("market", IntegerType())
        update.rename_column("currency", "symbol_currency")
    made.append(rows.ticks(240, 60, made.schema(), lambda i: {"market": i, "symbol_currency": "NZD"}))
    return [
        *TICK_FILTERS,
        [{"column": "id", "op": ">", "value": "2147483647"}],
        [{"column": "price", "op": ">", "value": "99999999.99"}],
        [{"column": "ratio", "op": "=", "value": 0.25}],
        [{"column": "market", "op": "is null"}],
        [{"column": "market", "op": ">=", "value": "270"}],
        [{"column": "symbol_currency", "op": "=", "value": "AUD"}],
        [{"column": "symbol_currency", "op": "is null"}],
    ]


@table
def names_swapped(create):
    """Names and columns that changed places: only the ids tell which is which."""
    made = create()
    made.append(rows.ticks(0, 60))
    with made.update_schema() as update:
        update.rename_column("symbol", "parked")
    with made.update_schema() as update:
        update.rename_column("venue", "symbol")
    with made.update_schema() as update:
        update.rename_column("parked", "venue")
    made.append(rows.ticks(60, 60, made.schema()))
    return [*TICK_FILTERS, [{"column": "venue", "op": "=", "value": "BHP"}], [{"column": "symbol", "op": "=", "value": "X"}]]


@table
def specs_evolved(create):
    made = create()
    made.append(rows.ticks(0, 60))
    steps = [
        lambda update: update.add_field("traded_at", "day", "traded_day"),
        lambda update: update.add_field("symbol", "bucket[4]", "symbol_bucket"),
        lambda update: update.remove_field("traded_day").add_field("traded_at", "hour", "traded_hour"),
        lambda update: update.remove_field("symbol_bucket").add_field("venue", "identity", "venue_is"),
        lambda update: update.remove_field("traded_hour").remove_field("venue_is"),
    ]
    for step, change in enumerate(steps, 1):
        with made.update_spec() as update:
            change(update)
        made.append(rows.ticks(step * 60, 60))
    made.append(rows.ticks(20, 400))


def partitioned(name, column, transform, schema=rows.TICKS, fill=rows.ticks, filters=TICK_FILTERS, count=200):
    source = schema.find_field(column).field_id
    field = PartitionField(source, 1000, parse_transform(transform), f"{column}_part")

    def make(create):
        made = create(schema, partition_spec=PartitionSpec(field))
        made.append(fill(0, count * 3 // 4))
        made.append(fill(count * 3 // 4, count // 4))
        return filters

    TABLES[name] = make


partitioned("by_symbol", "symbol", "identity")
partitioned("by_symbol_bucket", "symbol", "bucket[16]")
partitioned("by_symbol_start", "symbol", "truncate[2]")
partitioned("by_id_tens", "id", "truncate[50]")
partitioned("by_id_bucket", "id", "bucket[5]")
partitioned("by_price_bucket", "price", "bucket[3]")
partitioned("by_price_step", "price", "truncate[20000]")
partitioned("by_hour", "traded_at", "hour")
partitioned("by_day", "traded_at", "day")
partitioned("by_month", "traded_at", "month")
partitioned("by_year", "traded_at", "year")
partitioned("by_moment", "traded_at", "identity", count=40)
partitioned("by_moment_bucket", "traded_at", "bucket[7]")

TYPED_FILTERS = [
    [{"column": "flag", "op": "=", "value": False}],
    [{"column": "day", "op": "=", "value": "1931-12-31"}],
    [{"column": "day", "op": ">", "value": "2014-03-10"}],
    [{"column": "wall", "op": "<", "value": "1970-01-01T00:00:00"}],
    [{"column": "moment", "op": "<", "value": "1932-01-01T00:00:00+00:00"}],
    [{"column": "moment", "op": ">=", "value": "2014-03-12T10:00:00+00:00"}],
    [{"column": "big", "op": "=", "value": "-9223372036854775808"}],
    [{"column": "price", "op": "<", "value": "0"}],
    [{"column": "small", "op": "is null"}],
]
for column, transforms in {
    "flag": ["identity"],
    "day": ["identity", "month", "year", "bucket[4]"],
    "wall": ["day", "hour", "month"],
    "moment": ["day", "month", "year", "hour"],
    "big": ["identity", "truncate[1000]", "bucket[3]"],
    "price": ["identity", "truncate[7]", "bucket[3]"],
    "small": ["truncate[10]"],
    "key": ["bucket[3]"],
    "bytes": ["bucket[3]"],
    "word": ["identity", "truncate[1]", "bucket[4]"],
}.items():
    for transform in transforms:
        short = transform.split("[")[0]
        partitioned(f"typed_{column}_{short}", column, transform, rows.ALL_TYPES, rows.all_types, TYPED_FILTERS, 40)


@table
def deleted_rows(create):
    made = create(partition_spec=PartitionSpec(PartitionField(3, 1000, parse_transform("day"), "traded_day")))
    made.append(rows.ticks(0, 3000))
    made.append(rows.ticks(3000, 1000))
    made.delete("symbol = 'RIO' and id < 2000")
    made.delete("traded_at < '2014-03-11T00:00:00+00:00'")
    made.append(rows.ticks(4000, 100))
    made.overwrite(rows.ticks(100, 40), "id >= 3500")


@table
def merged_manifests(create):
    """Entries that came out of other manifests, and keep their own snapshot and sequence number."""
    made = create(
        properties={"commit.manifest-merge.enabled": "true", "commit.manifest.min-count-to-merge": "2"},
        partition_spec=PartitionSpec(PartitionField(2, 1000, parse_transform("identity"), "symbol")),
    )
    for start in range(0, 200, 40):
        made.append(rows.ticks(start, 40))
    made.delete("symbol = 'DVN'")


@table
def tags_and_branches(create):
    made = create()
    made.append(rows.ticks(0, 30))
    first = made.current_snapshot().snapshot_id
    made.manage_snapshots().create_tag(first, "first rows").create_branch(first, "what-if").commit()
    made.append(rows.ticks(30, 30))
    made.append(rows.ticks(1000, 5), branch="what-if")
    made.manage_snapshots().create_tag(made.current_snapshot().snapshot_id, "second").commit()


@table
def rolled_back(create):
    made = create()
    made.append(rows.ticks(0, 30))
    first = made.current_snapshot().snapshot_id
    made.append(rows.ticks(30, 30))
    made.manage_snapshots().rollback_to_snapshot(first).commit()
    made.append(rows.ticks(60, 10))


@table
def expired_history(create):
    """The first snapshot is gone, and the second's parent is not there any more."""
    made = create()
    for start in [0, 30, 60]:
        made.append(rows.ticks(start, 30))
    made.maintenance.expire_snapshots().by_id(made.metadata.snapshots[0].snapshot_id).commit()


@table
def version_1(create):
    made = create(properties={"format-version": "1"})
    made.append(rows.ticks(0, 60))
    made.append(rows.ticks(60, 60))


@table
def version_1_upgraded(create):
    """Manifests without sequence numbers in a table that has them now."""
    made = create(
        properties={"format-version": "1"},
        partition_spec=PartitionSpec(PartitionField(3, 1000, parse_transform("day"), "traded_day")),
    )
    made.append(rows.ticks(0, 60))
    with made.transaction() as transaction:
        transaction.upgrade_table_version(2)
    made.append(rows.ticks(60, 60))
    made.delete("symbol = 'BHP' and id < 60")


@table
def version_3(create):
    """PyIceberg does not write this version, so its metadata is rewritten."""
    made = create()
    made.append(rows.ticks(0, 20))
    metadata = json.loads(made.io.new_input(made.metadata_location).open().read())
    location = made.metadata_location.replace("00001-", "00002-")
    with made.io.new_output(location).create() as stream:
        stream.write(json.dumps({**metadata, "format-version": 3, "next-row-id": 20}).encode())
    made.catalog.drop_table(made.name())
    made.catalog.register_table(made.name(), location)


def avro_codec(name, codec):
    def make(create):
        made = create(properties={"write.avro.compression-codec": codec})
        made.append(rows.ticks(0, 60))

    TABLES[name] = make


avro_codec("manifests_plain", "null")
avro_codec("manifests_zstandard", "zstandard")
avro_codec("manifests_bzip2", "bzip2")


def parquet_codec(codec):
    def make(create):
        made = create(properties={"write.parquet.compression-codec": codec, "write.parquet.row-group-limit": "20"})
        made.append(rows.ticks(0, 60))

    TABLES[f"parquet_{codec}"] = make


for each in ["snappy", "gzip", "zstd", "lz4", "uncompressed"]:
    parquet_codec(each)


@table
def no_metrics(create):
    """Nothing is known of the columns of one file; in another, texts are cut short."""
    made = create(properties={"write.metadata.metrics.default": "none"})
    made.append(rows.ticks(0, 60))
    with made.transaction() as transaction:
        transaction.set_properties({"write.metadata.metrics.default": "truncate(1)"})
    made.append(rows.ticks(60, 60))
    with made.transaction() as transaction:
        transaction.set_properties({"write.metadata.metrics.default": "counts"})
    made.append(rows.ticks(120, 60))


def nested_table(create):
    from pyiceberg.types import StructType

    book = StructType(NestedField(3, "bid", IntegerType()), NestedField(4, "ask", IntegerType()))
    made = create(Schema(NestedField(1, "id", LongType()), NestedField(2, "book", book)))
    append_rows(made, [{"id": 1, "book": {"bid": 10, "ask": 11}}, {"id": 2, "book": None}])
    return made


def append_rows(made, values):
    made.append(pa.Table.from_pylist(values, rows.arrow_of(made.schema())))


NESTED_FILTERS = [[{"column": "id", "op": "=", "value": "3"}], [{"column": "book", "op": "is null"}]]


@table
def nested_grown(create):
    made = nested_table(create)
    with made.update_schema() as update:
        update.add_column(("book", "depth"), LongType())
        update.update_column(("book", "ask"), LongType())
        update.move_first(("book", "ask"))
    append_rows(made, [{"id": 3, "book": {"bid": 20, "ask": 2**40, "depth": 5}}])
    return NESTED_FILTERS


@table
def nested_renamed(create):
    made = nested_table(create)
    with made.update_schema() as update:
        update.rename_column(("book", "bid"), "buy")
    append_rows(made, [{"id": 3, "book": {"buy": 20, "ask": 21}}])
    return NESTED_FILTERS


QUESTIONS = {each.__name__: each for each in [make_foreign, foreign_names]}
