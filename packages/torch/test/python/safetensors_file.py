"""Makes test/goldens/python.safetensors, as Python's safetensors writes it: one tensor of each dtype.

    python packages/torch/test/python/safetensors_file.py
With --read FILE it prints what Python reads in a file of ours, as JSON.
"""
import json
import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file

GOLDENS = pathlib.Path(__file__).parent.parent / "goldens"


def make():
    values = [[0.0, 1.0, -2.5], [3.25, 1000.0, -0.125]]
    tensors = {
        name: torch.tensor(values).to(getattr(torch, name))
        for name in ["float32", "float64", "bfloat16", "float16", "int64", "int32", "int16", "int8"]
    }
    tensors["uint8"] = torch.tensor([0, 1, 255], dtype=torch.uint8)
    tensors["bool"] = torch.tensor([True, False, True])
    tensors["scalar"] = torch.tensor(7.5)
    tensors["nothing"] = torch.zeros(0, 4)
    save_file(tensors, GOLDENS / "python.safetensors", metadata={"format": "pt", "note": "günstig"})


def read(path):
    with safe_open(path, framework="pt") as file:
        result = {"metadata": file.metadata()}
        for name in file.keys():
            tensor = file.get_tensor(name)
            dtype = str(tensor.dtype).removeprefix("torch.")
            result[name] = {"dtype": dtype, "shape": list(tensor.shape), "sum": float(tensor.double().sum())}
    print(json.dumps(result))


if __name__ == "__main__":
    read(sys.argv[2]) if sys.argv[1:2] == ["--read"] else make()
