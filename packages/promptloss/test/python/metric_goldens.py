"""Golden scores of generation metrics, from sacrebleu.

    python metric_goldens.py > ../goldens/metrics.json
"""

import json
import sys

import sacrebleu

PAIRS = [
    ("The cat sat on the mat.", ["The cat is on the mat.", "There is a cat on the mat."]),
    ("It costs $3,000.50, \"maybe\" more; a well-known 10-year plan.", ["It cost 3,000.50 dollars, maybe more: a well-known 10-year plan."]),
    ("", ["Nothing was said."]),
    ("one", ["one"]),
    ("Ein Mann fährt (schnell) Fahrrad &amp; lacht.", ["Ein Mann fährt Fahrrad und lacht."]),
    ("a b c d e f g", ["g f e d c b a"]),
    ("the the the the the", ["the cat", "a the mat of the"]),
    ("line one\nline two", ["line one line two"]),
]

hypotheses = [h for h, _ in PAIRS]
references = [r for _, r in PAIRS]
most = max(map(len, references))
streams = [[r[i] if i < len(r) else None for r in references] for i in range(most)]

json.dump(
    {
        "sacrebleu": sacrebleu.__version__,
        "pairs": [{"hypothesis": h, "references": r} for h, r in PAIRS],
        "corpusBleu": sacrebleu.corpus_bleu(hypotheses, streams).score,
        "sentenceBleu": [sacrebleu.sentence_bleu(h, r).score for h, r in PAIRS],
        "singleBleu": [sacrebleu.corpus_bleu([h], [[x] for x in r]).score for h, r in PAIRS],
    },
    sys.stdout,
    indent=1,
)
print()
