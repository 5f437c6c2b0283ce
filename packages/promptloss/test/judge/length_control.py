"""Writes length-control.json: judged lengths and what statsmodels says of the length-controlled win rate.

Needs numpy and statsmodels. Usage: python length_control.py > length-control.json
"""
import json

import numpy as np
import statsmodels
import statsmodels.api as sm


def case(seed: int, n: int, theta: float, phi: float, draws: float) -> dict:
    rng = np.random.default_rng(seed)
    candidate = rng.integers(1, 2000, n)
    reference = rng.integers(1, 1500, n)
    difference = candidate - reference
    x = np.tanh(difference / difference.std(ddof=1))
    won = (rng.random(n) < 1 / (1 + np.exp(-(theta + phi * x)))).astype(float)
    score = np.where(rng.random(n) < draws, 0.5, won)
    fit = sm.GLM(score, sm.add_constant(x), family=sm.families.Binomial()).fit(cov_type="HC0", tol=1e-14)
    p = 1 / (1 + np.exp(-fit.params[0]))
    return {
        "verdicts": [
            {"score": s, "candidate": int(c), "reference": int(r)}
            for s, c, r in zip(score, candidate, reference)
        ],
        "winRate": 100 * p,
        "standardError": 100 * p * (1 - p) * fit.bse[0],
        "lengthCoefficient": fit.params[1],
    }


cases = [case(1, 60, 0.4, 1.5, 0.1), case(2, 40, -2.0, 0.0, 0.3), case(3, 80, 1.0, -3.0, 0.0)]
print(json.dumps({"statsmodels": statsmodels.__version__, "cases": cases}))
