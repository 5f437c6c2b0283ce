"""Golden scores of answers: sacrebleu's chrF, chrF++, TER and BLEU tokenizers, and torchmetrics' ROUGE, which follows
Google's rouge_score; its Lsum takes lines as sentences here, as rouge_score does.

    python text_metric_goldens.py > ../goldens/text-metrics.json
"""

import json
import random

import sacrebleu
import torchmetrics
from torchmetrics.functional.text import rouge

WORDS = "the a cat dog sat on mat under table, it's (big) small. very 3.5 1,000 €5 «quoted» naïve über — end! re-do".split()
generator = random.Random(7)
pairs = [
    ("The cat sat on the mat.", ["The cat is on the mat.", "There is a cat on the mat."]),
    ("", ["Nothing was said."]),
    ("one", ["one"]),
    ("something", [""]),
    ("a b c d e f g h", ["e f g h a b c d"]),
    ("It costs $3,000.50; «maybe» more – 10-year plan…", ["It cost 3,000.50 dollars, maybe more: a 10-year plan."]),
    ("first line here\nsecond line there", ["second line there\nfirst line was here"]),
]
for _ in range(60):
    reference = [generator.choice(WORDS) for _ in range(generator.randint(1, 40))]
    hypothesis = list(reference)
    for _ in range(generator.randint(0, 6)):
        i, j = sorted(generator.randint(0, len(hypothesis)) for _ in range(2))
        k = generator.randint(0, len(hypothesis))
        kind = generator.random()
        if kind < 0.6:
            phrase, rest = hypothesis[i:j], hypothesis[:i] + hypothesis[j:]
            hypothesis = rest[:k] + phrase + rest[k:]
        elif kind < 0.8:
            hypothesis.insert(k, generator.choice(WORDS))
        elif hypothesis:
            hypothesis.pop(min(k, len(hypothesis) - 1))
    pairs.append((" ".join(hypothesis), [" ".join(reference)]))


def streams(references):
    return [[r[i] if i < len(r) else None for r in references] for i in range(max(map(len, references)))]


def rouge_scores(answer, reference):
    words = lambda text: rouge._normalize_and_tokenize_text(text)
    lines = lambda text: [words(line) for line in text.split("\n") if line]
    return {
        "rouge1": rouge._rouge_n_score(words(answer), words(reference), 1)["fmeasure"].item(),
        "rouge2": rouge._rouge_n_score(words(answer), words(reference), 2)["fmeasure"].item(),
        "rougeL": rouge._rouge_l_score(words(answer), words(reference))["fmeasure"].item(),
        "rougeLsum": rouge._rouge_lsum_score(lines(answer), lines(reference))["fmeasure"].item(),
    }


hypotheses, references = [h for h, _ in pairs], [r for _, r in pairs]
corpus = {
    "chrf": sacrebleu.corpus_chrf(hypotheses, streams(references)).score,
    "chrf++": sacrebleu.corpus_chrf(hypotheses, streams(references), word_order=2).score,
    "ter": sacrebleu.corpus_ter(hypotheses, streams(references)).score,
    "bleu": sacrebleu.corpus_bleu(hypotheses, streams(references)).score,
    "bleu-intl": sacrebleu.corpus_bleu(hypotheses, streams(references), tokenize="intl").score,
    "bleu-none": sacrebleu.corpus_bleu(hypotheses, streams(references), tokenize="none").score,
}
single = [
    {
        "chrf": sacrebleu.corpus_chrf([h], [[x] for x in r]).score,
        "chrf++": sacrebleu.corpus_chrf([h], [[x] for x in r], word_order=2).score,
        "ter": sacrebleu.corpus_ter([h], [[x] for x in r]).score,
        "bleu-intl": sacrebleu.corpus_bleu([h], [[x] for x in r], tokenize="intl").score,
        "bleu-none": sacrebleu.corpus_bleu([h], [[x] for x in r], tokenize="none").score,
        **rouge_scores(h, r[0]),
    }
    for h, r in pairs
]
print(json.dumps({"sacrebleu": sacrebleu.__version__, "torchmetrics": torchmetrics.__version__, "pairs": pairs,
                  "corpus": corpus, "single": single}, ensure_ascii=False))
