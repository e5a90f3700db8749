# SPDX-License-Identifier: GPL-2.0-only
"""Writes build/bench/report.md from the CSV files beside it."""

import csv
import os
import platform
import re
import statistics
import subprocess
import time

import plots
from systems import BASE, BENCH, LACKS, TITLE

# Operation: title, goal of the monitor in instructions (the rows of Xen's table).
OPERATIONS = {
    "null_syscall": ("null syscall", 1.3),
    "read_zero": ("read 1 byte of /dev/zero", 1.2),
    "signal": ("signal delivered and returned", 1.3),
    "protection_fault": ("protection fault to a handler", 1.3),
    "anon_fault": ("page fault, anonymous", 1.3),
    "file_fault": ("page fault, file", None),
    "mmap_touch_munmap": ("mmap 64 KB, touch 2, munmap", 1.2),
    "pipe_processes": ("pipe ping-pong, processes", 1.2),
    "pipe_threads": ("pipe ping-pong, threads", None),
    "fork_exit": ("fork + exit + wait", 1.3),
    "fork_exec": ("fork + exec + wait", 1.2),
    "shell": ("fork + sh -c true + wait", None),
    "tcp": ("TCP round trip, loopback", None),
    "mutex": ("futex handover, 2 processors", None),
    "user_cpu": ("user-mode CPU", 1.0),
}
PROGRAMS = {"gzip": "gzip, 0.4 MB", "sha256sum": "sha256sum, 0.4 MB",
            "tcc": "tcc, 300 functions", "hackbench": "hackbench -g 1 -f 8 -l 50",
            "redis": "redis-benchmark, 500 set, 500 get"}
ONE_PROCESSOR = [op for op in OPERATIONS if op != "mutex"]
NATIVE_GOAL = 1.005


class Results:
    """The rows of one CSV: costs of one operation, by system."""

    def __init__(self, name, column):
        self.values, self.rows = {}, []
        path = f"{BENCH}/{name}.csv"
        if not os.path.exists(path):
            return
        with open(path, newline="") as f:
            self.rows = list(csv.DictReader(f))
        for row in self.rows:
            key = row["system"], row["operation"], row["variant"]
            self.values.setdefault(key, []).append(int(row[column]) / int(row["count"]))

    def median(self, system, operation, variant=None):
        """None where it was not measured."""
        if variant is None:
            variant = variant_of(operation)
        found = self.values.get((system, operation, variant))
        return statistics.median(found) if found else None

    def ratio(self, system, operation, variant=None):
        mine = self.median(system, operation, variant)
        base = self.median(BASE.get(system, system), operation, variant)
        return mine / base if mine and base else None

    def spread(self, _system, _operation):
        """Of a ratio; None if there is none, as with what is counted exactly."""
        return None

    def systems(self):
        present = {key[0] for key in self.values}
        return [s for s in TITLE if s in present]


class Times(Results):
    """The same in time.  A machine's speed drifts, so what is compared are boots of
    one turn; the ratio is the median of what that gives."""

    def __init__(self, name):
        super().__init__(name, "nanoseconds")
        self.turns = {}
        for row in self.rows:
            key = row["system"], row["operation"], row["variant"]
            self.turns.setdefault(key, {}).setdefault(row["boot"], []).append(
                int(row["nanoseconds"]) / int(row["count"]))

    def turn_ratios(self, system, operation):
        key = operation, variant_of(operation)
        mine = self.turns.get((system, *key), {})
        base = self.turns.get((BASE.get(system, system), *key), {})
        return [statistics.median(mine[turn]) / statistics.median(base[turn])
                for turn in mine if turn in base]

    def ratio(self, system, operation, _variant=None):
        found = self.turn_ratios(system, operation)
        return statistics.median(found) if found else None

    def spread(self, system, operation):
        """Half the middle half of the turns, relative to the median."""
        found = self.turn_ratios(system, operation)
        if len(found) < 4:
            return None
        low, mid, high = statistics.quantiles(found, n=4)
        return (high - low) / 2 / mid


def variant_of(operation):
    return "smp2" if operation == "mutex" else ""


def number(value, digits=3):
    return "-" if value is None else f"{value:.{digits}f}"


def count(value):
    return "-" if value is None else f"{value:,.0f}"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |",
             "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in rows]) + "\n"


def ratios(results, titles, unit):
    """A row for each operation: what the bases cost, then the ratios."""
    systems = results.systems()
    others = [s for s in systems if BASE.get(s) in systems]
    bases = [s for s in systems if s not in others]
    rows = []
    for op, title in titles.items():
        if not any(results.median(s, op) for s in systems):
            continue
        row = [title] + [count(results.median(s, op)) for s in bases]
        for s in others:
            wide = results.spread(s, op)
            row.append(number(results.ratio(s, op)) if wide is None else
                       f"{results.ratio(s, op):.2f} ±{wide * 100:.0f}%")
        rows.append(row)
    header = [""] + [f"{s}, {unit}" for s in bases] + \
        [f"{s} / {BASE[s]}" for s in others]
    return table(header, rows)


def goals(results):
    """Rows that miss "at most 1.005" or the monitor's goals, in words."""
    lines = []
    for op, (title, goal) in OPERATIONS.items():
        native, monitor = results.ratio("native", op), results.ratio("monitor", op)
        xen = results.ratio("xen", op)
        if native and native > NATIVE_GOAL:
            lines.append(f"* native: {title}: {native:.3f}, goal {NATIVE_GOAL}")
        if monitor and goal and monitor > goal + 0.005:
            lines.append(f"* monitor: {title}: {monitor:.3f}, goal {goal}")
        if monitor and xen and monitor > xen:
            lines.append(f"* monitor behind Xen: {title}: {monitor:.3f}, Xen {xen:.3f}")
    return "\n".join(lines or ["Every row meets its goal."]) + "\n"


def entries():
    path = f"{BENCH}/entries-counts.csv"
    if not os.path.exists(path):
        return ""
    kinds = {}
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            # GetOpCount: reading the counters.
            if row["kind"] != "GetOpCount":
                kinds.setdefault(row["operation"], []).append(
                    (int(row["entries"]) / int(row["count"]), row["kind"]))
    rows = []
    for op in [*OPERATIONS, *(op for op in kinds if op not in OPERATIONS)]:
        if op in kinds:
            top = sorted(kinds[op], reverse=True)
            rows.append([title_of(op), ", ".join(
                f"{kind} {n:.2f}" for n, kind in top if n >= 0.05) or "none"])
    return "\nWhat the monitor counts for one operation. A page fault that is the guest's\n" \
        "counts as such and as an exception delivered; a shadow fill is an entry, too.\n\n" + \
        table(["", "entries"], rows)


def growth(results):
    if not results.rows:
        return ""
    systems = results.systems()
    # As the probe went through them, the processors of one operation together.
    ops = list(dict.fromkeys((row["operation"], row["variant"]) for row in results.rows))
    names = list(dict.fromkeys(op for op, _ in ops))
    ops.sort(key=lambda op: (names.index(op[0]), op[1]))
    rows = []
    for op, variant in ops:
        title = title_of(op)
        title += f", {variant[3:]} processors" if variant.startswith("smp") else ""
        rows.append([title] + [count(results.median(s, op, variant)) for s in systems] +
                    [number(results.ratio(s, op, variant)) for s in systems if s in BASE])
    return "\n## How cost grows\n\nInstructions for fork, exit and wait of a process with so" \
        "\nmuch memory touched; for one hop in a ring of processes that pass on a byte\n" \
        "through pipes (1 GB of memory); for operations where there are more processors.\n\n" + \
        table([""] + systems + [f"{s} / {BASE[s]}" for s in systems if s in BASE], rows)


def title_of(op):
    if op in OPERATIONS:
        return OPERATIONS[op][0]
    return op.replace("fork.", "fork with ").replace("ring.", "ring of ")


def facts(name):
    """(system, variant) to what was seen in its first boot."""
    seen = {}
    path = f"{BENCH}/{name}-facts.csv"
    if os.path.exists(path):
        with open(path, newline="") as f:
            for row in csv.DictReader(f):
                seen.setdefault((row["system"], row["variant"]), {}).setdefault(
                    row["what"], row["value"])
    return seen


def boots():
    rows = []
    exact, timed = facts("instructions"), facts("wall")
    for s in TITLE:
        f, t = exact.get((s, ""), {}), timed.get((s, ""), {})
        if f:
            rows.append([s, f.get("userland", "-"), t.get("userland_host", "-"),
                         f.get("vmi", "-").removeprefix("vmi: ")])
    text = "\n## Boot\n\nUntil the first process runs: in the kernel's own time under\n" \
        "-icount (a second is 10^9 instructions), and in real seconds from the start of\n" \
        "QEMU (firmware, loader and monitor included). The log says how long it took to\n" \
        "patch all sites; under -icount a microsecond is 1,000 instructions.\n\n"
    text += table(["", "userland, s of 10^9", "userland, real s", "log"], rows)
    line = exact.get(("monitor", ""), {}).get("monitor")
    if line:
        low, high = (int(x, 16) for x in re.search(r"at ([0-9a-f]+)-([0-9a-f]+)", line).groups())
        text += f"\nMemory: the monitor takes {(high - low) >> 20} MB " \
            f"(`{line}`); 1/32 of the RAM, 8 MB to 64 MB.\n"
    return text


def sizes():
    rows = []
    for name in ("kernel", "novmi", "unpatched"):
        path = f"build/{name}/vmlinux"
        if os.path.exists(path):
            out = output(["size", path]).splitlines()[-1].split()
            rows.append([{"kernel": "CONFIG_VMI=y", "novmi": "CONFIG_VMI=n",
                          "unpatched": "without our changes"}[name], *out[:4]])
    return "\n## Size\n\n`size` of vmlinux, in bytes:\n\n" + \
        table(["", "text", "data", "bss", "all"], rows)


def output(argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def first_line(path):
    try:
        with open(path) as f:
            return f.readline().strip()
    except OSError:
        return "-"


def machine():
    cpu = re.search(r"^model name\s*: (.*)", open("/proc/cpuinfo").read(), re.MULTILINE)
    load = " ".join(f"{x:.1f}" for x in os.getloadavg())
    packages = output(["sh", "-c", "cd build/bench/packages && ls *.deb"]).split()
    lines = [
        f"* {time.strftime('%Y-%m-%d %H:%M')} UTC, {os.cpu_count()} processors "
        f"({cpu[1] if cpu else platform.machine()}), load at the end {load}",
        f"* {output(['qemu-system-x86_64', '--version']).splitlines()[0]}, "
        "software emulation (TCG)",
        f"* {output(['gcc', '--version']).splitlines()[0]}",
        f"* our source: {output(['git', 'describe', '--always', '--dirty'])}",
        f"* Debian's amd64 kernel: {first_line('build/kvm/debian/version')}",
    ]
    lines += [f"* {p.removesuffix('.deb')}" for p in packages]
    if os.path.exists(f"{BENCH}/programs/versions"):
        with open(f"{BENCH}/programs/versions") as f:
            wanted = re.findall(r"^(?:gzip|coreutils|tcc|rt-tests|redis-server|libc6) .*",
                                f.read(), re.MULTILINE)
        lines.append("* programs, i386: " + ", ".join(wanted))
    return "\n".join(lines) + "\n"


def legend():
    return "\n".join(f"* **{s}**: {title}" for s, title in TITLE.items()) + "\n"


TITLES = {op: title for op, (title, _) in OPERATIONS.items()}
INTRO = """In a cell stands what an operation costs, divided by what it costs on the same
kernel not virtualized (native, null, trace: without our changes). Instructions
are counted by QEMU (-icount shift=0,sleep=off: one instruction, one nanosecond,
one tick of the TSC; "calibrate" in the CSV is a loop of 1,000). They include the
monitor's, Xen's, and those of the kernel on which user-mode-linux runs. Medians.
"""


def missing(results, systems, operations):
    return [f"no result: {s} {op}" for s in systems for op in operations
            if results.median(s, op) is None and
            not (op == "mutex" and s in ("amd64", "xen", "uml")) and op not in LACKS.get(s, ())]


def check_calibration(results):
    """An instruction must be a tick, else all columns mean something else."""
    errors = []
    for s in [s for s in results.systems() if s != "tcg"]:     # that executes others
        ticks = results.median(s, "calibrate")
        # Half a millisecond, which an interrupt or two may fall into.
        if ticks is None or abs(ticks - 1000) > 50:
            errors.append(f"{s}: a loop of 1000 instructions took {ticks} ticks")
    return errors


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    print(f"bench: {path}")


def write_quick(systems):
    """The two columns that matter most; returns what lacks."""
    results = Results("quick-instructions", "ticks")
    text = "# Instructions\n\n" + INTRO + "\n" + \
        ratios(results, TITLES, "instructions") + "\n" + goals(results)
    print(text)
    write(f"{BENCH}/quick.md", text)
    return missing(results, systems, ONE_PROCESSOR) + check_calibration(results)


KVM_VMI_GOAL = 1.35


def kvm_vmi_goals(results):
    """Rows of kvm-vmi that miss 1.35 or are behind Xen, in words."""
    lines = []
    for op, (title, _) in OPERATIONS.items():
        ratio, xen = results.ratio("kvm-vmi", op), results.ratio("xen", op)
        if ratio and ratio > KVM_VMI_GOAL + 0.005:
            lines.append(f"* {title}: {ratio:.3f}, goal {KVM_VMI_GOAL}")
        if ratio and xen and ratio > xen:
            lines.append(f"* behind Xen: {title}: {ratio:.3f}, Xen {xen:.3f}")
    return "\n".join(lines or ["Every row meets its goal."]) + "\n"


def starts(seen, title):
    rows = [[s, seen[s, ""].get("userland", "-"), seen[s, ""].get("userland_host", "-")]
            for s in TITLE if (s, "") in seen]
    return f"\n{title}\n\n" + table(["", "userland, its own s", "real s from QEMU's start"], rows)


def write_kvm_vmi(prefix):
    """kvm-vmi and its peers; returns what lacks."""
    exact, timed = Results(prefix + "kvm-vmi", "ticks"), Times(prefix + "kvm-vmi-wall")
    text = "# kvm-vmi\n\n" + INTRO + "\n" + machine()
    text += "\n## Instructions\n\n" + ratios(exact, TITLES, "instructions")
    text += "\n" + kvm_vmi_goals(exact)
    text += starts(facts(prefix + "kvm-vmi"), "Boot, where a second is 10^9 instructions:")
    if timed.rows:
        text += "\n## Time\n\n" + ratios(timed, TITLES, "ns")
        text += starts(facts(prefix + "kvm-vmi-wall"), "Boot, in the first turn:")
    print(text)
    write(f"{BENCH}/{prefix}kvm-vmi.md", text)
    return missing(exact, exact.systems(), ONE_PROCESSOR) + check_calibration(exact)


NATIVE_PROGRAMS_GOAL = 1.002


def write_native(prefix):
    """Kernels of other configurations with and without our changes; returns what lacks."""
    results = Results(prefix + "native", "ticks")
    ops = {op: TITLES[op] for op in ONE_PROCESSOR}
    missed = [f"* {s}: {title}: {ratio:.3f}, goal {goal}"
              for s in ("debian", "2level")
              for titles, goal in ((ops, NATIVE_GOAL), (PROGRAMS, NATIVE_PROGRAMS_GOAL))
              for op, title in titles.items()
              if (ratio := results.ratio(s, op)) and round(ratio, 3) > goal]
    text = "# Our changes to other kernels\n\n" + INTRO + "\n" + \
        "\n".join(f"* **{s}**: {TITLE[s]}" for s in results.systems()) + "\n\n" + machine() + \
        "\n## Operations\n\n" + ratios(results, ops, "instructions") + \
        "\n## Whole programs\n\n" + ratios(results, PROGRAMS, "instructions") + "\n" + \
        "\n".join(missed or ["Every row meets its goal."]) + "\n"
    print(text)
    write(f"{BENCH}/{prefix}native.md", text)
    return missing(results, results.systems(), [*ops, *PROGRAMS]) + check_calibration(results)


def write_full():
    exact, timed = Results("instructions", "ticks"), Times("wall")
    programs = Results("programs", "ticks")
    programs_timed = Times("programs-wall")
    more = Results("growth", "ticks")
    text = "# What virtualization costs\n\n" + INTRO + "\n" + legend() + "\n" + machine()
    text += "\nRepeat it with `make bench`; one phase with `selftests/bench/run -p PHASE`.\n" \
        "QEMU's command line is the first line of each build/logs/bench-*.log.\n"
    text += "\n## Operations, instructions\n\n" + ratios(exact, TITLES, "instructions")
    text += "\n" + goals(exact) + "\n![](instructions.svg)\n"
    if timed.rows:
        text += "\n## Operations, time\n\nSystems in turn, one boot each, " \
            "several times over. A cell is the median of the turns' ratios, and ± half the " \
            "middle half of them, in percent.\n\n" + ratios(timed, TITLES, "ns") + "\n![](wall.svg)\n"
    if programs.rows:
        text += "\n## Whole programs, instructions\n\n" + ratios(programs, PROGRAMS, "instructions")
    if programs_timed.rows:
        text += "\n## Whole programs, time\n\n" + \
            ratios(programs_timed, PROGRAMS, "ns")
    text += "\n## What enters the monitor\n" + entries() + growth(more)
    text += "\n![](growth.svg)\n" if more.rows else ""
    text += boots() + sizes()
    write(f"{BENCH}/report.md", text)
    plots.ratios("instructions", exact, TITLES)
    plots.ratios("wall", timed, TITLES)
    plots.growth("growth", more)
    return missing(exact, exact.systems(), OPERATIONS) + check_calibration(exact) + \
        missing(programs, programs.systems(), PROGRAMS)
