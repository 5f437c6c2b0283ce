"""Makes the small tokenizers of test/tokenizers and the golden ids of test/goldens/tokenizers.

The small ones are trained on the text below: a byte-level BPE as GPT-2's and a sentencepiece-like BPE with byte
fallback as LLaMA's. Goldens come from transformers' AutoTokenizer: ids and offsets (in code points) of texts,
decoded text, and what apply_chat_template makes of conversations.

    python tokenizer_goldens.py SHARED [--tokenizers]

SHARED is the folder with the real tokenizers; --tokenizers trains the small ones anew. Needs transformers,
tokenizers and jinja2; made with tokenizers 0.23.2 and transformers 5.18.0.
"""

import json
import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

HERE = Path(__file__).resolve().parent.parent

TEXT = """
A small shop by the river sold bread, milk and paper. Every morning the baker lit the oven and wrote a list of
what was missing. "Two sacks of flour," she said, "and don't forget the salt!" The list grew longer: 12 eggs,
250 grams of butter, 3 lemons. In the afternoon children came with coins and questions. Why does bread rise?
How hot is the oven? Who taught you to bake? She answered all of them: yeast, very hot, my grandfather.

### Instruction: write the answer to the question. ### Input: the list of things. ### Response: the answer.

Describe the river in one sentence. The river is wide, slow and green. Translate the sentence. Name three
things that the baker needs. Flour, salt and water. Is the answer right? Yes, the answer is right.

The weather in the valley changes quickly. When the wind turns, the fishermen pull their boats ashore, and the
miller stops the wheel. Nobody hurries; everything that must be done is done before the evening. At night the
lamps burn in the windows, the dog sleeps at the door, and the river goes on talking to itself.
"""

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
BRACKETS = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] | trim + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] | trim + eos_token }}"
    "{% endif %}{% endfor %}"
)

TEXTS = [
    "",
    " ",
    "Hello",
    " Hello",
    "Hello world",
    "  two spaces  ",
    "line\nline\n\n  indented\ttab",
    "### Response:",
    "### Response:The",
    "### Response: The",
    "don't, won't: 1234567 3.14",
    "na\u00efve caf\u00e9 \u2014 \u201cquoted\u201d",
    "e\u0301 combining",
    "\u65e5\u672c\u8a9e\u306e\u6587",
    "\U0001f600 a\U0001f469\u200d\U0001f469\u200d\U0001f467b",
    "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "<s>[INST] hi [/INST]</s>",
    "<|im_start|>user\nhi<|im_end|>\n<|endoftext|>",
    "\r\nwindows\r\n",
    "\u0000\u0001\u007f",
]

CONVERSATIONS = [
    [("user", "Name three things."), ("assistant", "Flour, salt, water.")],
    [("user", "  spaces around \n"), ("assistant", " leading and trailing \n")],
    [("system", "Be brief."), ("user", "Why?"), ("assistant", "Because.")],
    [
        ("user", "One?"),
        ("assistant", "1"),
        ("user", "user"),
        ("assistant", "assistant"),
        ("user", "na\u00efve \U0001f600?"),
        ("assistant", "\u00e9t\u00e9 \U0001f469\u200d\U0001f467"),
    ],
]


def train_bytes() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=512,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    return tokenizer


def train_pieces() -> Tokenizer:
    """Learns merges with a Metaspace split, then lays the vocabulary out as sentencepiece does."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    learner.train_from_iterator([TEXT], trainers.BpeTrainer(vocab_size=256, show_progress=False))
    learned = json.loads(learner.to_str())["model"]
    special = ["<unk>", "<s>", "</s>"]
    order = special + [f"<0x{byte:02X}>" for byte in range(256)]
    order += sorted(learned["vocab"], key=learned["vocab"].get)
    vocab = {token: id for id, token in enumerate(order)}
    merges = [tuple(merge) for merge in learned["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.add_special_tokens(special)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def write_folder(name: str, tokenizer: Tokenizer, config: dict, generation: dict) -> None:
    folder = HERE / "tokenizers" / name
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False, **config}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")


def write_small_tokenizers() -> None:
    bytes_tokenizer = train_bytes()
    stop = bytes_tokenizer.token_to_id("<|im_end|>")
    end = bytes_tokenizer.token_to_id("<|endoftext|>")
    config = {"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "chat_template": CHATML}
    write_folder("tiny-bytes", bytes_tokenizer, config, {"eos_token_id": [stop, end]})
    config = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "chat_template": BRACKETS}
    write_folder("tiny-pieces", train_pieces(), config, {"bos_token_id": 1, "eos_token_id": 2})


def golden(folder: Path) -> dict:
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    texts = []
    for text in TEXTS:
        bare = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        texts.append(
            {
                "text": text,
                "ids": bare["input_ids"],
                "offsets": bare["offset_mapping"],
                "withSpecial": tokenizer(text)["input_ids"],
                "decoded": tokenizer.backend_tokenizer.decode(bare["input_ids"], skip_special_tokens=False),
            }
        )
    chats = []
    for conversation in CONVERSATIONS if tokenizer.chat_template else []:
        messages = [{"role": role, "content": content} for role, content in conversation]
        try:
            chats.append(
                {
                    "messages": messages,
                    "text": tokenizer.apply_chat_template(messages, tokenize=False),
                    "ids": tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True)["input_ids"],
                    "prompt": tokenizer.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True),
                    "promptIds": tokenizer.apply_chat_template(
                        messages[:-1], tokenize=True, add_generation_prompt=True, return_dict=True
                    )["input_ids"],
                }
            )
        except Exception as error:  # the template refuses the conversation
            chats.append({"messages": messages, "error": str(error)})
    return {"texts": texts, "chats": chats}


def main() -> None:
    shared = Path(sys.argv[1])
    if "--tokenizers" in sys.argv:
        write_small_tokenizers()
    folders = {
        "tiny-bytes": HERE / "tokenizers" / "tiny-bytes",
        "tiny-pieces": HERE / "tokenizers" / "tiny-pieces",
        "stories15M": shared / "models" / "stories15M",
        "gpt2": shared / "tokenizers" / "gpt2",
        "llama3": shared / "tokenizers" / "llama3",
        "qwen2.5": shared / "tokenizers" / "qwen2.5",
    }
    target = HERE / "goldens" / "tokenizers"
    target.mkdir(parents=True, exist_ok=True)
    for name, folder in folders.items():
        text = json.dumps(golden(folder), ensure_ascii=True, separators=(",", ":"))
        (target / f"{name}.json").write_text(text + "\n")
        print(name, len(text))


main()
