"""Makes the goldens of the real models beside the repository: test/goldens/real-models/NAME.json.

Each holds token ids and what transformers computes of them in float32 with eager attention: the logits of some
vocabulary entries at every position, the logarithm of each position's sum of exponentials over all entries, the mean
next-token loss, and the gradient norm of every parameter.

    python real_models.py FOLDER

FOLDER holds stories15M and stories260K. Needs torch and transformers; made with torch 2.13.0 and
transformers 5.18.0.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

GOLDENS = Path(__file__).resolve().parent.parent / "goldens" / "real-models"
TEXT = ("Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she "
        "saw a big, red ball. She wanted to play with it, but it was too high up in a tree.")
# Of the vocabulary's entries, evenly spread.
ENTRIES = 40


def main(folder):
    GOLDENS.mkdir(parents=True, exist_ok=True)
    for name in ("stories15M", "stories260K"):
        path = folder / name
        model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
        ids = torch.tensor([AutoTokenizer.from_pretrained(path)(TEXT)["input_ids"]])
        output = model(input_ids=ids, labels=ids)
        output.loss.backward()
        logits = output.logits[0].detach()
        entries = list(range(0, model.config.vocab_size, model.config.vocab_size // ENTRIES))
        golden = {
            "ids": ids[0].tolist(),
            "entries": entries,
            "logits": [[round(value, 6) for value in row] for row in logits[:, entries].tolist()],
            "logSumExps": [round(value, 6) for value in logits.logsumexp(-1).tolist()],
            "range": (logits.max() - logits.min()).item(),
            "loss": output.loss.item(),
            "gradientNorms": {key: parameter.grad.double().norm().item()
                              for key, parameter in model.named_parameters()},
        }
        (GOLDENS / f"{name}.json").write_text(json.dumps(golden) + "\n")
        print(f"{name:12} {len(golden['ids'])} tokens, loss {golden['loss']:.4f}, logits' range {golden['range']:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
