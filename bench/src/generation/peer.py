"""transformers' side of the benchmark of generation: worker.ts' requests, a line of JSON each."""
import json
import os
import sys
import time

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch
import transformers
from transformers import AutoModelForCausalLM, GenerationConfig

transformers.utils.logging.disable_progress_bar()
models = {}


def generate(request):
    dtype = request["dtype"]
    if dtype not in models:
        models[dtype] = AutoModelForCausalLM.from_pretrained(request["folder"], dtype=getattr(torch, dtype)).eval()
        # Stop tokens would end some sequences before the others.
        models[dtype].generation_config = GenerationConfig()
    ids = torch.tensor([request["prompt"]] * request["batch"])
    start = time.perf_counter()
    with torch.inference_mode():
        out = models[dtype].generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, pad_token_id=0,
                                     max_new_tokens=request["tokens"])
    return {"seconds": time.perf_counter() - start, "ids": out[0, ids.shape[1]:].tolist()}


for line in sys.stdin:
    request = json.loads(line)
    if "threads" in request:
        torch.set_num_threads(request["threads"])
    if "dtype" in request:
        answer = generate(request)
    else:
        answer = {"version": f"{torch.__version__.split('+')[0]}, transformers {transformers.__version__}",
                  "threads": torch.get_num_threads()}
    print(json.dumps(answer), flush=True)
