#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the programs work on, the same bytes each time: source.py DIR"""

import random
import sys

random.seed(386)
words = ["".join(random.choices("etaoinshrdlu", k=random.randint(2, 9))) for _ in range(3000)]
with open(f"{sys.argv[1]}/text", "w") as f:
    for _ in range(6000):
        f.write(" ".join(random.choices(words, k=9)) + "\n")

# A C program that needs no headers.
with open(f"{sys.argv[1]}/program.c", "w") as f:
    for n in range(300):
        f.write(f"""
struct s{n} {{ int a, b; struct s{n} *next; char name[{n + 8}]; }};

static int f{n}(struct s{n} *s, unsigned int x)
{{
	int sum = {n};

	for (; s; s = s->next) {{
		if (s->a > s->b)
			sum += s->a * {n + 3} - (x << {n % 7});
		else
			sum ^= s->b % {n + 11} + s->name[x % sizeof(s->name)];
	}}
	return sum;
}}

int g{n}(int x)
{{
	struct s{n} s = {{ x, {n}, 0, "g{n}" }};

	return f{n}(&s, x){f' + g{n - 1}(x)' if n else ''};
}}
""")
