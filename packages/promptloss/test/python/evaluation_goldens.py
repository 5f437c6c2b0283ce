"""Golden log-likelihoods, answers and metrics of lm-evaluation-harness's own tasks, on local data and models.

    python evaluation_goldens.py EVAL_DATA MODELS [CASE...]     writes ../goldens/evaluation/<case>.json

EVAL_DATA and MODELS are ../shared's data/eval and models. The tasks are those of harness_tasks.py.
"""

import json
import pathlib
import sys

from harness_tasks import CASES, ROUGE_MISSING, lm_eval, whole

models = pathlib.Path(sys.argv[2])
out = pathlib.Path(__file__).parent.parent / "goldens" / "evaluation"


def digits(value):
    """A metric in full; log-likelihoods to what is compared."""
    return value if isinstance(value, str) else float(value)


for name in sys.argv[3:] or CASES:
    task, model, limit, shots, new_tokens, *length = CASES[name]
    result = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": str(models / model), "dtype": "float32", **({"max_length": length[0]} if length else {})},
        tasks=[whole(task)],
        num_fewshot=shots,
        limit=limit,
        batch_size=1 if new_tokens else 8,
        device="cpu",
        log_samples=True,
        gen_kwargs={"max_gen_toks": new_tokens} if new_tokens else None,
    )
    samples = sorted(result["samples"][task["task"]], key=lambda sample: sample["doc_id"])
    metrics = {key.removesuffix(",none"): digits(value) for key, value in result["results"][task["task"]].items()
               if key.endswith(",none") and not (ROUGE_MISSING and key.startswith("rouge"))}
    golden = {"lm_eval": lm_eval.__version__, "task": task["task"], "model": model, "limit": limit, "shots": shots,
              "metrics": metrics}
    if "fewshot_config" in task:
        golden["examples"] = "first"
    if length:
        golden["maxLength"] = length[0]
    if "fewshot_config" in task or length:
        # What the first item's requests say, in full.
        golden["requests"] = [list(each)[:1 if new_tokens else 2] for each in samples[0]["arguments"]]
    if new_tokens:
        golden |= {"maxNewTokens": new_tokens, "answers": [sample["filtered_resps"][0] for sample in samples]}
    else:
        golden |= {"logLikelihoods": [[round(float(answer[0]), 4) for answer in sample["filtered_resps"]] for sample in samples]}
    (out / f"{name}.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n")
    print(name, metrics, flush=True)
