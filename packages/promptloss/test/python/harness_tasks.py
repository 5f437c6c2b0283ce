"""Tasks of lm-evaluation-harness over local rows: the harness's own definitions; only where rows come from is replaced.
mctest is none of them and is written out here. For evaluation_goldens.py, and for the benchmark of evaluation.
"""

import json
import pathlib
import sys
import tempfile
import types

ROUGE_MISSING = False
try:
    import rouge_score  # noqa: F401
except ImportError:
    # truthfulqa's helpers import it for ROUGE alone, which has goldens of its own (text_metric_goldens.py).
    ROUGE_MISSING = True
    rouge = types.ModuleType("rouge_score")
    rouge.rouge_scorer = rouge.scoring = None
    sys.modules["rouge_score"] = rouge
for optional in ["evaluate", "jsonlines", "sqlitedict", "pytablewriter", "word2number"]:
    try:
        __import__(optional)
    except ImportError:
        stub = types.ModuleType(optional)
        stub.MarkdownTableWriter = stub.LatexTableWriter = stub.SqliteDict = stub.w2n = None
        sys.modules[optional] = stub

import lm_eval  # noqa: E402
from lm_eval.tasks._yaml_loader import load_yaml  # noqa: E402

data = pathlib.Path(sys.argv[1])


def rows(file):
    return {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": {
        split: str(data / name) for split, name in file.items()}}}


def wmt(source, target):
    """The harness's rows are nested."""
    path = pathlib.Path(tempfile.mkdtemp()) / "rows.jsonl"
    lines = (data / "wmt16_en_ro" / "newsdev2016.jsonl").read_text().splitlines()
    path.write_text("\n".join(json.dumps({"translation": json.loads(line)}) for line in lines))
    return {"task": f"wmt16-{source}-{target}", "dataset_path": "json", "dataset_name": None,
            "dataset_kwargs": {"data_files": {"validation": str(path)}},
            "training_split": None, "test_split": None, "fewshot_split": None}


ARC = {"test": "arc_challenge/test.jsonl", "train": "arc_challenge/train.jsonl"}
ARC_CHALLENGE = {"task": "arc_challenge", **rows(ARC), "validation_split": None}
ARC_EASY = {"task": "arc_easy", **rows({"test": "arc_easy/test.jsonl"}), "training_split": None, "validation_split": None}
PIQA = {"task": "piqa", **rows({"validation": "piqa/validation.jsonl"}), "training_split": None}
WINOGRANDE = {"task": "winogrande", **rows({"validation": "winogrande/validation.jsonl"}), "training_split": None}
GEN = rows({"validation": "truthfulqa_gen/validation.jsonl"})
MC = rows({"validation": "truthfulqa_mc/validation.jsonl"})
MCTEST = {"task": "mctest", **rows({"test": "mctest/mc500.test.jsonl", "train": "mctest/mc500.train.jsonl"}),
          "training_split": "train", "test_split": "test", "output_type": "multiple_choice",
          "doc_to_text": "{{story}}\n\nQuestion: {{question}}\nAnswer:", "doc_to_choice": "{{choices}}",
          "doc_to_target": "{{['A','B','C','D'].index(answer)}}",
          "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}]}

FIRST = {"fewshot_config": {"sampler": "first_n"}}

# name: (task, model, items, shots, new tokens), and the longest that is read where it is not all
CASES = {
    "arc_easy": (ARC_EASY, "stories15M", 200, 0, None),
    "arc_challenge": (ARC_CHALLENGE, "stories15M", 200, 0, None),
    "arc_challenge-2-shots": (ARC_CHALLENGE, "stories15M", 40, 2, None),
    "arc_challenge-25-shots": (ARC_CHALLENGE, "stories260K", 200, 25, None),
    "arc_challenge-4-shots-first": ({**ARC_CHALLENGE, **FIRST}, "stories260K", 40, 4, None, 256),
    "arc_easy-3-shots-same-split": (ARC_EASY, "stories260K", 60, 3, None),
    "piqa": (PIQA, "stories15M", 200, 0, None),
    "winogrande": (WINOGRANDE, "stories15M", 200, 0, None),
    "winogrande-2-shots-first-same-split": ({**WINOGRANDE, **FIRST}, "stories260K", 20, 2, None),
    "winogrande-5-shots-same-split": (WINOGRANDE, "stories260K", 60, 5, None),
    "mctest": (MCTEST, "stories15M", 200, 0, None),
    "truthfulqa_mc1": ({"task": "truthfulqa_mc1", **MC}, "stories15M", 200, 0, None),
    "truthfulqa_mc2": ({"task": "truthfulqa_mc2", **MC}, "stories15M", 200, 0, None),
    "truthfulqa_gen": ({"task": "truthfulqa_gen", **GEN}, "stories15M", 60, 0, 32),
    "wmt16-ro-en": (wmt("ro", "en"), "stories15M", 30, 0, 48),
    "wmt16-en-ro": (wmt("en", "ro"), "stories260K", 200, 0, 48),
    "wmt16-en-ro-cut": (wmt("en", "ro"), "stories260K", 20, 0, 16, 48),
}


FILES = {"arc_easy": "arc/arc_easy", "arc_challenge": "arc/arc_challenge", "piqa": "piqa/piqa",
         "winogrande": "winogrande/default", "truthfulqa_mc1": "truthfulqa/truthfulqa_mc1",
         "truthfulqa_mc2": "truthfulqa/truthfulqa_mc2",
         "truthfulqa_gen": "truthfulqa/truthfulqa_gen", "wmt16-ro-en": "translation/wmt16_ro-en",
         "wmt16-en-ro": "translation/wmt16_en-ro"}


def whole(task):
    """The harness's own definition, with what is replaced in it."""
    if task["task"] not in FILES:
        return dict(task)
    path = pathlib.Path(lm_eval.__file__).parent / "tasks" / f"{FILES[task['task']]}.yaml"
    definition = {**load_yaml(path, resolve_func=True), **task}
    if task["task"] == "truthfulqa_gen" and ROUGE_MISSING:
        helpers = definition["process_results"].__globals__
        helpers["rouge"] = lambda refs, preds: dict.fromkeys(["rouge1", "rouge2", "rougeLsum"], 0.0)
    return {key: value for key, value in definition.items() if key not in ("tag", "group")}
