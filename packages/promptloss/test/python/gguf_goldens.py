"""Makes the goldens of GGUF's block types, test/goldens/gguf/blocks.json, and the codebooks of the IQ types,
src/models/gguf/blocks/codebooks.ts, which are facts of the format.

For each type: random bytes of some blocks, with scales that are finite, and what the package makes of them, as the bits
of float32. For the types that are written here: numbers, and the bytes that the package packs them into.

    python gguf_goldens.py

Needs gguf and numpy; made with gguf 0.19.0 and numpy 2.4.6.
"""

import base64
import json
from pathlib import Path

import numpy as np
from gguf import quants
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T

TEST = Path(__file__).resolve().parent.parent
GOLDENS = TEST / "goldens" / "gguf"
CODEBOOKS = TEST.parent / "src" / "models" / "gguf" / "blocks" / "codebooks.ts"

# Where a block has float16: byte offsets.
SCALES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
    T.IQ2_XXS: [0], T.IQ2_XS: [0], T.IQ2_S: [0], T.IQ3_XXS: [0], T.IQ3_S: [0], T.IQ1_S: [0], T.IQ1_M: None,
    T.IQ4_NL: [0], T.IQ4_XS: [0],
}
BLOCKS = 7


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def random_blocks(kind, rng):
    _, size = GGML_QUANT_SIZES[kind]
    data = rng.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    if SCALES[kind] is None:
        # IQ1_M keeps its float16 in the upper four bits of four 16-bit numbers; the uppermost ones hold the exponent.
        data[:, 55] = (data[:, 55] & 0x0F) | 0x30
    for at in SCALES[kind] or []:
        scale = (rng.standard_normal(BLOCKS) * 0.05).astype(np.float16)
        scale[0], scale[1] = np.float16(6e-8), np.float16(-1.5e-5)  # subnormal
        data[:, at:at + 2] = scale.reshape(-1, 1).view(np.uint8)
    return data


def packed(name, kind):
    """Each element's place in the list of values, several a byte, from the lowest bits up."""
    kind.init_grid()
    places = np.searchsorted(np.array(kind.grid_map, dtype=np.float32), kind.grid.reshape(-1)).astype(np.uint32)
    bits = 2 if len(kind.grid_map) <= 4 else 4
    per = 8 // bits
    rows = places.reshape(-1, per)
    data = sum(rows[:, i] << (bits * i) for i in range(per)).astype(np.uint8)
    values = ", ".join(str(value) for value in kind.grid_map)
    return (f"  {name}: {{\n    size: {kind.grid_shape[1]},\n    values: [{values}],\n"
            f"    places: \"{text(data)}\",\n  }},\n")


def main():
    rng = np.random.default_rng(11)
    golden = {}
    for kind in SCALES:
        data = random_blocks(kind, rng)
        golden[kind.name] = {"bytes": text(data), "values": text(quants.dequantize(data, kind).astype("<f4"))}
    for kind in (T.F16, T.BF16):
        data = rng.integers(0, 256, (1, 512), dtype=np.uint8)
        values = quants.dequantize(data, kind).astype("<f4")
        good = np.isfinite(values.reshape(-1))
        data = data.reshape(-1, 2)[good]
        golden[kind.name] = {"bytes": text(data),
                             "values": text(quants.dequantize(data.reshape(1, -1), kind).astype("<f4"))}
    written = {}
    numbers = (rng.standard_normal((6, 256)) * rng.choice([1e-3, 1.0, 30.0], (6, 1))).astype(np.float32)
    numbers[5, :40] = 0
    for kind in (T.F16, T.BF16, T.Q8_0, T.Q5_0, T.Q5_1):
        written[kind.name] = text(quants.quantize(numbers, kind))
    GOLDENS.mkdir(parents=True, exist_ok=True)
    (GOLDENS / "blocks.json").write_text(json.dumps(
        {"read": golden, "numbers": text(numbers.astype("<f4")), "written": written}, indent=1) + "\n")
    head = ("// The codebooks of GGUF's IQ types: facts of the format, written by test/python/gguf_goldens.py. An entry is"
            " `size`\n// elements; an element is a place in `values`, four or two a byte from the lowest bits up.\n\n"
            "export interface PackedCodebook {\n  readonly size: number;\n  readonly values: readonly number[];\n"
            "  /** Base64. */\n  readonly places: string;\n}\n\n"
            "export const PACKED = {\n")
    books = [("IQ1", quants.IQ1_S), ("IQ2_XXS", quants.IQ2_XXS), ("IQ2_XS", quants.IQ2_XS), ("IQ2_S", quants.IQ2_S),
             ("IQ3_XXS", quants.IQ3_XXS), ("IQ3_S", quants.IQ3_S)]
    values = ", ".join(str(value) for value in quants.IQ4_NL.kvalues)
    CODEBOOKS.write_text(head + "".join(packed(*book) for book in books)
                         + "} as const satisfies Readonly<Record<string, PackedCodebook>>;\n\n"
                         + f"/** The sixteen values of IQ4_NL and IQ4_XS. */\nexport const IQ4_VALUES = [\n  {values},\n] as const;\n")


main()
