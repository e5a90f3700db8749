# SPDX-License-Identifier: GPL-2.0-only
"""The systems that are compared, and how to boot one of them."""

import hashlib
import re
import subprocess
import time

import proc

BENCH = "build/bench"
I386 = f"{BENCH}/i386.cpio.gz"
I386_PROGRAMS = f"{BENCH}/i386-programs.cpio.gz"
AMD64 = f"{BENCH}/amd64.cpio"
DEBIAN = "build/kvm/debian/vmlinux"
L1 = "build/kvm/initramfs.cpio"
VMI_L1 = "build/kvm-vmi-l1/initramfs.cpio"

# What each is divided by: the same kernel, not virtualized; for our kernel, the
# one without our changes.
BASE = {
    "paravirt": "unpatched",
    "native": "unpatched",
    "null": "native",
    "trace": "native",
    "monitor": "native",
    "kvm-vmi": "native",
    "kvm": "native",
    "tcg": "native",
    "xen": "amd64",
    "uml": "amd64",
    "debian": "debian-unpatched",
    "debian-null": "debian-unpatched",
    "2level": "2level-unpatched",
}

TITLE = {
    "unpatched": "Debian's tree, our configuration",
    "paravirt": "the same with PARAVIRT=y, KVM_GUEST=y, as distributions have it",
    "native": "our kernel, no ROM",
    "null": "our kernel, null.rom",
    "trace": "our kernel, trace.rom",
    "monitor": "our kernel on our monitor",
    "kvm-vmi": "our kernel on kvm-vmi, in a machine that QEMU emulates",
    "kvm": "our kernel, kvm.rom, on kvm-amd in such a machine",
    "tcg": "our kernel, emulated by the QEMU of that machine",
    "amd64": "Debian's amd64 kernel",
    "xen": "the same as dom0 of Debian's Xen 4.17",
    "uml": "Debian's user-mode-linux on the amd64 kernel",
    "debian-unpatched": "Debian's source of 6.1 and its configuration 686-pae",
    "debian": "the same with our changes and CONFIG_VMI, no ROM",
    "debian-null": "that, null.rom",
    "2level-unpatched": "Debian's tree of 6.12, a small kernel with PARAVIRT, without PAE",
    "2level": "the same with our changes and CONFIG_VMI, no ROM",
}

# What a system has no part of the kernel for: no network, no sockets.
LACKS = dict.fromkeys(("2level-unpatched", "2level"), ("tcp", "hackbench", "redis"))
ICOUNT = ["-icount", "shift=0,sleep=off"]
LINE = re.compile(r"^bench,([\w.]+),(\d+),(\d+),(\d+)$")
ENTRIES = re.compile(r"^entries,([\w.]+),(\d+),(\d+),(.+)$")


def files(system):
    """What must be there to boot it."""
    return {
        "unpatched": ["build/unpatched/bzImage", I386],
        "paravirt": ["build/kvmguest/bzImage", I386],
        "native": ["build/bzImage", I386],
        "null": ["build/bzImage", I386, "build/rom/null.rom"],
        "trace": ["build/bzImage", I386, "build/rom/trace.rom"],
        "monitor": ["build/bzImage", I386, "build/monitor.elf"],
        "kvm-vmi": ["build/bzImage", I386, "build/rom/kvm.rom", VMI_L1],
        "kvm": ["build/bzImage", I386, "build/rom/kvm.rom", L1],
        "tcg": ["build/bzImage", I386, VMI_L1],
        "amd64": [DEBIAN, AMD64],
        "xen": [DEBIAN, AMD64, f"{BENCH}/xen"],
        "uml": [DEBIAN, AMD64],
        "debian-unpatched": ["build/debs/vmlinuz-686-pae-unpatched", I386_PROGRAMS],
        "debian": ["build/debs/vmlinuz-686-pae", I386_PROGRAMS],
        "debian-null": ["build/debs/vmlinuz-686-pae", I386_PROGRAMS, "build/rom/null.rom"],
        "2level-unpatched": ["build/2level-orig/bzImage", I386_PROGRAMS],
        "2level": ["build/2level/bzImage", I386_PROGRAMS],
    }[system]


# What selftests/kvm/run has to be told.
IN_L1 = {"kvm-vmi": ["-v"], "kvm": ["-n"], "tcg": ["-v", "-T"]}


def l1_argv(system, words, icount, smp, mem):
    """The QEMU that is measured runs in L1; @words are its kernel's."""
    kernel, archive, *rest = files(system)
    args = ["selftests/kvm/run", *IN_L1[system], *(["-I"] if icount else []),
            "-c", str(smp), "-t", "1800", "-l", f"bench-{system}", "--",
            "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
            "-no-reboot", "-m", mem or "256M", "-smp", str(smp)]
    if len(rest) == 2:
        args += ["-option-rom", rest[0]]
    return args + ["-kernel", kernel, "-initrd", archive, "-append",
                   f"console=ttyS0 quiet no_timer_check tsc=reliable l2.tsc {words}"]


def argv(system, words, icount, smp=1, mem=None, disk=None):
    """What to run: mostly QEMU; @words go to the kernel's command line."""
    if system in IN_L1:
        return l1_argv(system, words, icount, smp, mem)
    kernel, archive, *rest = files(system)
    big = system in ("amd64", "xen", "uml")
    args = ["qemu-system-x86_64", "-accel", "tcg", "-nodefaults", "-no-user-config",
            "-display", "none", "-serial", "stdio", "-no-reboot",
            "-m", mem or ("768M" if big else "256M"), "-smp", str(smp)]
    if icount:
        args += ICOUNT
    if disk:
        args += ["-drive", f"file={disk},format=raw,if=virtio,readonly=on"]
    line = "console=hvc0 " if system == "xen" else "console=ttyS0 "
    # A busy host makes Linux believe that its timer does not work.
    line += "quiet no_timer_check " + ("mitigations=off " if big else "")
    line += words
    if system == "monitor":
        modules = f"{kernel} {line.replace(',', ',,')},{archive}"
        return args + ["-kernel", rest[0], "-initrd", modules,
                       "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    if system == "xen":
        modules = f"{kernel} {line.replace(',', ',,')},{archive}"
        return args + ["-kernel", rest[0], "-initrd", modules, "-append",
                       "console=com1 loglvl=error guest_loglvl=error "
                       "spec-ctrl=no xpti=no"]
    if rest:
        args += ["-option-rom", rest[0]]
    return args + ["-kernel", kernel, "-initrd", archive, "-append", line]


def digest(system, args, disk):
    """Of all that a boot depends on but QEMU."""
    h = hashlib.sha256(" ".join(args).encode())
    for path in files(system) + ([disk] if disk else []):
        with open(path, "rb") as f:
            h.update(hashlib.file_digest(f, "sha256").digest())
    return h.hexdigest()[:16]


class Boot:
    """One run of QEMU: @rows of measurements, @entries, @facts, @error.

    A row is (system, operation, count, ticks, nanoseconds).
    """

    def __init__(self, system, args, log, timeout):
        self.rows, self.entries, self.facts = [], [], {}
        self.error = None
        self.system = system
        self.l1 = 0     # until when L1 booted
        start = time.monotonic()
        with open(log, "w") as copy:
            copy.write(" ".join(args) + "\n")
            p = proc.start(["timeout", str(int(proc.scaled(timeout))), *args],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, errors="replace")
            try:
                for line in p.stdout:
                    copy.write(line)
                    copy.flush()
                    self._line(line.strip("\r\n"), time.monotonic() - start)
            finally:
                status = proc.stop(p)
        self.facts["seconds"] = f"{time.monotonic() - start:.1f}"
        if "end" not in self.facts:
            self.error = f"{system}: no end (status {status}), see {log}"

    def _line(self, line, now):
        found = LINE.search(line)
        if found:
            self.rows.append((self.system, found[1], *map(int, found.groups()[1:])))
            return
        found = ENTRIES.search(line)
        if found:
            self.entries.append(found.groups())
            return
        line = re.sub(r"^\[ *[\d.]+\] ", "", line)
        if line.startswith("vmi: "):
            self.facts["vmi"] = line
        elif line.startswith("kvm: L1 is up"):
            self.l1 = now
        elif "monitor at" in line:
            self.facts["monitor"] = line
        elif line.startswith("bench: userland after"):
            # The last one: user-mode-linux comes after its host.
            self.facts["userland"] = line.split()[3]
            self.facts["userland_host"] = f"{now - self.l1:.1f}"
        elif line == "bench: end":
            self.facts["end"] = "yes"
        elif line.startswith("bench: ") and ("failed" in line or "status" in line):
            self.facts["failure"] = line
