"""Makes ../goldens/operators.json: what PyTorch answers to at least one call of every function of the typed face.

    python operators.py > ../goldens/operators.json        (made with torch 2.13.0 on the CPU, one thread)

Each case is `case(function, python, arguments, name=tensor ...)`: `python` is the equivalent Python over the named
tensors, `arguments` are what the TypeScript function gets, "$name" standing for a tensor. Where an output is a float
that depends on float32 or float64 inputs, the case also holds a random direction an output and the gradients of
sum(output * direction) over all outputs; `grad` turns that off, or names the inputs to differentiate.
"""

import json
import math

import torch

torch.set_num_threads(1)
generator = torch.Generator().manual_seed(20240607)
f32, f64, bf16, f16 = torch.float32, torch.float64, torch.bfloat16, torch.float16
i64, i32, i16, i8, u8, boolean = torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool
cases = []


class Laid:
    """A tensor and how it comes about: `base` in row-major order, then a view of it."""

    def __init__(self, base, view=None):
        self.base = base
        self.view = view

    def build(self):
        base = self.base.clone()
        if self.view is None:
            return base
        name, *arguments = self.view
        if name == "transpose":
            return base.transpose(*arguments)
        if name == "expand":
            return base.expand(*arguments)
        if name == "step":
            return base[:: arguments[0]]
        raise ValueError(name)


def normal(dtype, *shape):
    return Laid(torch.randn(shape, generator=generator, dtype=f64).to(dtype))


def positive(dtype, *shape):
    return Laid((torch.rand(shape, generator=generator, dtype=f64) * 3 + 0.1).to(dtype))


def unit(dtype, *shape):
    return Laid((torch.rand(shape, generator=generator, dtype=f64) * 0.98 + 0.01).to(dtype))


def whole(dtype, *shape, low=-9, high=10):
    low = max(low, 0) if dtype == u8 else low
    return Laid(torch.randint(low, high, shape, generator=generator).to(dtype))


def mask(*shape):
    return Laid(torch.rand(shape, generator=generator) > 0.4)


def values(list_, dtype):
    return Laid(torch.tensor(list_, dtype=dtype))


def transposed(laid, dim0=0, dim1=1):
    return Laid(laid.base, ["transpose", dim0, dim1])


def expanded(laid, *shape):
    return Laid(laid.base, ["expand", list(shape)])


def stepped(laid, step=2):
    return Laid(laid.base, ["step", step])


def number(value):
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return f"{value}n"
    return value


def write(tensor):
    flat = tensor.detach().contiguous().reshape(-1)
    if flat.dtype == f32:
        # The fewest digits that give the float32 back.
        data = [float(str(x)) for x in flat.numpy()]
    else:
        # As float64, where half-precision numbers are exact.
        data = (flat.double() if flat.is_floating_point() else flat).tolist()
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "data": [number(x) for x in data],
    }


def tensors_of(result):
    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(result, (tuple, list)):
        return [x for x in result if isinstance(x, torch.Tensor)]
    return []


def case(function, python, arguments, grad=True, tolerance=None, **inputs):
    built = {name: laid.build() for name, laid in inputs.items()}
    asked = [n for n, t in built.items() if t.dtype in (f32, f64) and (n in grad if isinstance(grad, list) else grad)]
    for name in asked:
        built[name].requires_grad_(True)
    result = eval(python, {"torch": torch, "math": math, "F": torch.nn.functional, **built})
    record = {"function": function, "python": python, "arguments": arguments}
    if tolerance is not None:
        record["tolerance"] = tolerance
    record["inputs"] = {
        name: write(laid.base) | ({"view": laid.view} if laid.view else {}) for name, laid in inputs.items()
    }
    if isinstance(result, bool):
        record["returns"] = result
        cases.append(record)
        return
    outputs = tensors_of(result)
    record["outputs"] = [write(x) for x in outputs]
    differentiable = [x for x in outputs if x.requires_grad]
    if asked and differentiable:
        directions = [
            torch.randn(x.shape, generator=generator, dtype=f64).to(x.dtype) if x.requires_grad else None for x in outputs
        ]
        total = sum((x * d).sum() for x, d in zip(outputs, directions) if d is not None)
        gradients = torch.autograd.grad(total, [built[n] for n in asked], allow_unused=True)
        record["directions"] = [None if d is None else write(d) for d in directions]
        record["gradients"] = {n: None if g is None else write(g) for n, g in zip(asked, gradients)}
    cases.append(record)


# Arithmetic: broadcasting, dtype promotion, layouts, scalars, no elements.
for name in ["add", "sub", "mul", "div"]:
    operator = {"add": "+", "sub": "-", "mul": "*", "div": "/"}[name]
    case(name, f"a {operator} b", ["$a", "$b"], a=normal(f32, 2, 3), b=positive(f32, 3))
    case(name, f"a {operator} b", ["$a", "$b"], a=normal(f64, 2, 1, 3), b=positive(f64, 4, 1))
    case(name, f"a {operator} b", ["$a", "$b"], a=normal(bf16, 5), b=positive(bf16, 5))
    case(name, f"a {operator} b", ["$a", "$b"], a=whole(i64, 2, 3), b=normal(f32, 2, 3))
    case(name, f"a {operator} b", ["$a", "$b"], a=whole(i32, 4), b=values([3, 1, -2, 7], i64))
    case(name, f"a {operator} b", ["$a", "$b"], a=transposed(normal(f32, 3, 2)), b=expanded(positive(f32, 2, 1), 2, 3))
    case(name, f"a {operator} b", ["$a", "$b"], a=normal(f32, 0, 3), b=positive(f32, 3))
    case(name, f"a {operator} b", ["$a", "$b"], a=normal(f64), b=positive(f64))
    case(name, f"a {operator} 2.5", ["$a", 2.5], a=stepped(normal(f32, 5)))
    case(name, f"a {operator} 2", ["$a", 2], a=whole(u8, 4, low=3))
    case(name, f"a {operator} 3", ["$a", 3], a=whole(i64, 4))
case("add", "torch.add(a, b, alpha=-2)", ["$a", "$b", {"alpha": -2}], a=normal(f32, 3), b=normal(f32, 3))
case("add", "a + True", ["$a", True], a=whole(i64, 3))
case("add", "a + b", ["$a", "$b"], a=mask(4), b=mask(4))
case("sub", "torch.sub(a, 1.5, alpha=2)", ["$a", 1.5, {"alpha": 2}], a=normal(f64, 3))
for mode in ["trunc", "floor"]:
    least = -(2**63)
    case("div", f"torch.div(a, b, rounding_mode='{mode}')", ["$a", "$b", {"roundingMode": mode}], a=whole(i64, 3, 3), b=values([3, -2, 5], i64))
    case("div", f"torch.div(a, b, rounding_mode='{mode}')", ["$a", "$b", {"roundingMode": mode}], a=whole(i32, 3), b=values([3, -2, -1], i64))
    case("div", f"torch.div(a, b, rounding_mode='{mode}')", ["$a", "$b", {"roundingMode": mode}], a=whole(i32, 3), b=values(-1, i64))
    case("div", f"torch.div(a, 2, rounding_mode='{mode}')", ["$a", 2, {"roundingMode": mode}], a=whole(u8, 5))
    case("div", f"torch.div(a, -3, rounding_mode='{mode}')", ["$a", -3, {"roundingMode": mode}], a=whole(i16, 5))
    case("div", f"torch.div(a, 0.7, rounding_mode='{mode}')", ["$a", 0.7, {"roundingMode": mode}], a=normal(f32, 5))
    case("div", f"torch.div(a, b, rounding_mode='{mode}')", ["$a", "$b", {"roundingMode": mode}], a=normal(f64, 5), b=normal(f64, 5))
# The least number by -1 ends Python's process for "trunc": what it wraps to is -a.
case("div", "-a", ["$a", "$b", {"roundingMode": "trunc"}], a=values([-(2**63), 5], i64), b=values(-1, i64))
case("div", "-a", ["$a", -1, {"roundingMode": "trunc"}], a=values([-(2**31), 5], i32))
case("div", "torch.stack([-a[0], a[1] // 2])", ["$a", "$b", {"roundingMode": "trunc"}], a=values([-(2**31), 6], i32), b=values([-1, 2], i32))
case("remainder", "a % b", ["$a", "$b"], a=whole(i64, 5), b=values([3, -2, 5, 7, -1], i64))
case("remainder", "a % b", ["$a", "$b"], a=normal(f32, 5), b=values([0.5, -0.5, 1, 2, -0.3], f32))
case("remainder", "a % 3", ["$a", 3], a=whole(i32, 2, 2))
case("remainder", "a % -0.7", ["$a", -0.7], a=normal(f64, 4))
case("pow", "a ** b", ["$a", "$b"], a=positive(f64, 2, 3), b=normal(f64, 3))
case("pow", "a ** b", ["$a", "$b"], a=whole(i64, 4), b=values([0, 1, 2, 3], i64))
case("pow", "a ** 3", ["$a", 3], a=normal(f32, 4))
case("pow", "a ** 0.5", ["$a", 0.5], a=positive(bf16, 4))
case("pow", "a ** -1.5", ["$a", -1.5], a=positive(f64, 4))
case("pow", "a ** 2", ["$a", 2], a=whole(i32, 4))
for name in ["addcmul", "addcdiv"]:
    case(name, f"torch.{name}(a, b, c)", ["$a", "$b", "$c"], a=normal(f32, 2, 3), b=normal(f32, 3), c=positive(f32, 2, 1))
    case(name, f"torch.{name}(a, b, c, value=-0.5)", ["$a", "$b", "$c", {"value": -0.5}], a=normal(f64, 3), b=normal(f64, 3), c=positive(f64, 3))
case("lerp", "torch.lerp(a, b, 0.3)", ["$a", "$b", 0.3], a=normal(f32, 4), b=normal(f32, 4))
case("lerp", "torch.lerp(a, b, c)", ["$a", "$b", "$c"], a=normal(f64, 2, 3), b=normal(f64, 3), c=unit(f64, 2, 1))
for name in ["maximum", "minimum"]:
    case(name, f"torch.{name}(a, b)", ["$a", "$b"], a=normal(f32, 2, 3), b=normal(f32, 3))
    case(name, f"torch.{name}(a, b)", ["$a", "$b"], a=values([1, math.nan, 3], f64), b=values([2, 0, math.nan], f64), grad=False)
    case(name, f"torch.{name}(a, b)", ["$a", "$b"], a=whole(i64, 3), b=whole(i64, 3))

# Comparison and logic.
for name in ["eq", "ne", "lt", "le", "gt", "ge"]:
    case(name, f"torch.{name}(a, b)", ["$a", "$b"], a=whole(i64, 3, 4), b=whole(i64, 4))
    case(name, f"torch.{name}(a, b)", ["$a", "$b"], a=values([1, math.nan, math.inf], f32), b=values([1, math.nan, -math.inf], f32))
    case(name, f"torch.{name}(a, 1)", ["$a", 1], a=transposed(whole(i32, 2, 3, low=0, high=3)))
    case(name, f"torch.{name}(a, 0.5)", ["$a", 0.5], a=values([0.5, 0.25], bf16))
for name, python in [("logicalAnd", "logical_and"), ("logicalOr", "logical_or")]:
    case(name, f"torch.{python}(a, b)", ["$a", "$b"], a=mask(2, 3), b=mask(3))
    case(name, f"torch.{python}(a, b)", ["$a", "$b"], a=values([0, 0.0, 2], f32), b=values([0, 1, 0], f32))
case("logicalNot", "torch.logical_not(a)", ["$a"], a=mask(4))
case("logicalNot", "torch.logical_not(a)", ["$a"], a=whole(i64, 5, low=-1, high=2))
for name in ["isnan", "isinf", "isfinite"]:
    case(name, f"torch.{name}(a)", ["$a"], a=values([0, math.nan, math.inf, -math.inf, 1], f32))
    case(name, f"torch.{name}(a)", ["$a"], a=values([0, math.nan, math.inf], bf16))
    case(name, f"torch.{name}(a)", ["$a"], a=whole(i64, 2))
case("where", "torch.where(c, a, b)", ["$c", "$a", "$b"], c=mask(2, 3), a=normal(f32, 3), b=normal(f32, 2, 1))
case("where", "torch.where(c, a, b)", ["$c", "$a", "$b"], c=mask(4), a=whole(i64, 4), b=whole(i64, 4))
case("equal", "torch.equal(a, b)", ["$a", "$b"], a=values([1, 2], i64), b=values([1, 2], i64))
case("equal", "torch.equal(a, b)", ["$a", "$b"], a=values([1, 2], f32), b=values([1, 3], f32))
case("equal", "torch.equal(a, b)", ["$a", "$b"], a=values([1, 2], f32), b=values([[1, 2]], f32))
case("allclose", "torch.allclose(a, b)", ["$a", "$b"], a=values([1, 2], f64), b=values([1, 2 + 1e-9], f64))
case("allclose", "torch.allclose(a, b, rtol=0, atol=0.1)", ["$a", "$b", {"rtol": 0, "atol": 0.1}], a=values([1, 2], f32), b=values([1, 2.2], f32))
case("allclose", "torch.allclose(a, a, equal_nan=True)", ["$a", "$a", {"equalNan": True}], a=values([1, math.nan], f32))

# Copies and conversions.
case("clone", "a.clone()", ["$a"], a=transposed(normal(f32, 2, 3)))
case("detach", "a.detach()", ["$a"], a=normal(f64, 3))
odd = [0.5, -1.5, 2.5, 300.0, -0.0, 65504.0, 1e-8, 1.00390625]
for name, dtype in [("float", f32), ("double", f64), ("bfloat16", bf16)]:
    case(name, f"a.to({dtype})", ["$a"], a=values(odd, f64))
    case(name, f"a.to({dtype})", ["$a"], a=whole(i64, 2, 2))
    case(name, f"a.to({dtype})", ["$a"], a=mask(3))
case("bfloat16", "a.to(torch.bfloat16)", ["$a"], a=values([math.nan, math.inf, 3.4e38, 1e-40, 1.005859375, 1.001953125], f32), grad=False)
case("long", "a.long()", ["$a"], a=values([0.9, -0.9, 1e15, -3.0], f64), grad=False)
case("long", "a.long()", ["$a"], a=values([1, 255], u8))
case("bool", "a.bool()", ["$a"], a=values([0, -0.0, 0.1, math.nan], f32), grad=False)
case("bool", "a.bool()", ["$a"], a=values([0, 2, 256], i64))
case("cpu", "a.cpu()", ["$a"], a=normal(f32, 2))
for dtype in [f32, f64, bf16, f16, i64, i32, i16, i8, u8, boolean]:
    name = str(dtype).removeprefix("torch.")
    case("to", f"a.to({dtype})", ["$a", {"dtype": name}], a=values([0.0, 1.4, 2.6, 100.3], f32))
    case("to", f"a.to({dtype}).to(torch.float64)", ["$b", {"dtype": "float64"}], a=values([0, 1, 2, 100], i16), b=Laid(torch.tensor([0, 1, 2, 100], dtype=dtype)), grad=False)
case("to", "a.to(torch.float32, copy=True)", ["$a", {"copy": True, "device": "cpu"}], a=normal(f32, 2))

# Tensors from nothing and from JavaScript's arrays.
case("zeros", "torch.zeros(2, 3)", [[2, 3]])
case("zeros", "torch.zeros([], dtype=torch.int64)", [[], {"dtype": "int64"}])
case("ones", "torch.ones(0, 3, dtype=torch.bfloat16)", [[0, 3], {"dtype": "bfloat16"}])
case("ones", "torch.ones(2, dtype=torch.bool)", [[2], {"dtype": "bool"}])
case("full", "torch.full((2, 2), 3, dtype=torch.float32)", [[2, 2], 3])
case("full", "torch.full((2,), -(2**63), dtype=torch.int64)", [[2], "-9223372036854775808n", {"dtype": "int64"}])
case("full", "torch.full((), math.inf, dtype=torch.float64)", [[], "Infinity", {"dtype": "float64"}])
for name in ["zeros", "ones"]:
    case(f"{name}Like", f"torch.{name}_like(a)", ["$a"], a=normal(f64, 2, 1), grad=False)
    case(f"{name}Like", f"torch.{name}_like(a, dtype=torch.int32)", ["$a", {"dtype": "int32"}], a=normal(f32, 3), grad=False)
case("fullLike", "torch.full_like(a, 7)", ["$a", 7], a=whole(i16, 2))
case("fullLike", "torch.full_like(a, 0.5, dtype=torch.float16)", ["$a", 0.5, {"dtype": "float16"}], a=whole(i16, 2))
case("eye", "torch.eye(3)", [3])
case("eye", "torch.eye(2, 3, dtype=torch.int64)", [2, 3, {"dtype": "int64"}])
case("arange", "torch.arange(2, 10, 3)", [2, 10, 3])
case("arange", "torch.arange(0, 1, 0.25)", [0, 1, 0.25])
case("arange", "torch.arange(3, -3, -2)", [3, -3, -2])
case("arange", "torch.arange(0, 3, dtype=torch.float64)", [0, 3, 1, {"dtype": "float64"}])
case("arange", "torch.arange(5, 5)", [5, 5])
case("linspace", "torch.linspace(-1, 1, 5)", [-1, 1, 5])
case("linspace", "torch.linspace(0, 1, 7, dtype=torch.float64)", [0, 1, 7, {"dtype": "float64"}])
case("linspace", "torch.linspace(3, 4, 1)", [3, 4, 1])
case("linspace", "torch.linspace(3, 4, 0)", [3, 4, 0])
case("tensor", "torch.tensor([[1., 2.], [3., 4.5]])", [[[1, 2], [3, 4.5]]])
case("tensor", "torch.tensor(7, dtype=torch.int64)", [7, {"dtype": "int64"}])
case("tensor", "torch.tensor([[], []])", [[[], []]])
case("tensor", "torch.tensor([True, False])", [[True, False]])
case("tensor", "torch.tensor([2**62 + 1, -(2**63)])", [["4611686018427387905n", "-9223372036854775808n"]])
case("tensor", "torch.tensor([0.1, 1e-40, 1e39], dtype=torch.float32)", [[0.1, 1e-40, 1e39]])
case("tensor", "torch.tensor([0.1, 65520., 1e-8, 65519.], dtype=torch.float16)", [[0.1, 65520, 1e-8, 65519], {"dtype": "float16"}])
case("tensor", "torch.tensor([255, 0], dtype=torch.uint8)", [[255, 0], {"dtype": "uint8"}])
case("fromTypedArray", "torch.tensor([[1.5, 2.5]], dtype=torch.float64)", [{"Float64Array": [1.5, 2.5]}, [1, 2]])
case("fromTypedArray", "torch.tensor([1.0, -2.0], dtype=torch.bfloat16)", [{"Uint16Array": [0x3F80, 0xC000]}, [2], {"dtype": "bfloat16"}])
case("fromTypedArray", "torch.tensor([True, False, True])", [{"Uint8Array": [1, 0, 200]}, [3], {"dtype": "bool"}])

# Writing in place: both what is returned and the tensor written to are looked at.
for name, python in [("add_", "a.add_(b)"), ("sub_", "a.sub_(b)"), ("mul_", "a.mul_(b)"), ("div_", "a.div_(b)")]:
    case(name, python, ["$a", "$b"], a=normal(f32, 2, 3), b=positive(f32, 3), grad=False)
    case(name, python.replace("(b)", "(3)"), ["$a", 3], a=transposed(normal(f64, 2, 3)), grad=False)
case("add_", "a.add_(b, alpha=3)", ["$a", "$b", {"alpha": 3}], a=whole(i64, 3), b=whole(i64, 3))
case("sub_", "a.sub_(2, alpha=3)", ["$a", 2, {"alpha": 3}], a=whole(i32, 3))
case("addcmul_", "a.addcmul_(b, c, value=2)", ["$a", "$b", "$c", {"value": 2}], a=normal(f32, 3), b=normal(f32, 3), c=normal(f32, 3), grad=False)
case("addcdiv_", "a.addcdiv_(b, c, value=2)", ["$a", "$b", "$c", {"value": 2}], a=normal(f32, 3), b=normal(f32, 3), c=positive(f32, 3), grad=False)
case("lerp_", "a.lerp_(b, 0.25)", ["$a", "$b", 0.25], a=normal(f64, 3), b=normal(f64, 3), grad=False)
case("zero_", "a.zero_()", ["$a"], a=normal(bf16, 2, 2), grad=False)
case("fill_", "a.fill_(2)", ["$a", 2], a=stepped(whole(i64, 5)))
case("fill_", "a.fill_(0.1)", ["$a", 0.1], a=normal(f16, 2))
case("copy_", "a.copy_(b)", ["$a", "$b"], a=normal(f32, 2, 3), b=whole(i64, 3), grad=False)
case("clamp_", "a.clamp_(-0.5, 0.5)", ["$a", {"min": -0.5, "max": 0.5}], a=normal(f32, 6), grad=False)
case("sqrt_", "a.sqrt_()", ["$a"], a=positive(f64, 4), grad=False)
case("exp_", "a.exp_()", ["$a"], a=normal(f32, 4), grad=False)
case("maskedFill_", "a.masked_fill_(m, 9)", ["$a", "$m", 9], a=normal(f32, 2, 3), m=mask(3), grad=False)
case("indexAdd_", "a.index_add_(1, i, b)", ["$a", 1, "$i", "$b"], a=normal(f32, 2, 4), i=values([3, 0, 3], i64), b=normal(f32, 2, 3), grad=False)
case("foreachAdd_", "torch._foreach_add_([a, b], [c, d], alpha=2) or [a, b]", [["$a", "$b"], ["$c", "$d"], {"alpha": 2}], a=normal(f32, 3), b=normal(f32, 2, 2), c=normal(f32, 3), d=normal(f32, 2, 2), grad=False)
case("foreachMul_", "torch._foreach_mul_([a, b], 3) or [a, b]", [["$a", "$b"], 3], a=normal(f32, 3), b=normal(f64, 2), grad=False)
case("foreachZero_", "torch._foreach_zero_([a, b]) or [a, b]", [["$a", "$b"]], a=normal(f32, 3), b=normal(bf16, 2), grad=False)

# Choosing elements. Combinations of indices have goldens of their own in indexing.json.
case("at", "a[1, :, None, -1:]", ["$a", 1, {"range": [None, None, 1]}, None, {"range": [-1, None, 1]}], a=normal(f32, 2, 3, 4))
case("put_", "a.index_put_((i,), b)", ["$a", "$b", "$i"], a=normal(f32, 4, 2), b=normal(f32, 2), i=values([3, 1], i64), grad=False)
case("indexSelect", "a.index_select(-1, i)", ["$a", -1, "$i"], a=normal(f32, 2, 4), i=values([3, 0, 0], i64))
case("indexSelect", "a.index_select(0, i)", ["$a", 0, "$i"], a=transposed(whole(i64, 2, 4)), i=values([1], i32))
case("gather", "a.gather(1, i)", ["$a", 1, "$i"], a=normal(f64, 2, 4), i=values([[0, 3, 3], [1, 1, 2]], i64))
case("gather", "a.gather(-2, i)", ["$a", -2, "$i"], a=normal(bf16, 2, 3), i=values([[0, 1, 1]], i64))
case("scatter", "a.scatter(1, i, b)", ["$a", 1, "$i", "$b"], a=normal(f32, 2, 4), i=values([[0, 3], [1, 2]], i64), b=normal(f32, 2, 2))
case("scatter", "a.scatter(0, i, 5)", ["$a", 0, "$i", 5], a=normal(f32, 3, 2), i=values([[2, 0]], i64))
case("scatterAdd", "a.scatter_add(1, i, b)", ["$a", 1, "$i", "$b"], a=normal(f32, 2, 3), i=values([[0, 0, 2], [1, 1, 1]], i64), b=normal(f32, 2, 3))
case("indexAdd", "a.index_add(0, i, b)", ["$a", 0, "$i", "$b"], a=normal(f64, 3, 2), i=values([2, 2, 0], i64), b=normal(f64, 3, 2))
case("maskedFill", "a.masked_fill(m, -math.inf)", ["$a", "$m", "-Infinity"], a=normal(f32, 2, 3), m=mask(2, 3))
case("maskedFill", "a.masked_fill(m, b)", ["$a", "$m", "$b"], a=normal(f32, 2, 3), m=mask(3), b=normal(f32))
case("maskedSelect", "a.masked_select(m)", ["$a", "$m"], a=normal(f32, 2, 3), m=mask(2, 3))
case("maskedSelect", "a.masked_select(m)", ["$a", "$m"], a=whole(i64, 2, 3), m=values([False, False, False], boolean))
case("nonzero", "a.nonzero()", ["$a"], a=whole(i64, 3, 3, low=-1, high=2))
case("nonzero", "a.nonzero()", ["$a"], a=values(3, f32))
case("embedding", "F.embedding(i, a)", ["$a", "$i"], a=normal(f32, 5, 3), i=values([[0, 4], [4, 2]], i64))
case("embedding", "F.embedding(i, a, padding_idx=1)", ["$a", "$i", {"paddingIndex": 1}], a=normal(f64, 4, 2), i=values([1, 1, 3], i64))
case("embedding", "F.embedding(i, a)", ["$a", "$i"], a=normal(bf16, 4, 2), i=values([], i64))
case("oneHot", "F.one_hot(i)", ["$i"], i=values([0, 2, 1], i64))
case("oneHot", "F.one_hot(i, 4)", ["$i", 4], i=values([[0], [3]], i64))

# Matrix products. Sums of products may be taken in any order; libtorch 1.13 takes them in bfloat16 itself, where each
# of some four additions rounds.
summed = {bf16: 4}
for dtype in [f32, f64, bf16]:
    case("matmul", "a @ b", ["$a", "$b"], a=normal(dtype, 3, 4), b=normal(dtype, 4, 2), tolerance=summed.get(dtype))
    case("mm", "a.mm(b)", ["$a", "$b"], a=transposed(normal(dtype, 4, 3)), b=normal(dtype, 4, 2), tolerance=summed.get(dtype))
    case("bmm", "a.bmm(b)", ["$a", "$b"], a=normal(dtype, 2, 3, 4), b=transposed(normal(dtype, 2, 2, 4), 1, 2), tolerance=summed.get(dtype))
    case("addmm", "torch.addmm(c, a, b, beta=0.5, alpha=2)", ["$c", "$a", "$b", {"beta": 0.5, "alpha": 2}], c=normal(dtype, 2), a=normal(dtype, 3, 4), b=normal(dtype, 4, 2), tolerance=summed.get(dtype))
    case("baddbmm", "torch.baddbmm(c, a, b)", ["$c", "$a", "$b"], c=normal(dtype, 2, 3, 2), a=normal(dtype, 2, 3, 4), b=normal(dtype, 2, 4, 2), tolerance=summed.get(dtype))
    case("linear", "F.linear(a, w, b)", ["$a", "$w", "$b"], a=normal(dtype, 2, 3, 4), w=normal(dtype, 5, 4), b=normal(dtype, 5), tolerance=summed.get(dtype))
    case("linear", "F.linear(a, w)", ["$a", "$w"], a=normal(dtype, 4), w=normal(dtype, 5, 4), tolerance=summed.get(dtype))
    case("dot", "a.dot(b)", ["$a", "$b"], a=normal(dtype, 6), b=normal(dtype, 6), tolerance=summed.get(dtype))
    case("outer", "a.outer(b)", ["$a", "$b"], a=normal(dtype, 3), b=normal(dtype, 2))
case("matmul", "a @ b", ["$a", "$b"], a=normal(f64, 2, 1, 3, 4), b=normal(f64, 5, 4, 2))
case("matmul", "a @ b", ["$a", "$b"], a=normal(f32, 4), b=normal(f32, 4))
case("matmul", "a @ b", ["$a", "$b"], a=normal(f32, 3, 0), b=normal(f32, 0, 2))
case("matmul", "a @ b", ["$a", "$b"], a=whole(i64, 2, 3), b=whole(i64, 3, 2))
case("mm", "a.mm(b)", ["$a", "$b"], a=normal(f32, 0, 4), b=normal(f32, 4, 2))
case("addmm", "torch.addmm(c, a, b)", ["$c", "$a", "$b"], c=normal(f32, 3, 2), a=normal(f32, 3, 4), b=normal(f32, 4, 2))
case("einsum", "torch.einsum('bik,bkj->bij', a, b)", ["bik,bkj->bij", ["$a", "$b"]], a=normal(f64, 2, 3, 4), b=normal(f64, 2, 4, 2))
case("einsum", "torch.einsum('ii->', a)", ["ii->", ["$a"]], a=normal(f32, 3, 3))
case("einsum", "torch.einsum('...d,d->...', a, b)", ["...d,d->...", ["$a", "$b"]], a=normal(f32, 2, 3, 4), b=normal(f32, 4))
for name in ["tril", "triu"]:
    case(name, f"a.{name}()", ["$a"], a=normal(f32, 3, 4))
    case(name, f"a.{name}(-1)", ["$a", -1], a=transposed(normal(f64, 3, 4)))
    case(name, f"a.{name}(1)", ["$a", 1], a=mask(2, 3, 3))
case("diagonal", "a.diagonal()", ["$a"], a=normal(f32, 3, 4))
case("diagonal", "a.diagonal(-1, 1, 2)", ["$a", {"offset": -1, "dim1": 1, "dim2": 2}], a=normal(f64, 2, 3, 3))

# Neural networks.
for dtype in [f32, f64, bf16]:
    case("softmax", "a.softmax(-1)", ["$a", -1], a=normal(dtype, 3, 5))
    case("logSoftmax", "a.log_softmax(0)", ["$a", 0], a=transposed(normal(dtype, 3, 5)))
    case("layerNorm", "F.layer_norm(a, (4,), w, b)", ["$a", [4], {"weight": "$w", "bias": "$b"}], a=normal(dtype, 2, 3, 4), w=normal(dtype, 4), b=normal(dtype, 4), tolerance=summed.get(dtype))
    if dtype != bf16:  # which libtorch 1.13 has none for
        case("mseLoss", "F.mse_loss(a, b)", ["$a", "$b"], a=normal(dtype, 3, 2), b=normal(dtype, 3, 2))
    case("scaledDotProductAttention", "F.scaled_dot_product_attention(q, k, v)", ["$q", "$k", "$v"], q=normal(dtype, 1, 2, 3, 4), k=normal(dtype, 1, 2, 5, 4), v=normal(dtype, 1, 2, 5, 4))
case("softmax", "a.softmax(1, dtype=torch.float32)", ["$a", 1, {"dtype": "float32"}], a=normal(bf16, 2, 3))
case("softmax", "a.softmax(0)", ["$a", 0], a=values([-math.inf, 0, 1000], f32))
case("softmax", "a.softmax(-1)", ["$a", -1], a=normal(f32, 2, 0))
case("logSoftmax", "a.log_softmax(-1, dtype=torch.float64)", ["$a", -1, {"dtype": "float64"}], a=normal(f32, 3))
case("layerNorm", "F.layer_norm(a, (3, 4), eps=0.1)", ["$a", [3, 4], {"eps": 0.1}], a=normal(f64, 2, 3, 4))
case("rmsNorm", "F.rms_norm(a, (4,), w, 1e-6)", ["$a", "$w"], a=normal(f32, 2, 3, 4), w=normal(f32, 4))
case("rmsNorm", "F.rms_norm(a, (4,), w, 0.1)", ["$a", "$w", {"eps": 0.1}], a=normal(f64, 3, 4), w=normal(f64, 4))
case("rmsNorm", "((a.float() * torch.rsqrt(a.float().square().mean(-1, keepdim=True) + 1e-6)).to(a.dtype) * w)", ["$a", "$w"], a=normal(bf16, 3, 4), w=normal(bf16, 4))
case("dropout", "F.dropout(a, 0.5, training=False)", ["$a", 0.5, {"training": False}], a=normal(f32, 4))
case("dropout", "F.dropout(a, 0.0)", ["$a", 0], a=normal(f32, 4))
case("dropout", "F.dropout(a, 1.0)", ["$a", 1], a=normal(f32, 4))
targets = values([2, 0, 4], i64)
for reduction in ["none", "mean", "sum"]:
    case("crossEntropy", f"F.cross_entropy(a, t, reduction='{reduction}')", ["$a", "$t", {"reduction": reduction}], a=normal(f32, 3, 5), t=targets)
    case("nllLoss", f"F.nll_loss(a, t, reduction='{reduction}')", ["$a", "$t", {"reduction": reduction}], a=normal(f64, 3, 5), t=targets)
    case("mseLoss", f"F.mse_loss(a, b, reduction='{reduction}')", ["$a", "$b", {"reduction": reduction}], a=normal(f32, 2, 2), b=normal(f32, 2, 2))
    case("klDiv", f"F.kl_div(a, b, reduction='{reduction}')", ["$a", "$b", {"reduction": reduction}], a=normal(f64, 2, 2), b=unit(f64, 2, 2))
    case("binaryCrossEntropyWithLogits", f"F.binary_cross_entropy_with_logits(a, b, reduction='{reduction}')", ["$a", "$b", {"reduction": reduction}], a=normal(f32, 2, 2), b=unit(f32, 2, 2), grad=False)
case("binaryCrossEntropyWithLogits", "F.binary_cross_entropy_with_logits(a, b)", ["$a", "$b"], a=normal(f64, 5), b=unit(f64, 5))
case("crossEntropy", "F.cross_entropy(a, t, weight=w, ignore_index=0, label_smoothing=0.1)", ["$a", "$t", {"weight": "$w", "ignoreIndex": 0, "labelSmoothing": 0.1}], a=normal(f64, 3, 5), t=targets, w=positive(f64, 5), grad=["a"])
case("crossEntropy", "F.cross_entropy(a, t)", ["$a", "$t"], a=normal(f32, 2, 5, 3), t=values([[0, 1, -100], [4, -100, 2]], i64))
case("crossEntropy", "F.cross_entropy(a, t)", ["$a", "$t"], a=normal(f32, 2, 3), t=unit(f32, 2, 3))
case("crossEntropy", "F.cross_entropy(a, t)", ["$a", "$t"], a=normal(f32, 2, 3), t=values([-100, -100], i64), grad=False)
case("nllLoss", "F.nll_loss(a, t, w, ignore_index=2)", ["$a", "$t", {"weight": "$w", "ignoreIndex": 2}], a=normal(f32, 3, 5), t=targets, w=positive(f32, 5), grad=["a"])
case("klDiv", "F.kl_div(a, b, log_target=True)", ["$a", "$b", {"logTarget": True}], a=normal(f32, 2, 2), b=normal(f32, 2, 2))
for name in ["scaledDotProductAttention", "plainAttention"]:
    shapes = {"q": normal(f64, 1, 2, 3, 4), "k": normal(f64, 1, 2, 3, 4), "v": normal(f64, 1, 2, 3, 4)}
    # The fused operator and its parts round at different places of a chain of some ten operations.
    shapes["tolerance"] = 8
    case(name, "F.scaled_dot_product_attention(q, k, v, is_causal=True)", ["$q", "$k", "$v", {"causal": True}], **shapes)
    case(name, "F.scaled_dot_product_attention(q, k, v, attn_mask=m)", ["$q", "$k", "$v", {"mask": "$m"}], m=normal(f64, 3, 3), **shapes)
    case(name, "F.scaled_dot_product_attention(q, k, v, attn_mask=m)", ["$q", "$k", "$v", {"mask": "$m"}], m=values([[True, False, True]] * 3, boolean), **shapes)
    case(name, "F.scaled_dot_product_attention(q, k, v, scale=0.3)", ["$q", "$k", "$v", {"scale": 0.3}], **shapes)

# Element by element. Half precision is rounded once; the functions themselves may err by some units in the last place.
smooth = ["neg", "abs", "exp", "expm1", "sin", "cos", "tanh", "sigmoid", "erf", "square", "relu"]
for name in smooth + ["sign", "floor", "ceil", "round", "trunc"]:
    for dtype in [f32, f64, bf16]:
        case(name, f"a.{name}()", ["$a"], a=normal(dtype, 2, 5))
    case(name, f"a.{name}()", ["$a"], a=values([0, -0.0, math.inf, -math.inf, math.nan, 0.5, 1.5, 2.5, -0.5, 100], f32), grad=False)
for name in ["log", "log1p", "log2", "sqrt", "rsqrt", "reciprocal"]:
    for dtype in [f32, f64, bf16]:
        case(name, f"a.{name}()", ["$a"], a=positive(dtype, 2, 5))
    case(name, f"a.{name}()", ["$a"], a=values([0, -0.0, math.inf, -1, math.nan], f64), grad=False)
for name in ["neg", "abs", "sign", "square"]:
    case(name, f"a.{name}()", ["$a"], a=whole(i64, 5))
for name in ["exp", "sqrt", "sigmoid", "sin"]:
    case(name, f"a.{name}()", ["$a"], a=whole(i32, 4, low=0))
case("relu", "a.relu()", ["$a"], a=whole(i64, 4))
case("exp", "a.exp()", ["$a"], a=transposed(normal(f32, 2, 3)))
case("exp", "a.exp()", ["$a"], a=normal(f32, 0))
for name in ["silu", "softplus", "gelu"]:
    for dtype in [f32, f64, bf16]:
        case(name, f"F.{name}(a)", ["$a"], a=normal(dtype, 2, 5))
    # Not infinity: gelu makes it NaN in libtorch 2.13, infinity in 1.13.
    case(name, f"F.{name}(a)", ["$a"], a=values([0, 100, -100, 1e30], f32), grad=False)
case("gelu", "F.gelu(a, approximate='tanh')", ["$a", {"approximate": "tanh"}], a=normal(f64, 6))
case("clamp", "a.clamp(-0.5, 0.5)", ["$a", {"min": -0.5, "max": 0.5}], a=normal(f32, 6))
case("clamp", "a.clamp(min=0)", ["$a", {"min": 0}], a=whole(i64, 4))
case("clamp", "a.clamp(max=0.25)", ["$a", {"max": 0.25}], a=normal(bf16, 4))

# Reductions: all dimensions, one, several, negative, kept, none.
for name, python in [("sum", "sum"), ("mean", "mean"), ("variance", "var"), ("std", "std"), ("amax", "amax"), ("amin", "amin")]:
    case(name, f"a.{python}()", ["$a"], a=normal(f64, 2, 3))
    case(name, f"a.{python}(1)", ["$a", 1], a=normal(f32, 2, 3, 4))
    case(name, f"a.{python}(-1, keepdim=True)", ["$a", -1, {"keepdim": True}], a=transposed(normal(f64, 2, 3)))
    case(name, f"a.{python}((0, -1))", ["$a", [0, -1]], a=normal(f64, 2, 3, 4))
    case(name, f"a.{python}(0)", ["$a", 0], a=normal(bf16, 4, 3))
case("sum", "a.sum()", ["$a"], a=whole(u8, 6))
case("sum", "a.sum(0)", ["$a", 0], a=mask(3, 2))
case("sum", "a.sum(1)", ["$a", 1], a=normal(f32, 2, 0))
case("sum", "a.sum(1, dtype=torch.float64)", ["$a", 1, {"dtype": "float64"}], a=normal(f32, 2, 3))
case("sum", "a.sum()", ["$a"], a=normal(f64))
case("mean", "a.mean(0, dtype=torch.float32)", ["$a", 0, {"dtype": "float32"}], a=whole(i64, 3, 2))
case("prod", "a.prod()", ["$a"], a=normal(f64, 5))
case("prod", "a.prod()", ["$a"], a=whole(i32, 3))
case("prod", "a.prod(dtype=torch.float64)", ["$a", {"dtype": "float64"}], a=normal(f32, 4))
case("amax", "a.amax((0, 1))", ["$a", [0, 1]], a=values([[1, math.nan], [3, 4]], f32), grad=False)
case("amin", "a.amin(0)", ["$a", 0], a=whole(i64, 3, 4))
case("amax", "a.amax()", ["$a"], a=values([2.0, 2.0, 1.0], f64))
case("variance", "a.var(1, correction=0)", ["$a", 1, {"correction": 0}], a=normal(f64, 2, 5))
case("std", "a.std(correction=2, keepdim=True, dim=None)", ["$a", None, {"correction": 2, "keepdim": True}], a=normal(f64, 5))
for name in ["argmax", "argmin"]:
    case(name, f"a.{name}()", ["$a"], a=normal(f32, 3, 4))
    case(name, f"a.{name}(-1)", ["$a", -1], a=normal(f64, 3, 4))
    case(name, f"a.{name}(0, keepdim=True)", ["$a", 0, {"keepdim": True}], a=normal(bf16, 3, 4))
for name in ["max", "min"]:
    case(name, f"a.{name}(1)", ["$a", 1], a=normal(f32, 3, 4))
    case(name, f"a.{name}(-2, keepdim=True)", ["$a", -2, {"keepdim": True}], a=normal(f64, 3, 4))
    case(name, f"a.{name}(0)", ["$a", 0], a=whole(i32, 5, low=-100, high=100))
case("norm", "torch.linalg.vector_norm(a)", ["$a"], a=normal(f64, 2, 3))
case("norm", "torch.linalg.vector_norm(a, 1, dim=1)", ["$a", 1, {"ord": 1}], a=normal(f32, 2, 3))
case("norm", "torch.linalg.vector_norm(a, math.inf, dim=(0, 1), keepdim=True)", ["$a", [0, 1], {"ord": "Infinity", "keepdim": True}], a=normal(f64, 2, 3))
case("norm", "torch.linalg.vector_norm(a, dtype=torch.float32)", ["$a", None, {"dtype": "float32"}], a=normal(bf16, 6))
case("logsumexp", "a.logsumexp(1)", ["$a", 1], a=normal(f64, 2, 3))
case("logsumexp", "a.logsumexp((0, 1), keepdim=True)", ["$a", [0, 1], {"keepdim": True}], a=normal(f32, 2, 3))
case("logsumexp", "a.logsumexp(0)", ["$a", 0], a=values([-math.inf, -math.inf], f32), grad=False)
case("logsumexp", "a.logsumexp(0)", ["$a", 0], a=values([1000, 1001], f32))
case("cumsum", "a.cumsum(-1)", ["$a", -1], a=normal(f64, 2, 4))
case("cumsum", "a.cumsum(0)", ["$a", 0], a=whole(i32, 4))
case("cumsum", "a.cumsum(0, dtype=torch.float32)", ["$a", 0, {"dtype": "float32"}], a=mask(4))
for name in ["all", "any"]:
    case(name, f"a.{name}()", ["$a"], a=mask(3, 3))
    case(name, f"a.{name}(1)", ["$a", 1], a=whole(i64, 3, 2, low=0, high=2))
    case(name, f"a.{name}(0, keepdim=True)", ["$a", 0, {"keepdim": True}], a=mask(2, 4))
    case(name, f"a.{name}()", ["$a"], a=values([], f32))
case("countNonzero", "a.count_nonzero()", ["$a"], a=whole(i64, 4, 4, low=-1, high=2))
case("countNonzero", "a.count_nonzero(1)", ["$a", 1], a=mask(2, 5))
case("topk", "a.topk(2)", ["$a", 2], a=normal(f32, 3, 5))
case("topk", "a.topk(2, 0, largest=False)", ["$a", 2, {"dim": 0, "largest": False}], a=normal(f64, 4, 2))
case("topk", "a.topk(0)", ["$a", 0], a=normal(f32, 3))
case("sort", "a.sort()", ["$a"], a=normal(f32, 3, 4))
case("sort", "a.sort(0, descending=True)", ["$a", 0, {"descending": True}], a=normal(f64, 4, 2))
case("sort", "a.sort(-1)", ["$a", -1], a=values([3, 1, 2], u8))
case("argsort", "a.argsort()", ["$a"], a=normal(f32, 2, 5))
case("argsort", "a.argsort(0, descending=True)", ["$a", 0, {"descending": True}], a=values([3, 1, 2], i64))

# Shapes.
case("reshape", "a.reshape(3, -1)", ["$a", [3, -1]], a=transposed(normal(f32, 2, 3)))
case("reshape", "a.reshape(())", ["$a", []], a=normal(f64, 1, 1))
case("view", "a.view(3, 2)", ["$a", [3, 2]], a=normal(f32, 2, 3))
case("view", "a.view(0, 4)", ["$a", [0, 4]], a=normal(f32, 2, 0))
case("viewDtype", "a.view(torch.int32)", ["$a", "int32"], a=normal(f32, 2, 2), grad=False)
case("viewDtype", "a.view(torch.int16)", ["$a", "int16"], a=whole(i64, 2, 1))
case("viewDtype", "a.view(torch.float64)", ["$a", "float64"], a=normal(f32, 2, 4), grad=False)
case("transpose", "a.transpose(0, -1)", ["$a", 0, -1], a=normal(f32, 2, 3, 4))
case("permute", "a.permute(2, 0, -2)", ["$a", [2, 0, -2]], a=normal(f64, 2, 3, 4))
case("t", "a.t()", ["$a"], a=normal(f32, 2, 3))
case("t", "a.t()", ["$a"], a=normal(f32, 2))
case("squeeze", "a.squeeze()", ["$a"], a=normal(f32, 1, 2, 1))
case("squeeze", "a.squeeze(-1)", ["$a", -1], a=normal(f32, 1, 2, 1))
case("squeeze", "a.squeeze(1)", ["$a", 1], a=normal(f32, 1, 2, 1))
case("unsqueeze", "a.unsqueeze(-1)", ["$a", -1], a=normal(f32, 2))
case("unsqueeze", "a.unsqueeze(0)", ["$a", 0], a=normal(f32))
case("flatten", "a.flatten()", ["$a"], a=normal(f32, 2, 3, 2))
case("flatten", "a.flatten(1, 2)", ["$a", 1, 2], a=transposed(normal(f32, 2, 3, 2)))
case("flatten", "a.flatten()", ["$a"], a=normal(f32))
case("expand", "a.expand(3, -1, 4)", ["$a", [3, -1, 4]], a=normal(f32, 2, 1))
case("contiguous", "a.contiguous()", ["$a"], a=expanded(normal(f32, 2, 1), 2, 3))
case("cat", "torch.cat([a, b], -1)", [["$a", "$b"], -1], a=normal(f32, 2, 3), b=normal(f32, 2, 1))
case("cat", "torch.cat([a, b])", [["$a", "$b"]], a=whole(i64, 2), b=normal(f64, 3))
case("cat", "torch.cat([a, b])", [["$a", "$b"]], a=normal(f32, 0), b=normal(f32, 2, 2))
case("stack", "torch.stack([a, b], 1)", [["$a", "$b"], 1], a=normal(f32, 2, 3), b=normal(f32, 2, 3))
case("stack", "torch.stack([a, b])", [["$a", "$b"]], a=normal(f64), b=normal(f64))
case("split", "a.split(2)", ["$a", 2], a=normal(f32, 5))
case("split", "a.split([1, 0, 3], -1)", ["$a", [1, 0, 3], -1], a=normal(f64, 2, 4))
case("chunk", "a.chunk(3)", ["$a", 3], a=normal(f32, 7))
case("chunk", "a.chunk(2, 1)", ["$a", 2, 1], a=whole(i64, 2, 3))
case("unbind", "a.unbind(-1)", ["$a", -1], a=normal(f32, 2, 3))
case("repeat", "a.repeat(2, 1, 3)", ["$a", [2, 1, 3]], a=normal(f32, 2, 2))
case("repeat", "a.repeat(0)", ["$a", [0]], a=normal(f32, 2))
case("repeatInterleave", "a.repeat_interleave(2, 0)", ["$a", 2], a=normal(f32, 2, 2))
case("repeatInterleave", "a.repeat_interleave(3, -1)", ["$a", 3, -1], a=whole(i64, 1, 2))
case("flip", "a.flip((0, -1))", ["$a", [0, -1]], a=normal(f32, 2, 3))
case("roll", "a.roll(2, 1)", ["$a", 2, 1], a=normal(f32, 2, 5))
case("roll", "a.roll(-1, 0)", ["$a", -1, 0], a=whole(i64, 4))
case("narrow", "a.narrow(1, 1, 2)", ["$a", 1, 1, 2], a=normal(f32, 2, 4))
case("narrow", "a.narrow(0, 0, 0)", ["$a", 0, 0, 0], a=normal(f32, 2, 4))
case("select", "a.select(-1, -2)", ["$a", -1, -2], a=normal(f32, 2, 4))
case("slice", "a[:, 1:-1]", ["$a", 1, 1, -1], a=normal(f32, 2, 5))
case("slice", "a[1::2]", ["$a", 0, 1, None, {"step": 2}], a=normal(f32, 6))
case("slice", "a[4:1]", ["$a", 0, 4, 1], a=normal(f32, 6))
case("slice", "a[-100:100]", ["$a", 0, -100, 100], a=whole(i64, 3))
case("asStrided", "a.as_strided((2, 3), (1, 2), 1)", ["$a", [2, 3], [1, 2], 1], a=normal(f32, 8))

# A line a case.
lines = ",\n".join(json.dumps(record, separators=(",", ":"), allow_nan=False) for record in cases)
print(f'{{"torch":"{torch.__version__.split("+")[0]}","cases":[\n{lines}\n]}}')
