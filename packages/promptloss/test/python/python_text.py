"""Makes goldens/python-text.json: Python's white space, \\w and lower case for every code point, and scores of texts
with characters that JavaScript's classes have otherwise: sacrebleu's BLEU, chrF and TER, and F1 as SQuAD's script.

    python python_text.py

Made with Python 3.11 (Unicode 14) and sacrebleu 2.6.
"""

import collections
import json
import random
import re
import string
import unicodedata
from pathlib import Path

import sacrebleu

ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def ranges(test):
    found = []
    for c in ALL:
        if test(chr(c)):
            if found and found[-1][1] == c - 1:
                found[-1][1] = c
            else:
                found.append([c, c])
    return found


def normalize(text):
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1(answer, reference):
    given, wanted = normalize(answer).split(), normalize(reference).split()
    if not given or not wanted:
        return float(given == wanted)
    common = sum((collections.Counter(given) & collections.Counter(wanted)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(given), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


generator = random.Random(5)
ODD = ["\x85", "\ufeff", "\x1c", "\x1d", "\x1e", "\x1f", "\xa0", "\u2028", "\u3000", "\u200b", "\u180e", "\x0b"]
WORDS = ["the", "cat", "a", "María", "an", "Straße", "naïve", "ΟΔΟΣ", "İ", "日本", "x_y", "don't", "3.5", "end.", "é"]


def text():
    parts = []
    for _ in range(generator.randint(1, 9)):
        parts += [generator.choice(WORDS), generator.choice([" ", " ", *ODD])]
    return "".join(parts)


pairs = [("María", "Marí"), ("the\x85cat", "the cat"), ("the\ufeffcat", "the cat"), ("a\x1cb\x1fc d", "a b c d")]
for _ in range(60):
    one = text()
    pairs.append((one, "".join(generator.choice([c, c, c, " "]) for c in one)))
metrics = [
    {
        "answer": answer,
        "reference": reference,
        "bleu": sacrebleu.corpus_bleu([answer], [[reference]]).score,
        "chrf": sacrebleu.corpus_chrf([answer], [[reference]]).score,
        "ter": sacrebleu.corpus_ter([answer], [[reference]]).score,
        "f1": f1(answer, reference),
    }
    for answer, reference in pairs
]
word = re.compile(r"\w")
golden = {
    "space": ranges(str.isspace),
    "word": ranges(lambda c: bool(word.match(c))),
    "unassigned": ranges(lambda c: unicodedata.category(c) == "Cn"),
    "lower": {chr(c): chr(c).lower() for c in ALL if chr(c).lower() != chr(c)},
    "metrics": metrics,
}
file = Path(__file__).resolve().parent.parent / "goldens" / "python-text.json"
file.write_text(json.dumps(golden) + "\n")
