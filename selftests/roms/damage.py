#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make damaged ROMs from good ones: damage.py ROMDIR

Reads null.rom, trace.rom and kvm.rom in ROMDIR, writes ROMDIR/damaged/NAME.rom and a
table ROMDIR/damaged/list with a line per damage: its name, the images to give
to QEMU as -option-rom (comma between two), and a regular expression for the
guest's line in the log.  Tab between columns.

A BIOS copies only ROMs that look right to it.  So the checksum is made right
again after most damages; what the BIOS would refuse is "late" damage, done by
the ROM itself, in 16-bit code that the BIOS runs when it has checked all ROMs
and has not yet write-protected them (a boot connection vector, PnP header).
"""
import os
import re
import struct
import sys

STEP = 2048
BLOCK = 512
LENGTH, ROM_ENTRY, VROM_SIGNATURE, VERSION_MAJOR = 2, 3, 8, 13
VIRTUAL_TOP, LICENCE, PCI, PNP = 16, 22, 24, 26
HEADER_SIZE, VMI_INIT, GET_RELOC = 144, 128, 136
RING1 = 32                                      # kvm.rom: where its other half is
CALL_SLOT = b"\xcd\x1f\xc3"                     # int $0x1f; ret
PNP_PRODUCT, PNP_BCV, PNP_SIZE = 16, 22, 32

NONE, CALL, JUMP, NOP = range(4)
CPUID, CLTS, SET_CR3, GET_CR3 = 0, 28, 17, 21
IRET, SYSEXIT, SPIN_WAIT, SPIN_KICK, GET_TSC_FREQUENCY = 33, 34, 97, 98, 106

# Machine code, position independent.
RET, LRET = b"\xc3", b"\xcb"
FAULTS = {
    "ud": b"\x0f\x0b",                          # ud2
    "gp": b"\x66\xb8\xf8\xff\x8e\xd8",          # mov $0xfff8, %ax; mov %ax, %ds
    "de": b"\x31\xc0\xf7\xf0",                  # xor %eax, %eax; div %eax
    "read": b"\xa1\xf0\xff\xff\xff",            # mov 0xfffffff0, %eax
    "write": b"\xa3\xf0\xff\xff\xff",           # mov %eax, 0xfffffff0
    "jump": b"\xb8\xf0\xff\xff\xff\xff\xe0",    # jmp to 0xfffffff0
}


def mov_eax(value):
    return b"\xb8" + struct.pack("<I", value)


def mov_edx(value):
    return b"\xba" + struct.pack("<I", value)


class Rom:
    """A copy of a good image, with a step more of room at its end."""

    def __init__(self, base, extra=STEP):
        self.base = len(base)
        self.image = bytearray(base) + bytearray(extra)
        self.image[LENGTH] = len(self.image) // BLOCK
        self.spare = len(base)
        self.late = []

    def __len__(self):
        return len(self.image)

    def get16(self, at):
        return struct.unpack_from("<H", self.image, at)[0]

    def put(self, at, data):
        self.image[at:at + len(data)] = data

    def put16(self, at, value):
        self.put(at, struct.pack("<H", value))

    def put32(self, at, value):
        self.put(at, struct.pack("<I", value % 2**32))

    def append(self, code):
        at = self.spare
        self.put(at, code)
        self.spare += len(code)
        assert self.spare < len(self.image)
        return at

    def target(self, at):
        """Where the jump in the header at this offset goes."""
        assert self.image[at] == 0xe9
        return at + 5 + struct.unpack_from("<i", self.image, at + 1)[0]

    def jump(self, at, target):
        self.put(at, b"\xe9" + struct.pack("<I", (target - at - 5) % 2**32))

    def call(self, target):
        """Code for the next append(): a call."""
        return b"\xe8" + struct.pack("<i", target - self.spare - 5)

    def init(self, code):
        self.jump(VMI_INIT, self.append(code))

    def reloc(self, call, code):
        """get_reloc with other code for one call; None: for all."""
        good = self.target(GET_RELOC)
        head = b""
        if call is not None:                    # cmp $call, %eax; jne good
            head = bytes([0x83, 0xf8, call, 0x0f, 0x85])
            head += struct.pack("<i", good - self.spare - len(head) - 4)
        self.jump(GET_RELOC, self.append(head))
        if callable(code):
            code = code()
        self.append(code)

    def answer(self, call, kind, offset=None, address=None):
        """get_reloc's answer for a call: a kind, and the good address or another."""
        good = self.target(GET_RELOC)

        def code():
            if address is not None:
                return mov_eax(address) + mov_edx(kind) + RET
            if offset is None:
                return self.call(good) + mov_edx(kind) + RET
            here = self.spare + 5               # call here; pop; add
            return (b"\xe8\0\0\0\0\x58\x05" + struct.pack("<i", offset - here)
                    + mov_edx(kind) + RET)
        self.reloc(call, code)

    def later(self, at, data):
        self.late += [(at + i, byte) for i, byte in enumerate(data)]

    def finish(self):
        """What QEMU gets."""
        if self.late:                           # movb $byte, %cs:at ...; lret
            code = b"".join(b"\x2e\xc6\x06" + struct.pack("<HB", *change)
                            for change in self.late)
            bcv = self.append(code + LRET)
            self.put16(self.get16(PNP) + PNP_BCV, bcv)
        length = self.image[LENGTH] * BLOCK
        at = length - 1
        self.image[at] = (self.image[at] - sum(self.image[:length])) % 256
        return self

    def delivered(self):
        """What the guest sees; a BIOS's init may still have changed it."""
        image = bytearray(self.image)
        for at, byte in self.late:
            image[at] = byte
        return bytes(image)


class Damage:
    """A row of the table.  What the BIOS does not even copy has copied=False."""

    def __init__(self, name, line, roms, copied=True):
        self.name, self.line, self.copied = name, line, copied
        self.roms = roms
        self.files = [name if len(roms) == 1 else f"{name}-{i + 1}"
                      for i in range(len(roms))]


def refused(reason):
    return rf"vmi: ROM at 0x[0-9a-f]+ refused: {reason}, \d+ sites native$"


NO_ROM = r"vmi: no ROM, \d+ sites native$"
TWO_ROMS = r"vmi: 2 ROMs, at 0x[0-9a-f]+ and 0x[0-9a-f]+, refused, \d+ sites native$"


class Table:
    def __init__(self, null, trace):
        self.null, self.trace = null, trace
        self.rows = []
        self.header()
        self.tops()
        self.offsets()
        self.entries()
        self.answers()
        self.half_locks()
        self.faults()
        self.several()

    def add(self, name, line, change, base=None, extra=STEP):
        rom = Rom(self.null if base is None else base, extra)
        change(rom)
        self.rows.append(Damage(name, line, [rom.finish()]))

    def header(self):
        add = self.add
        add("length-0", refused("length 0"), lambda r: r.later(LENGTH, b"\0"))
        add("length-255", refused("longer than the window"),
            lambda r: r.later(LENGTH, b"\xff"))
        add("length-one-less", refused("bad checksum"),
            lambda r: r.later(LENGTH, [len(r) // BLOCK - 1]))
        add("checksum", refused("bad checksum"),
            lambda r: r.later(HEADER_SIZE - 1, b"\x01"))
        add("bit-flip", refused("bad checksum"),
            lambda r: r.later(r.target(VMI_INIT), [r.image[r.target(VMI_INIT)] ^ 8]))
        for major in (0, 2, 4, 255):
            add(f"version-{major}", refused(rf"API version {major}\.0"),
                lambda r, major=major: r.put(VERSION_MAJOR, [major]))
        for top in (0x1000, 0xc0000000, 0xd0000000):
            add(f"virtual-top-{top:x}",
                refused(f"keeps linear addresses from 0x{top:x}"),
                lambda r, top=top: r.put32(VIRTUAL_TOP, top))
        add("signature", NO_ROM, lambda r: r.put(VROM_SIGNATURE, b"cVmj"))
        add("rom-signature", NO_ROM, lambda r: r.later(0, b"\xaa\x55"))
        add("off-boundary", NO_ROM, self.shift)
        self.refused_by_bios("file-checksum", self.flip_last)
        self.refused_by_bios("file-cut", self.cut)

    def shift(self, rom):
        """The whole image 512 bytes into one that is no VMI ROM."""
        rom.put(BLOCK, self.null)
        rom.put(HEADER_SIZE, bytes(BLOCK - HEADER_SIZE))
        rom.put(VROM_SIGNATURE, bytes(HEADER_SIZE - VROM_SIGNATURE))
        rom.put(ROM_ENTRY, LRET)

    def tops(self):
        """Linear addresses that the guest can give up."""
        for top in (0xe0000000, 0xfc000000, 0xfffff000):
            self.add(f"virtual-top-{top:x}", r"vmi: null ROM, .* native, \d+ us$",
                     lambda r, top=top: r.put32(VIRTUAL_TOP, top))

    def refused_by_bios(self, name, change):
        rom = Rom(self.null).finish()
        change(rom)
        assert sum(rom.image) % 256
        self.rows.append(Damage(name, NO_ROM, [rom], copied=False))

    @staticmethod
    def flip_last(rom):
        rom.image[-1] ^= 1

    @staticmethod
    def cut(rom):
        del rom.image[-STEP - STEP // 2:]

    def offsets(self):
        add = self.add
        for name, field in (("licence", LICENCE), ("pci", PCI), ("pnp", PNP)):
            line = refused({"licence": "licence outside", "pci": "PCI header outside",
                            "pnp": "PnP header outside"}[name])
            add(f"{name}-behind", line, lambda r, f=field: r.put16(f, len(r)))
            add(f"{name}-wild", line, lambda r, f=field: r.put16(f, 0xfffc))
        # Not a multiple of STEP: what a BIOS reads behind the end is zero.
        add("pci-straddles", refused("PCI header outside"), extra=BLOCK,
            change=lambda r: self.move_to_end(r, PCI, b"PCIR"))
        add("pnp-straddles", refused("PnP header outside"), extra=BLOCK,
            change=lambda r: self.move_to_end(r, PNP, b"$PnP"))
        add("pci-zero", refused("PCI header outside"), lambda r: r.put16(PCI, 0))
        add("pci-signature", refused("PCI header outside"),
            lambda r: r.put(r.get16(PCI), b"PCIX"))
        add("pnp-signature", refused("PnP header outside"),
            lambda r: r.put(r.get16(PNP), b"$PnQ"))
        add("product-behind", refused("PnP header outside"),
            lambda r: r.put16(r.get16(PNP) + PNP_PRODUCT, len(r)))
        add("licence-endless", refused("licence outside"),
            lambda r: r.put16(LICENCE, self.endless(r)))
        add("product-endless", refused("PnP header outside"),
            lambda r: r.put16(r.get16(PNP) + PNP_PRODUCT, self.endless(r)))

    @staticmethod
    def move_to_end(rom, field, signature):
        rom.put(len(rom) - 8, signature)
        rom.put16(field, len(rom) - 8)

    @staticmethod
    def endless(rom):
        """A text of which the last byte, the checksum, is part."""
        start = len(rom) - 9
        rom.put(start, b"GPL no NU")
        while (rom.image[-1] - sum(rom.image)) % 256 == 0:
            rom.image[start] += 1
        return start

    def entries(self):
        for name, at in (("vmi_init", VMI_INIT), ("get_reloc", GET_RELOC)):
            for kind, code in (("ret", RET), ("zero", b"\0"), ("call", b"\xe8"),
                               ("far", b"\xea")):
                self.add(f"{name}-{kind}", refused(f"{name} is no jump"),
                         lambda r, at=at, code=code: r.put(at, code))
            for kind, target in (("behind", len), ("before", lambda r: -1),
                                 ("header", lambda r: 16),
                                 ("wild", lambda r: 0x70000000)):
                self.add(f"{name}-{kind}", refused(f"{name} jumps outside"),
                         lambda r, at=at, target=target: r.jump(at, target(r)))
            self.add(f"{name}-short", refused(f"{name} jumps outside"),
                     lambda r, at=at: r.put(at, b"\xeb\x80"))
        # Cut where the checksum still fits: the code is behind the end.
        self.add("length-1", refused("vmi_init jumps outside"), extra=0,
                 change=lambda r: r.put(LENGTH, [1]))
        for value in (1, -1):
            code = mov_eax(value % 2**32) + RET
            self.add(f"vmi_init-fails-{value}", refused(rf"vmi_init failed \({value}\)"),
                     lambda r, code=code: r.init(code))
        self.add("no-16-bit-init", refused(r"vmi_init failed \(1\)"),
                 lambda r: r.put(ROM_ENTRY, LRET), base=self.trace)

    def answer(self, name, reason, *args, **kwargs):
        self.add(name, refused(reason),
                 lambda r: r.answer(*args, **kwargs), base=self.trace)

    def answers(self):
        answer, size = self.answer, len(self.trace) + STEP
        outside = r"get_reloc address 0x[0-9a-f]+ outside for "
        answer("type-4", "get_reloc type 4 for SetCR3", SET_CR3, 4)
        answer("type-255", "get_reloc type 255 for CPUID", None, 255)
        answer("type-4-last", "get_reloc type 4 for GetTSCFrequency", GET_TSC_FREQUENCY, 4)
        answer("address-0", r"get_reloc address 0x0 outside for SetCR3",
               SET_CR3, CALL, address=0)
        answer("address-top", r"get_reloc address 0xffffffff outside for SetCR3",
               SET_CR3, CALL, address=0xffffffff)
        answer("address-behind", outside + "CLTS", CLTS, CALL, offset=size)
        answer("address-before", outside + "CLTS", CLTS, CALL, offset=-1)
        answer("address-header", outside + "CLTS", CLTS, CALL, offset=16)
        answer("address-iret", outside + "IRET", IRET, JUMP, offset=size)
        answer("address-all", outside + "CPUID", None, CALL, offset=size)
        answer("call-iret", "CALL answered for IRET", IRET, CALL)
        answer("call-sysexit", "CALL answered for SYSEXIT", SYSEXIT, CALL)
        answer("jump-clts", "JUMP answered for CLTS", CLTS, JUMP)
        answer("jump-last", "JUMP answered for GetTSCFrequency", GET_TSC_FREQUENCY, JUMP)
        answer("nop-iret", "NOP answered for IRET", IRET, NOP)
        answer("nop-result", "NOP answered for GetCR3", GET_CR3, NOP)

    def half_locks(self):
        """Sleep without a kick, or the reverse: unlocks and waits stay native."""
        line = r"vmi: trace ROM, .* calls, \d+ jumps, 0 nops, \d{4} native, \d+ us$"
        for name, call, kind in (("no-kick", SPIN_KICK, NONE), ("no-wait", SPIN_WAIT, NONE),
                                 ("kick-erased", SPIN_KICK, NOP)):
            self.add(name, line, lambda r, c=call, k=kind: r.answer(c, k), base=self.trace)

    def faults(self):
        for kind, code in FAULTS.items():
            self.add(f"vmi_init-{kind}", refused("fault in vmi_init"),
                     lambda r, code=code: r.init(code))
            self.add(f"get_reloc-{kind}", refused("fault in get_reloc"),
                     lambda r, code=code: r.reloc(None, code))
        self.add("get_reloc-ud-last", refused("fault in get_reloc"), base=self.trace,
                 change=lambda r: r.reloc(GET_TSC_FREQUENCY, FAULTS["ud"]))

    def several(self):
        good = [Rom(self.null, 0).finish(), Rom(self.trace, 0).finish()]
        self.rows.append(Damage("two", TWO_ROMS, good))
        self.add("nested", TWO_ROMS, lambda r: r.put(len(self.null), self.null),
                 extra=len(self.null) + STEP)


def table(romdir):
    images = []
    for name in ("null", "trace"):
        with open(os.path.join(romdir, name + ".rom"), "rb") as file:
            images.append(file.read())
    rows = Table(*images).rows
    assert len({row.name for row in rows}) == len(rows)
    return rows


def one_each(rows):
    """The first row for each line that a guest can say."""
    seen = {}
    for row in rows:
        seen.setdefault(row.line, row)
    return list(seen.values())


def write_list(path, rows, out):
    with open(path, "w", encoding="ascii") as file:
        for row in rows:
            paths = [os.path.join(out, name + ".rom") for name in row.files]
            file.write("\t".join((row.name, ",".join(paths), row.line)) + "\n")


def other_version(romdir, out):
    """kvm.rom as it goes with another kvm-vmi: what pads a slot is not the same."""
    with open(os.path.join(romdir, "kvm.rom"), "rb") as file:
        rom = Rom(file.read(), 0)
    slot = rom.image.index(CALL_SLOT, rom.get16(RING1))
    rom.image[slot + len(CALL_SLOT)] ^= 0xff
    with open(os.path.join(out, "kvm-other.rom"), "wb") as file:
        file.write(rom.finish().image)


def main(romdir):
    out = os.path.join(romdir, "damaged")
    os.makedirs(out, exist_ok=True)
    other_version(romdir, out)
    rows = table(romdir)
    for row in rows:
        re.compile(row.line)
        for name, rom in zip(row.files, row.roms):
            with open(os.path.join(out, name + ".rom"), "wb") as file:
                file.write(rom.image)
    write_list(os.path.join(out, "list"), rows, out)
    write_list(os.path.join(out, "one-each"), one_each(rows), out)


if __name__ == "__main__":
    main(*sys.argv[1:])
