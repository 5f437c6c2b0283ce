"""What promptloss::weighted_cross_entropy refuses, and that nothing ends the process: each wrong argument is a
RuntimeError that names it, edge sizes work, and random arguments either work or are refused.

    python weighted_cross_entropy_refusals.py path/to/libpromptloss_ops.so [random calls, 20000]

Exits with 1 where one fails. Values are weighted_cross_entropy_parity.py's.
"""

import random
import sys

import torch

failures = 0


def report(what, ok, figure=""):
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'}  {what:<58} {figure}")


def arguments(**changes):
    """A call that works, 4 tokens, 3 units, 5 vocabulary entries, with some arguments changed."""
    call = dict(hidden=torch.randn(4, 3), head=torch.randn(5, 3), targets=torch.arange(4), weights=torch.ones(4))
    return {**call, **changes}


def refusals():
    nan, inf = float("nan"), float("inf")
    sparse = torch.ones(5, 3).to_sparse()
    yield "hidden", dict(hidden=torch.tensor(1.0))
    yield "hidden", dict(hidden=torch.ones(4, 3, dtype=torch.int64))
    yield "hidden", dict(hidden=torch.ones(4, 3, dtype=torch.complex64))
    yield "head", dict(head=torch.randn(5, 4))
    yield "head", dict(head=torch.randn(5))
    yield "head", dict(head=torch.randn(0, 3))
    yield "head", dict(head=torch.randn(5, 3, dtype=torch.float64))
    yield "head", dict(head=sparse)
    yield "head", dict(head=torch.empty(5, 3, device="meta"))
    yield "targets", dict(targets=torch.arange(5))
    yield "targets", dict(targets=torch.arange(4).view(2, 2))
    yield "targets", dict(targets=torch.arange(4, dtype=torch.int32))
    yield "targets", dict(targets=torch.tensor([0, 1, 2, 5]))
    yield "targets", dict(targets=torch.tensor([0, 1, 2, -1]))
    yield "targets", dict(targets=torch.tensor([0, 1, 2, -(2**63)]), weights=torch.zeros(4))
    yield "weights", dict(weights=torch.ones(3))
    yield "weights", dict(weights=torch.ones(4, dtype=torch.int64))
    yield "weights", dict(weights=torch.ones(4, dtype=torch.bfloat16))
    yield "weights", dict(weights=torch.tensor([1, 1, -1e-9, 1]))
    yield "weights", dict(weights=torch.tensor([1, nan, 1, 1]))
    yield "weights", dict(weights=torch.tensor([1, inf, 1, 1]))
    yield "weights", dict(weights=torch.tensor([1, 1e300, 1, 1], dtype=torch.float64))
    yield "weights", dict(weights=torch.full((4,), 3e38))
    yield "weight above 0", dict(weights=torch.zeros(4))
    yield "weight above 0", dict(targets=torch.full((4,), -100))
    yield "bias", dict(bias=torch.ones(3))
    yield "bias", dict(bias=torch.ones(5, 1))
    yield "bias", dict(bias=torch.ones(5, dtype=torch.float64))
    yield "reduction", dict(reduction="none")
    yield "reduction", dict(reduction="")
    for wrong in (-0.1, 1.1, nan, inf):
        yield "label_smoothing", dict(label_smoothing=wrong)
    for wrong in (-1.0, nan, inf):
        yield "logit_softcap", dict(logit_softcap=wrong)
    yield "chunk_size", dict(chunk_size=-1)


def check_refusals(operator):
    for name, changes in refusals():
        what = ", ".join(f"{k} {list(v.shape) if torch.is_tensor(v) else v!r}" for k, v in changes.items())
        try:
            operator(**arguments(**changes))
            report(what, False, "was accepted")
        except RuntimeError as error:
            message = str(error).splitlines()[0]
            report(what, name in message and "weighted_cross_entropy: " in message, message)


def check_second_derivative(operator):
    hidden = torch.randn(4, 3, requires_grad=True)
    loss = operator(**arguments(hidden=hidden))[0]
    (gradient,) = torch.autograd.grad(loss, hidden, create_graph=True)
    try:
        torch.autograd.grad(gradient.sum(), hidden)
        report("a second derivative", False, "was accepted")
    except RuntimeError as error:
        report("a second derivative", "second derivatives" in str(error), str(error).splitlines()[0])


def check_edges(operator):
    def both(**changes):
        call = arguments(**changes)
        leaves = [call[k].requires_grad_() for k in ("hidden", "head")]
        loss, losses, _ = operator(**call)
        return loss, losses, torch.autograd.grad(loss, leaves)

    loss, losses, gradients = both(weights=torch.zeros(4), reduction="sum")
    report("sum of weights 0 is 0", loss == 0 and not losses.any() and not any(g.any() for g in gradients))
    none = dict(hidden=torch.randn(0, 3), targets=torch.arange(0), weights=torch.ones(0), reduction="sum")
    loss, losses, gradients = both(**none)
    report("no tokens", loss == 0 and losses.shape == (0,) and gradients[0].shape == (0, 3))
    loss, _, gradients = both(hidden=torch.randn(4, 0), head=torch.randn(5, 0))
    report("no units: uniform", torch.allclose(loss, torch.tensor(5.0).log()) and gradients[1].shape == (5, 0))
    loss, _, gradients = both(head=torch.randn(1, 3), targets=torch.zeros(4, dtype=torch.int64))
    report("one vocabulary entry: certain", loss == 0 and not gradients[0].any())
    single = dict(hidden=torch.randn(3), targets=torch.tensor(2), weights=torch.tensor(0.5))
    report("one token without dimensions", both(**single)[1].shape == ())
    large = both(hidden=torch.full((4, 3), 1e4), head=torch.eye(5, 3) * 1e4, targets=torch.full((4,), 4))
    report("logits of 1e8 stay finite", large[0] == 1e8 and all(g.isfinite().all() for g in large[2]))
    report("chunk_size beyond all tokens", both(chunk_size=2**62)[0].isfinite())


def random_tensor(pick):
    shape = [pick.choice((0, 1, 2, 3, 5)) for _ in range(pick.choice((0, 1, 2, 2, 3)))]
    dtype = pick.choice((torch.float32,) * 4 + (torch.float64, torch.bfloat16, torch.float16, torch.int64, torch.bool))
    tensor = (torch.randn(shape) * pick.choice((1, 1, 100))).to(dtype)
    if pick.random() < 0.3 and tensor.dim() == 2:
        tensor = tensor.t()
    if pick.random() < 0.3 and tensor.is_floating_point():
        tensor.requires_grad_()
    return tensor


def check_random(operator, calls):
    pick = random.Random(0)
    torch.manual_seed(0)
    names = ("hidden", "head", "targets", "weights")
    accepted = 0
    for _ in range(calls):
        call = arguments()
        for name in pick.sample((*names, "bias"), pick.choice((0, 1, 1, 2, 5))):
            call[name] = random_tensor(pick)
        call["reduction"] = pick.choice(("mean", "sum", "sum", "none"))
        call["chunk_size"] = pick.choice((0, 1, 3, 2**63 - 1, -(2**63)))
        call["label_smoothing"] = pick.choice((0.0, 0.1, -1.0))
        call["logit_softcap"] = pick.choice((0.0, 30.0, 1e-300))
        try:
            loss = operator(**call)[0]
            if loss.requires_grad:
                loss.backward()
            accepted += 1
        except RuntimeError:
            pass
    report(f"{calls} random calls end no process", accepted > 0, f"{accepted} accepted")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    torch.ops.load_library(sys.argv[1])
    operator = torch.ops.promptloss.weighted_cross_entropy
    check_refusals(operator)
    check_second_derivative(operator)
    check_edges(operator)
    check_random(operator, int(sys.argv[2]) if len(sys.argv) == 3 else 20_000)
    print("all passed" if failures == 0 else f"{failures} failed")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
