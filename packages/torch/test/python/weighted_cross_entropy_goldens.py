"""Makes ../goldens/weighted-cross-entropy.json: losses and gradients of torch's own cross_entropy in float64, by
autograd over whole logits, for the tests of the TypeScript reference. Needs Python's torch.

    python weighted_cross_entropy_goldens.py
"""

import itertools
import json
import pathlib

import torch
from weighted_cross_entropy_parity import differentiate, expected, problem

TARGET = pathlib.Path(__file__).parent.parent / "goldens" / "weighted-cross-entropy.json"
TOKENS, UNITS, VOCABULARY = 6, 3, 5


def case(seed, reduction, label_smoothing, logit_softcap, with_bias):
    hidden, head, targets, weights, bias = problem(TOKENS, UNITS, VOCABULARY, torch.float64, seed)
    arguments = (hidden, head, targets, weights, bias if with_bias else None)

    def loss(*tensors):
        return expected(*tensors, reduction, label_smoothing, logit_softcap)

    value, *gradients = differentiate(loss, arguments)
    inputs = dict(zip(("hidden", "head", "targets", "weights"), arguments), bias=arguments[4])
    return {
        "inputs": {name: t.flatten().tolist() for name, t in inputs.items() if t is not None},
        "options": {"reduction": reduction, "labelSmoothing": label_smoothing, "logitSoftcap": logit_softcap},
        "loss": value.item(),
        "gradients": {
            name: g.flatten().tolist()
            for name, g in zip(("hidden", "head", "bias", "weights"), gradients)
            if inputs[name] is not None
        },
    }


def main():
    settings = itertools.product(("mean", "sum"), (0.0, 0.1), (0.0, 2.0), (False, True))
    cases = [case(seed, *setting) for seed, setting in enumerate(settings)]
    lines = ",\n".join(json.dumps(one) for one in cases)
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(f'{{"madeBy": "{pathlib.Path(__file__).name}", "units": {UNITS}, "cases": [\n{lines}\n]}}\n')
    print(f"{len(cases)} cases in {TARGET.name}, torch {torch.__version__}")


if __name__ == "__main__":
    main()
