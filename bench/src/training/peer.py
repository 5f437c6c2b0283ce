"""A Python side of the benchmark of training: `peer.py bare`, `peer.py trl` or `peer.py trlBest`.

Imports once, then forks a process for each case, so that every case's peak memory is its own.
"""
import json
import os
import sys

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import rounds  # first, as it takes standard output away from the libraries

side = sys.argv[1]
if side == "bare":
    import bare as program
else:
    import trl_side as program

while line := sys.stdin.readline():
    request = json.loads(line)
    child = os.fork()
    if child == 0:
        program.run(request, rounds.Rounds(request, program.version()), best=side == "trlBest")
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(1)
