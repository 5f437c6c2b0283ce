"""What transformers' apply_chat_template makes of conversations with tools, calls, results and reasoning.

    python tool_chat_goldens.py SHARED        writes ../goldens/tool-chats.json

The rows are ../goldens/tool-rows.jsonl, as promptloss reads them: arguments that are JSON text are parsed, a message
without content has an empty one, a bare function is wrapped. The templates are those of ../chat-templates, on a
tokenizer of ../tokenizers, and the own ones of the tokenizers in SHARED. Made with transformers 5.18.0.
"""

import json
import sys
from pathlib import Path

from transformers import AutoTokenizer
from transformers.utils import logging

logging.set_verbosity_error()
HERE = Path(__file__).resolve().parent.parent
ROWS = [json.loads(line) for line in (HERE / "goldens" / "tool-rows.jsonl").read_text().splitlines()]


def read_message(message):
    message = dict(message, content=message.get("content") or "")
    if "tool_calls" in message:
        calls = [dict(call, type="function", function=dict(call["function"])) for call in message["tool_calls"]]
        for call in calls:
            given = call["function"]["arguments"]
            call["function"]["arguments"] = json.loads(given) if isinstance(given, str) else given
        message["tool_calls"] = calls
    return message


def read_tools(row):
    tools = row.get("tools")
    if tools is None:
        return None
    tools = json.loads(tools) if isinstance(tools, str) else tools
    return [tool if "function" in tool else {"type": "function", "function": tool} for tool in tools]


def asked(tokenizer, row, template):
    messages = [read_message(message) for message in row["messages"]]
    tools = read_tools(row)
    with_marks = template is not None and "generation" in template

    def render(some, prompt):
        return tokenizer.apply_chat_template(some, tools=tools, add_generation_prompt=prompt, tokenize=False, chat_template=template)

    try:
        encoded = tokenizer.apply_chat_template(messages, tools=tools, return_dict=True, chat_template=template,
                                                return_assistant_tokens_mask=with_marks)
        chat = {"text": render(messages, False), "ids": list(encoded["input_ids"])}
        if with_marks:
            chat["mask"] = list(encoded["assistant_masks"])
        chat["prompts"] = {i: render(messages[:i], True) for i, message in enumerate(messages) if message["role"] == "assistant"}
        return chat
    except Exception as error:
        return {"error": str(error)}


shared = Path(sys.argv[1]) / "tokenizers"
cases = []
for name, folder, templates in [
    ("tiny-bytes", HERE / "tokenizers" / "tiny-bytes", sorted((HERE / "chat-templates").glob("*.jinja"))),
    ("qwen2.5", shared / "qwen2.5", [None]),
    ("llama3", shared / "llama3", [None]),
]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.bos_token = tokenizer.bos_token or ""
    for path in templates:
        template = None if path is None else path.read_text()
        chats = [asked(tokenizer, row, template) for row in ROWS]
        cases.append({"tokenizer": name, "template": None if path is None else path.name, "chats": chats})
        print(name, cases[-1]["template"], [chat.get("error", len(chat.get("ids", []))) for chat in chats])

target = HERE / "goldens" / "tool-chats.json"
target.write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")) + "\n")
