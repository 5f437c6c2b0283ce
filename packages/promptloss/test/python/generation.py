"""Makes the goldens of generation: test/goldens/generation/NAME.json.

Each holds prompts and what transformers' generate gives for them alone in float32: greedy with and without
penalties, and beams. For the tiny random models of tiny_models.py, and for real models where their folder is given.

    python generation.py [--models FOLDER]

FOLDER holds stories15M and stories260K. Needs torch and transformers; made with torch 2.13.0 and
transformers 5.18.0.
"""

import argparse
import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from tiny_models import tiny_model, token_ids

GOLDENS = Path(__file__).resolve().parent.parent / "goldens" / "generation"

TINY = ["llama", "llama-llama3", "mistral", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gpt2", "gpt-neox",
        "opt", "opt-post-norm", "smollm3-window", "olmo2", "olmo3", "granite", "stablelm", "mixtral"]
ENCODER_DECODERS = ["t5", "t5-1.1", "bart"]
# How many of the texts: the larger model is slow to test.
REAL = {"stories15M": 2, "stories260K": 4}
TEXTS = ["Once upon a time", "One day, Lily and Tom went to the park. They saw", "The",
         "There was a big red dog who liked to play. The dog was"]

# Our names for options → transformers'.
NAMES = {"maxNewTokens": "max_new_tokens", "minNewTokens": "min_new_tokens", "beams": "num_beams",
         "repetitionPenalty": "repetition_penalty", "lengthPenalty": "length_penalty",
         "earlyStopping": "early_stopping", "sequences": "num_return_sequences", "stopIds": "eos_token_id"}

TINY_CASES = [
    {"maxNewTokens": 24},
    {"maxNewTokens": 24, "repetitionPenalty": 1.3},
    {"maxNewTokens": 24, "stopIds": list(range(30, 60))},
    {"maxNewTokens": 24, "minNewTokens": 9, "stopIds": list(range(30, 60))},
    {"maxNewTokens": 12, "beams": 3, "sequences": 3},
    {"maxNewTokens": 20, "beams": 4, "sequences": 2, "stopIds": [5, 17, 40]},
    {"maxNewTokens": 20, "beams": 4, "sequences": 4, "stopIds": [5, 17, 40], "earlyStopping": True},
    {"maxNewTokens": 20, "beams": 3, "stopIds": [5, 17, 40, 66, 80], "earlyStopping": "never",
     "lengthPenalty": 0.0},
    {"maxNewTokens": 20, "beams": 3, "sequences": 3, "stopIds": [5, 17, 40, 66, 80], "earlyStopping": "never",
     "lengthPenalty": 1.7},
    {"maxNewTokens": 20, "beams": 3, "sequences": 2, "stopIds": [5, 17, 40, 66, 80], "lengthPenalty": -0.8},
    {"maxNewTokens": 20, "beams": 2, "stopIds": [5, 17, 40, 66, 80], "minNewTokens": 6,
     "repetitionPenalty": 1.2},
    # More of the likeliest extensions end than run on.
    {"maxNewTokens": 20, "beams": 3, "sequences": 3, "stopIds": list(range(20, 90)), "lengthPenalty": 2.0},
]

REAL_CASES = [
    {"maxNewTokens": 60},
    {"maxNewTokens": 200},
    {"maxNewTokens": 60, "repetitionPenalty": 1.2},
    {"maxNewTokens": 40, "beams": 4, "sequences": 2},
    {"maxNewTokens": 40, "beams": 3, "lengthPenalty": 2.0, "repetitionPenalty": 1.1},
    # "." and "," end continuations soon.
    {"maxNewTokens": 40, "beams": 4, "sequences": 4, "stops": [".", ","], "earlyStopping": True},
    {"maxNewTokens": 40, "beams": 4, "sequences": 2, "stops": [".", ","], "earlyStopping": "never"},
    {"maxNewTokens": 40, "beams": 4, "sequences": 2, "stops": [".", ","], "minNewTokens": 10,
     "lengthPenalty": 0.5},
]


def run(model, prompt, options):
    config = GenerationConfig(do_sample=False, pad_token_id=0, return_dict_in_generate=True, output_scores=True,
                              **{NAMES[key]: value for key, value in options.items()})
    ids = torch.tensor([prompt])
    with torch.no_grad():
        out = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
    stops = set(options.get("stopIds", []))
    least = options.get("minNewTokens", 0)
    rows = []
    read = 1 if model.config.is_encoder_decoder else len(prompt)
    for sequence in out.sequences[:, read:].tolist():
        # Rows are filled up to the longest behind their stop token.
        ends = [i + 1 for i, token in enumerate(sequence) if token in stops and i + 1 > least]
        rows.append(sequence[: ends[0]] if ends else sequence)
    golden = {"prompt": prompt, "options": options, "sequences": rows}
    if options.get("beams", 1) > 1:
        golden["scores"] = [float(f"{score:.7g}") for score in out.sequences_scores.tolist()]
    return golden


def write(name, cases):
    GOLDENS.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case) for case in cases)
    (GOLDENS / f"{name}.json").write_text(f"[\n{lines}\n]\n")
    print(f"{name:16} {len(cases)} cases")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path)
    models = parser.parse_args().models
    for name in [*TINY, *ENCODER_DECODERS]:
        model = tiny_model(name, "encoder-decoders" if name in ENCODER_DECODERS else "models")
        # The config's own stop token must not end what has none here.
        model.generation_config = GenerationConfig(
            decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None))
        prompts = [token_ids(26)[:1], token_ids(26)[3:10], token_ids(26)]
        if model.config.is_encoder_decoder:
            # What ours puts behind a prompt by itself.
            prompts = [prompt + [model.config.eos_token_id] for prompt in prompts]
        write(name, [run(model, prompt, options) for prompt in prompts for options in TINY_CASES])
    if models is None:
        return
    for name, texts in REAL.items():
        tokenizer = AutoTokenizer.from_pretrained(models / name)
        model = AutoModelForCausalLM.from_pretrained(models / name, dtype=torch.float32).eval()
        cases = []
        for text in TEXTS[:texts]:
            for options in REAL_CASES:
                options = {"stopIds": [2], **options}
                stops = options.pop("stops", [])
                options["stopIds"] = options["stopIds"] + [tokenizer.convert_tokens_to_ids(stop) for stop in stops]
                cases.append(run(model, tokenizer(text)["input_ids"], options))
        write(name, cases)


if __name__ == "__main__":
    main()
