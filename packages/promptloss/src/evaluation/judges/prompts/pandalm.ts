// PandaLM's judging prompts, word for word: github.com/WeOpenML/PandaLM (Apache-2.0),
// pandalm/utils/pandalm_inference.py, build_pandalm_prompt. Plain text that the judge continues.

/** With {instruction}, {response_1} and {response_2}. */
export const PANDALM_WITHOUT_INPUT = `Below are two responses for a given task. The task is defined by the Instruction. Evaluate the responses and generate a reference answer for the task.

### Instruction:
{instruction}

### Response 1:
{response_1}

### Response 2:
{response_2}

### Evaluation:
`;

/** With {input} too. */
export const PANDALM_WITH_INPUT = `Below are two responses for a given task. The task is defined by the Instruction with an Input that provides further context. Evaluate the responses and generate a reference answer for the task.

### Instruction:
{instruction}

### Input:
{input}

### Response 1:
{response_1}

### Response 2:
{response_2}

### Evaluation:
`;
