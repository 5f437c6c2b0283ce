"""Golden draws of Python's random.Random, which few-shot examples and bootstrapped standard errors come from.

    python evaluation_random.py > ../goldens/evaluation/random.json
"""

import json
import random

generator = random.Random(1234)
large, small = list(range(1119)), list(range(30))
print(
    json.dumps(
        {
            "samples": [[size, count, generator.sample(list(range(size)), count)] for size, count in
                        [(1119, 25), (1119, 25), (30, 5), (30, 29), (21, 3), (22, 3), (1, 1)]],
            "random": [generator.random() for _ in range(1300)][-3:],
            "choices": generator.choices(large, k=8),
            "first": {str(seed): random.Random(seed).random() for seed in [0, 1, 4294967295]},
        }
    )
)
