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
    """Lines: fork by megabytes."""
    systems = results.systems()
    sizes = [1, 8, 64, 512]
    if not systems:
        return
    with open(f"{BENCH}/{name}.dat", "w") as f:
        f.write("megabytes " + " ".join(systems) + "\n")
        for size in sizes:
            cells = [results.median(s, f"fork.{size}MB", "load") for s in systems]
            f.write(f"{size} " + " ".join("?" if c is None else f"{c:.0f}" for c in cells) + "\n")
    draw(name, "set datafile missing '?'\nset logscale xy\nset grid\nset key left top\n"
         "set xlabel 'megabytes mapped'\nset ylabel 'instructions for fork, exit, wait'\n"
         "plot " + ", ".join(
             f"'{BENCH}/{name}.dat' using 1:{i + 2} with linespoints title columnheader({i + 2})"
             for i in range(len(systems))) + "\n")
