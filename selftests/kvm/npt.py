#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make a KVM that can use nested paging on an emulated processor: npt.py IN OUT

When a PAE guest's tables are walked below nested paging, QEMU's SVM emulation
sets the accessed bit in the guest's four page-directory pointers.  There it is
a reserved bit, no real processor sets it, and KVM answers the guest's next
write to CR0 or CR4 with #GP.  IN is Debian's kvm.ko.  In OUT load_pdptrs()
does not look at that bit; nothing else differs.  Status 1 and a reason if the
function does not look as expected.
"""
import re
import struct
import subprocess
import sys

# or $imm32, %reg of what must be zero: bits 8 to 5 and 2 to 1
RESERVED = re.compile(rb"[\x48\x49]\x81[\xc8-\xcf]\xe6\x01\x00\x00", re.DOTALL)
ACCESSED = 1 << 5
MAGIC = b"~Module signature appended~\n"


def unsigned(image):
    """@image without its signature, which cannot be right any more."""
    if not image.endswith(MAGIC):
        return image
    info = len(image) - len(MAGIC) - 12
    size, = struct.unpack_from(">I", image, info + 8)
    return image[:info - size]


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def find_function(path, name):
    """File offset and size of a function of section .text."""
    symbol = re.search(rf"^(\w+) (\w+) T {name}$", output("nm", "-S", path), re.M)
    text = re.search(r" \.text +PROGBITS +(\w+) (\w+)", output("readelf", "-SW", path))
    if not symbol or not text:
        sys.exit(f"npt.py: {path} has no {name}")
    start = int(symbol[1], 16) - int(text[1], 16) + int(text[2], 16)
    return start, int(symbol[2], 16)


def main(source, target):
    with open(source, "rb") as file:
        image = bytearray(unsigned(file.read()))
    start, size = find_function(source, "load_pdptrs")
    found = list(RESERVED.finditer(image, start, start + size))
    if len(found) != 1:
        sys.exit(f"npt.py: {len(found)} tests of reserved bits in load_pdptrs, not 1")
    image[found[0].start() + 3] &= ~ACCESSED
    with open(target, "wb") as file:
        file.write(image)


if __name__ == "__main__":
    main(*sys.argv[1:])
