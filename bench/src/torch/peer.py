"""Python's side of the binding's benchmark: the cases of worker.ts, over one line of JSON a request."""
import json
import sys
import time

import torch

SIZE = 2048


def timed(iterations, body):
    start = time.perf_counter_ns()
    for _ in range(iterations):
        body()
    return {"ns": (time.perf_counter_ns() - start) / iterations}


def matmul(iterations, dtype):
    a = torch.randn(SIZE, SIZE).to(dtype)
    b = torch.randn(SIZE, SIZE).to(dtype)
    a.matmul(b)
    return timed(iterations, lambda: a.matmul(b))


def add(iterations):
    a = torch.tensor([1.0, 2.0, 3.0])
    return timed(iterations, lambda: a.add(a))


def chain(iterations):
    x = torch.randn(16, requires_grad=True)
    w = torch.randn(16)

    def step():
        y = x
        for _ in range(25):
            y = y.mul(w).tanh()
        y.sum().backward()

    return timed(iterations, step)


CASES = {
    "add": add,
    "chain": chain,
    "matmul-float32": lambda n: matmul(n, torch.float32),
    "matmul-bfloat16": lambda n: matmul(n, torch.bfloat16),
}

for line in sys.stdin:
    request = json.loads(line)
    if "threads" in request:
        torch.set_num_threads(request["threads"])
    if "name" not in request:
        answer = {"version": torch.__version__.split("+")[0], "threads": torch.get_num_threads()}
    else:
        answer = CASES[request["name"]](request["iterations"])
    print(json.dumps(answer), flush=True)
