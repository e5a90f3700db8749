#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Boots the monitor with damaged images and modules, too little memory, too old a processor.

Each row: one clear line on the console and the right exit status, no more.
The kernel is the hostile guest with none of its cases: it boots in no time.
"""

import os
import re
import struct
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
GUEST = "build/guests/hostile.img"
WORDS = "first=100000"
REFUSED, STOPPED, RUNS = 0x45, 0x41, 1
NO_KERNEL = "cannot boot: the first module is no bzImage"
NO_PLACE = "cannot boot: no memory where the kernel wants to be"
NO_LONG_MODE = "cannot boot: this processor has no 64-bit mode"
OLD = "cannot boot: the first module is no bzImage of boot protocol 2.02 or later"
NO_ROOM = "cannot boot: not enough memory for a kernel of "
NO_MONITOR = "cannot boot: not enough memory: "


def put(offset, form, *values):
    """A change of the image: values at an offset."""
    def change(image):
        struct.pack_into(form, image, offset, *values)
        return image
    return change


def cut(size):
    return lambda image: image[:size]


def old_header(version):
    """A header of an older protocol: what it does not have yet is no address."""
    def change(image):
        struct.pack_into("<H", image, 0x206, version)
        struct.pack_into("<QI", image, 0x258, 1 << 40, 0xfffff000)
        if version < 0x203:
            struct.pack_into("<I", image, 0x22c, 0)
        return image
    return change


def kernel_64(image):
    """A protocol that has xloadflags, and there: 64-bit entry point."""
    return put(0x236, "<H", 1)(put(0x206, "<H", 0x20c)(image))


# name, memory in MB, change of the kernel or None, size of the ramdisk or None,
# exit status, what the console says
ROWS = [
    ("intact", 64, bytearray, None, RUNS, "# cases end"),
    *((f"cpu_{cpu}", 64, bytearray, None, REFUSED, NO_LONG_MODE)
      for cpu in ("qemu32", "coreduo", "pentium3", "486")),
    ("no_module", 64, None, None, REFUSED, "cannot boot: no kernel"),
    ("empty_kernel", 64, cut(1), None, REFUSED, NO_KERNEL),
    ("text_file", 64, lambda i: b"kernel\n" * 4000, None, REFUSED, NO_KERNEL),
    ("no_magic", 64, put(0x202, "<I", 0), None, REFUSED, NO_KERNEL),
    # Without an address and a size in the header: at 1 MB.
    ("protocol_2.09", 64, old_header(0x209), None, RUNS, "# cases end"),
    ("protocol_2.02", 64, old_header(0x202), 1 << 20, RUNS, "# cases end"),
    ("protocol_2.01", 64, old_header(0x201), None, REFUSED, OLD),
    ("zimage", 64, put(0x211, "<B", 0), None, REFUSED, OLD),
    ("kernel_64", 64, kernel_64, None, REFUSED,
     "cannot boot: the first module is a 64-bit kernel"),
    ("short_kernel", 64, cut(0x400), None, REFUSED, NO_KERNEL),
    ("setup_sects", 64, put(0x1f1, "<B", 255), None, REFUSED,
     "cannot boot: the kernel is shorter than its setup code"),
    ("init_size_huge", 64, put(0x260, "<I", 0xfffff000), None, REFUSED, NO_PLACE),
    ("init_size_zero", 64, put(0x260, "<I", 0), None, RUNS, "# cases end"),
    ("address_high", 64, put(0x258, "<Q", 1 << 40), None, REFUSED, NO_PLACE),
    ("address_wraps", 64, put(0x258, "<Q", -4096 & (1 << 64) - 1), None, REFUSED, NO_PLACE),
    ("address_low", 64, put(0x258, "<Q", 0x1000), None, REFUSED, NO_PLACE),
    ("address_monitor", 64, put(0x258, "<Q", 0x3c00000), None, REFUSED, NO_PLACE),
    ("header_long", 64, put(0x201, "<B", 255), None, RUNS, "# cases end"),
    ("payload_ud2", 64, lambda i: i[:0x400] + b"\x0f\x0b" * 8192, None, STOPPED,
     "guest stopped: "),
    ("ramdisk", 64, bytearray, 1 << 20, RUNS, "# cases end"),
    ("ramdisk_empty", 64, bytearray, 0, RUNS, "# cases end"),
    ("ramdisk_large", 64, bytearray, 40 << 20, RUNS, "# cases end"),
    ("ramdisk_too_large", 64, bytearray, 59 << 20, REFUSED, NO_MONITOR),
    ("ramdisk_nowhere", 64, put(0x22c, "<I", 0x1fffff), 3 << 20, REFUSED, NO_ROOM),
    ("modules_3", 64, bytearray, 4096, REFUSED, "cannot boot: 3 modules: "),
    ("words_2047", 64, bytearray, None, RUNS, "# cases end"),
    ("words_2048", 64, bytearray, None, REFUSED,
     "cannot boot: the kernel's command line is longer than 2047 bytes"),
    ("memory_4M", 4, bytearray, None, REFUSED, NO_MONITOR),
    ("memory_8M", 8, bytearray, None, RUNS, "# cases end"),
    ("memory_16M", 16, bytearray, None, RUNS, "# cases end"),
]


def boot(work, name, memory, change, ramdisk):
    argv = [os.environ.get("QEMU", "qemu-system-x86_64"), "-accel", "tcg", "-nodefaults",
            "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-m", f"{memory}M", "-kernel", "build/monitor.elf",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    if name.startswith("cpu_"):
        argv += ["-cpu", name[4:]]
    if change:
        with open(GUEST, "rb") as f:
            image = change(bytearray(f.read()))
        with open(f"{work}/kernel", "wb") as f:
            f.write(image)
        words = WORDS
        if name.startswith("words_"):
            words += " ".ljust(int(name[6:]) - len(words), "x")
        modules = f"{work}/kernel {words}"
        if ramdisk is not None:
            with open(f"{work}/ramdisk", "wb") as f:
                f.truncate(ramdisk)
            modules += f",{work}/ramdisk"
            if name == "modules_3":
                modules += f",{work}/ramdisk"
        argv += ["-initrd", modules]
    scale = float(os.environ.get("VMI_TIMEOUT_SCALE", "1"))
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60 * scale)
    except subprocess.TimeoutExpired as err:
        return None, (err.stdout or b"").decode(errors="replace")
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def judge(status, text, wanted, line):
    if status != wanted:
        return f"exit status {status}, not {wanted}"
    if line not in text:
        return f"the console lacks '{line}'"
    if wanted == REFUSED and len(re.findall(r"\*\*\*", text)) != 1:
        return "not one line says why"
    return None


def main():
    os.chdir(TOP)
    rows = [r for r in ROWS if not sys.argv[1:] or r[0] in sys.argv[1:]]
    failed = 0
    print(f"KTAP version 1\n1..{len(rows)}")
    with tempfile.TemporaryDirectory(prefix="vmi-") as work:
        for n, (name, memory, change, ramdisk, wanted, line) in enumerate(rows, 1):
            status, text = boot(work, name, memory, change, ramdisk)
            why = judge(status, text, wanted, line)
            failed += why is not None
            if why:
                print("\n".join(f"# | {s.rstrip()}" for s in text.split("\n")[-12:]))
            print(f"{'not ok' if why else 'ok'} {n} {name}{' # ' + why if why else ''}",
                  flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
