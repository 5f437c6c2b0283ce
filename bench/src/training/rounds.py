"""The Python sides' half of protocol.ts: waits for a round, counts its steps, answers with its figures."""
import json
import re
import sys
import time

stdout = sys.stdout
# Trainers print; the answers have standard output to themselves.
sys.stdout = sys.stderr


def answer(value):
    print(json.dumps(value), file=stdout, flush=True)


def peak_memory(device):
    if device != "cpu":
        import torch
        return torch.cuda.max_memory_allocated(device)
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) * 1024


class Rounds:
    def __init__(self, request, version):
        self.steps, self.chunk, self.version, self.done = request["steps"], request["chunk"], version, 0
        self.device = request.get("device", "cpu")

    def open(self):
        """Before the first step."""
        answer({"version": self.version})
        self._next()

    def step(self, loss, tokens):
        """After each optimizer step."""
        self.done += 1
        self.losses.append(loss)
        self.tokens += tokens
        if self.done % self.chunk:
            return
        answer({"seconds": time.perf_counter() - self.started, "tokens": self.tokens, "losses": self.losses,
                "peak": peak_memory(self.device)})
        if self.done < self.steps:
            self._next()

    def _next(self):
        if not sys.stdin.readline():
            sys.exit(1)
        self.losses, self.tokens, self.started = [], 0, time.perf_counter()
