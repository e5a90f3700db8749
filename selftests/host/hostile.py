#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs the hostile guest on the monitor, case by case, and prints KTAP.

The guest goes through its cases in one boot; where the monitor stops it, the
next boot goes on behind that case.  After every boot the machine's memory,
which QEMU keeps in a file, is looked through from outside: the monitor's code
and constants must be those of its image, and what the guest wrote to the
monitor's frames must be in one page of scratch and nowhere else.
"""

import argparse
import mmap
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
DEBUG_EXIT = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
ENDED, LOST, FAILED = 1, 3, 5   # isa-debug-exit: 2 * what the guest wrote + 1
STOPPED, PANIC = 0x41, 0x43
PAGE = 4096
POISON = bytes.fromhex("dcbad00d") * 16
NAMES = {STOPPED: "stopped", PANIC: "the monitor stopped itself", 0: "reset",
         -9: "no end"}


class Monitor:
    """What of the monitor's memory is the same in every run."""

    def __init__(self, directory):
        with open(f"{directory}/image.bin", "rb") as f:
            image = f.read()
        out = subprocess.run(["nm", f"{directory}/image.elf"], check=True,
                             capture_output=True, text=True).stdout
        place = {line.split()[2]: int(line.split()[0], 16) for line in out.splitlines()
                 if len(line.split()) == 3}
        base = place["_image_start"]
        self.constant = image[:place["_rodata_end"] - base]
        self.scratch = place["scratch"] - base

    def look(self, ram, start, end):
        """What is wrong in the memory @start to @end of a machine's RAM."""
        got = ram[start:start + len(self.constant)]
        for i in range(0, len(got), 16):
            if got[i:i + 16] != self.constant[i:i + 16]:
                return f"the monitor's code or constants changed at +0x{i:x}"
        at = ram.find(POISON, start, end)
        while at >= 0:
            if at - start & -PAGE != self.scratch:
                return f"the guest wrote into the monitor at +0x{at - start:x}"
            at = ram.find(POISON, start + self.scratch + PAGE, end)
        return None


def boot(args, words, ram_path, log):
    """One boot; returns QEMU's exit status and the console's lines."""
    argv = [os.environ.get("QEMU", "qemu-system-x86_64"), "-accel", "tcg",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-serial", "stdio", "-m", "64M", "-smp", str(args.smp), "-machine",
            "pc,memory-backend=ram", "-object",
            f"memory-backend-file,id=ram,size=64M,share=on,mem-path={ram_path}",
            "-kernel", args.monitor, "-initrd", f"{args.guest} {words}"] + DEBUG_EXIT
    if args.cpu:
        argv += ["-cpu", args.cpu]
    scale = float(os.environ.get("VMI_TIMEOUT_SCALE", "1"))
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    try:
        out = p.communicate(timeout=args.timeout * scale)[0]
    except subprocess.TimeoutExpired:
        p.kill()
        out = p.communicate()[0]
    text = out.decode(errors="replace").replace("\r", "")
    log.write(f"--- {words}: {p.returncode}\n{text}")
    return p.returncode, text.split("\n")


class Run:
    """Boots until all cases have ended."""

    def __init__(self, args):
        self.args = args
        self.monitor = Monitor(args.image)
        self.results = []       # name, why it failed or None, note
        self.stops = 0

    def outside(self, ram_path, lines):
        place = re.search(r"monitor at ([0-9a-f]+)-([0-9a-f]+)", "\n".join(lines))
        if not place:
            return "the monitor did not start"
        with open(ram_path, "rb") as f, \
                mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as ram:
            return self.monitor.look(ram, int(place[1], 16), int(place[2], 16))

    def read(self, lines, status):
        """Results of one boot; returns the words for the next, None at the end."""
        case, done, calls = None, False, 0
        for line in lines:
            if m := re.match(r"# case (\d+) (\S+) (\S+)", line):
                case, done = m.groups(), False
            elif m := re.match(r"# calls (\d+)", line):
                calls = int(m[1])
            elif m := re.match(r"(ok|not ok) \d+ (\S+)", line):
                done = True
                why = "the guest got through" if m[1] != "ok" else \
                    "it was not stopped" if case[2] == "stops" else None
                self.results.append((m[2], why, "lives"))
        if status in (ENDED, FAILED) and "# cases end" in lines:
            if case and not done:
                self.results.append((case[1], "its result is not to be read", ""))
            return None
        if case is None or done:
            self.results.append(("boot", NAMES.get(status, f"exit status {status}"), ""))
            return None
        dump = any(line.startswith("*** guest stopped: ") for line in lines)
        reason = [line[19:] for line in lines if line.startswith("*** guest stopped: ")]
        if case[1] == "random_calls" and status == LOST:
            why = None          # it has hurt itself
        elif status != STOPPED or not dump:
            why = NAMES.get(status, f"exit status {status}")
        else:
            why = f"stopped: {reason[0]}" if case[2] == "lives" else None
        self.stops += status == STOPPED
        if case[1] == "random_calls" and not why:
            # The rest of the calls, behind those that this boot made.
            self.args.start = calls + 4096
            if self.args.start < self.args.calls:
                return f"first={case[0]} from={self.args.start}"
        self.results.append((case[1], why, f"stopped: {reason[0]}" if reason else ""))
        return f"first={int(case[0]) + 1}"

    def run(self, log):
        a = self.args
        words, fixed = f"first={a.first}", f"vmi={a.vmi} seed={a.seed} calls={a.calls}"
        with tempfile.TemporaryDirectory(prefix="vmi-") as work:
            ram = f"{work}/ram"
            if a.only is not None:
                _, lines = boot(a, "list=1", ram, log)
                numbers = [line.split()[2] for line in lines
                           if re.match(rf"# case \d+ {a.only} ", line)]
                if not numbers:
                    sys.exit(f"hostile: no case {a.only}")
                words = f"only={numbers[0]}"
            while words:
                status, lines = boot(a, f"{fixed} {words}", ram, log)
                words = self.read(lines, status)
                if trouble := self.outside(ram, lines):
                    self.results.append(("memory", trouble, ""))
                os.unlink(ram)
                if a.only is not None:
                    if "from=" not in (words or ""):
                        break
                    words = words.replace("first=", "only=")

    def report(self):
        failed = 0
        print(f"KTAP version 1\n1..{len(self.results)}")
        for n, (name, why, note) in enumerate(self.results, 1):
            failed += why is not None
            print(f"{'not ok' if why else 'ok'} {n} {name} # {why or note}")
        print(f"# the monitor stopped the guest {self.stops} times")
        return failed or not self.results


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--monitor", default="build/monitor.elf")
    parser.add_argument("--image", default="build/monitor", help="where image.bin is")
    parser.add_argument("--guest", default="build/guests/hostile.img")
    parser.add_argument("--smp", type=int, default=1)
    parser.add_argument("--cpu")
    parser.add_argument("--vmi", type=int, default=0, help="1: vmi_init first")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=100000)
    parser.add_argument("--first", type=int, default=0, help="case to begin with")
    parser.add_argument("--only", metavar="NAME", help="one case")
    parser.add_argument("--timeout", type=float, default=120, help="of a boot, seconds")
    parser.add_argument("--log", default="build/logs/hostile-consoles.log")
    args = parser.parse_args()
    os.chdir(TOP)
    os.makedirs(os.path.dirname(args.log), exist_ok=True)
    run = Run(args)
    with open(args.log, "w", encoding="utf-8") as log:
        run.run(log)
    return 1 if run.report() else 0


if __name__ == "__main__":
    sys.exit(main())
