// The ranking prompt of AlpacaEval 1, word for word: github.com/tatsu-lab/alpaca_eval (Apache-2.0),
// src/alpaca_eval/evaluators_configs/alpaca_eval_gpt4/alpaca_eval.txt. A system message and a user's.

export const ALPACA_EVAL_SYSTEM =
  "You are a helpful assistant, that ranks models by the quality of their answers.";

/** With {instruction}, {output_1} and {output_2}. */
export const ALPACA_EVAL_USER = `I want you to create a leaderboard of different of large-language models. To do so, I will give you the instructions (prompts) given to the models, and the responses of two models. Please rank the models based on which responses would be preferred by humans. All inputs and outputs should be python dictionaries.

Here is the prompt:
{
    "instruction": """{instruction}""",
}

Here are the outputs of the models:
[
    {
        "model": "model_1",
        "answer": """{output_1}"""
    },
    {
        "model": "model_2",
        "answer": """{output_2}"""
    }
]

Now please rank the models by the quality of their answers, so that the model with rank 1 has the best output. Then return a list of the model names and ranks, i.e., produce the following output:
[
    {'model': <model-name>, 'rank': <model-rank>},
    {'model': <model-name>, 'rank': <model-rank>}
]

Your response must be a valid Python dictionary and should contain nothing else because we will directly execute it in Python. Please provide the ranking that the majority of humans would give.`;
