"""Golden numbers of the optimizer and the schedules, from torch and transformers.

    python training_goldens.py > ../goldens/training.json
"""

import json
import sys

import torch
from transformers import get_scheduler

SHAPES = {"matrix": (3, 4), "bias": (4,)}
STEPS = 6


def number(name, index, step):
    """A number in (-1, 1) that a test can compute too."""
    seed = sum(map(ord, name)) * 7919 + index * 104729 + step * 1299709
    return ((seed * 16807) % 2147483647) / 2147483647 * 2 - 1


def filled(name, shape, step):
    count = torch.Size(shape).numel()
    return torch.tensor([number(name, i, step) for i in range(count)], dtype=torch.float64).reshape(shape)


def adamw(betas, epsilon, weight_decay):
    parameters = {name: torch.nn.Parameter(filled(name, shape, 0)) for name, shape in SHAPES.items()}
    decayed = [p for p in parameters.values() if p.dim() > 1]
    others = [p for p in parameters.values() if p.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=betas, eps=epsilon)
    norms = []
    for step in range(1, STEPS + 1):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 / step
        for name, shape in SHAPES.items():
            parameters[name].grad = filled(name, shape, step) * (10 if step == 3 else 1)
        norms.append(torch.nn.utils.clip_grad_norm_(parameters.values(), 1.5).item())
        optimizer.step()
    return {
        "betas": betas,
        "epsilon": epsilon,
        "weightDecay": weight_decay,
        "norms": norms,
        "parameters": {name: p.detach().flatten().tolist() for name, p in parameters.items()},
    }


def schedule(name, steps, warmup):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = get_scheduler(
        name if name != "constant" else "constant_with_warmup", optimizer, warmup, steps
    )
    rates = []
    for _ in range(steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return {"schedule": name, "steps": steps, "warmupSteps": warmup, "learningRate": 0.5, "rates": rates}


json.dump(
    {
        "torch": torch.__version__,
        "adamw": [adamw((0.9, 0.999), 1e-8, 0.0), adamw((0.8, 0.95), 1e-6, 0.1)],
        "schedules": [schedule(n, 10, w) for n in ("constant", "linear", "cosine") for w in (0, 3)],
    },
    sys.stdout,
    indent=1,
)
print()
