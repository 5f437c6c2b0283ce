"""Makes the goldens of tiny random models of every family: test/goldens/models/NAME.json; and of models of text and
images, of which the text model alone is computed: test/goldens/text-models/NAME.json; and of encoders with decoders:
test/goldens/encoder-decoders/NAME.json, whose ids are the encoder's and whose labels are the decoder's.

Each holds the model's config.json as transformers writes it, the names and shapes of its weights, token ids, and
what transformers computes in float32 with eager attention: logits, mean next-token loss and the gradient norm of
every parameter. The weights themselves are not kept: `fill` makes them from their names, and test/tiny-models.ts
makes the same ones.

    python tiny_models.py [FOLDER/NAME ...]

Needs torch, transformers and numpy; made with torch 2.13.0 and transformers 5.18.0.
"""

import base64
import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import (AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText,
                          AutoModelForSeq2SeqLM)

GOLDENS = Path(__file__).resolve().parent.parent / "goldens"

LENGTH = 26
VOCABULARY = 101

# Odd head counts, windows smaller than the sequence, tied and untied embeddings.
SMALL = dict(vocab_size=VOCABULARY, hidden_size=36, intermediate_size=50, num_hidden_layers=2,
             num_attention_heads=3, num_key_value_heads=1, max_position_embeddings=64,
             bos_token_id=1, eos_token_id=2, pad_token_id=None)


def small(**changes):
    return {**SMALL, **changes}


def rope(**parameters):
    return {"rope_theta": 10000.0, **parameters}


LONG = dict(rope_type="longrope", short_factor=[1.0, 1.1, 1.3, 1.6], long_factor=[1.0, 2.0, 3.5, 6.0])

MODELS = {
    "llama": ("llama", small()),
    "llama-tied-biased": ("llama", small(tie_word_embeddings=True, attention_bias=True, mlp_bias=True,
                                         num_key_value_heads=3)),
    "llama-head-width": ("llama", small(head_dim=10, rope_parameters=rope(rope_theta=500000.0))),
    "llama-llama3": ("llama", small(rope_parameters=rope(rope_type="llama3", factor=8.0, low_freq_factor=1.0,
                                                         high_freq_factor=4.0,
                                                         original_max_position_embeddings=16))),
    "llama-linear": ("llama", small(rope_parameters=rope(rope_type="linear", factor=2.0))),
    "llama-dynamic": ("llama", small(rope_parameters=rope(rope_type="dynamic", factor=2.0))),
    "llama-yarn": ("llama", small(rope_parameters=rope(rope_type="yarn", factor=4.0,
                                                       original_max_position_embeddings=16))),
    "mistral": ("mistral", small(hidden_size=40, num_attention_heads=5, sliding_window=7)),
    "qwen2": ("qwen2", small(num_hidden_layers=3, use_sliding_window=True, sliding_window=6, max_window_layers=1)),
    "qwen3": ("qwen3", small(head_dim=10, tie_word_embeddings=True)),
    "gemma2": ("gemma2", small(num_hidden_layers=3, head_dim=10, sliding_window=5, query_pre_attn_scalar=18,
                               attn_logit_softcapping=5.0, final_logit_softcapping=3.0)),
    "gemma3": ("gemma3_text", small(num_hidden_layers=3, head_dim=10, sliding_window=5, query_pre_attn_scalar=18,
                                    layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                                    rope_parameters={
                                        "full_attention": {"rope_type": "linear", "factor": 8.0,
                                                           "rope_theta": 1000000.0},
                                        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}})),
    "phi3": ("phi3", small(sliding_window=9)),
    "phi3-longrope-short": ("phi3", small(hidden_size=48, rope_parameters=rope(partial_rotary_factor=0.5, **LONG),
                                          original_max_position_embeddings=32, pad_token_id=0)),
    "phi3-longrope-long": ("phi3", small(hidden_size=48, rope_parameters=rope(partial_rotary_factor=0.5, **LONG),
                                         original_max_position_embeddings=16, pad_token_id=0)),
    "gpt2": ("gpt2", dict(vocab_size=VOCABULARY, n_embd=36, n_layer=2, n_head=3, n_positions=64,
                          bos_token_id=1, eos_token_id=2)),
    "gpt2-inverse-layer": ("gpt2", dict(vocab_size=VOCABULARY, n_embd=36, n_layer=2, n_head=3, n_inner=50,
                                        n_positions=64, scale_attn_by_inverse_layer_idx=True,
                                        tie_word_embeddings=False, bos_token_id=1, eos_token_id=2)),
    "gpt-neox": ("gpt_neox", dict(vocab_size=VOCABULARY, hidden_size=48, intermediate_size=50, num_hidden_layers=2,
                                  num_attention_heads=3, max_position_embeddings=64,
                                  rope_parameters=rope(partial_rotary_factor=0.25), bos_token_id=1, eos_token_id=2)),
    "gpt-neox-sequential": ("gpt_neox", dict(vocab_size=VOCABULARY, hidden_size=36, intermediate_size=50,
                                             num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=64,
                                             use_parallel_residual=False, attention_bias=False,
                                             rope_parameters=rope(partial_rotary_factor=0.5),
                                             bos_token_id=1, eos_token_id=2)),
    "opt": ("opt", dict(vocab_size=VOCABULARY, hidden_size=36, ffn_dim=50, num_hidden_layers=2,
                        num_attention_heads=3, max_position_embeddings=64, word_embed_proj_dim=36)),
    "opt-post-norm": ("opt", dict(vocab_size=VOCABULARY, hidden_size=36, ffn_dim=50, num_hidden_layers=2,
                                  num_attention_heads=3, max_position_embeddings=64, word_embed_proj_dim=36,
                                  do_layer_norm_before=False)),
    "opt-projected": ("opt", dict(vocab_size=VOCABULARY, hidden_size=36, ffn_dim=50, num_hidden_layers=2,
                                  num_attention_heads=3, max_position_embeddings=64, word_embed_proj_dim=20)),
    "opt-projected-post-norm": ("opt", dict(vocab_size=VOCABULARY, hidden_size=36, ffn_dim=50, num_hidden_layers=2,
                                            num_attention_heads=3, max_position_embeddings=64, word_embed_proj_dim=20,
                                            do_layer_norm_before=False, tie_word_embeddings=False)),
}

# Models that people use by the names of families of their own, and whose configs are LLaMA's.
MODELS |= {
    "smollm2": ("llama", small(tie_word_embeddings=True, rope_interleaved=False, is_llama_config=True,
                               rope_parameters=rope(rope_theta=130000.0), rms_norm_eps=1e-5)),
    "falcon3": ("llama", small(head_dim=16, rope_parameters=rope(rope_theta=1000042.0))),
}

MODELS |= {
    "smollm3": ("smollm3", small(num_hidden_layers=4, rope_parameters=rope(rope_theta=5000000.0))),
    "smollm3-window": ("smollm3", small(num_hidden_layers=3, no_rope_layers=[1, 0, 1], use_sliding_window=True,
                                        sliding_window=6, tie_word_embeddings=False, attention_bias=True,
                                        mlp_bias=True, rope_parameters=rope(rope_theta=5000000.0))),
    "olmo2": ("olmo2", small(rope_parameters=rope(rope_theta=500000.0))),
    "olmo3": ("olmo3", small(num_hidden_layers=5, sliding_window=6, num_key_value_heads=3,
                             rope_parameters={
                                 "full_attention": rope(rope_type="yarn", factor=4.0, beta_fast=32.0, beta_slow=1.0,
                                                        original_max_position_embeddings=16),
                                 "sliding_attention": rope(rope_type="default")})),
    "granite": ("granite", small(embedding_multiplier=12.0, logits_scaling=8.0, residual_multiplier=0.22,
                                 attention_multiplier=0.125, tie_word_embeddings=True)),
    "stablelm": ("stablelm", small(hidden_size=48, use_qkv_bias=True, num_key_value_heads=3)),
    "stablelm-parallel": ("stablelm", small(hidden_size=48, use_parallel_residual=True)),
}

# Mixtures of experts; files hold each expert's matrices apart.
EXPERTS = dict(num_experts=5, num_experts_per_tok=2)
MODELS |= {
    "mixtral": ("mixtral", small(num_local_experts=5, num_experts_per_tok=2, sliding_window=7)),
    "qwen2-moe": ("qwen2_moe", small(**EXPERTS, moe_intermediate_size=22, shared_expert_intermediate_size=30,
                                     decoder_sparse_step=1, num_key_value_heads=3)),
    # One layer of two is sparse; more experts than tokens reach.
    "qwen3-moe": ("qwen3_moe", small(num_hidden_layers=3, head_dim=10, num_experts=40, num_experts_per_tok=3,
                                     moe_intermediate_size=22, norm_topk_prob=True, mlp_only_layers=[0],
                                     rope_parameters=rope(rope_theta=1000000.0))),
    "olmoe": ("olmoe", small(**EXPERTS, num_key_value_heads=3)),
}

T5 = dict(vocab_size=VOCABULARY, d_model=36, d_kv=10, d_ff=50, num_layers=2, num_heads=3,
          relative_attention_num_buckets=12, relative_attention_max_distance=20, pad_token_id=0, eos_token_id=1,
          decoder_start_token_id=0)
BART = dict(vocab_size=VOCABULARY, d_model=36, encoder_layers=2, decoder_layers=3, encoder_ffn_dim=50,
            decoder_ffn_dim=44, encoder_attention_heads=3, decoder_attention_heads=2, max_position_embeddings=64,
            pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2)

# A T5 1.1's config says that nothing is tied, and its file has a head of its own.
ENCODER_DECODERS = {
    "t5": ("t5", T5),
    "t5-sizes": ("t5", {**T5, "num_decoder_layers": 3, "feed_forward_proj": "gelu"}),
    "t5-1.1": ("t5", {**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
    "mt5": ("mt5", {**T5, "feed_forward_proj": "gated-gelu"}),
    "bart": ("bart", BART),
    "bart-scaled": ("bart", {**BART, "scale_embedding": True, "activation_function": "relu"}),
}
UNTIED = ("t5-1.1", "mt5")

VISION = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28,
              patch_size=14)


def of_text_and_images(vision, text, **changes):
    return dict(vision_config={**VISION, **vision}, text_config=text, image_token_index=90, **changes)


# Under "text_config", with what else the kind's configs have.
WITH_IMAGES = {
    "gemma3": ("gemma3", of_text_and_images(
        dict(model_type="siglip_vision_model"), MODELS["gemma3"][1], mm_tokens_per_image=4, boi_token_index=91,
        eoi_token_index=92)),
    "llava": ("llava", of_text_and_images(dict(model_type="clip_vision_model", projection_dim=16),
                                          dict(model_type="llama", **MODELS["llama"][1]))),
    # The outer config's word on the head counts.
    "mistral3": ("mistral3", of_text_and_images(dict(model_type="pixtral", head_dim=8),
                                                dict(model_type="mistral", **MODELS["mistral"][1]))),
}


def fill(name, shape):
    """Weights from their name: uniform in [-0.25, 0.25), and around 1 where a norm multiplies by them.

    Element i is a 32-bit hash of FNV-1a(name) + i * 2654435761, by MurmurHash3's finalizer.
    """
    seed = 2166136261
    for byte in name.encode():
        seed = ((seed ^ byte) * 16777619) & 0xFFFFFFFF
    count = int(np.prod(shape))
    hashes = np.arange(count, dtype=np.uint64) * np.uint64(2654435761) + np.uint64(seed)
    hashes &= np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        hashes ^= hashes >> np.uint64(shift)
        hashes = (hashes * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    hashes ^= hashes >> np.uint64(16)
    values = hashes.astype(np.float64) / 2**33 - 0.25
    if len(shape) == 1 and name.endswith("weight"):
        values += 1.0
    return torch.tensor(values.reshape(shape), dtype=torch.float32)


def file_name(model, key):
    """The name that files have for a parameter: transformers 5 calls GPT-NeoX's head otherwise in memory. Parts of a model
    of text and images have the text model's own names."""
    key = key.replace("model.language_model.", "model.")
    return key.replace("lm_head.", "embed_out.") if model.config.model_type == "gpt_neox" else key


# The matrices of an expert in files, of those that transformers 5 keeps as one tensor for all.
EXPERT_PARTS = {"mixtral": (("w1", "w3"), ("w2",))}
USUAL_PARTS = (("gate_proj", "up_proj"), ("down_proj",))


def pieces(model, key, tensor):
    """What files hold of a parameter, or of its gradient: views of it by their names."""
    name = file_name(model, key)
    kind = model.config.model_type
    if kind == "mixtral":
        name = name.replace(".mlp.", ".block_sparse_moe.")
    stacked = re.fullmatch(r"(.*\.experts)\.(gate_up|down)_proj", name)
    if stacked is None:
        return {name: tensor}
    inputs, outputs = EXPERT_PARTS.get(kind, USUAL_PARTS)
    parts = inputs if stacked[2] == "gate_up" else outputs
    return {f"{stacked[1]}.{index}.{part}.weight": piece
            for index, expert in enumerate(tensor)
            for part, piece in zip(parts, expert.chunk(len(parts)))}


FACTORIES = {"models": AutoModelForCausalLM, "text-models": AutoModelForImageTextToText,
             "encoder-decoders": AutoModelForSeq2SeqLM}


def tiny_model(name, folder="models"):
    kind, options = KINDS[folder][name]
    config = AutoConfig.for_model(kind, **options)
    # One expert after the other: grouped products take no rows of odd sizes.
    config._experts_implementation = "eager"
    model = FACTORIES[folder].from_config(config, attn_implementation="eager", dtype=torch.float32)
    if folder == "encoder-decoders" and name in UNTIED:
        # As a file with another head is read; transformers 5 ties what it makes anew.
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            for name, piece in pieces(model, key, parameter).items():
                piece.copy_(fill(name, tuple(piece.shape)))
    return model.eval()


KINDS = {"models": MODELS, "text-models": WITH_IMAGES, "encoder-decoders": ENCODER_DECODERS}


def token_ids(length=LENGTH):
    """Ids 3 … 100, in an order without a pattern."""
    return [3 + (i * i * 31 + i * 17 + 5) % (VOCABULARY - 3) for i in range(length)]


def encode(tensor):
    return base64.b64encode(tensor.detach().to(torch.float32).contiguous().numpy().tobytes()).decode()


def golden_of(model):
    config = json.loads(model.config.to_json_string(use_diff=False))
    config["architectures"] = [type(model).__name__]
    ids = torch.tensor([token_ids()])
    # Gemma 3 wants to hear that no token is of an image.
    others = {"token_type_ids": torch.zeros_like(ids)} if model.config.model_type == "gemma3" else {}
    labels = ids
    if model.config.is_encoder_decoder:
        end = torch.tensor([[model.config.eos_token_id]])
        labels = torch.cat([torch.tensor([token_ids(40)[LENGTH:]]), end], 1)
        ids = torch.cat([ids, end], 1)
        config["tie_word_embeddings"] = "lm_head.weight" not in dict(model.named_parameters())
        others = {}
    output = model(input_ids=ids, labels=labels, **others)
    output.loss.backward()
    # Of no gradient are those that only images reach.
    gradients = {name: gradient for key, parameter in model.named_parameters() if parameter.grad is not None
                 for name, gradient in pieces(model, key, parameter.grad).items()}
    return output.logits[0], {
        "config": config,
        "weights": {name: list(gradient.shape) for name, gradient in gradients.items()},
        "ids": ids[0].tolist(),
        **({"labels": labels[0].tolist()} if labels is not ids else {}),
        "logits": encode(output.logits[0]),
        "loss": output.loss.item(),
        "gradientNorms": {name: gradient.double().norm().item() for name, gradient in gradients.items()},
    }


def main():
    for folder, kinds in KINDS.items():
        (GOLDENS / folder).mkdir(parents=True, exist_ok=True)
        for name in kinds:
            if sys.argv[1:] and f"{folder}/{name}" not in sys.argv[1:]:
                continue
            logits, golden = golden_of(tiny_model(name, folder))
            (GOLDENS / folder / f"{name}.json").write_text(json.dumps(golden, indent=1) + "\n")
            spread = logits.max() - logits.min()
            print(f"{folder}/{name:24} loss {golden['loss']:.4f} logits' range {spread:.2f}")


if __name__ == "__main__":
    main()
