"""NF4 and its double quantization as QLoRA (arXiv 2305.14314) and bitsandbytes define them, by numpy and scipy alone.

python normal_float_goldens.py > ../goldens/normal-float.json

The table comes from quantiles of the normal distribution, the map from its description; a row of random weights is
quantized and expanded by them.
"""
import json

import numpy as np
from scipy.stats import norm

COLUMNS = 64 * 300
OFFSET = 0.9677083  # bitsandbytes' create_normal_map: halfway between the last two quantiles of 30 and of 32


def normal_map():
    upper = norm.ppf(np.linspace(OFFSET, 0.5, 9)[:-1])
    lower = -norm.ppf(np.linspace(OFFSET, 0.5, 8)[:-1])
    values = np.sort(np.concatenate([upper, [0.0], lower]))
    return values / np.abs(values).max()


def dynamic_map():
    values = []
    for i in range(7):
        boundaries = np.linspace(0.1, 1, 2**i + 1)
        means = (boundaries[:-1] + boundaries[1:]) / 2
        values += list(10.0 ** (i - 6) * means) + list(-(10.0 ** (i - 6)) * means)
    return np.sort(np.array(values + [0.0, 1.0]))


def nearest(values, wanted):
    apart = np.abs(values.astype(np.float64)[None, :] - wanted.astype(np.float64)[:, None])
    return apart.argmin(axis=1)


table, scales = normal_map().astype(np.float32), dynamic_map().astype(np.float32)
# Weights by a rule that the test repeats: no file of them is needed.
place = np.arange(2 * COLUMNS, dtype=np.float64)
weights = (np.sin(place * place * 0.37) * (1 + np.floor(place / 64) % 11) / 100).astype(np.float32).reshape(2, COLUMNS)
blocks = weights.reshape(2, -1, 64)
most = np.abs(blocks).max(axis=2)
codes = nearest(table, (blocks / most[:, :, None]).reshape(-1))
offset = np.float32(most.astype(np.float64).mean())
apart = most - offset
restored = np.empty_like(most)
for row in range(2):
    for first in range(0, most.shape[1], 256):
        own = apart[row, first : first + 256]
        widest = np.abs(own).max()
        places = nearest(scales, own / widest)
        restored[row, first : first + 256] = (scales[places].astype(np.float64) * widest + offset).astype(np.float32)
print(
    json.dumps(
        {
            "table": [float(each) for each in table],
            "map": [float(each) for each in scales],
            "columns": COLUMNS,
            "codes": "".join("%x" % code for code in codes),
            "scales": [float(each) for each in restored.reshape(-1)],
        }
    )
)
