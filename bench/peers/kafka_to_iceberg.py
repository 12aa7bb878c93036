# The loop that a person writes in Python: Kafka to Iceberg with confluent-kafka, fastavro and PyIceberg. It drops repeats by
# their ids, counts gaps in sequences, appends in lots and commits its offsets in the same snapshot's summary. No dead letters,
# no order of rows within files, no windows: less work than the product's writer does.
#   kafka_to_iceberg.py BOOTSTRAP REGISTRY TOPIC ROWS FOLDER
import io
import json
import resource
import sys
import time
import urllib.request

import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition
from fastavro import parse_schema, schemaless_reader
from pyiceberg.catalog import load_catalog

bootstrap, registry, topic, wanted, folder = sys.argv[1:6]
wanted = int(wanted)
LOT = 100_000

UTC = pa.timestamp("us", tz="UTC")
NUMBER = pa.decimal128(18, 8)
SCHEMA = pa.schema([
    ("message_id", pa.string()), ("trade_id", pa.string()), ("symbol", pa.string()), ("exchange", pa.string()),
    ("asset_class", pa.string()), ("exchange_timestamp", UTC), ("price", NUMBER), ("quantity", NUMBER),
    ("currency", pa.string()), ("side", pa.string()), ("trade_conditions", pa.list_(pa.string())),
    ("source_sequence", pa.int64()), ("ingestion_timestamp", UTC), ("platform_sequence", pa.int64()),
    ("vendor_data", pa.map_(pa.string(), pa.string())), ("_topic", pa.string()), ("_partition", pa.int32()),
    ("_offset", pa.int64()),
])


def schema_of(number, known={}):
    if number not in known:
        with urllib.request.urlopen(f"{registry}/schemas/ids/{number}") as reply:
            known[number] = parse_schema(json.loads(json.load(reply)["schema"]))
    return known[number]


catalog = load_catalog("k2", type="sql", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
catalog.create_namespace("peer")
table = catalog.create_table("peer.trades", SCHEMA, properties={"write.parquet.compression-codec": "zstd"})

consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "peer", "enable.auto.commit": False})
partitions = consumer.list_topics(topic, 10).topics[topic].partitions
consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])

seen, last, offsets = set(), {}, {}
rows, written, gaps = [], 0, 0
started, processed = time.perf_counter(), time.process_time()
while written < wanted:
    for message in consumer.consume(10_000, 1.0):
        value = message.value()
        row = schemaless_reader(io.BytesIO(value[5:]), schema_of(int.from_bytes(value[1:5], "big")), None)
        offsets[message.partition()] = message.offset() + 1
        if row["message_id"] in seen:
            continue
        seen.add(row["message_id"])
        sequence, key = row["source_sequence"], (row["exchange"], row["symbol"])
        if key in last and sequence != last[key] + 1:
            gaps += 1
        last[key] = sequence
        row["_topic"], row["_partition"], row["_offset"] = topic, message.partition(), message.offset()
        rows.append(row)
    while len(rows) >= LOT:
        lot, rows = rows[:LOT], rows[LOT:]
        lot = pa.Table.from_pylist(lot, SCHEMA)
        table.append(lot, snapshot_properties={"offsets": json.dumps(offsets)})
        written += len(lot)
elapsed, processed = time.perf_counter() - started, time.process_time() - processed
consumer.close()
found = catalog.load_table("peer.trades").scan().count()
print(json.dumps({
    "rows": written, "found": found, "gaps": gaps, "seconds": elapsed, "processor_seconds": processed,
    "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
}))
