# The calls that attention makes of libtorch's own operators on an accelerator, where none is. Python knows two things that
# libtorch alone does not: what shapes these operators take and give (its meta kernels), and how to put another kernel in
# the CPU's place. So this program checks the calls by PyTorch's own shapes, and their meaning by the plain definition.
import sys
from concurrent.futures import ThreadPoolExecutor

import torch

torch.ops.load_library(sys.argv[1])
ops = torch.ops.promptloss
STARTS, HEADS, SHARED, WIDTH = [0, 3, 8, 9], 4, 2, 64
TOKENS = STARTS[-1]


def plain(query, key, value, starts, scale, window):
    outputs = []
    for start, end in zip(starts, starts[1:]):
        q, k, v = (x[start:end].transpose(0, 1) for x in (query, key, value))
        k, v = (x.repeat_interleave(q.shape[0] // x.shape[0], 0) for x in (k, v))
        at = torch.arange(end - start)
        back = at[:, None] - at[None, :]
        seen = (back >= 0) & ((back < window) if window else True)
        scores = (q @ k.transpose(1, 2) * scale).masked_fill(~seen, float("-inf"))
        outputs.append((scores.softmax(-1) @ v).transpose(0, 1))
    return torch.cat(outputs)


# A kernel runs below autograd: what differentiates in one needs a thread of its own.
elsewhere = ThreadPoolExecutor(1)


def gradients_by(function, leaves, upstream):
    leaves = [x.detach().requires_grad_() for x in leaves]
    return elsewhere.submit(lambda: torch.autograd.grad(function(*leaves), leaves, upstream)).result()


def gradients(query, key, value, upstream, *rest):
    wide = [x.detach().float() for x in (query, key, value)]
    return gradients_by(lambda *leaves: plain(*leaves, *rest), wide, upstream.detach().float())


called = []


def flash(query, key, value, cum_seq_q, cum_seq_k, max_q, max_k, dropout_p, is_causal, return_debug_mask, *, scale=None,
          window_size_left=None, window_size_right=None, **rest):
    called.append("flash forward")
    starts = cum_seq_q.tolist()
    assert cum_seq_q.dtype == cum_seq_k.dtype == torch.int32 and cum_seq_k.tolist() == starts
    assert max_q == max_k == max(b - a for a, b in zip(starts, starts[1:])) and is_causal and dropout_p == 0
    assert (window_size_right or 0) == 0
    window = 0 if window_size_left is None else window_size_left + 1
    output = plain(query.float(), key.float(), value.float(), starts, scale, window).to(query.dtype)
    seed = torch.zeros(2, dtype=torch.long)
    return output, torch.zeros(query.shape[1], query.shape[0]), seed, seed, torch.empty(0)


def flash_backward(grad_out, query, key, value, out, logsumexp, cum_seq_q, cum_seq_k, max_q, max_k, dropout_p, is_causal,
                   rng_state, unused, *, scale=None, window_size_left=None, window_size_right=None):
    called.append("flash backward")
    assert out.shape == query.shape and logsumexp.shape == (query.shape[1], query.shape[0])
    window = 0 if window_size_left is None else window_size_left + 1
    return tuple(x.to(query.dtype) for x in gradients(query, key, value, grad_out, cum_seq_q.tolist(), scale, window))


def efficient(query, key, value, bias, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, dropout_p, custom_mask_type,
              compute_log_sumexp=False, *, scale=None, seqlen_k=None, window_size=None):
    called.append("efficient forward")
    assert query.dim() == 4 and query.shape[0] == 1 and key.shape == query.shape == value.shape
    assert bias is None and custom_mask_type == 1 and compute_log_sumexp
    rest = (cu_seqlens_q.tolist(), scale, window_size or 0)
    output = plain(query[0].float(), key[0].float(), value[0].float(), *rest).to(query.dtype)
    seed = torch.zeros((), dtype=torch.long)
    return output[None], torch.zeros(1, query.shape[2], query.shape[1]), seed, seed, max_seqlen_q, max_seqlen_k


def efficient_backward(grad_out_, query, key, value, bias, out, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k,
                       logsumexp, dropout_p, philox_seed, philox_offset, custom_mask_type, bias_requires_grad, *, scale=None,
                       num_splits_key=None, window_size=None, shared_storage_dqdkdv=False):
    called.append("efficient backward")
    assert out.shape == query.shape == grad_out_.shape and custom_mask_type == 1 and not bias_requires_grad
    found = gradients(query[0], key[0], value[0], grad_out_[0], cu_seqlens_q.tolist(), scale, window_size or 0)
    return *(x.to(query.dtype)[None] for x in found), torch.empty(0)


def call(device, dtype, window, recalled=False, backward=True):
    torch.manual_seed(1)
    made = [torch.randn(TOKENS, heads, WIDTH).to(device, dtype).requires_grad_() for heads in (HEADS, SHARED, SHARED)]
    places = torch.tensor(STARTS, dtype=torch.int32, device=device)
    if recalled:
        with torch.no_grad():
            known = ops.packed_attention_statistics(*made, STARTS, 0.2, window, places)
        output = ops.packed_attention_recalled(*made, known, STARTS, 0.2, window, places)
    else:
        output = ops.packed_attention(*made, STARTS, 0.2, window, places)
    upstream = torch.randn(TOKENS, HEADS, WIDTH).to(device, dtype)
    return made, upstream, output, torch.autograd.grad(output, made, upstream) if backward else made


CASES = [(torch.bfloat16, 0), (torch.bfloat16, 2), (torch.float32, 0), (torch.float32, 2)]
# PyTorch's shapes for these calls, of which a wrong argument or shape is an error.
for dtype, window in CASES:
    for recalled in (False, True):
        # PyTorch's shapes of the memory-efficient backward pass lack an argument that its operator has.
        if dtype == torch.float32 and recalled:
            continue
        made, _, output, found = call("meta", dtype, window, recalled, dtype == torch.bfloat16)
        assert output.shape == made[0].shape and output.dtype == dtype
        assert [x.shape for x in found] == [x.shape for x in made] and all(x.dtype == dtype for x in found)

library = torch.library.Library("aten", "IMPL")
for name, kernel in [("_flash_attention_forward", flash), ("_flash_attention_backward", flash_backward),
                     ("_efficient_attention_forward", efficient), ("_efficient_attention_backward", efficient_backward)]:
    library.impl(name, kernel, "CPU")
ops.use_fused_kernels(False)
for dtype, window in CASES:
    for recalled in (False, True):
        called.clear()
        made, upstream, output, found = call("cpu", dtype, window, recalled)
        kind = "flash" if dtype == torch.bfloat16 else "efficient"
        assert called == [f"{kind} forward", f"{kind} backward"], called
        wanted = [plain(*(x.detach().float() for x in made), STARTS, 0.2, window)]
        wanted += gradients(*made, upstream, STARTS, 0.2, window)
        # bfloat16 rounds results once or twice, at sizes of some units.
        tolerance = 0.05 if dtype == torch.bfloat16 else 1e-5
        for each, right in zip([output, *found], wanted):
            assert torch.allclose(each.float(), right, atol=tolerance, rtol=tolerance), (dtype, window)


def norm_backward(grad_out, input, normalized_shape, rstd, weight, output_mask):
    called.append("norm backward")
    assert rstd.shape == (*input.shape[:-1], 1) and grad_out.dtype == input.dtype == weight.dtype
    assert tuple(normalized_shape) == weight.shape
    found = gradients_by(
        lambda x, w: torch.nn.functional.rms_norm(x, list(w.shape), w, 1e-5), (input, weight), grad_out.detach())
    return tuple(x if wanted else torch.empty(0) for x, wanted in zip(found, output_mask))


library.impl("_fused_rms_norm_backward", norm_backward, "CPU")
for dtype, offset in [(torch.float32, 0.0), (torch.bfloat16, 0.0), (torch.float32, 1.0)]:
    x, w, upstream = (torch.randn(*shape).to(dtype) for shape in [(2, 5, 32), (32,), (2, 5, 32)])
    results = []
    for on in (True, False):
        ops.use_library_way("fused RMS norm", on)
        called.clear()
        leaves = [each.detach().requires_grad_() for each in (x, w)]
        output = ops.rms_norm(*leaves, 1e-5, offset)
        results.append([output, *torch.autograd.grad(output, leaves, upstream)])
        assert called == (["norm backward"] if on else []), called
    for each, right in zip(*results):
        assert torch.allclose(each.float(), right.float(), atol=0.05 if dtype == torch.bfloat16 else 1e-5, rtol=0.02)
print("all passed")
