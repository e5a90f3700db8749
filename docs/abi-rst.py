#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""docs/abi.md as the kernel's documentation has it: abi-rst.py <abi.md >vmi.rst

Knows what that file uses: headings, tables, lists, fenced or indented code, `code`,
**strong** and [links](to files), of which the text is left.
"""
import re
import sys

UNDERLINE = {1: "=", 2: "=", 3: "-"}


def inline(text):
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", text)
    return re.sub(r"(?<![*`\w])\*(?=[a-z])", r"\\*", text)


def heading(level, text):
    line = UNDERLINE[level] * len(text)
    return ([line] if level == 1 else []) + [text, line]


def table(rows):
    """A list-table of the rows of a table; the second row is a line."""
    cells = [[c.strip() for c in re.split(r"(?<!\\)\|", r.strip()[1:-1])] for r in rows]
    out = [".. list-table::", "   :header-rows: 1", ""]
    for row in cells[:1] + cells[2:]:
        for i, cell in enumerate(row):
            out.append(f"   {'* -' if not i else '  -'} {inline(cell)}".rstrip())
    return out + [""]


def convert(lines):
    out, rows, code = [], [], False
    for line in [l.rstrip("\n") for l in lines] + [""]:
        if line.startswith("|"):
            rows.append(line)
            continue
        if rows:
            out += table(rows)
            rows = []
        head = re.match(r"(#+) (.*)", line)
        if head:
            out += heading(len(head[1]), inline(head[2]))
        elif line.startswith("<!--"):
            continue
        elif line.startswith("    ") and not code and out and not out[-1]:
            out += ["::", "", line]
            code = True
        else:
            code = code and (line.startswith("    ") or not line)
            out.append(line if code else inline(line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip("\n") + "\n"


def main():
    sys.stdout.write(".. SPDX-License-Identifier: GPL-2.0\n\n" + convert(sys.stdin))


if __name__ == "__main__":
    main()
