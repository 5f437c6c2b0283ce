"""Loads model and adapter folders that promptloss wrote, and says how far transformers' and PEFT's logits are off.

Reads {"ids", "split", "cases": [{"model", "logits", "adapter", "adapted"}]} from standard input; prints
{folder: difference}. Of ids an encoder reads the first `split` with its end token, and the decoder the rest.
"""

import json
import sys

import torch
from peft import PeftConfig, PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()

request = json.load(sys.stdin)
ids = torch.tensor([request["ids"]])
split = request["split"]


def inputs(config):
    if not config.is_encoder_decoder:
        return {"input_ids": ids}
    end, start = torch.tensor([[config.eos_token_id]]), torch.tensor([[config.decoder_start_token_id]])
    return {"input_ids": torch.cat([ids[:, :split], end], 1),
            "decoder_input_ids": torch.cat([start, ids[:, split:]], 1)}


def difference(model, expected):
    with torch.no_grad():
        logits = model(**inputs(model.config)).logits[0].flatten()
    expected = torch.tensor(expected)
    return ((logits - expected).abs().max() / (expected.max() - expected.min())).item()


results = {}
for case in request["cases"]:
    config = AutoConfig.from_pretrained(case["model"])
    # Grouped products take no rows of odd sizes.
    config._experts_implementation = "eager"
    factory = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    model, loading = factory.from_pretrained(
        case["model"], config=config, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    problems = {key: value for key, value in loading.items() if value}
    if problems:
        sys.exit(f"{case['model']}: {problems}")
    results[case["model"]] = difference(model.eval(), case["logits"])
    peft = PeftConfig.from_pretrained(case["adapter"])
    if config.is_encoder_decoder:
        # PEFT 0.21.0's class for the task asks transformers for a method that 5.18.0 does not have.
        assert peft.task_type == "SEQ_2_SEQ_LM"
        peft.task_type = None
    adapted = PeftModel.from_pretrained(model, case["adapter"], config=peft)
    results[case["adapter"]] = difference(adapted.eval(), case["adapted"])
json.dump(results, sys.stdout)
