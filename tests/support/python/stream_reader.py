# What PyIceberg finds of a numbered stream in the tables: each number, how often, at how many places of the log.
import pyarrow as pa
import pyarrow.compute as pc

from pyiceberg_reader import expression_of, open_table

PLACE = ["_topic", "_partition", "_offset"]


def read_columns(catalog, table, columns, filter):
    found = open_table(catalog, table)
    return found.scan(row_filter=expression_of(found.schema(), filter), selected_fields=tuple(columns)).to_arrow()


def distinct(rows, names):
    return rows.select(names).group_by(names).aggregate([]).num_rows


def ranges_of(numbers):
    """Sorted numbers as ranges [from, to), and those that come more than once."""
    ranges, doubled = [], []
    for number in sorted(numbers):
        if ranges and number < ranges[-1][1]:
            doubled.append(number)
        elif ranges and number == ranges[-1][1]:
            ranges[-1][1] = number + 1
        else:
            ranges.append([number, number + 1])
    return ranges, doubled


def stream_rows(catalog, table, topic, number, amount):
    """Of the rows of a topic: the ranges of their numbers, doubled ones, distinct places and ids, the sum of amounts."""
    filter = [{"column": "_topic", "op": "=", "value": topic}]
    rows = read_columns(catalog, table, [number, "message_id", amount, *PLACE], filter)
    ranges, doubled = ranges_of(pc.cast(rows[number], pa.int64()).to_pylist())
    total = pc.sum(pc.cast(rows[amount], pa.decimal128(38, 8))).as_py()
    return {
        "rows": rows.num_rows,
        "places": distinct(rows, PLACE),
        "ids": distinct(rows, ["message_id"]),
        "ranges": ranges,
        "doubled": doubled,
        "amount": str(int(total or 0)),
    }


def stream_letters(catalog, topic):
    """Of the dead letters of a topic: their texts in order, and distinct places."""
    names = ["topic", "partition", "offset"]
    filter = [{"column": "topic", "op": "=", "value": topic}]
    rows = read_columns(catalog, "market_data.dead_letters", [*names, "bytes"], filter)
    return {"rows": rows.num_rows, "places": distinct(rows, names), "texts": sorted(text_of(b) for b in rows["bytes"].to_pylist())}


def text_of(value):
    return "" if value is None else value.decode("utf-8", "replace")


def stream_gaps(catalog, topic):
    """Of the gaps of a topic: `symbol expected received` in order, and distinct places."""
    names = ["symbol", "expected_sequence", "received_sequence"]
    filter = [{"column": "_topic", "op": "=", "value": topic}]
    rows = read_columns(catalog, "market_data.sequence_gaps", [*names, *PLACE], filter)
    found = sorted(" ".join(str(value) for value in row) for row in zip(*(rows[name].to_pylist() for name in names)))
    return {"rows": rows.num_rows, "places": distinct(rows, PLACE), "gaps": found}


QUESTIONS = {each.__name__: each for each in [stream_rows, stream_letters, stream_gaps]}
