import { expect, test } from "vitest";
import { jobScript } from "./slurm-script.ts";

function script(settings: object, processes = 1): string {
  return jobScript({
    name: "paper",
    folder: "/runs/my 50% study/slurm/1",
    tasks: 60,
    processes,
    directory: "/home/me",
    settings: { options: [], setup: [], ...settings },
    command: ["node", "main.js", "study", "run", "it's.yaml", "--set", "data=[a, b]"],
  });
}

test("asks for what the study file says, and runs one cell a task", () => {
  expect(
    script({
      ...{
        partition: "gpu",
        account: "lab",
        time: "12:00:00",
        memory: "256G",
        cpus: 32,
        gpus: 4,
        concurrency: 8,
      },
      ...{ options: ["--constraint=a100|h100"], setup: ["module load cuda"] },
    }),
  ).toMatchInlineSnapshot(`
    "#!/bin/bash
    #SBATCH --job-name=paper
    #SBATCH --array=0-59%8
    #SBATCH --chdir=/home/me
    #SBATCH --output="/runs/my 50%% study/slurm/1/%a.log"
    #SBATCH --open-mode=append
    #SBATCH --signal=B:TERM@120
    #SBATCH --partition=gpu
    #SBATCH --account=lab
    #SBATCH --time=12:00:00
    #SBATCH --mem=256G
    #SBATCH --cpus-per-task=32
    #SBATCH --gpus-per-node=4
    #SBATCH --constraint=a100|h100

    module load cuda
    cell=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" '/runs/my 50% study/slurm/1/cells.txt')
    # In the shell's place, so that Slurm's signals reach it: it writes a checkpoint and ends.
    exec node main.js study run 'it'\\''s.yaml' --set 'data=[a, b]' --cell "$cell"
    "
  `);
});

test("asks for a cell's processes, which the cell starts as a step", () => {
  const text = script({ cpus: 8 }, 4);
  expect(text).toContain("#SBATCH --ntasks=4\n#SBATCH --cpus-per-task=8\n");
  expect(text).toContain(`--srun --cell "$cell"`);
});

test("leaves a tenth of a short time to end in, two minutes of a long one", () => {
  const grace = (time?: string | number): string =>
    /--signal=B:TERM@(\d+)/.exec(script(time === undefined ? {} : { time }))![1]!;
  expect([grace(), grace(5), grace("1:30"), grace("1:00:00"), grace("1-0"), grace("0-0:10")]).toEqual([
    "120",
    "30",
    "9",
    "120",
    "120",
    "60",
  ]);
});
