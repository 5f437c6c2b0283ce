"""lm-evaluation-harness' side of the benchmark of evaluation: worker.ts' requests, a line of JSON each.

    python peer.py EVAL_DATA

The model is loaded once and kept, which is not part of the time.
"""
import contextlib
import json
import os
import pathlib
import sys
import time

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["TQDM_DISABLE"] = "1"
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "packages/promptloss/test/python"))
from harness_tasks import CASES, lm_eval, whole
import torch
from lm_eval.models.huggingface import HFLM

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
# Sequences at once; the harness orders requests by length, so little is padding.
BATCH = 16
models = {}


def evaluate(request):
    key = request["model"], request["dtype"]
    if key not in models:
        models[key] = HFLM(pretrained=request["model"], dtype=request["dtype"], device="cpu", batch_size=BATCH)
    task = whole(CASES[request["task"]][0])
    start = time.perf_counter()
    result = lm_eval.simple_evaluate(model=models[key], tasks=[task], num_fewshot=0, limit=request["limit"],
                                     log_samples=True, bootstrap_iters=0)
    seconds = time.perf_counter() - start
    samples = sorted(result["samples"][task["task"]], key=lambda sample: sample["doc_id"])
    metrics = {key.removesuffix(",none"): value for key, value in result["results"][task["task"]].items()
               if key.endswith(",none") and "stderr" not in key}
    return {"seconds": seconds, "metrics": metrics,
            "logLikelihoods": [[float(answer[0]) for answer in sample["filtered_resps"]] for sample in samples]}


for line in sys.stdin:
    request = json.loads(line)
    if "task" in request:
        with contextlib.redirect_stdout(sys.stderr):
            answer = evaluate(request)
    else:
        answer = {"version": f"{lm_eval.__version__}, torch {torch.__version__.split('+')[0]}"}
    print(json.dumps(answer), flush=True)
