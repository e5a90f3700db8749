# SPDX-License-Identifier: GPL-2.0-only
# For a host's Makefile: the ROM, and what its C and assembler code know of it.
# RING1, O, AFLAGS and HDRS are the host's.

# The ROM: position independent, 32 bits, patched in place by the host.
$(O)/rom.bin: $(O)/rom.elf
	objcopy -O binary $< $@

$(O)/rom.elf: $(RING1)/rom.S $(RING1)/rom.lds $(HDRS) | $(O)
	gcc -m32 $(AFLAGS) -c -o $(O)/rom32.o $(RING1)/rom.S
	ld -m elf_i386 -q -z noexecstack --no-warn-rwx-segments -T $(RING1)/rom.lds \
		-o $@ $(O)/rom32.o

$(O)/hypercall.o $(O)/rom.o: $(O)/romlabels.h

$(O)/romlabels.h: $(O)/rom.elf
	nm $< | awk '/ [tTW] / { print "#define ROM_" $$3 " 0x" $$1 }' > $@

# Where in the ROM absolute addresses stand.
$(O)/romreloc.inc: $(O)/rom.elf
	readelf -rW $< | awk '$$3 == "R_386_32" { print "\t.long 0x" $$1 }' > $@
