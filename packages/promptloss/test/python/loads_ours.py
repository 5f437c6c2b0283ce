"""Loads model and adapter folders that promptloss wrote, and says how far transformers' and PEFT's logits are off.

Reads {"ids", "cases": [{"model", "logits", "adapter", "adapted"}]} from standard input; prints {folder: difference}.
"""

import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()

request = json.load(sys.stdin)
ids = torch.tensor([request["ids"]])


def difference(model, expected):
    with torch.no_grad():
        logits = model(ids).logits[0].flatten()
    expected = torch.tensor(expected)
    return ((logits - expected).abs().max() / (expected.max() - expected.min())).item()


results = {}
for case in request["cases"]:
    model, loading = AutoModelForCausalLM.from_pretrained(
        case["model"], dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    problems = {key: value for key, value in loading.items() if value}
    if problems:
        sys.exit(f"{case['model']}: {problems}")
    results[case["model"]] = difference(model.eval(), case["logits"])
    adapted = PeftModel.from_pretrained(model, case["adapter"])
    results[case["adapter"]] = difference(adapted.eval(), case["adapted"])
json.dump(results, sys.stdout)
