// Names, units and meanings of the probes that runs write, and a plain name for those of other programs.

export interface ProbeText {
  readonly title: string;
  readonly unit: string;
  readonly meaning: string;
  /** What is drawn of a value; the value itself where left out. */
  readonly shown?: (value: number) => number;
}

const known: Readonly<Record<string, ProbeText>> = {
  loss_mean: {
    title: "Mean training loss",
    unit: "loss as trained, nats",
    meaning: "Mean over the steps, of the loss as it was trained, which depends on the weight itself.",
  },
  loss_rstd: {
    title: "Relative standard deviation of the training loss",
    unit: "standard deviation over mean",
    meaning: "Over the steps: how unstable training was.",
  },
  loss_rstd_detrended: {
    title: "The same without its trend",
    unit: "standard deviation over mean",
    meaning:
      "From the differences between neighboring steps: how unstable training was, however far the loss fell.",
  },
  gap_prompt: {
    title: "Generalization gap of prompt tokens",
    unit: "held-out minus training loss, nats",
    meaning: "Loss on held-out rows minus that on as many training rows, with the weights that were written.",
  },
  gap_content: {
    title: "Generalization gap of completion text",
    unit: "held-out minus training loss, nats",
    meaning:
      "Of the completion without its stop token: loss on held-out rows minus that on as many training rows, with the weights that were written.",
  },
  gap_end: {
    title: "Generalization gap of the stop token",
    unit: "held-out minus training loss, nats",
    meaning: "Loss on held-out rows minus that on as many training rows, with the weights that were written.",
  },
  distance_l1: {
    title: "Distance to the base model, L1",
    unit: "Σ |w − w₀|",
    meaning: "How far training moved the weights.",
  },
  distance_l2: {
    title: "Distance to the base model, L2",
    unit: "(Σ (w − w₀)²)^½",
    meaning: "How far training moved the weights.",
  },
  distance_cosine: {
    title: "Cosine distance to the base model",
    unit: "1 − w·w₀ / (|w| |w₀|)",
    meaning: "0 where training did not turn the weights. The table holds the similarity.",
    // Similarities are all but 1: their digits would not fit an axis.
    shown: (similarity) => 1 - similarity,
  },
  memorization_bleu: {
    title: "Memorization of training completions",
    unit: "corpus BLEU, 0 to 100",
    meaning: "Greedy generations for training prompts against their completions.",
  },
  generation_length: {
    title: "Length of generations",
    unit: "tokens, mean",
    meaning: "Greedy generations for training prompts, stop token left out.",
  },
  reference_length: {
    title: "Length of the training completions",
    unit: "tokens, mean",
    meaning: "What the generations' length compares with.",
  },
  generation_stopped: {
    title: "Generations that ended by themselves",
    unit: "share, 0 to 1",
    meaning: "Share with a stop token before the limit of new tokens.",
  },
};

const FORGETTING = "forgetting_";

function forgettingText(name: string): ProbeText {
  const of = name.slice(FORGETTING.length);
  const isText = of === "text_loss";
  return {
    title: isText ? "Forgetting: loss on other text" : `Forgetting: ${of.replaceAll("_", " ")}`,
    unit: isText ? "after minus before, nats a token" : "how much worse than before",
    meaning: `${isText ? "Of texts that have nothing to do with the training data" : "In a task"}: the model as it was against the model that training wrote. 0: nothing is forgotten; below 0: better than before.`,
  };
}

export function probeText(name: string): ProbeText {
  if (name.startsWith(FORGETTING)) return forgettingText(name);
  return (
    (Object.hasOwn(known, name) && known[name]) || {
      title: name.replaceAll("_", " "),
      unit: name,
      meaning: "A probe of the study's own.",
    }
  );
}
