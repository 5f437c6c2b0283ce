"""Makes goldens/relative-buckets.json: the buckets that transformers' T5 sorts distances into.

    python relative_buckets.py

Needs torch and transformers; made with torch 2.13.0 and transformers 5.18.0.
"""

import itertools
import json
from pathlib import Path

import torch
from transformers.models.t5.modeling_t5 import T5Attention

GOLDEN = Path(__file__).resolve().parent.parent / "goldens" / "relative-buckets.json"
MOST = 3000


def main():
    goldens = []
    for buckets, distance in ((32, 128), (12, 20), (64, 512)):
        for both in (True, False):
            found = T5Attention._relative_position_bucket(torch.arange(-MOST, MOST + 1), both, buckets, distance)
            runs = [[bucket, len(list(run))] for bucket, run in itertools.groupby(found.tolist())]
            goldens.append({"buckets": buckets, "maxDistance": distance, "bidirectional": both, "first": -MOST,
                            "runs": runs})
    GOLDEN.write_text("[\n" + ",\n".join(json.dumps(golden) for golden in goldens) + "\n]\n")


if __name__ == "__main__":
    main()
