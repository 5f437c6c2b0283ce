"""Makes test/goldens/merge/NAME.json: LoRA adapters merged into tiny random models by PEFT's merge_and_unload.

Each holds the base model's config, the names and shapes of its weights and the adapter's, adapter_config.json as PEFT
writes it, and what save_pretrained writes of the merged model: all names, and the values of the weights that the adapter
changes. Other weights are not kept: tiny_models.fill makes them from their names, and so does test/tiny-models.ts.

    python merge_goldens.py [NAME ...]

Needs torch, transformers, peft and numpy; made with torch 2.13.0, transformers 5.18.0 and peft 0.21.0.
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from tiny_models import encode, fill
from transformers import AutoConfig, AutoModelForCausalLM

GOLDENS = Path(__file__).resolve().parent.parent / "goldens" / "merge"

LLAMA = ("llama", dict(vocab_size=31, hidden_size=12, intermediate_size=20, num_hidden_layers=2,
                       num_attention_heads=3, num_key_value_heads=1, max_position_embeddings=64))
GPT2 = ("gpt2", dict(vocab_size=31, n_embd=12, n_layer=2, n_head=3, n_positions=64))
TIED = (LLAMA[0], dict(LLAMA[1], tie_word_embeddings=True))

ATTENTION_AND_MLP = ["q_proj", "v_proj", "down_proj"]

CASES = {
    "float32": (LLAMA, torch.float32, dict(target_modules=ATTENTION_AND_MLP)),
    "bfloat16": (LLAMA, torch.bfloat16, dict(target_modules=ATTENTION_AND_MLP)),
    "rank-stabilized": (LLAMA, torch.float32, dict(target_modules=ATTENTION_AND_MLP, use_rslora=True)),
    "tied": (TIED, torch.float32, dict(target_modules=ATTENTION_AND_MLP)),
    "tied-bfloat16": (TIED, torch.bfloat16, dict(target_modules=ATTENTION_AND_MLP, use_rslora=True)),
    "gpt2": (GPT2, torch.float32, dict(target_modules=["c_attn", "mlp.c_proj"], fan_in_fan_out=True)),
}


def shapes(tensors):
    return {name: list(tensor.shape) for name, tensor in tensors.items()}


def golden_of(case):
    (kind, options), dtype, changes = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        base, adapter, merged = (str(Path(folder) / name) for name in ("base", "adapter", "merged"))
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **options), dtype=torch.float32)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(fill(name, tuple(parameter.shape)))
        weights = shapes(dict(model.named_parameters()))
        model.to(dtype).save_pretrained(base)
        lora = LoraConfig(r=3, lora_alpha=5, task_type="CAUSAL_LM", **changes)
        get_peft_model(model, lora).save_pretrained(adapter)
        path = f"{adapter}/adapter_model.safetensors"
        pairs = {name: fill(name, tuple(tensor.shape)) for name, tensor in load_file(path).items()}
        save_file(pairs, path, metadata={"format": "pt"})
        # Read as a user reads them: PEFT keeps adapters in float32 beside a base in half precision.
        again = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
        PeftModel.from_pretrained(again, adapter).merge_and_unload().save_pretrained(merged)
        after, before = load_file(f"{merged}/model.safetensors"), load_file(f"{base}/model.safetensors")
        changed = {name: encode(tensor) for name, tensor in after.items() if not torch.equal(tensor, before[name])}
        return {
            "config": json.loads(Path(f"{base}/config.json").read_text()),
            "weights": weights,
            "adapterConfig": json.loads(Path(f"{adapter}/adapter_config.json").read_text()),
            "adapter": shapes(pairs),
            "names": sorted(after),
            "merged": changed,
        }


def main():
    GOLDENS.mkdir(parents=True, exist_ok=True)
    for case in sys.argv[1:] or CASES:
        golden = golden_of(case)
        golden["adapterConfig"]["base_model_name_or_path"] = None
        golden["adapterConfig"]["target_modules"] = sorted(golden["adapterConfig"]["target_modules"])
        (GOLDENS / f"{case}.json").write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n")
        print(f"{case:16} {len(golden['merged'])} of {len(golden['names'])} weights changed")


if __name__ == "__main__":
    main()
