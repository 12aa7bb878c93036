# Rows for the tables that PyIceberg writes: every type, nulls in every column, the extremes, the same in every run.
import datetime
import decimal
import random
import uuid
from decimal import Decimal

import pyarrow as pa
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FixedType,
    FloatType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

decimal.getcontext().prec = 80
UTC = datetime.timezone.utc
DAY = datetime.datetime(2014, 3, 10, 23, 0, tzinfo=UTC)
WORDS = ["BHP", "RIO", "DVN", "MWR", "", "a'b\"c\\d", "Zürich", "株式会社", "😀 smile", "x" * 40, "\u00ff\uffff", "tab\tline\n"]

ALL_TYPES = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "flag", BooleanType()),
    NestedField(3, "small", IntegerType()),
    NestedField(4, "big", LongType()),
    NestedField(5, "single", FloatType()),
    NestedField(6, "double", DoubleType()),
    NestedField(7, "cents", DecimalType(9, 2)),
    NestedField(8, "price", DecimalType(18, 8)),
    NestedField(9, "wide", DecimalType(38, 10)),
    NestedField(10, "day", DateType()),
    NestedField(11, "clock", TimeType()),
    NestedField(12, "wall", TimestampType()),
    NestedField(13, "moment", TimestamptzType()),
    NestedField(14, "word", StringType()),
    NestedField(15, "key", UUIDType()),
    NestedField(16, "four", FixedType(4)),
    NestedField(17, "bytes", BinaryType()),
    NestedField(18, "words", ListType(30, StringType(), element_required=False)),
    NestedField(19, "notes", MapType(31, StringType(), 32, StringType(), value_required=False)),
    NestedField(
        20, "pair", StructType(NestedField(33, "left", IntegerType()), NestedField(34, "right", StringType()))
    ),
)


def arrow_of(schema):
    """By names alone: a table numbers its columns itself."""
    return schema_to_pyarrow(schema, include_field_ids=False)


def all_types(start, count):
    """Rows `start` … of an endless table; every column but the first is null now and then."""
    return pa.Table.from_pylist([one_of_all(i) for i in range(start, start + count)], schema=arrow_of(ALL_TYPES))


def one_of_all(i):
    draw = random.Random(i)
    moment = DAY + datetime.timedelta(microseconds=draw.randrange(-(10**12), 10**12))
    if i % 50 == 7:
        moment = datetime.datetime(1931, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    row = {
        "flag": draw.random() < 0.5,
        "small": draw.choice([-(2**31), 2**31 - 1, 0, -1, draw.randrange(1000)]),
        "big": draw.choice([-(2**63), 2**63 - 1, 2**53 + 1, 0, draw.randrange(10**6)]),
        "single": draw.choice([0.5, -1.25, 0.1, 1e30, float("inf"), float("nan")]),
        "double": draw.choice([0.1, -2.5e-300, 1e300, float("-inf"), float("nan"), 12345.678]),
        "cents": Decimal(draw.randrange(-(10**9) + 1, 10**9)).scaleb(-2),
        "price": Decimal(draw.choice([draw.randrange(10**12), 10**18 - 1, -(10**18) + 1, 1])).scaleb(-8),
        "wide": Decimal(draw.choice([10**38 - 1, -(10**38) + 1, 7, draw.randrange(10**20)])).scaleb(-10),
        "day": moment.date(),
        "clock": moment.time().replace(tzinfo=None),
        "wall": moment.replace(tzinfo=None),
        "moment": moment,
        "word": draw.choice(WORDS),
        "key": uuid.UUID(int=draw.getrandbits(128)).bytes,
        "four": draw.randbytes(4),
        "bytes": draw.randbytes(draw.randrange(30)),
        "words": [draw.choice([*WORDS, None]) for _ in range(draw.randrange(4))],
        "notes": [(word, draw.choice([*WORDS, None])) for word in draw.sample(WORDS, draw.randrange(3))],
        "pair": {"left": draw.randrange(9), "right": draw.choice([*WORDS, None])},
    }
    return {"id": i, **{name: None if draw.random() < 0.1 else value for name, value in row.items()}}


TICKS = Schema(
    NestedField(1, "id", IntegerType(), required=True),
    NestedField(2, "symbol", StringType()),
    NestedField(3, "traded_at", TimestamptzType()),
    NestedField(4, "price", DecimalType(9, 2)),
    NestedField(5, "ratio", FloatType()),
    NestedField(6, "venue", StringType()),
)


def ticks(start, count, schema=TICKS, more=lambda i: {}):
    rows = [{**one_tick(i), **more(i)} for i in range(start, start + count)]
    arrow = arrow_of(schema)
    return pa.Table.from_pylist([{name: row.get(name) for name in arrow.names} for row in rows], schema=arrow)


def one_tick(i):
    draw = random.Random(i)
    row = {
        "symbol": draw.choice(["BHP", "RIO", "DVN", "MWR", "Zürich AG"]),
        "traded_at": DAY + datetime.timedelta(seconds=i * 97, microseconds=draw.randrange(10**6)),
        "price": Decimal(draw.randrange(1, 99_999)).scaleb(-2),
        "ratio": draw.choice([0.25, 0.1, 3.5, -1.0]),
        "venue": draw.choice(["X", "CHIA", ""]),
    }
    return {"id": i, **{name: None if draw.random() < 0.05 else value for name, value in row.items()}}
