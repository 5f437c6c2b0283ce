"""Makes test/goldens/rows/empty-page.parquet: 50 rows of messages in pages so small that a chunk ends in one without values.

    pip install pyarrow && python packages/promptloss/test/python/empty_page.py
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FILE = Path(__file__).resolve().parent.parent / "goldens" / "rows" / "empty-page.parquet"
messages = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
rows = [
    {"messages": [{"role": "user", "content": f"Q{i}"}, {"role": "assistant", "content": f"A{i}"}]} for i in range(50)
]
table = pa.Table.from_pylist(rows, schema=pa.schema([("messages", messages)]))
pq.write_table(table, FILE, data_page_size=32, write_batch_size=2)
