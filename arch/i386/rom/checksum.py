#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Set the two checksums of an option ROM: checksum.py IN OUT

The PnP header's is its byte 9, the image's own is its last byte.
"""
import struct
import sys

PNP_OFFSET = 26     # in the ROM header
PNP_SIZE = 32
PNP_CHECKSUM = 9


def balance(image, start, end, at):
    """Change image[at] so that the bytes from start to end sum to 0."""
    image[at] = (image[at] - sum(image[start:end])) % 256


def main(source, target):
    with open(source, "rb") as file:
        image = bytearray(file.read())
    if len(image) != image[2] * 512 or len(image) % 2048 or image[-1]:
        sys.exit(f"{source}: {len(image)} bytes do not fit the header")
    pnp, = struct.unpack_from("<H", image, PNP_OFFSET)
    balance(image, pnp, pnp + PNP_SIZE, pnp + PNP_CHECKSUM)
    balance(image, 0, len(image), -1)
    with open(target, "wb") as file:
        file.write(image)


if __name__ == "__main__":
    main(*sys.argv[1:])
