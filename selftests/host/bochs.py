# SPDX-License-Identifier: GPL-2.0-only
"""Boots in Bochs, for the tests of kind bochs.

A second processor model: it checks segment limits, refuses registers that it does
not have and raises SSE exceptions, where QEMU's software emulation does not.

Bochs knows no exit status of a guest's.  A stand-alone guest and the monitor say
theirs in the last line on the console; a machine that is switched off or reset is
seen in Bochs's own log.
"""

import os
import pty
import re
import signal
import subprocess
import threading
import time

import proc

SHARE = "/usr/share/bochs"
FAULTS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "bochs-faults")

# What is written when nothing at the exit port has ended the machine.
LAST = re.compile(r"^(?:# exit|monitor: end,) status (?:0x)?([0-9a-f]+)$")
OFF = "ACPI control: soft power off"
RESET = re.compile(r"Reset\((?:HARDWARE|SOFTWARE)\) called")
PROMPT = re.compile(r"<bochs:\d+> ")
PLACE = re.compile(r"^\(\d+\) \[\w+\] ([0-9a-f]+):([0-9a-f]+) ", re.MULTILINE)
FLAGS = re.compile(r"flags 0x([0-9a-f]+)")
PANIC = re.compile(r">>PANIC<< (.*)")

BOCHS = "bochs-bin"
MODEL = "corei7_haswell_4770"
ROMS, ROM_STEP = 0xd0000, 0x8000    # where option ROMs are

# Instructions in a second of the guest's.  The host does some 100 million; delays
# of firmware and kernel take the less time the less this is.
SPEED = 20_000_000

CONFIG = """\
config_interface: textconfig
display_library: term
romimage: file={share}/BIOS-bochs-latest
vgaromimage: file={share}/VGABIOS-lgpl-latest
megs: {megs}
cpu: model={cpu}, count={smp}, ips={speed}, quantum=16, reset_on_triple_fault=0, ignore_bad_msrs=0{msrs}
clock: sync=none, time0=utc
ata0-master: type=cdrom, path={work}/grub.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={work}/console
sound: driver=dummy
speaker: enabled=1, mode=none
log: {work}/bochs.log
panic: action=fatal
error: action=ignore
info: action=report
debug: action=ignore
"""


def megabytes(size):
    return int(size[:-1]) * {"M": 1, "G": 1024}[size[-1]]


def faults(name):
    """What in test @name is Bochs's own fault, rows of its second and third columns."""
    with open(FAULTS) as f:
        rows = [re.split(r"\t+", line, maxsplit=3) for line in f
                if line.strip() and not line.startswith("#")]
    return [(kind, what) for test, kind, what, _ in rows if re.fullmatch(test, name)]


class Machine:
    """One run of Bochs.  @work has grub.iso, and gets all that Bochs writes."""

    def __init__(self, test, work, roms=()):
        self.work = work
        self.log = self.screen = None
        self.rest = self.said = ""
        self.stopped = False    # by the debugger
        self.resets = -1        # the first is the start
        self.exit = None        # its exit status, as QEMU would have it
        self.trouble = None     # or why it has none
        with open(f"{work}/bochsrc", "w") as f:
            f.write(CONFIG.format(
                share=SHARE, work=work, msrs=self._msrs(test.get("msrs", "").split()),
                smp=test.get("smp", "1"), megs=megabytes(test.get("mem", "256M")),
                speed=test.get("speed", SPEED), cpu=test.get("cpu", MODEL)))
            for n, rom in enumerate(roms):
                f.write(f"optromimage{n + 1}: file={rom}, address={ROMS + n * ROM_STEP:#x}\n")
        # Debian's Bochs has its debugger built in, which waits to be told to go on.
        with open(f"{work}/debugger", "w") as f:
            f.write("c\n")

    def _msrs(self, numbers):
        """Registers that the model lacks: 0 after reset, no bits reserved or ignored."""
        if not numbers:
            return ""
        with open(f"{self.work}/msrs", "w") as f:
            f.writelines(f"{n} 0{6 * ' 00000000'}\n" for n in numbers)
        return f", msrs={self.work}/msrs"

    def start(self, start=proc.start):
        """The process; its stdout is the guest's console."""
        console = f"{self.work}/console"
        os.mkfifo(console)
        reader = os.fdopen(os.open(console, os.O_RDONLY | os.O_NONBLOCK), "rb")
        self.screen, terminal = pty.openpty()
        p = start(["env", "TERM=vt100", BOCHS, "-q", "-f", f"{self.work}/bochsrc",
                   "-rc", f"{self.work}/debugger"],
                  stdin=terminal, stdout=terminal, stderr=subprocess.STDOUT)
        os.close(terminal)
        p.stdout = reader
        threading.Thread(target=self._drain, daemon=True).start()
        return p

    def _drain(self):
        """Nobody looks at the screen, but for what the debugger says last."""
        try:
            while data := os.read(self.screen, 65536):
                self.said = (self.said + data.decode(errors="replace"))[-4096:]
        except OSError:
            pass                # Bochs has ended
        os.close(self.screen)

    def _ask(self, p, seconds, words=""):
        """What the debugger says to @words, or as it stops the machine."""
        self.said = ""
        if words:
            os.write(self.screen, words.encode() + b"\n")
        else:
            os.kill(p.pid, signal.SIGINT)
            self.stopped = True
        end = time.monotonic() + seconds
        while not PROMPT.search(self.said) and time.monotonic() < end:
            time.sleep(0.02)
        return self.said

    def runs_guest(self, p, looks):
        """Whether the machine is seen in ring 1 to 3, or halted with interrupts on."""
        places = []
        for _ in range(looks):
            place = PLACE.search(self._ask(p, 10))
            flags = FLAGS.search(self._ask(p, 10, "r"))
            if not place or not flags:
                return False
            if int(place[1], 16) & 3:
                return True
            places.append((place[2], int(flags[1], 16) & 0x200))
            os.write(self.screen, b"c\n")
            self.stopped = False
            time.sleep(0.05)
        return len(set(places)) == 1 and places[0][1] != 0

    def read(self, p, linear, size):
        """@size bytes of memory, at an address that the page tables of now map."""
        path = f"{self.work}/memory-{linear:x}"
        if not self.stopped:
            self._ask(p, 60)
        self._ask(p, 60, f'writemem "{path}" {linear:#x} {size}')
        with open(path, "rb") as f:
            data = f.read()
        if len(data) != size:
            raise OSError(f"Bochs read {len(data)} of {size} bytes at {linear:#x}")
        return data

    def over(self, text=""):
        """Whether the machine's end is in a line @text of its console or in Bochs's log."""
        last = LAST.match(text)
        if last:
            self.exit = 2 * int(last[1], 16) + 1
        if not self.log and os.path.exists(f"{self.work}/bochs.log"):
            self.log = open(f"{self.work}/bochs.log", errors="replace")
        *lines, self.rest = (self.rest + (self.log.read() if self.log else "")).split("\n")
        for line in lines:
            self.resets += bool(RESET.search(line))
            panic = PANIC.search(line)
            if self.exit is None and (self.resets > 0 or (panic and panic[1] == OFF)):
                self.exit = 0
            elif panic:
                self.trouble = f"Bochs: {panic[1]}"
        return self.exit is not None or self.trouble is not None
