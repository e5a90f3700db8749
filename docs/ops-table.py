#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The table of operations in docs/abi.md, made from vmi/include/asm/vmi/ops.h.

ops-table.py --write   rewrite the table in docs/abi.md
ops-table.py --check   fail if it is not what --write would write
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
OPS = TOP / "vmi/include/asm/vmi/ops.h"
DOC = TOP / "docs/abi.md"
BEGIN = "<!-- operations, made by docs/ops-table.py -->\n"
END = "<!-- end of operations -->\n"

ROW = re.compile(r'^VMI_OP\((\d+), (\w+), "(\w+)", (\w+), (\w+), '
                 r'"([^"]*)", "([^"]*)", "([^"]*)"\)', re.M)


def registers(text):
    """Registers in capitals; a number stands for words on the stack."""
    words = []
    for word in text.split():
        if word.isdigit():
            words.append(f"{word} on the stack")
        else:
            words.append(word.upper())
    return ", ".join(words)


def table():
    rows = ROW.findall(OPS.read_text())
    if len(rows) < 40:
        sys.exit(f"only {len(rows)} rows found in {OPS}")
    lines = ["| number | name | type | group | arguments | result | native |",
             "|---|---|---|---|---|---|---|"]
    for nr, _, name, kind, group, args, result, native in rows:
        lines.append(f"| {nr} | {name} | {kind} | {group} | {registers(args)} "
                     f"| {registers(result)} | {native} |")
    return "\n".join(lines) + "\n"


def main():
    text = DOC.read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    new = head + BEGIN + table() + END + tail
    if sys.argv[1:] == ["--write"]:
        DOC.write_text(new)
    elif sys.argv[1:] == ["--check"]:
        if new != text:
            sys.exit("docs/abi.md is behind ops.h: run docs/ops-table.py --write")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
