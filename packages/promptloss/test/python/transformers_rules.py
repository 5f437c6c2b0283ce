"""Makes goldens/transformers-rules.json: what transformers does with folders that say a thing twice, or not at all.

    python transformers_rules.py

Rules of BOS (add_bos_token beside a post-processor), of new weights (spreads, rows of padding), of heads (tied models
whose files hold another head, the same, or the head alone) and of ropes (rope_scaling beside rope_parameters). Made
with transformers 5.18.0 and torch 2.13.0.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).resolve().parent.parent
TEXT = "the river"


def bos():
    cases = []
    for name in ("tiny-pieces", "tiny-bytes"):
        for add in (True, False):
            for post in (True, False):
                folder = Path(tempfile.mkdtemp())
                for file in ("tokenizer.json", "tokenizer_config.json"):
                    shutil.copy(HERE / "tokenizers" / name / file, folder / file)
                config = json.loads((folder / "tokenizer_config.json").read_text())
                config["add_bos_token"] = add
                (folder / "tokenizer_config.json").write_text(json.dumps(config))
                tokenizer = json.loads((folder / "tokenizer.json").read_text())
                if not post:
                    tokenizer["post_processor"] = None
                (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
                ids = AutoTokenizer.from_pretrained(folder)(TEXT)["input_ids"]
                case = {"tokenizer": name, "add_bos_token": add, "post_processor": post}
                cases.append({**case, "text": TEXT, "ids": ids})
    return cases


LLAMA = {
    "model_type": "llama",
    "vocab_size": 64,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}
FAMILIES = [
    {**LLAMA, "initializer_range": 0.05, "pad_token_id": 3},
    {**LLAMA, "initializer_range": 0.05},
    {**LLAMA, "model_type": "gemma2", "head_dim": 32, "initializer_range": 0.05},
    {**LLAMA, "model_type": "phi3", "initializer_range": 0.05, "pad_token_id": 5},
    {"model_type": "gpt2", "vocab_size": 64, "n_embd": 64, "n_layer": 8, "n_head": 2, "n_positions": 64},
    {
        "model_type": "gpt_neox",
        "vocab_size": 64,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "initializer_range": 0.05,
    },
    {
        "model_type": "opt",
        "vocab_size": 64,
        "hidden_size": 64,
        "word_embed_proj_dim": 64,
        "ffn_dim": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 64,
        "init_std": 0.05,
    },
]


def model_of(config):
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(**config))


def initialization():
    torch.manual_seed(0)
    cases = []
    for config in FAMILIES:
        model = model_of(config)
        table = model.get_input_embeddings().weight
        # transformers 5 calls GPT-NeoX' head lm_head in memory, and embed_out in files.
        name = lambda each: each.replace("lm_head", "embed_out") if config["model_type"] == "gpt_neox" else each
        cases.append(
            {
                "config": config,
                "spreads": {name(n): p.std().item() for n, p in model.named_parameters() if p.ndim > 1},
                "zeroRows": [i for i, row in enumerate(table) if not row.any()],
            }
        )
    return cases


def heads():
    torch.manual_seed(0)
    model = model_of({**LLAMA, "tie_word_embeddings": False})
    folder = Path(tempfile.mkdtemp())
    model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": True}))
    file = folder / "model.safetensors"
    stored = load_file(file)
    embedding = stored["model.embed_tokens.weight"]
    equal = {**stored, "lm_head.weight": embedding.clone()}
    alone = {name: tensor for name, tensor in equal.items() if name != "model.embed_tokens.weight"}
    found = {}
    for name, tensors in (("different", stored), ("equal", equal), ("alone", alone)):
        save_file(tensors, file, metadata={"format": "pt"})
        loaded = AutoModelForCausalLM.from_pretrained(folder)
        head, table = loaded.lm_head.weight, loaded.model.embed_tokens.weight
        whose = "stored" if torch.equal(head, tensors["lm_head.weight"]) else "embedding"
        found[name] = {"tied": head.data_ptr() == table.data_ptr(), "head": whose}
    return found


def ropes():
    linear = {"rope_type": "linear", "factor": 4.0}
    default = {"rope_type": "default", "rope_theta": 500.0}
    cases = [
        {"rope_scaling": linear, "rope_parameters": default},
        {"rope_scaling": {}, "rope_parameters": default},
        {"rope_scaling": None, "rope_parameters": default, "rope_theta": 77.0},
        {"rope_scaling": linear, "rope_theta": 77.0},
    ]
    found = []
    for case in cases:
        folder = Path(tempfile.mkdtemp())
        (folder / "config.json").write_text(json.dumps({**LLAMA, **case}))
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
        found.append({"config": {**LLAMA, **case}, "frequencies": model.model.rotary_emb.inv_freq.tolist()})
    return found


goldens = {"bos": bos(), "initialization": initialization(), "heads": heads(), "ropes": ropes()}
(HERE / "goldens" / "transformers-rules.json").write_text(json.dumps(goldens, indent=1) + "\n")
