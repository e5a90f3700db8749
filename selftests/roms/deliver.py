#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Do the damaged ROMs reach the guest as meant?  deliver.py ROMDIR ROMDUMP

Boots the stand-alone guest ROMDUMP (romdump.img) with every damaged ROM and
compares what it finds in the window with what damage.py wanted there, and the
reason that the kernel's checks give with the one expected.  KTAP.
"""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True      # nothing beside the sources
import damage                       # noqa: E402

QEMU = "qemu-system-x86_64 -accel tcg -m 64 -display none -no-reboot".split() + \
    "-serial stdio -monitor none -device isa-debug-exit,iobase=0xf4,iosize=4".split()
SECONDS = 60


def boot(romdump, images):
    """The images found, in the order of their addresses, and the log's line."""
    command = QEMU + ["-kernel", romdump]
    for image in images:
        command += ["-option-rom", image]
    run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS,
                         stdin=subprocess.DEVNULL, check=False)
    lines = run.stdout.split("\n")
    if "end" not in map(str.strip, lines):
        raise RuntimeError(f"romdump did not finish: {run.stderr[-200:]}")
    found, verdict = [], ""
    for words in map(str.split, lines):
        if words[:1] == ["rom"]:
            found.append(bytearray())
        elif words[:1] == ["hex"]:
            found[-1] += bytes.fromhex(words[1])
        elif words[:1] == ["vmi:"]:
            verdict = " ".join(words)
    return found, verdict


def changed_by_init(romdir, romdump):
    """Offsets that trace.rom's 16-bit init writes to."""
    path = os.path.join(romdir, "trace.rom")
    with open(path, "rb") as file:
        good = file.read()
    (seen,), verdict = boot(romdump, [path])
    assert "accepted" in verdict
    assert sum(seen[:len(good)]) % 256 == 0
    return {at for at, byte in enumerate(good) if seen[at] != byte}


def differs(want, seen, ignore):
    """The first offset that is wrong, None if none is."""
    for at, byte in enumerate(want):
        if seen[at] != byte and at not in ignore:
            return at
    return None


def check(row, found, verdict, changed):
    """Empty if what the guest sees is what the row wants, else what is not."""
    wanted = [rom.delivered() for rom in row.roms] if row.copied else []
    wanted = [image for image in wanted
              if image[damage.VROM_SIGNATURE:][:4] == b"cVmi"]
    if row.name == "nested":            # seen a second time, from its start
        wanted.append(wanted[0][damage.STEP:])
    if len(found) != len(wanted):
        return f"{len(found)} ROMs, not {len(wanted)}"
    # QEMU decides on the order of several ROMs.
    for image in wanted:
        ignore = changed if b"trace ROM" in image else ()
        if all(differs(image, seen, ignore) is not None for seen in found):
            return f"offset {differs(image, found[0], ignore)} differs"
    # What is wrong only as an answer to the kernel is a good image, and so is what
    # keeps addresses: the guest has nothing there.
    good = row.line.startswith(("vmi: trace ROM", "vmi: null ROM")) or \
        "keeps linear" in row.line
    line = "vmi: .* accepted" if good else row.line
    return "" if re.match(line, verdict) else verdict


def main(romdir, romdump):
    damage.main(romdir)
    rows = damage.table(romdir)
    changed = changed_by_init(romdir, romdump)
    failed = 0
    print(f"KTAP version 1\n1..{len(rows)}")
    for number, row in enumerate(rows, 1):
        images = [os.path.join(romdir, "damaged", name + ".rom") for name in row.files]
        wrong = check(row, *boot(romdump, images), changed)
        if wrong:
            failed += 1
            print(f"# {wrong}")
        print(f"{'not ' if wrong else ''}ok {number} {row.name}", flush=True)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
