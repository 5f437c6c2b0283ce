"""Writes goldens/wandb/offline.wandb: an offline run of wandb 0.30.0, with a record that goes over the border of a block.

Usage: python wandb_offline.py FILE
"""

import pathlib
import shutil
import sys
import tempfile

import wandb

folder = tempfile.mkdtemp()
settings = wandb.Settings(x_disable_stats=True, x_disable_meta=True, console="off", host="host")
run = wandb.init(
    project="goldens",
    name="offline",
    id="golden01",
    mode="offline",
    dir=folder,
    config={"nested": {"list": [1, 2]}, "long": "x" * 40_000},
    settings=settings,
)
for step in range(1, 4):
    run.log({"train/loss": 1 / step}, step=step)
run.finish()
# The file is whole when the service that writes it has ended.
wandb.teardown()
[file] = pathlib.Path(folder).rglob("*.wandb")
shutil.copy(file, sys.argv[1])
shutil.rmtree(folder)
