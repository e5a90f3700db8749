# SPDX-License-Identifier: GPL-2.0-only
"""Boots kernels under KVM: in L1, an emulated machine, one after the other.

selftests/kvm/ has L1 and says how it is made.  All tests that are run together
share one L1, whose start takes as long as one of them.
"""

import os
import shutil
import subprocess
import tempfile
import time

import boot
import console
import proc

SKIP = 4    # exit status of selftests/kvm/run: L1 cannot be built here


def arguments(test, disk):
    """What L1's QEMU gets for @test, behind its own."""
    kernel = boot.kernel_of(test)
    argv = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-serial", "stdio", "-m", test.get("mem", "256M"),
            "-smp", test.get("smp", "1")]
    files = [kernel] + boot.rom_paths(test)
    monitor = boot.yes(test, "monitor")
    argv += ["-kernel", boot.MONITOR if monitor else kernel]
    if monitor:
        files.append(boot.MONITOR)
    for rom in boot.rom_paths(test):
        argv += ["-option-rom", rom]
    if monitor or kernel.endswith(".img"):
        argv += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    if kernel.endswith(".img"):
        return argv + (["-initrd", f"{kernel} host=monitor"] if monitor else []), files
    if boot.yes(test, "marks"):
        argv += ["-chardev", "pipe,id=mark,path=/tmp/mark",
                 "-device", "isa-serial,index=1,chardev=mark"]
    # Each byte on the console is an exit or two, so the log goes to a disk.
    # To find out the TSC's rate takes thousands of exits; L1 knows it, and kvm.rom.
    initrd = test.get("initrd", "build/initramfs.cpio.gz")
    tsc = "tsc=reliable" if test.get("rom") == "kvm" else "tsc=reliable l2.tsc"
    words = [boot.command_line(test, None), f"quiet log_buf_len=1M no_timer_check {tsc}",
             f"vmi.log=/dev/{'vdb' if disk else 'vda'}"]
    words = " ".join(words)
    if monitor:
        argv += ["-initrd", f"{kernel} {words.replace(',', ',,')},{initrd}"]
    else:
        argv += ["-initrd", initrd, "-append", words]
    for name, path in (("disk", disk), ("log", "/tmp/log")):
        if path:
            argv += ["-drive", f"file={path},format=raw,if=none,id={name}",
                     "-device", f"virtio-blk-pci,drive={name}"]
    return argv, files + [initrd]


def memory(tests):
    """MB that L1 needs for the largest of @tests, and itself."""
    unit = {"M": 1, "G": 1024}
    sizes = [test.get("mem", "256M") for test in tests]
    return max(1024, 768 + max(int(s[:-1]) * unit[s[-1]] for s in sizes))


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read().replace(b"\r", b"")
    except OSError:
        return b""


def judge(name, test, work, logs):
    """What L1's init left in @work; the log becomes one file."""
    log_path = f"{logs}/{name}.log"
    with open(log_path, "wb") as f:
        f.write(read(f"{work}/log") + read(f"{work}/console"))
    for what in ("counters", "marks"):
        if os.path.exists(f"{work}/{what}"):
            shutil.copy(f"{work}/{what}", f"{logs}/{name}.{what}")
    word = read(f"{work}/status").decode().strip()
    ended = None if word.isdigit() else \
        "no end in L1's time" if word else "L1 did not get to run it to its end"
    reasons, note = console.judge(test, log_path, int(word) if word.isdigit() else None, ended)
    if not ended:
        if boot.yes(test, "disk"):
            reasons += console.check_disk(f"{work}/disk", log_path)
        reasons += boot.run_after(test, name, {"log": log_path, "marks": f"{logs}/{name}.marks"})
    exits = [s.split()[1] for s in read(f"{work}/counters").decode().splitlines()
             if s.startswith("exits ")]
    note = ", ".join(filter(None, [note, f"{exits[0]} exits" if exits else "", "nested in TCG"]))
    return "fail" if reasons else "pass", reasons, note


def follow(p, dirs, seconds):
    """Yields the names of @dirs as each is done, then the rest when @p ends."""
    deadline = time.monotonic() + seconds
    left = dict(dirs)
    while left:
        running = p.poll() is None
        done = [n for n, d in left.items() if not running or os.path.exists(f"{d}/status")]
        for name in done:
            del left[name]
            yield name
        if time.monotonic() > deadline:
            proc.stop(p)
        if left:
            time.sleep(1)


def run(tests, logs):
    """Boots @tests, name to options: yields (name, verdict, reasons, note)."""
    os.makedirs("build/kvm", exist_ok=True)
    dirs = {}
    with tempfile.TemporaryDirectory(prefix="run.", dir="build/kvm") as work:
        for number, (name, test) in enumerate(tests.items()):
            place = f"{work}/{number:02}"
            disk = f"{place}/disk" if boot.yes(test, "disk") else None
            argv, files = arguments(test, disk)
            missing = [f for f in files if not os.path.exists(f)]
            if missing:
                yield name, "fail", [f"{f} does not exist" for f in missing], ""
                continue
            dirs[name] = place
            os.mkdir(place)
            if disk:
                boot.make_disk(disk)
            with open(f"{place}/arguments", "w") as f:
                f.write("".join(f"{a}\n" for a in argv))
        if not dirs:
            return
        log = f"{logs}/kvm-l1.run.log"
        limits = [proc.scaled(float(tests[n].get("timeout", 300))) for n in dirs]
        with open(log, "wb") as out:
            p = proc.start(["selftests/kvm/run", "-n", "-t", f"{max(limits):.0f}",
                            "-m", str(memory(tests[n] for n in dirs)),
                            "-l", "kvm-l1", "-d", work],
                           stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
            try:
                for name in follow(p, dirs, len(limits) * max(limits) + 600):
                    if p.poll() == SKIP:
                        yield name, "skip", [], proc.tail(log, 1)[0]
                    else:
                        yield (name, *judge(name, tests[name], dirs[name], logs))
            finally:
                if p.poll() is None:
                    p.terminate()    # the script ends its QEMU
                    p.wait()
                proc.stop(p)
