"""Makes test/goldens/adapters/NAME.json: PEFT's adapters of each kind on tiny random models.

Each holds the base model's config, the names and shapes of its weights and the adapter's, adapter_config.json as PEFT
writes it, the logits of two sequences, and the gradients of the sum of the logits times fixed weights. Weights are not
kept: tiny_models.fill makes them from their names, and so does test/tiny-models.ts.

    python adapter_goldens.py [NAME ...]

Needs torch, transformers, peft and numpy; made with torch 2.13.0, transformers 5.18.0 and peft 0.21.0.
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
from peft import IA3Config, LoraConfig, PeftModel, PrefixTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file
from tiny_models import encode, fill
from transformers import AutoConfig, AutoModelForCausalLM

GOLDENS = Path(__file__).resolve().parent.parent / "goldens" / "adapters"

SIZES = dict(vocab_size=31, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
             num_key_value_heads=1, head_dim=8, max_position_embeddings=64, tie_word_embeddings=False)
FAMILIES = {"llama": SIZES, "qwen3": SIZES, "gemma3_text": SIZES}
KINDS = {
    "lora": lambda: LoraConfig(r=3, lora_alpha=5, task_type="CAUSAL_LM", use_rslora=True,
                               target_modules=["q_proj", "v_proj", "down_proj"]),
    "dora": lambda: LoraConfig(r=3, lora_alpha=5, task_type="CAUSAL_LM", use_dora=True,
                               target_modules=["q_proj", "v_proj", "down_proj"]),
    "ia3": lambda: IA3Config(task_type="CAUSAL_LM", target_modules=["k_proj", "v_proj", "down_proj"],
                             feedforward_modules=["down_proj"]),
    "prefix": lambda: PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3),
}
SEQUENCES = [[3, 1, 4, 1, 5, 9, 2, 6], [27, 18, 28]]


def golden_of(family, kind):
    with tempfile.TemporaryDirectory() as folder:
        base, adapter = (str(Path(folder) / name) for name in ("base", "adapter"))
        config = AutoConfig.for_model(family, **FAMILIES[family])
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(fill(name, tuple(parameter.shape)))
        weights = {name: list(parameter.shape) for name, parameter in model.named_parameters()}
        model.save_pretrained(base)
        get_peft_model(model, KINDS[kind]()).save_pretrained(adapter)
        path = f"{adapter}/adapter_model.safetensors"
        filled = {name: fill(name, tuple(tensor.shape)) for name, tensor in load_file(path).items()}
        save_file(filled, path, metadata={"format": "pt"})
        again = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager")
        if kind == "prefix":  # PEFT does not go on training one that it has read.
            adapted = get_peft_model(again, KINDS[kind]()).eval()
            with torch.no_grad():
                adapted.prompt_encoder.default.embedding.weight.copy_(filled["prompt_embeddings"])
        else:
            adapted = PeftModel.from_pretrained(again, adapter, is_trainable=True).eval()
        logits = torch.cat([adapted(input_ids=torch.tensor([ids])).logits[0] for ids in SEQUENCES])
        (logits * fill("weights", tuple(logits.shape))).sum().backward()
        state = {name: parameter.grad for name, parameter in adapted.named_parameters() if parameter.requires_grad}
        gradients = {saved_name(name): encode(gradient) for name, gradient in state.items()}
        return {
            "config": json.loads(Path(f"{base}/config.json").read_text()),
            "weights": weights,
            "adapterConfig": json.loads(Path(f"{adapter}/adapter_config.json").read_text()),
            "adapter": {name: list(tensor.shape) for name, tensor in filled.items()},
            "sequences": SEQUENCES,
            "logits": encode(logits.detach()),
            "gradients": gradients,
        }


def saved_name(name):
    """What save_pretrained calls a parameter."""
    if name == "prompt_encoder.default.embedding.weight":
        return "prompt_embeddings"
    return name.replace(".lora_magnitude_vector.default.weight", ".lora_magnitude_vector").replace(".default", "")


def main():
    GOLDENS.mkdir(parents=True, exist_ok=True)
    names = [f"{family}-{kind}" for family in FAMILIES for kind in KINDS]
    for name in sys.argv[1:] or names:
        golden = golden_of(*name.split("-"))
        golden["adapterConfig"]["base_model_name_or_path"] = None
        assert set(golden["gradients"]) == set(golden["adapter"]), (name, golden["gradients"].keys(), golden["adapter"].keys())
        (GOLDENS / f"{name}.json").write_text(json.dumps(golden, indent=1) + "\n")
        print(name)


if __name__ == "__main__":
    main()
