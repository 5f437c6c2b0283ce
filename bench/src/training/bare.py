"""A bare PyTorch loop: a LLaMA in plain operators over rows laid end to end, so nothing is padded; weighted cross
entropy over all logits; autocast to bf16; PyTorch's fused AdamW. No trainer, no checkpoints, no other families.
"""
import glob
import json

import torch
import torch.nn.functional as F
from safetensors.torch import load_file


def version():
    return f"torch {torch.__version__.split('+')[0]}"


class Llama:
    def __init__(self, request):
        with open(f"{request['model']}/config.json") as file:
            self.config = json.load(file)
        heads = self.config["num_attention_heads"]
        assert self.config["model_type"] == "llama" and self.config["num_key_value_heads"] == heads
        self.heads, self.size = heads, self.config["hidden_size"] // heads
        self.adapter, self.scale = {}, 2.0
        # Frozen weights need no more precision than products have.
        dtype = torch.bfloat16 if request["lora"] and request["precision"] == "bfloat16" else torch.float32
        self.device = request.get("device", "cpu")
        self.weights = {name: tensor.to(self.device, dtype)
                        for file in glob.glob(f"{request['model']}/*.safetensors") for name, tensor in load_file(file).items()}
        if request["lora"]:
            drawn = load_file(f"{request['folder']}/adapter/adapter_model.safetensors")
            self.adapter = {name: tensor.to(self.device) for name, tensor in drawn.items()}
        self.trained = list((self.adapter or self.weights).values())
        for tensor in self.trained:
            tensor.requires_grad_()

    def linear(self, name, x):
        y = F.linear(x, self.weights[f"{name}.weight"])
        pair = [self.adapter.get(f"base_model.model.{name}.lora_{side}.weight") for side in "AB"]
        return y if pair[0] is None else y + self.scale * F.linear(F.linear(x, pair[0]), pair[1])

    def norm(self, name, x):
        return F.rms_norm(x.float(), x.shape[-1:], self.weights[f"{name}.weight"].float(), self.config["rms_norm_eps"])

    def attend(self, name, x, lengths, rotation):
        q, k, v = (self.linear(f"{name}.{part}_proj", x).view(-1, self.heads, self.size).transpose(0, 1)
                   for part in "qkv")
        q, k = (rotate(part, *rotation) for part in (q, k))
        rows = [F.scaled_dot_product_attention(*(part[None] for part in row), is_causal=True)[0]
                for row in zip(*(part.split(lengths, 1) for part in (q, k, v.to(q.dtype))))]
        return self.linear(f"{name}.o_proj", torch.cat(rows, 1).transpose(0, 1).reshape(x.shape))

    def logits(self, ids, lengths):
        """All rows' tokens, [tokens] → [tokens, vocabulary]."""
        positions = torch.cat([torch.arange(length) for length in lengths]).to(self.device)
        theta = self.config.get("rope_parameters", self.config).get("rope_theta", 10000.0)
        angles = positions[:, None] * theta ** (-torch.arange(0, self.size, 2, device=self.device) / self.size)
        rotation = [torch.cat([part, part], 1) for part in (angles.cos(), angles.sin())]
        x = F.embedding(ids, self.weights["model.embed_tokens.weight"])
        for layer in range(self.config["num_hidden_layers"]):
            name = f"model.layers.{layer}"
            x = x + self.attend(f"{name}.self_attn", self.norm(f"{name}.input_layernorm", x), lengths, rotation)
            y = self.norm(f"{name}.post_attention_layernorm", x)
            gate = F.silu(self.linear(f"{name}.mlp.gate_proj", y)) * self.linear(f"{name}.mlp.up_proj", y)
            x = x + self.linear(f"{name}.mlp.down_proj", gate)
        head = "model.embed_tokens" if self.config.get("tie_word_embeddings") else "lm_head"
        return F.linear(self.norm("model.norm", x), self.weights[f"{head}.weight"])


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return (x * cos + torch.cat([-second, first], -1) * sin).to(x.dtype)


def run(request, rounds, best):
    torch.set_num_threads(request["threads"])
    with open(f"{request['folder']}/rows.json") as file:
        rows = json.load(file)
    model = Llama(request)
    optimizer = torch.optim.AdamW(model.trained, lr=request["learningRate"], weight_decay=0.0, fused=True)
    rounds.open()
    for step in range(request["steps"]):
        batch = rows[step * request["batch"]:][:request["batch"]]
        lengths = [len(row["ids"]) for row in batch]
        ids = torch.tensor([token for row in batch for token in row["ids"]], device=model.device)
        # Each position predicts the next; a row's last predicts nothing.
        targets = ids.roll(-1)
        weights = torch.tensor([weight for row in batch for weight in row["weights"][1:] + [0.0]],
                               device=model.device)
        with torch.autocast(torch.device(model.device).type, torch.bfloat16, enabled=request["precision"] == "bfloat16"):
            logits = model.logits(ids, lengths)
        loss = (F.cross_entropy(logits.float(), targets, reduction="none") * weights).sum() / weights.sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        rounds.step(loss.item(), sum(lengths))
