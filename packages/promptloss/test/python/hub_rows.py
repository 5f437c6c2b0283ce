"""Makes test/goldens/rows/hub.parquet: rows as datasets of the hub have them, with structs, lists and 64-bit integers.

    python hub_rows.py

Needs pyarrow; made with pyarrow 25.0.1.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FILE = Path(__file__).resolve().parent.parent / "goldens" / "rows" / "hub.parquet"

targets = pa.struct([("choices", pa.list_(pa.string())), ("labels", pa.list_(pa.int32()))])
table = pa.table(
    {
        "question": ["Which is an animal?", "What falls?"],
        "choices": [
            {"text": ["a stone", "a cat"], "label": ["A", "B"]},
            {"text": ["rain", "a wall", "the sky"], "label": ["1", "2", "3"]},
        ],
        "answerKey": ["B", "1"],
        "label": pa.array([1, 0], pa.int64()),
        "mc2_targets": pa.array(
            [{"choices": ["a cat"], "labels": [1]}, {"choices": ["rain", "a wall"], "labels": [1, 0]}], targets
        ),
        "translation": [{"en": "rain", "ro": "ploaie"}, {"en": "cat", "ro": "pisică"}],
    }
)
pq.write_table(table, FILE)
