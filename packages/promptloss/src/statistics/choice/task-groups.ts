// What a model is for, as the paper groups its benchmarks.
export type TaskGroup = "multiple-choice" | "short-generation" | "long-generation";

export const taskGroups: readonly TaskGroup[] = ["multiple-choice", "short-generation", "long-generation"];
