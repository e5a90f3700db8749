#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What stands on the VGA's screen, on a machine without a serial port.

Each row boots the monitor and waits until the screen, as its registers show it, has
a line for each of some patterns, in that order.  Screenshots go to build/logs/.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import proc    # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
MONITOR = "build/monitor.elf"
LINUX = ["-kernel", MONITOR, "-initrd", "build/bzImage console=tty0,build/initramfs.cpio.gz"]
CRTC = 0x3d4
TEXT, CELLS = 0xb8000, 0x4000
COLUMNS, ROWS = 80, 25

# name, seconds, arguments of QEMU, patterns of lines
TABLE = [
    ("refusal", 20, ["-kernel", MONITOR],
     [r"\*\*\* cannot boot: no kernel"]),
    ("no_long_mode", 20, ["-kernel", MONITOR, "-cpu", "qemu32"],
     [r"\*\*\* cannot boot: this processor has no 64-bit mode"]),
    # Its reason has not scrolled away.
    ("dump", 20, ["-kernel", MONITOR, "-initrd", "{work}/ud2"],
     [r"monitor: kernel at ", r"\*\*\* guest stopped: ", r"eip ", r"stack:"]),
    # Longer than the screen.
    ("scrolls", 20, ["-kernel", MONITOR, "-initrd", "{work}/ud2 " + "x" * 1990],
     [r"^x{80}$", r"\*\*\* guest stopped: ", r"stack:"]),
    ("linux", 90, LINUX, [r"Run /init as init process"]),
    ("grub", 90, ["-cdrom", "{work}/grub.iso"], [r"Run /init as init process"]),
]


class Qemu:
    """A machine with a VGA, and the prompt of QEMU's monitor."""

    PROMPT = b"(qemu) "

    def __init__(self, work, argv):
        path = f"{work}/monitor"
        self.p = proc.start(
            [os.environ.get("QEMU", "qemu-system-x86_64"), "-accel", "tcg", "-nodefaults",
             "-no-user-config", "-display", "none", "-vga", "std", "-m", "256M",
             "-monitor", f"unix:{path},server=on,wait=off", *argv],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        for _ in range(600):
            try:
                self.sock.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.1)
        self._answer()

    def _answer(self):
        got = b""
        while not got.endswith(self.PROMPT):
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            got += data
        return got.decode(errors="replace")

    def ask(self, command):
        self.sock.sendall(command.encode() + b"\n")
        return self._answer()

    def crtc(self, index):
        """A register of the VGA's; the guest may have it done meanwhile."""
        self.ask(f"o /b 0x{CRTC:x} {index}")
        return int(re.search(r"= (0x[0-9a-f]+)", self.ask(f"i /b 0x{CRTC + 1:x}"))[1], 16)

    def text(self, path):
        self.ask(f'pmemsave 0x{TEXT:x} {CELLS * 2} "{path}"')
        start = self.crtc(0x0c) << 8 | self.crtc(0x0d)
        with open(path, "rb") as f:
            cells = f.read()[::2]
        rows = (bytes(cells[(start + r * COLUMNS + c) % CELLS] for c in range(COLUMNS))
                for r in range(ROWS))
        return [r.decode("cp437").replace("\0", " ").rstrip() for r in rows]


def shows(lines, patterns):
    """Are there lines for all patterns, in order?"""
    left = iter(lines)
    return all(any(re.search(p, line) for line in left) for p in patterns)


def watch(name, seconds, argv, patterns):
    """Boots a row; returns the screen's lines, and whether they were what they must."""
    with tempfile.TemporaryDirectory(prefix="vmi-") as work:
        with open("build/guests/hostile.img", "rb") as f, open(f"{work}/ud2", "wb") as g:
            g.write(f.read(0x400) + b"\x0f\x0b" * 8192)
        if name == "grub":
            subprocess.run(["selftests/host/grub-image", "-m", MONITOR,
                            "-r", "build/initramfs.cpio.gz", f"{work}/grub.iso",
                            "build/bzImage", "console=tty0"], check=True)
        qemu = Qemu(work, [a.format(work=work) for a in argv])
        deadline = time.monotonic() + proc.scaled(seconds)
        lines, good = [], False
        try:
            while not good and time.monotonic() < deadline:
                time.sleep(0.5)
                lines = qemu.text(f"{work}/text")
                good = shows(lines, patterns)
            qemu.ask(f"screendump {TOP}/build/logs/screen-{name}.ppm")
        except (EOFError, OSError) as err:
            lines.append(f"QEMU has ended: {err!r}")
        finally:
            proc.stop(qemu.p)
    return lines, good


def main():
    os.chdir(TOP)
    rows = [r for r in TABLE if not sys.argv[1:] or r[0] in sys.argv[1:]]
    failed = 0
    print(f"KTAP version 1\n1..{len(rows)}")
    for n, row in enumerate(rows, 1):
        lines, good = watch(*row)
        failed += not good
        if not good:
            print("\n".join(f"# | {s}" for s in lines))
        print(f"{'ok' if good else 'not ok'} {n} {row[0]}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
