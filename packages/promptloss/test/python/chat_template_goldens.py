"""What transformers' apply_chat_template makes of the chat templates that promptloss writes into trained models.

    python chat_template_goldens.py        writes ../goldens/chat-templates.json

Needs Node and the compiled program (npm run build), which writes the Jinja; and transformers and jinja2. Made with
transformers 5.18.0. Every case is a template on a tokenizer of ../tokenizers; the tokenizer's own chat template is put
aside for ours, as a server does with a trained model's folder.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from transformers import AutoTokenizer
from transformers.utils import logging

logging.set_verbosity_error()
HERE = Path(__file__).resolve().parent.parent
DIST = HERE.parent / "dist"

# A template as a recipe names it: a name, a string, or strings.
TEMPLATES = {
    "alpaca": "alpaca",
    "chatml": "chatml",
    "llama2": "llama2",
    "llama3": "llama3",
    "plain": "plain",
    "string": "Q: {instruction}\n{input}\nA:{begin} {output}",
    "braces and quotes": "{{{{ 'it''s' }}}} \\n {{% {instruction} %}}\t#}} \"{output}{stop:###}\n",
    "strings": {"start": "{bos}== ", "system": "({system}) ", "user": "U{instruction}{stop}", "assistant": "A{begin}: {output}{stop}.",
                "trim": True},
    "bos in one turn alone": {"userWithSystem": "{system}|{instruction}", "user": "{bos}{instruction}", "assistant": ">{output}{stop}"},
}

CHATS = [
    [("user", "What's in a \"name\"?\n")],
    [("user", " Who {are} you? "), ("assistant", " I am {{ 7 * 7 }}.\n"), ("user", "Naïve \\n {% raw %} 🙂")],
    [("system", "Be\nbrief. "), ("user", "Why?"), ("assistant", "Yes."), ("user", "Go on.")],
    [("user", "Say it."), ("assistant", "It.")],
    [("assistant", "Hello."), ("user", "Hello.")],
]

SOURCE = """
import { readFileSync } from "node:fs";
const { loadTokenizer } = await import(%r);
const { createTemplate } = await import(%r);
const { savedTemplate } = await import(%r);
const tokenizer = await loadTokenizer(process.argv[1]);
const sources = [];
for (const spec of JSON.parse(readFileSync(0, "utf8")))
  sources.push((await savedTemplate(createTemplate(spec, tokenizer), tokenizer)).jinja);
process.stdout.write(JSON.stringify(sources));
""" % tuple(str(DIST / "data" / part / "index.js") for part in ["tokenizer", "templates", "tokens"])


def asked(tokenizer, chat):
    messages = [{"role": role, "content": content} for role, content in chat]
    generate = messages[-1]["role"] == "user"
    case = {"messages": messages}
    try:
        case["text"] = tokenizer.apply_chat_template(messages, add_generation_prompt=generate, tokenize=False)
        case["ids"] = list(tokenizer.apply_chat_template(messages, add_generation_prompt=generate, return_dict=False))
    except Exception as error:
        case["error"] = str(error)
    return case


cases = []
for name in ["tiny-pieces", "tiny-bytes"]:
    folder = HERE / "tokenizers" / name
    specs = list(TEMPLATES.values())
    sources = json.loads(subprocess.run(["node", "--input-type=module", "-e", SOURCE, str(folder)], input=json.dumps(specs),
                                        capture_output=True, text=True, check=True).stdout)
    for (title, spec), source in zip(TEMPLATES.items(), sources):
        copy = Path(tempfile.mkdtemp()) / name
        shutil.copytree(folder, copy)
        (copy / "chat_template.jinja").write_text(source)
        tokenizer = AutoTokenizer.from_pretrained(copy)
        cases.append({"tokenizer": name, "name": title, "template": spec, "jinja": source,
                      "chats": [asked(tokenizer, chat) for chat in CHATS]})

target = HERE / "goldens" / "chat-templates.json"
target.write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")
for case in cases:
    print(case["tokenizer"], case["name"], ["error" if "error" in chat else len(chat["ids"]) for chat in case["chats"]])
