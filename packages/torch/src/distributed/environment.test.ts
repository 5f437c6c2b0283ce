import { describe, expect, test } from "vitest";
import { environmentOf, firstNode, placementOf } from "./environment.ts";
import { RankError } from "./errors.ts";

const TORCHRUN = {
  RANK: "3",
  WORLD_SIZE: "4",
  LOCAL_RANK: "1",
  LOCAL_WORLD_SIZE: "2",
  MASTER_ADDR: "box",
  MASTER_PORT: "29500",
};

const SLURM = {
  SLURM_PROCID: "2",
  SLURM_STEP_NUM_TASKS: "3",
  SLURM_LOCALID: "0",
  SLURM_NODEID: "1",
  SLURM_STEP_NODELIST: "gpu[03-04],cpu1",
  SLURM_STEP_TASKS_PER_NODE: "2,1",
  SLURM_JOB_ID: "812",
  SLURM_STEP_ID: "5",
};

const PET = { PET_NNODES: "2", PET_NODE_RANK: "1", PET_MASTER_ADDR: "head", PET_MASTER_PORT: "23456" };

describe("placementOf", () => {
  test("is nothing where no launcher is", () => {
    expect(placementOf({})).toBeUndefined();
    expect(placementOf({ RANK: "", WORLD_SIZE: "", MASTER_ADDR: "box" })).toBeUndefined();
  });

  test("takes RANK and its kin first, then Slurm's, then PET_*", () => {
    const [torchrun, slurm, pet] = [
      { rank: 3, size: 4, localRank: 1, localSize: 2, address: "box", port: 29500, storePrefix: "" },
      { rank: 2, size: 3, localRank: 0, localSize: 1, address: "gpu03", port: 29537, storePrefix: "" },
      { rank: 1, size: 2, localRank: 0, localSize: 1, address: "head", port: 23456, storePrefix: "" },
    ];
    expect(placementOf({ ...PET, ...SLURM, ...TORCHRUN })).toEqual(torchrun);
    expect(placementOf({ ...PET, ...SLURM })).toEqual(slurm);
    expect(placementOf(PET)).toEqual(pet);
    expect(placementOf(environmentOf(torchrun!))).toEqual(torchrun);
  });

  test("keeps apart the attempts of a launcher that keeps the store", () => {
    const agent = { ...TORCHRUN, TORCHELASTIC_USE_AGENT_STORE: "True", TORCHELASTIC_RESTART_COUNT: "2" };
    expect(placementOf(agent)!.storePrefix).toBe("/worker/attempt_2");
  });

  test("takes no batch script for a task, and no step of one task for several", () => {
    // What sbatch sets for its script, of however many tasks the job is.
    expect(placementOf({ SLURM_PROCID: "0", SLURM_NTASKS: "4", SLURM_JOB_ID: "1" })).toBeUndefined();
    expect(placementOf({ ...SLURM, SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "1" })).toBeUndefined();
  });

  test.each([
    [{ RANK: "0", WORLD_SIZE: "2" }, "RANK and WORLD_SIZE are set, but not MASTER_ADDR, MASTER_PORT"],
    [{ RANK: "0" }, "RANK is set, but not WORLD_SIZE, MASTER_ADDR, MASTER_PORT"],
    [{ ...TORCHRUN, RANK: "4" }, "the environment says rank 4 of 4 processes"],
    [{ ...TORCHRUN, WORLD_SIZE: "four" }, 'WORLD_SIZE: "four" is not a whole number'],
    [{ ...TORCHRUN, MASTER_PORT: "99999" }, "the environment says port 99999, which is none"],
    [{ PET_NNODES: "2" }, "PET_NNODES is set, but not PET_NODE_RANK, PET_MASTER_ADDR, PET_MASTER_PORT"],
    [{ ...PET, PET_NPROC_PER_NODE: "8" }, "PET_NPROC_PER_NODE is 8: several processes a node"],
  ])("refuses %j", (env, message) => {
    expect(() => placementOf(env as Record<string, string>)).toThrow(RankError);
    expect(() => placementOf(env as Record<string, string>)).toThrow(message);
  });
});

test.each([
  ["a", "a"],
  ["a,b", "a"],
  ["gpu[03-05,9],x", "gpu03"],
  ["gpu[7]-ib", "gpu7-ib"],
])("the first node of %s is %s", (list, first) => {
  expect(firstNode(list)).toBe(first);
});
