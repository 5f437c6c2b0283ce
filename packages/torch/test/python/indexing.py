"""Makes ../goldens/indexing.json: what PyTorch answers to many combinations of indices.

    python indexing.py > ../goldens/indexing.json        (made with torch 2.13.0 on the CPU)

An index is a number, null, "...", {"range": [start, end, step]}, {"long": [...]} (positions, any nesting) or
{"mask": [...]}. Each case holds what `x[indices]` is, whether it is a view of x, and what x becomes after
`x[indices] = 0` and after `x[indices] = values`, where values are 0.5, 1.5, 2.5 … in the shape of x[indices]. Where
an index chooses one element twice no values are written: which write is last is not defined.
"""

import itertools
import json
import random

import torch

random.seed(7)
shape = (3, 4, 5)


def x():
    return torch.arange(60, dtype=torch.float32).reshape(shape)


def to_python(index):
    if isinstance(index, dict):
        (kind, value), = index.items()
        if kind == "range":
            return slice(*value)
        return torch.tensor(value, dtype=torch.int64 if kind == "long" else torch.bool)
    return Ellipsis if index == "..." else index


def mask(*sizes):
    return {"mask": (torch.rand(sizes, generator=generator) > 0.5).tolist()}


generator = torch.Generator().manual_seed(3)
R = lambda start=None, end=None, step=1: {"range": [start, end, step]}
L = lambda value: {"long": value}

basic = [1, -1, R(), R(1, 3), R(-2), R(None, -1), R(0, None, 2), R(2, 1), R(-100, 100), None, "..."]
listed = [
    [],
    ["..."],
    [None, "...", None],
    [0, 0, 0],
    [-3, -4, -5],
    [0, None, 0, None],
    [L([0, 2])],
    [L([[0, 2], [1, -1]])],
    [L([])],
    [L(1)],
    [R(), L([3, 0, -1])],
    ["...", L([4, 0])],
    [L([0, 1]), L([2, 3])],
    [L([0, 1]), R(), L([2, 3])],
    [L([0, 1]), 2, L([2, 3])],
    [L([0, 1]), None, L([2, 3])],
    [L([[0], [1]]), L([2, 3])],
    [L([0, 2]), "...", L([0, 4])],
    [R(0, 2), L([1, 1]), R(None, None, 2)],
    [R(), L([0, 1]), L([2, 3])],
    [None, L([0, 1])],
    [L([0, 1]), L([0, 1]), L([0, 1])],
    [0, L([1, 2])],
    [L([1, 2]), 0],
    [R(), 1, L([1, 2])],
    [1, R(), L([1, 2])],
    [mask(3)],
    [mask(3, 4)],
    [mask(3, 4, 5)],
    [R(), mask(4)],
    [R(), mask(4, 5)],
    ["...", mask(5)],
    [1, mask(4)],
    [mask(3), R(), L([1])],
    [{"mask": [True, False, True]}, L([2, 3])],
    [{"mask": [False, False, False]}],
    [{"mask": [True, False, True]}, {"mask": [True, False, False, True]}],
    [mask(3), None, R(1, 4, 2)],
    [None, R(), mask(4), R(-3)],
    [R(1), R(None, None, 3), L([[1, 2], [3, 4]])],
]
combinations = [list(c) for n in (1, 2, 3) for c in itertools.product(basic, repeat=n)]
combinations = [c for c in combinations if sum(i == "..." for i in c) <= 1]
chosen = combinations[: len(basic)] + random.sample(combinations, 120) + listed

cases = []
for indices in chosen:
    python = tuple(to_python(i) for i in indices)
    source = x()
    result = source[python] if python else source
    positions = torch.arange(60).reshape(shape)[python] if python else torch.arange(60).reshape(shape)
    zeroed = x()
    zeroed[python] = 0
    record = {
        "indices": indices,
        "shape": list(result.shape),
        "data": result.reshape(-1).tolist(),
        "view": result.numel() == 0 or result.untyped_storage().data_ptr() == source.untyped_storage().data_ptr(),
        "zeroed": [i for i, v in enumerate(zeroed.reshape(-1).tolist()) if v == 0],
    }
    if positions.unique().numel() == positions.numel():
        written = x()
        written[python] = (torch.arange(result.numel()) + 0.5).reshape(result.shape)
        record["written"] = written.reshape(-1).tolist()
    cases.append(record)

lines = ",\n".join(json.dumps(record, separators=(",", ":")) for record in cases)
print(f'{{"torch":"{torch.__version__.split("+")[0]}","shape":{list(shape)},"cases":[\n{lines}\n]}}')
