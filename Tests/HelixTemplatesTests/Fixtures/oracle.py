"""Answers the table and the texts as Jinja2 does with Ansible's settings; JSON lines on stdout."""

import base64
import json
import os
import posixpath
import shlex
import sys

import jinja2
from jinja2.filters import do_unique


class Undefined(jinja2.StrictUndefined):
    """What is not there stays so when something is taken out of it, as with Ansible."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key):
        return self


TRUE = {"yes", "on", "1", "true", "t", "y", "1.0"}


def environment():
    made = jinja2.Environment(
        trim_blocks=True,
        undefined=Undefined,
        finalize=lambda value: "" if value is None else value,
    )
    made.filters.update(
        quote=lambda value: shlex.quote(str(value)),
        bool=lambda value: str(value).lower() in TRUE,
        basename=posixpath.basename,
        dirname=posixpath.dirname,
        to_json=json.dumps,
        b64encode=lambda value: base64.b64encode(value.encode()).decode(),
        b64decode=lambda value: base64.b64decode(value).decode(),
        unique=jinja2.pass_environment(
            lambda env, value, **options: list(do_unique(env, value, **options))
        ),
    )
    return made


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if line.strip()]


def final_line_ends(text):
    return len(text) - len(text.rstrip("\n"))


def main(folder):
    env = environment()
    variables = {}
    for line in lines(os.path.join(folder, "variables.txt")):
        name, _, literal = line.partition(" = ")
        variables[name] = env.compile_expression(literal)()
    for line in lines(os.path.join(folder, "expressions.txt")):
        value = env.compile_expression(line, undefined_to_none=False)(**variables)
        print(json.dumps([line, repr(value)]))
    texts = os.path.join(folder, "texts")
    for name in sorted(os.listdir(texts)):
        if not name.endswith(".j2"):
            continue
        with open(os.path.join(texts, name), encoding="utf-8", newline="") as file:
            text = file.read()
        result = env.from_string(text).render(variables)
        result += "\n" * max(0, final_line_ends(text) - final_line_ends(result))
        print(json.dumps([name, result]))


main(sys.argv[1])
