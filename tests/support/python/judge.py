# Answers questions about Iceberg tables, one line of JSON each, until its standard input ends.
import json
import os
import queue
import sys
import threading
import traceback

# A busy answer would not notice that whoever asked is gone, so the input is read beside it.
lines = queue.Queue()


def read_lines():
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


threading.Thread(target=read_lines, daemon=True).start()
# Only answers go to the output; what libraries print goes where errors go.
answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)

import duckdb_reader
import file_check
import foreign_tables
import pyiceberg_reader
import stream_reader

QUESTIONS = {
    **pyiceberg_reader.QUESTIONS,
    **duckdb_reader.QUESTIONS,
    **foreign_tables.QUESTIONS,
    **file_check.QUESTIONS,
    **stream_reader.QUESTIONS,
}

while True:
    asked = json.loads(lines.get())
    try:
        reply = {"answer": QUESTIONS[asked["question"]](**asked["args"])}
    except Exception as error:
        reply = {"error": f"{asked['question']}: {error}\n{traceback.format_exc(limit=-6)}"}
    answers.write(json.dumps({"id": asked["id"], **reply}) + "\n")
    answers.flush()
