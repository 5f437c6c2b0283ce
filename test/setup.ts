import fc from "fast-check";

// A check that passed must pass again: properties draw from a fixed seed. FAST_CHECK_SEED=random (or a number)
// draws others, to look for what the fixed one does not meet.
const chosen = process.env.FAST_CHECK_SEED ?? "20240123";
if (chosen !== "random") fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(chosen) });

// Programs that a test starts print what they print into a pipe, whatever terminal the tests run in: vitest hands
// FORCE_COLOR on where its own output has colors, and it would win over NO_COLOR.
delete process.env.FORCE_COLOR;
process.env.NO_COLOR = "1";
