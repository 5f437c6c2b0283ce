"""Holds promptloss::weighted_cross_entropy to torch's own cross_entropy, in Python: values and gradients, gradcheck,
invariances and autocast. An outside witness of the operator's library; needs Python's torch.

    python weighted_cross_entropy_parity.py path/to/libpromptloss_ops.so

Prints a table and exits with 1 where a row fails. Bad arguments are weighted_cross_entropy_refusals.py's.
"""

import itertools
import sys

import torch
from torch.nn.functional import cross_entropy, linear

NAMES = ("loss", "hidden", "head", "bias", "weights")
# Rounding of a few hundred float64 operations on values around 1; float32's likewise.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}
failures = 0


def report(what, ok, figure=""):
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'}  {what:<70} {figure}")


def problem(tokens, units, vocabulary, dtype, seed=0, masked=True):
    """hidden, head, targets, weights, bias: a third of the weights 0, some targets ignored."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(tokens, units, generator=generator, dtype=torch.float64)
    head = torch.randn(vocabulary, units, generator=generator, dtype=torch.float64) / units**0.5
    bias = torch.randn(vocabulary, generator=generator, dtype=torch.float64)
    targets = torch.randint(0, vocabulary, (tokens,), generator=generator)
    weights = torch.rand(tokens, generator=generator, dtype=torch.float64)
    if masked:
        weights[::3] = 0
        targets[1::5] = -100
    weights = weights.to(torch.float64 if dtype == torch.float64 else torch.float32)
    return hidden.to(dtype), head.to(dtype), targets, weights, bias.to(dtype)


def expected(hidden, head, targets, weights, bias, reduction, label_smoothing, logit_softcap):
    """The same loss from whole logits and torch's cross_entropy, in the dtype of what it is given."""
    logits = linear(hidden, head, bias)
    logits = logits.to(torch.float64 if logits.dtype == torch.float64 else torch.float32)
    if logit_softcap:
        logits = logit_softcap * torch.tanh(logits / logit_softcap)
    losses = cross_entropy(logits, targets, reduction="none", label_smoothing=label_smoothing)
    counted = weights * (targets != -100)
    total = (losses.to(counted.dtype) * counted).sum()
    return total / counted.sum() if reduction == "mean" else total


def differentiate(function, arguments):
    """[loss, gradients by hidden, head, bias, weights], all in float64; a missing bias has no gradient."""
    hidden, head, targets, weights, bias = arguments
    leaves = [t.detach().clone().requires_grad_() for t in (hidden, head, bias, weights) if t is not None]
    given_bias = leaves[2] if bias is not None else None
    loss = function(leaves[0], leaves[1], targets, leaves[-1], given_bias)
    gradients = list(torch.autograd.grad(loss, leaves))
    if bias is None:
        gradients.insert(2, torch.zeros(()))
    return [t.detach().double() for t in (loss, *gradients)]


def distances(got, wanted):
    """Norm of the difference of each result, relative to the result's."""
    return [float((g - w).norm() / w.norm().clamp_min(1e-3)) for g, w in zip(got, wanted)]


def as_near_as(errors, torch_errors):
    """In 16 bits: no farther from the exact result than twice torch's own path, which rounds three times (logits,
    their gradient, the product) where ours rounds hidden times its weight too; 1e-4 for results near 0."""
    return [error <= 2 * theirs + 1e-4 for error, theirs in zip(errors, torch_errors)]


def compare(operator, dtype, chunk, reduction, smoothing, cap, with_bias):
    # In 16 bits large enough for oneDNN: torch 1.13's own loops for tiny products add up in 16 bits.
    arguments = list(problem(23, 6, 17, dtype) if dtype in TOLERANCE else problem(64, 32, 100, dtype))
    if not with_bias:
        arguments[4] = None
    exact = [t if t is None or t.dtype == torch.int64 else t.double() for t in arguments]

    def reference(*tensors):
        return expected(*tensors, reduction, smoothing, cap)

    def ours(hidden, head, targets, weights, bias):
        options = dict(reduction=reduction, label_smoothing=smoothing, logit_softcap=cap, chunk_size=chunk)
        return operator(hidden, head, targets, weights, bias=bias, **options)[0]

    wanted = differentiate(reference, exact)
    errors = distances(differentiate(ours, arguments), wanted)
    if dtype in TOLERANCE:
        return [error <= TOLERANCE[dtype] for error in errors], errors
    return as_near_as(errors, distances(differentiate(reference, arguments), wanted)), errors


def check_parity(operator):
    cases = list(itertools.product((torch.float64, torch.float32), (1, 7, 23, 0)))
    # Not 1 in 16 bits: torch 1.13's product of a matrix and one vector adds up in 16 bits.
    cases += itertools.product((torch.bfloat16,), (2, 7, 64, 0))
    for dtype, chunk in cases:
        worst, ok = [0.0] * len(NAMES), True
        options = itertools.product(("mean", "sum"), (0.0, 0.1, 1.0), (0.0, 2.5), (False, True))
        for reduction, smoothing, cap, with_bias in options:
            oks, errors = compare(operator, dtype, chunk, reduction, smoothing, cap, with_bias)
            ok, worst = ok and all(oks), [max(a, b) for a, b in zip(worst, errors)]
        figure = " ".join(f"{name} {error:.1e}" for name, error in zip(NAMES, worst))
        report(f"cross_entropy, 24 settings, {dtype}, chunk_size {chunk}", ok, figure)


def check_gradients(operator):
    hidden, head, targets, weights, bias = problem(7, 4, 9, torch.float64, masked=False)
    targets[2] = -100
    leaves = [t.requires_grad_() for t in (hidden, head, weights, bias)]
    for reduction in ("mean", "sum"):

        def loss(h, v, w, b):
            options = dict(reduction=reduction, label_smoothing=0.1, logit_softcap=3.0, chunk_size=2)
            return operator(h, v, targets, w, bias=b, **options)[0]

        report(f"gradcheck, {reduction}", torch.autograd.gradcheck(loss, leaves, raise_exception=False))


def check_invariance(operator):
    hidden, head, targets, weights, _ = problem(40, 8, 50, torch.float32)
    alone = weights != 0

    def run(h, t, w):
        leaf, rows = head.clone().requires_grad_(), h.clone().requires_grad_()
        loss, losses, _ = operator(rows, leaf, t, w)
        loss.backward()
        return loss.detach(), losses, leaf.grad, rows.grad

    whole = run(hidden, targets, weights)
    part = run(hidden[alone], targets[alone], weights[alone])
    same = torch.equal(whole[0], part[0]) and torch.equal(whole[2], part[2])
    same = same and torch.equal(whole[1][alone], part[1]) and torch.equal(whole[3][alone], part[3])
    report("tokens of weight 0 change no bit", same and whole[1][~alone].eq(0).all() and whole[3][~alone].eq(0).all())

    wanting = run(hidden, targets, weights.clone().requires_grad_())
    near = [torch.allclose(a, b, rtol=1e-5, atol=1e-7) for a, b in zip(wanting, whole)]
    report("weights that want a gradient change no other", all(near))

    shaped = run(hidden.view(4, 10, 8), targets.view(4, 10), weights.view(4, 10))
    report("[4, 10] tokens equal 40", torch.equal(shaped[0], whole[0]) and shaped[1].shape == (4, 10))
    strided = run(hidden.t().contiguous().t(), targets, weights)
    report("strided hidden equals contiguous", torch.allclose(strided[0], whole[0], rtol=1e-6))

    leaf = head.clone().requires_grad_()
    loss = operator(hidden, leaf, targets, weights)[0]
    loss.backward(retain_graph=True)
    first = leaf.grad.clone()
    loss.backward()
    report("a second backward pass adds the same", torch.equal(leaf.grad, 2 * first))
    (3 * operator(hidden, leaf, targets, weights)[0]).backward()
    report("the loss's gradient scales", torch.allclose(leaf.grad, 5 * first, rtol=1e-5))
    with torch.inference_mode():
        inferred = operator(hidden, head, targets, weights)[0]
    report("inference mode gives the same loss", torch.equal(inferred, whole[0]))
    counted = weights[alone & (targets != -100)]
    mean = (whole[1] * weights).sum() / counted.sum()
    report("token_losses make up the loss", torch.allclose(mean, whole[0], rtol=1e-6))


def check_autocast(operator):
    hidden, head, targets, weights, bias = problem(64, 32, 100, torch.float32)
    wanted = differentiate(lambda *t: expected(*t, "mean", 0.0, 0.0), (hidden, head, targets, weights, bias))

    def in_autocast(*tensors):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            h, v, t, w, b = tensors
            loss = operator(h, v, t, w, bias=b)[0]
        assert loss.dtype == torch.float32
        return loss

    def torch_in_autocast(*tensors):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return expected(*tensors, "mean", 0.0, 0.0)

    arguments = (hidden, head, targets, weights, bias)
    errors = distances(differentiate(in_autocast, arguments), wanted)
    theirs = distances(differentiate(torch_in_autocast, arguments), wanted)
    ok = all(as_near_as(errors, theirs)) and all(error > 1e-6 for error in errors)
    report("autocast to bfloat16, and not in float32", ok, " ".join(f"{n} {e:.1e}" for n, e in zip(NAMES, errors)))
    mixed = differentiate(in_autocast, (hidden.bfloat16(), *arguments[1:]))
    report("autocast, bfloat16 hidden and float32 head", distances(mixed, wanted)[0] < 2**-8)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch.ops.load_library(sys.argv[1])
    operator = torch.ops.promptloss.weighted_cross_entropy
    print(f"torch {torch.__version__}")
    check_parity(operator)
    check_gradients(operator)
    check_invariance(operator)
    check_autocast(operator)
    print("all passed" if failures == 0 else f"{failures} failed")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
