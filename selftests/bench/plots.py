# SPDX-License-Identifier: GPL-2.0-only
"""Plots by gnuplot, each as SVG and PNG, with the data beside them."""

import shutil
import subprocess

from systems import BASE, BENCH

STYLE = """
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 border -1
set boxwidth 0.9
set logscale y
set grid y
set key outside top horizontal
set xtics rotate by -35 left
set ylabel "virtualized / native"
set yrange [0.8:*]
set ytics (1, 1.2, 1.5, 2, 3, 5, 10, 20, 50)
set rmargin 14
"""


def draw(name, script):
    if not shutil.which("gnuplot"):
        print("bench: no gnuplot, no plots")
        return
    for terminal, suffix in (("svg size 1100,600", "svg"),
                             ("pngcairo size 1100,600", "png")):
        text = f"set terminal {terminal}\nset output '{BENCH}/{name}.{suffix}'\n{script}"
        subprocess.run(["gnuplot"], input=text, text=True, check=False)


def ratios(name, results, titles):
    """Bars: each operation on each system that is virtualized."""
    systems = [s for s in results.systems() if s in BASE and s not in ("paravirt", "null")]
    # A system whose base was not measured has no bar.
    systems = [s for s in systems if any(results.ratio(s, op) for op in titles)]
    ops = [op for op in titles if any(results.ratio(s, op) for s in systems)]
    if not ops:
        return
    with open(f"{BENCH}/{name}.dat", "w") as f:
        f.write("operation " + " ".join(systems) + "\n")
        for op in ops:
            cells = [results.ratio(s, op) for s in systems]
            f.write(f'"{titles[op]}" ' +
                    " ".join("?" if c is None else f"{c:.4f}" for c in cells) + "\n")
    draw(name, STYLE + "set datafile missing '?'\nplot " + ", ".join(
        f"'{BENCH}/{name}.dat' using {i + 2}:xtic(1) title columnheader({i + 2})"
        for i in range(len(systems))) + "\n")


def growth(name, results):
    """Lines: fork by megabytes, a hop in a ring by processes."""
    systems = results.systems()
    panels = []
    for i, (op, sizes, x, y) in enumerate((
            ("fork.{}MB", (1, 8, 64, 512), "megabytes mapped", "fork, exit, wait"),
            ("ring.{}", (2, 10, 100, 1000), "processes in a ring", "one hop"))):
        path = f"{BENCH}/{name}-{i}.dat"
        rows = [(size, [results.median(s, op.format(size), "load") for s in systems])
                for size in sizes]
        if not any(any(cells) for _, cells in rows):
            continue
        with open(path, "w") as f:
            f.write("size " + " ".join(systems) + "\n")
            for size, cells in rows:
                f.write(f"{size} " + " ".join(
                    "?" if c is None else f"{c:.0f}" for c in cells) + "\n")
        panels.append(
            f"set xlabel '{x}'\nset ylabel 'instructions: {y}'\nplot " + ", ".join(
                f"'{path}' using 1:{n + 2} with linespoints title columnheader({n + 2})"
                for n in range(len(systems))) + "\n")
    if panels:
        draw(name, "set datafile missing '?'\nset logscale xy\nset grid\nset key left top\n"
             f"set multiplot layout 1,{len(panels)}\n" + "".join(panels) + "unset multiplot\n")
