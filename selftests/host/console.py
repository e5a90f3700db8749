# SPDX-License-Identifier: GPL-2.0-only
"""What a console log must say, and must not."""

import hashlib
import os
import re
import subprocess
import tempfile

# printk's time, and its caller where the kernel prints that.
STAMP = re.compile(r"^\[ *\d+\.\d+\](\[ *[TC]\d+\])? ?")
TROUBLE = re.compile(r"Kernel panic|\bBUG:|\bOops\b|WARNING:|kernel BUG at|"
                     r"general protection fault|double fault|stack guard page|"
                     r"detected stalls?|soft lockup|unchecked MSR access|Call Trace:|"
                     r"\tpid: \d+, name: (?!migration/)")
# Linux 6.12 warns of a processor that goes offline right behind a stall of a second,
# without our changes as well: it counts its fair server as a task.  The list of tasks
# has but the stopper then; anything else there is trouble.
FAIR_SERVER = re.compile(r"WARNING: .* sched_cpu_dying\+")
RESULT = re.compile(r"^( *)(ok|not ok) (\d+) (?:- )?(\S.*?)(?: *# *(.*))?$")
OPS_ROW = re.compile(r"^# (\d+) (\S+) (\d+) (native|call|jump|nop) (\d+|-)$")
DIAGNOSTIC = re.compile(r"^  # ")
PLAN = re.compile(r"^( *)1\.\.(\d+)$")


def read_lines(path):
    with open(path, errors="replace") as f:
        return [STAMP.sub("", line.rstrip("\n")) for line in f]


class Ktap:
    """Results of a guest: tests, of subtests where they have some."""

    def __init__(self, lines):
        self.errors = []
        self.results = {}        # name or name.subtest -> pass, fail, skip
        self.notes = {}          # what was said about it
        self.ended = "# tests end" in lines
        self._inner = []
        self._said = []
        plans = {0: None, 2: None}
        numbers = {0: 0, 2: 0}
        for line in lines:
            plan = PLAN.match(line)
            if plan and len(plan[1]) in plans:
                plans[len(plan[1])] = int(plan[2])
                continue
            if DIAGNOSTIC.match(line):
                self._said.append(line.strip("# "))
            found = RESULT.match(line)
            if not found or len(found[1]) not in plans:
                continue
            level = len(found[1])
            numbers[level] += 1
            if int(found[3]) != numbers[level]:
                self.errors.append(f"result {found[3]} {found[4]} is out of order")
            self._add(level, found)
            if level == 0:
                self._close(found[4], plans[2], numbers[2])
                plans[2], numbers[2] = None, 0
        self._check_plan("the guest", plans[0], numbers[0])

    def _check_plan(self, what, plan, count):
        if plan is None:
            self.errors.append(f"{what} printed no plan")
        elif plan != count:
            self.errors.append(f"{what} planned {plan} tests and ended {count}")

    def _add(self, level, found):
        note = found[5] or ""
        verdict = "fail" if found[2] == "not ok" else \
            "skip" if note.upper().startswith("SKIP") else "pass"
        if verdict == "fail":
            note = "; ".join(self._said[-3:] + [note]).strip("; ")
        self._said = []
        if level:
            self._inner.append((found[4], verdict, note))
        else:
            self._store(found[4], verdict, note)

    def _store(self, name, verdict, note):
        key, n = name, 1
        while key in self.results:
            n += 1
            key = f"{name}~{n}"
        self.results[key] = verdict
        self.notes[key] = note

    def _close(self, name, plan, count):
        """An outer result ends the list of its subtests."""
        if plan is not None or count:
            self._check_plan(name, plan, count)
            # The subtests stand for it, unless it failed for reasons of its own.
            if not (self.results[name] == "fail" and
                    all(v != "fail" for _, v, _ in self._inner)):
                del self.results[name]
        for sub, verdict, note in self._inner:
            self._store(f"{name}.{sub}", verdict, note)
        self._inner = []


def matches_any(patterns, name):
    return any(re.fullmatch(p, name) for p in patterns)


def judge_ktap(test, lines):
    """(reasons, note) from the guest's results."""
    reasons = []
    ktap = Ktap(lines)
    skips = (test.get("skips", "") + " " + test.get("more_skips", "")).split()
    fails = test.get("fails", "").split() + \
        [what for kind, what in test.get("faults", []) if kind == "guest"]
    if not ktap.ended and test.get("tests") != "guest":
        reasons.append("the guest's tests did not come to their end")
    reasons += ktap.errors
    count = {"pass": 0, "fail": 0, "skip": 0}
    for name, verdict in ktap.results.items():
        expected = matches_any(fails, name)
        if verdict == "fail" and not expected:
            reasons.append(f"guest test failed: {name} {ktap.notes[name]}".rstrip())
        elif verdict == "pass" and expected:
            reasons.append(f"guest test passed, listed as failing: {name}")
        elif verdict == "skip" and not matches_any(skips, name):
            reasons.append(f"guest test skipped: {name} ({ktap.notes[name]})")
        count[verdict] += 1
    if not count["pass"]:
        reasons.append("no guest test passed")
    note = f"guest: {count['pass']} passed"
    if count["fail"]:
        note += f", {count['fail']} failed"
    if count["skip"]:
        note += f", {count['skip']} skipped"
    return reasons, note


def read_ops(lines):
    """Rows of debugfs vmi/ops that the guest printed: number, name, sites,
    patched, count.  None where it printed none; the kernel may talk between."""
    if "# vmi ops begin" not in lines or "# vmi ops end" not in lines:
        return None
    return [m.groups() for m in map(OPS_ROW.match, lines) if m]


def judge_ops(test, lines):
    want_sites = int(test.get("min_ops_with_sites", 0))
    want_counted = int(test.get("min_ops_counted", 0))
    if not want_sites and not want_counted:
        return [], ""
    rows = read_ops(lines)
    if rows is None:
        return ["the guest printed no vmi/ops"], ""
    reasons = []
    sites = sum(int(row[2]) > 0 for row in rows)
    counted = sum(row[4] not in ("-", "0") for row in rows)
    if sites < want_sites:
        reasons.append(f"{sites} operations have sites, {want_sites} are wanted")
    if counted < want_counted:
        reasons.append(f"{counted} operations were counted, {want_counted} are wanted")
    return reasons, f"{sites} operations with sites, {counted} counted"


def troubles(lines, allow):
    """The lines that show some.  One of @allow, or FAIR_SERVER, is none, nor is the
    heading of the trace behind it."""
    explained = False
    for line in lines:
        if FAIR_SERVER.search(line) or any(re.search(a, line) for a in allow):
            explained = True
        elif explained and line == "Call Trace:":
            explained = False
        elif TROUBLE.search(line):
            yield line


def judge_text(test, lines):
    """Regular expressions over the console's lines."""
    reasons = []
    text = "\n".join(lines)
    faults = [what for kind, what in test.get("faults", []) if kind == "console"]
    allow = [s.strip() for s in test.get("allow", "").splitlines() if s.strip()] + faults
    for line in troubles(lines, allow):
        reasons.append(f"console: {line.strip()[:120]}")
    for pattern in faults:
        if not re.search(pattern, text):
            reasons.append(f"console lacks /{pattern}/, listed as a fault of Bochs")
    vmi = [line for line in lines if line.startswith("vmi: ")]
    if "vmi" in test:
        want = 1 if test["vmi"] == "yes" else 0
        if len(vmi) != want:
            reasons.append(f"{len(vmi)} lines start with 'vmi: ', {want} wanted")
    expect = [s.strip() for s in test.get("expect", "").splitlines() if s.strip()]
    for pattern in expect:
        if not re.search(pattern, text, re.MULTILINE):
            reasons.append(f"console lacks /{pattern}/")
    for pattern in filter(None, map(str.strip, test.get("refuse", "").splitlines())):
        found = re.search(pattern, text, re.MULTILINE)
        if found:
            reasons.append(f"console has /{pattern}/: {found[0][:80]}")
    return reasons


def judge(test, log_path, status, ended):
    """All reasons why the boot failed (none: it passed), and a note."""
    lines = read_lines(log_path)
    reasons = [ended] if ended else []
    tests = test.get("tests", "all")
    wanted = [int(s) for s in test.get("exit", "0").split()]
    if not ended and status not in wanted:
        reasons.append(f"the exit status is {status}")
    reasons += judge_text(test, lines)
    notes = []
    if tests != "none":
        more, note = judge_ktap(test, lines)
        reasons += more
        notes.append(note)
        if not ended and tests != "guest" and "reboot: Power down" not in lines:
            reasons.append("the guest did not power off")
    more, note = judge_ops(test, lines)
    return reasons + more, ", ".join(filter(None, notes + [note]))


def check_disk(disk, log_path):
    """The image after the guest: sound, and the files as the guest wrote them."""
    env = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    reasons = []
    done = subprocess.run(["e2fsck", "-fn", disk], env=env, capture_output=True, text=True)
    if done.returncode:
        reasons.append(f"e2fsck: exit status {done.returncode}: {done.stdout.strip()[-200:]}")
    sums = [re.search(r"# disk sha256 ([0-9a-f]{64}) (/\S+)$", line)
            for line in read_lines(log_path)]
    sums = [m for m in sums if m]
    if not sums:
        reasons.append("the guest wrote no file to its disk")
    for m in sums:
        with tempfile.NamedTemporaryFile() as f:
            subprocess.run(["debugfs", "-R", f"dump {m[2]} {f.name}", disk],
                           env=env, capture_output=True)
            with open(f.name, "rb") as copy:
                if hashlib.sha256(copy.read()).hexdigest() != m[1]:
                    reasons.append(f"disk: {m[2]} is not what the guest wrote")
    return reasons
