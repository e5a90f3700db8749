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
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import bochs             # noqa: E402
import boot as vmboot    # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
DEBUG_EXIT = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
ENDED, LOST, FAILED = 1, 3, 5   # isa-debug-exit: 2 * what the guest wrote + 1
STOPPED, PANIC, HALTED = 0x41, 0x43, 0x47
PAGE = 4096
MEGS = 64
PHYS_BASE = 0xffff800000000000  # where the monitor has all memory
POISON = bytes.fromhex("dcbad00d") * 16
NO_END, WAITS, DEAF = -9, -100, -101    # killed; while the guest was running or halted;
                                # while QEMU itself did nothing but run a guest's timer
NAMES = {STOPPED: "stopped", PANIC: "the monitor stopped itself", 0: "reset",
         NO_END: "no end"}
CHUNK = 50000                   # random calls in one boot
LOOKS = 20                      # for an endless loop or halt
WALL = 20                       # seconds of the clock for one of the processor
IDLE = 3                        # seconds after which a machine may be halted for good


def symbols(path):
    out = subprocess.run(["nm", path], check=True, capture_output=True, text=True).stdout
    return {line.split()[2]: int(line.split()[0], 16) for line in out.splitlines()
            if len(line.split()) == 3}


class Monitor:
    """What of the monitor's memory is the same in every run."""

    def __init__(self, directory):
        with open(f"{directory}/image.bin", "rb") as f:
            image = f.read()
        place = symbols(f"{directory}/image.elf")
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


def stands(path):
    """What the machine at QEMU's monitor @path is doing: WAITS if it comes to run the
    guest's code, or is halted with interrupts on; NO_END if it stays in the monitor.
    A guest can set the APIC's timer so fast that QEMU never answers: DEAF."""
    seen = ""
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(path)
            for n in range(LOOKS):
                s.sendall(b"info registers\n")
                while len(re.findall(r"HLT=\d", seen)) <= n:
                    seen += s.recv(65536).decode(errors="replace")
                time.sleep(0.02)
    except TimeoutError:
        return DEAF
    looks = re.findall(r"FL=([0-9a-f]+).*CPL=(\d).*HLT=(\d)", seen)
    if any(cpl != "0" or (hlt == "1" and int(flags, 16) & 0x200)
           for flags, cpl, hlt in looks):
        return WAITS
    return NO_END


def seconds(p):
    """What a process has had of the processor: on a busy host time says little."""
    with open(f"/proc/{p.pid}/stat", encoding="ascii") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def watch(p, limit, path):
    """Wait for the end of QEMU, or until the guest's is not to be awaited any longer;
    returns the status."""
    end, used, idle = time.monotonic() + WALL * limit, -1, 0
    while p.poll() is None:
        now, before, used = time.monotonic(), used, seconds(p)
        if used >= limit or now >= end:
            return stands(path)
        if used != before:
            idle = now
        elif now - idle >= IDLE:
            if stands(path) == WAITS:
                return WAITS
            idle = now
        time.sleep(0.05)
    return p.returncode


def boot(args, words, work, log):
    """One boot; returns the exit status of QEMU and the console's lines."""
    argv = [os.environ.get("QEMU", "qemu-system-x86_64"), "-accel", "tcg",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-serial", "stdio", "-m", f"{MEGS}M", "-smp", str(args.smp), "-machine",
            "pc,memory-backend=ram", "-object",
            f"memory-backend-file,id=ram,size={MEGS}M,share=on,mem-path={work}/ram",
            "-monitor", f"unix:{work}/monitor,server=on,wait=off",
            "-kernel", args.monitor, "-initrd", f"{args.guest} {words}"] + DEBUG_EXIT
    if args.matrix:
        argv += ["-device", "edu"]
    if args.cpu:
        argv += ["-cpu", args.cpu]
    with open(f"{work}/console", "wb") as console:
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=console,
                             stderr=subprocess.STDOUT)
    status = watch(p, args.timeout, f"{work}/monitor")
    if p.returncode is None:
        p.kill()
        p.wait()
    with open(f"{work}/console", encoding="ascii", errors="replace") as console:
        text = console.read().replace("\r", "")
    log.write(f"--- {words}: {status}\n{text}")
    return status, text.split("\n")


def save_ram(machine, p, text, number, path):
    """Writes what is looked at of the memory of Bochs's machine to @path: the monitor's,
    by the monitor's own page tables, and the four bytes at @number."""
    place = re.search(r"monitor at ([0-9a-f]+)-([0-9a-f]+)", text)
    if not place:
        return
    start, end = int(place[1], 16), int(place[2], 16)
    with open(path, "wb") as f:
        f.truncate(MEGS << 20)
        for at, size in ((number, 4), (start, end - start)):
            f.seek(at)
            f.write(machine.read(p, PHYS_BASE + at, size))


def boot_in_bochs(args, words, work, log):
    """The same in Bochs, whose APIC's timer delivers no NMIs and which checks limits."""
    test = {"kernel": args.guest, "monitor": "yes", "monitor_elf": args.monitor,
            "tests": "guest", "append": f"{words} timer_nmi=0 limits=1", "mem": f"{MEGS}M",
            "smp": str(args.smp)}
    if args.cpu:
        test["cpu"] = args.cpu
    path = f"{work}/bochs"
    os.mkdir(path)
    vmboot.make_grub_image(test, path, None)
    machine = bochs.Machine(test, path)
    p = machine.start(subprocess.Popen)
    with open(f"{work}/console", "wb") as console:
        late = vmboot.follow(p, console, args.timeout, False, None, machine)
    status = machine.trouble or machine.exit
    if late and not machine.trouble:
        status = WAITS if machine.runs_guest(p, LOOKS) else NO_END
    with open(f"{work}/console", encoding="ascii", errors="replace") as console:
        text = console.read()
    try:
        if not machine.trouble:
            save_ram(machine, p, text, args.number, f"{work}/ram")
    finally:
        p.kill()
        p.wait()
    shutil.rmtree(path)
    log.write(f"--- {words}: {status} {late}\n{text}")
    return status, text.split("\n")


class Run:
    """Boots until all cases have ended."""

    def __init__(self, args):
        self.args = args
        self.boot = boot_in_bochs if args.bochs else boot
        self.monitor = Monitor(args.image)
        args.number = symbols(re.sub("img$", "elf", args.guest))["call_number"]
        self.results = []       # name, why it failed or None, note
        self.stops = self.waits = self.deaf = self.panics = 0
        self.known = [what for kind, what in bochs.faults("hostile") if kind == "panic"]
        self.start = self.made = 0      # random calls: where this boot begins, all

    def end(self):
        return min(self.start + CHUNK, self.args.calls)

    def own_fault(self, status):
        """Whether Bochs ended itself, in a way that selftests/host/bochs-faults has."""
        return isinstance(status, str) and any(re.search(k, status) for k in self.known)

    def outside(self, ram_path, lines):
        if self.args.bochs and not os.path.exists(ram_path):
            return None         # it is gone, and that has its own result
        place = re.search(r"monitor at ([0-9a-f]+)-([0-9a-f]+)", "\n".join(lines))
        if not place:
            return "the monitor did not start"
        with open(ram_path, "rb") as f, \
                mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as ram:
            return self.monitor.look(ram, int(place[1], 16), int(place[2], 16))

    def read_calls(self, case, why, status, printed, ram_path):
        """The same for a boot that came to the random calls, the last case.  They may
        hurt the guest itself: the next boot goes on behind the one that did."""
        end = self.end()
        if why is None and status not in (ENDED, FAILED):
            number = printed
            if os.path.exists(ram_path):
                with open(ram_path, "rb") as f:
                    f.seek(self.args.number)
                    number = struct.unpack("<I", f.read(4))[0]
            # It may have been written to; what was printed is there in any case.
            end = 1 + (number if printed <= number < end else printed)
            if self.own_fault(status):
                self.panics += 1
            elif status not in (STOPPED, LOST, WAITS, DEAF):
                why = NAMES.get(status, f"exit status {status}")
        self.made += end - self.start
        self.start = end
        self.waits += status == WAITS
        self.deaf += status == DEAF
        if why is None and end < self.args.calls:
            return f"first={case[0]}"
        self.results.append((case[1], why, f"{self.made} calls; {self.waits} boots ended in an endless "
                             f"loop or halt, {self.deaf} in a timer too fast for QEMU, "
                             f"{self.panics} in an end of Bochs itself"))
        return None

    def read(self, lines, status, ram_path):
        """Results of one boot; returns the words for the next, None at the end."""
        case, done, why, printed = None, False, None, self.start
        for line in lines:
            if m := re.match(r"# case (\d+) (\S+) (\S+)", line):
                case, done, why = m.groups(), False, None
            elif m := re.match(r"# calls (\d+)", line):
                printed = int(m[1])
            elif m := re.match(r"(ok|not ok) \d+ (\S+)", line):
                done = True
                why = "the guest got through" if m[1] != "ok" else \
                    "it was not stopped" if case[2] == "stops" else None
                if m[2] != "random_calls":
                    self.results.append((m[2], why, "lives"))
        reasons = [m[1] for line in lines
                   if (m := re.match(r"\*\*\* guest (?:stopped|halted): (.*)", line))]
        self.stops += bool(reasons)
        if status == HALTED and reasons:
            status = STOPPED    # as it wanted to be
        if status == STOPPED and not reasons:
            status = None       # without a dump
        if case and case[1] == "random_calls":
            return self.read_calls(case, why, status, printed, ram_path)
        if status == ENDED and "# again" in lines:
            return f"first={int(case[0]) + 1}"
        if status in (ENDED, FAILED) and "# cases end" in lines:
            if case and not done:
                self.results.append((case[1], "its result is not to be read", ""))
            return None
        if case is None or done:
            self.results.append(("boot", NAMES.get(status, f"exit status {status}"), ""))
            return None
        note = f"stopped: {reasons[0]}" if reasons else ""
        if self.own_fault(status):
            note = f"SKIP {status}"
        elif status != STOPPED:
            why = NAMES.get(status, f"exit status {status}")
        elif case[2] == "lives":
            why = note
        self.results.append((case[1], why, note))
        return f"first={int(case[0]) + 1}"

    def run(self, log):
        a = self.args
        words, only = f"first={a.first}", a.only is not None
        with tempfile.TemporaryDirectory(prefix="vmi-") as work:
            if only:
                _, lines = self.boot(a, f"list=1 matrix={a.matrix} vmi={a.vmi}", work, log)
                numbers = [line.split()[2] for line in lines
                           if re.match(rf"# case \d+ {a.only} ", line)]
                if not numbers:
                    sys.exit(f"hostile: no case {a.only}")
                words = f"only={numbers[0]}"
            while words:
                words += f" smp={a.smp} vmi={a.vmi} matrix={a.matrix} seed={a.seed}" \
                    f" from={self.start} calls={self.end()}"
                status, lines = self.boot(a, words, work, log)
                words = self.read(lines, status, f"{work}/ram")
                if trouble := self.outside(f"{work}/ram", lines):
                    self.results.append(("memory", trouble, ""))
                if os.path.exists(f"{work}/ram"):
                    os.unlink(f"{work}/ram")
                if only and words:
                    words = f"only={numbers[0]}" if words == f"first={numbers[0]}" else None

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
    parser.add_argument("--bochs", action="store_true", help="in Bochs, not in QEMU")
    parser.add_argument("--vmi", type=int, default=0, help="1: vmi_init first")
    parser.add_argument("--matrix", type=int, default=0,
                        help="interrupt vectors instead: 1: some, 2: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=100000)
    parser.add_argument("--first", type=int, default=0, help="case to begin with")
    parser.add_argument("--only", metavar="NAME", help="one case")
    parser.add_argument("--timeout", type=float, default=120,
                        help="of a boot, seconds of the processor; in Bochs, of the clock")
    parser.add_argument("--log", default="build/logs/hostile-consoles.log")
    args = parser.parse_args()
    if args.bochs and args.matrix:
        parser.error("Bochs has none of the matrix's device")
    os.chdir(TOP)
    os.makedirs(os.path.dirname(args.log), exist_ok=True)
    run = Run(args)
    with open(args.log, "w", encoding="utf-8") as log:
        run.run(log)
    return 1 if run.report() else 0


if __name__ == "__main__":
    sys.exit(main())
