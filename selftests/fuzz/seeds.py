#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make the inputs that the fuzzers start from: seeds.py OUT FILE...

A FILE is NAME-SOMETHING.hex, an input of fuzzer NAME written in hexadecimal
with comments behind "#" and [N] for "fill with zeroes up to N bytes";
NAME.inputs, an input per line; emulate.insns, an instruction per line; or a
ROM image.  Inputs go to OUT/NAME/.
"""
import os
import re
import struct
import sys

STEP = 2048
TRAILER = 64    # see rom.c
CALL, JUMP, NOP = 1, 2, 3


def from_hex(path):
    data = bytearray()
    with open(path) as f:
        words = re.sub(r"#.*", "", f.read()).split()
    for word in words:
        fill = re.fullmatch(r"\[(\d+)\]", word)
        if fill:
            data += bytes(int(fill[1]) - len(data))
        elif word.startswith('"'):
            data += word.strip('"').encode()
        else:
            data += bytes.fromhex(word)
    return bytes(data)


def trailer(steps, answers=()):
    """Zeroes behind the window, an operation, (operation, type, offset)..."""
    data = bytes([steps, 28])
    for op, kind, offset in answers:
        data += bytes([op, kind]) + offset.to_bytes(4, "little")
    return data.ljust(TRAILER, b"\0")


def longer(rom, blocks):
    """The image with a length of so many blocks, its sum right again; the
    window's zeroes do not count."""
    image = bytearray(rom)
    image[28] = (image[28] + image[2] - blocks) & 255
    image[2] = blocks
    return bytes(image)


def from_rom(rom):
    answers = [(28, CALL, 256), (33, JUMP, 300), (23, NOP, 0), (96, CALL, 400)]
    padded = rom + bytes(-len(rom) % STEP)
    yield "alone", rom + trailer(0, answers)
    yield "followed", rom + trailer(3, answers)
    yield "second", bytes(STEP) + rom + trailer(1, answers)
    yield "twice", padded + rom + trailer(0, answers)
    yield "cut", rom[:-1] + trailer(0, answers)
    yield "long", longer(rom, 255) + trailer(63, answers)
    yield "too-long", longer(rom, 255) + trailer(1, answers)


def from_insn(code):
    """A guest about to execute it, see emulate.c; what its stack and operands
    are is the same all over its memory."""
    kernel = struct.pack("<5I", 0xc0400000, 0x11, 0x246, 0xc0500000, 0x18)
    program = struct.pack("<5I", 0x08048000, 0x23, 0x50212, 0xbffff000, 0x2b)
    lss = struct.pack("<5I", 0xc0600000, 0x18, 0, 0xc0700000, 0x39)
    ports = bytes(0x26) + struct.pack("<HI", 0x1068, 0x0)
    regs = struct.pack("<7I", 0x48, 0x18, 0xc0000044, 0x30, 0x3f8, 0xc0000080, 0x12345678)
    for n, memory in enumerate((kernel, program, lss, ports)):
        for bits, ip, hole in ((1, 0xc0100000, 15), (0x21, 0xc0100000, 14),
                               (0x7d, 0xc0101ff0 + n, 4)):
            yield f"{n}-{hole}", bytes([bits, 0]) + regs + \
                struct.pack("<II", 0xc0800000, ip) + memory.ljust(64, b"\0") + \
                code.ljust(15, b"\x90") + bytes([hole, 0, 3])
    yield "apic", bytes([1, 0]) + regs + struct.pack("<II", 0xc0800000, 0xc0100000) + \
        bytes(64) + code.ljust(15, b"\x90") + bytes([15, 3, 0x30])


def lines(path):
    with open(path) as f:
        for line in f:
            data = bytes.fromhex(line.partition("#")[0])
            if data:
                yield data


def write(out, fuzzer, name, data):
    os.makedirs(f"{out}/{fuzzer}", exist_ok=True)
    with open(f"{out}/{fuzzer}/{name}", "wb") as f:
        f.write(data)


def main():
    out, files = sys.argv[1], sys.argv[2:]
    for path in files:
        name, kind = os.path.splitext(os.path.basename(path))
        if kind == ".hex":
            fuzzer, _, what = name.partition("-")
            write(out, fuzzer, what, from_hex(path))
            continue
        if kind == ".inputs":
            for n, data in enumerate(lines(path)):
                write(out, name, f"{n:03}", data)
            continue
        if kind == ".insns":
            for code in lines(path):
                for what, data in from_insn(code):
                    write(out, name, f"{code.hex()}-{what}", data)
            continue
        with open(path, "rb") as f:
            rom = f.read()
        for what, data in from_rom(rom):
            write(out, "rom", f"{name}-{what}", data)


if __name__ == "__main__":
    main()
