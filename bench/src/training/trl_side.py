"""TRL's SFTTrainer, as it comes or at its best settings for a device, on rows that are tokens already.

As it comes: SFTConfig's defaults, so gradient checkpointing, the loss in chunks and bf16 under autocast. What the
comparison sets: the same batches in the same order, the rate, no checkpoints, no reports. At its best: batches twice
as large, grouped by length, without gradient checkpointing. At its best on a GPU, where rows are equally long: fused
AdamW, flash attention and Liger's kernels where they are installed, and checkpoints where the case asks for them.
"""
import importlib.util
import json
import tempfile

import datasets
import torch
import transformers
import trl
from peft import LoraConfig, set_peft_model_state_dict
from safetensors.torch import load_file

datasets.disable_progress_bars()


def version():
    return f"trl {trl.__version__}, transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}"


class Control(transformers.TrainerCallback):
    def __init__(self, rounds):
        self.rounds = rounds

    def on_train_begin(self, args, state, control, **kwargs):
        self.rounds.open()

    def on_step_end(self, args, state, control, **kwargs):
        self.rounds.step(self.loss.item(), self.tokens)


class Trainer(trl.SFTTrainer):
    """Tells the callback each step's loss and tokens."""

    def training_step(self, model, inputs, *args, **kwargs):
        loss = super().training_step(model, inputs, *args, **kwargs)
        self.control_callback.loss, self.control_callback.tokens = loss, int(inputs["attention_mask"].sum())
        return loss


def installed(name):
    return importlib.util.find_spec(name) is not None


def config(request, best, folder):
    learning_rate = request["learningRate"]
    device = request.get("device", "cpu")
    settings = dict(output_dir=folder, use_cpu=device == "cpu", max_steps=request["steps"], learning_rate=learning_rate,
                    lr_scheduler_type="constant", completion_only_loss=request["promptLossWeight"] == 0,
                    bf16=request["precision"] == "bfloat16", save_strategy="no", report_to="none", disable_tqdm=True)
    if best and device != "cpu":
        attention = "flash_attention_2" if installed("flash_attn") else "sdpa"
        return trl.SFTConfig(per_device_train_batch_size=request["batch"], train_sampling_strategy="sequential",
                             gradient_checkpointing=request["checkpointing"], optim="adamw_torch_fused",
                             use_liger_kernel=installed("liger_kernel"), dataloader_pin_memory=True,
                             model_init_kwargs={"attn_implementation": attention}, logging_steps=request["chunk"],
                             **settings)
    if best:
        return trl.SFTConfig(per_device_train_batch_size=2 * request["batch"], gradient_checkpointing=False,
                             train_sampling_strategy="group_by_length", **settings)
    return trl.SFTConfig(per_device_train_batch_size=request["batch"], train_sampling_strategy="sequential", **settings)


def run(request, rounds, best):
    torch.set_num_threads(request["threads"])
    with open(f"{request['folder']}/rows.json") as file:
        twice = best and request.get("device", "cpu") == "cpu"
        rows = json.load(file)[:request["steps"] * request["batch"] * (2 if twice else 1)]
    dataset = datasets.Dataset.from_dict({"input_ids": [row["ids"] for row in rows],
                                          "completion_mask": [row["answer"] for row in rows]})
    lora = None
    if request["lora"]:
        lora = LoraConfig(r=request["rank"], lora_alpha=2 * request["rank"], target_modules="all-linear",
                          task_type="CAUSAL_LM")
    callback = Control(rounds)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(model=request["model"], args=config(request, best, folder), train_dataset=dataset,
                          peft_config=lora, callbacks=[callback])
        trainer.control_callback = callback
        if lora is not None:
            adapter = load_file(f"{request['folder']}/adapter/adapter_model.safetensors")
            missing = set_peft_model_state_dict(trainer.model, adapter)
            assert not missing.unexpected_keys, missing.unexpected_keys
        trainer.train()
