# What a table holds, in a form that two programs in two languages can compare: the number of rows, the exact sum of every
# number, and a checksum that does not depend on the order of rows. Its twin is pyiceberg-digest.ts.
import base64
import datetime
import decimal
import hashlib
import json
import struct

import pyarrow as pa

decimal.getcontext().prec = 80
EPOCH = datetime.datetime(1970, 1, 1)
MICROSECOND = datetime.timedelta(microseconds=1)


def decimal_text(value):
    """The shortest exact text."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def double_text(value):
    return "NaN" if value != value else struct.pack(">d", value).hex()


def micros_text(value):
    return str((value.replace(tzinfo=None) - EPOCH) // MICROSECOND)


def time_text(value):
    return str(((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond)


def canonical_of(type):
    """Values of this Arrow type as JSON: numbers and times as texts, bytes as base64, maps as pairs in the order of keys."""
    types = pa.types
    if isinstance(type, pa.BaseExtensionType):
        return lambda value: base64.b64encode(getattr(value, "bytes", value)).decode()
    if types.is_boolean(type) or types.is_string(type) or types.is_large_string(type):
        return lambda value: value
    if types.is_integer(type):
        return str
    if types.is_floating(type):
        return double_text
    if types.is_decimal(type):
        return decimal_text
    if types.is_timestamp(type):
        return micros_text
    if types.is_date(type):
        return lambda value: str(value.toordinal() - 719163)
    if types.is_time(type):
        return time_text
    if types.is_binary(type) or types.is_large_binary(type) or types.is_fixed_size_binary(type):
        return lambda value: base64.b64encode(value).decode()
    if types.is_map(type):
        key, item = nullable(type.key_type), nullable(type.item_type)
        return lambda value: sorted([key(k), item(v)] for k, v in (value.items() if isinstance(value, dict) else value))
    if types.is_list(type) or types.is_large_list(type):
        element = nullable(type.value_type)
        return lambda value: [element(each) for each in value]
    if types.is_struct(type):
        parts = [(type.field(i).name, nullable(type.field(i).type)) for i in range(type.num_fields)]
        return lambda value: [part(value[name]) for name, part in parts]
    raise TypeError(f"no canonical form for {type}")


def nullable(type):
    canonical = canonical_of(type)
    return lambda value: None if value is None else canonical(value)


def is_number(type):
    return pa.types.is_integer(type) or pa.types.is_decimal(type)


def digest(table):
    columns, sums = [], {}
    for field in table.schema:
        values = table.column(field.name).to_pylist()
        canonical = nullable(field.type)
        columns.append([canonical(value) for value in values])
        if is_number(field.type):
            sums[field.name] = decimal_text(sum((decimal.Decimal(v) for v in values if v is not None), decimal.Decimal(0)))
    total = 0
    for row in zip(*columns):
        line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
        total += int.from_bytes(hashlib.md5(line).digest(), "big")
    return {"rows": table.num_rows, "checksum": format(total % 2**128, "032x"), "sums": sums}
