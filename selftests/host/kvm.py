# SPDX-License-Identifier: GPL-2.0-only
"""Boots kernels under KVM: in L1, an emulated machine, one after the other.

selftests/kvm/ has L1 and says how it is made.  All tests that are run together
share one L1, whose start takes as long as one of them; but for kinds (kvm, kvm-vmi)
and options of L1, which have each their own.
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
L1_GONE = "L1 did not get to run it to its end"
KINDS = {"kvm": ["-n"], "kvm-vmi": ["-v"]}      # kind of test: options of that
MONITOR = ["-monitor", "unix:/tmp/monitor,server=on,wait=off",
           "-qmp", "unix:/tmp/qmp,server=on,wait=off"]


def arguments(test, disk):
    """What L1's QEMU gets for @test, behind its own."""
    if "program" in test:
        return [], []
    kernel = boot.kernel_of(test)
    argv = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-serial", "stdio", "-m", test.get("mem", "256M"),
            "-smp", test.get("smp", "1")]
    files = [kernel] + boot.rom_paths(test)
    for key in ("machine", "cpu"):
        if key in test:
            argv += [f"-{key}", test[key]]
    argv += test.get("qemu", "").split()
    if test["kind"] == "kvm-vmi":
        argv += MONITOR
    monitor = boot.yes(test, "monitor")
    grub = test.get("boot") == "grub"
    if grub:
        argv += ["-drive", "file={place}/grub.iso,format=raw,if=virtio,readonly=on"]
    else:
        argv += ["-kernel", boot.MONITOR if monitor else kernel]
    if monitor:
        files.append(boot.MONITOR)
    for rom in boot.rom_paths(test):
        argv += ["-option-rom", rom]
    if monitor or kernel.endswith(".img"):
        argv += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    if kernel.endswith(".img"):
        if "append" in test:
            argv += ["-append", test["append"]]
        return argv + (["-initrd", f"{kernel} host=monitor"] if monitor else []), files
    if boot.yes(test, "marks"):
        argv += ["-chardev", "pipe,id=mark,path=/tmp/mark",
                 "-device", "isa-serial,index=1,chardev=mark"]
    # Each byte on the console is an exit or two, so the log goes to a disk.
    # To find out the TSC's rate takes thousands of exits; L1 knows it, and kvm.rom.
    initrd = test.get("initrd", "build/initramfs.cpio.gz")
    tsc = "tsc=reliable" if test.get("rom") == "kvm" else "tsc=reliable l2.tsc"
    to_disk = test.get("log", "disk") == "disk"
    quiet = f"quiet log_buf_len=1M vmi.log=/dev/{'vdb' if disk else 'vda'} " if to_disk else ""
    words = f"{quiet}{tsc} {boot.command_line(test, None)}"
    if monitor:
        argv += ["-initrd", f"{kernel} {words.replace(',', ',,')},{initrd}"]
    elif not grub:
        argv += ["-initrd", initrd, "-append", words]
    for name, path in (("disk", disk), ("log", "/tmp/log" if to_disk else None)):
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


def behind(prefix, data):
    """The lines of @data behind @prefix each, without printk's time."""
    lines = data.decode(errors="replace").splitlines()
    return "".join(f"{prefix}: {console.STAMP.sub('', s)}\n" for s in lines).encode()


def last_words(l1_log, work):
    """What L1 wrote since it began with the machine of @work."""
    _, found, text = read(l1_log).partition(f"init: {work}: L2 starts".encode())
    return text if found else b""


def judge(name, test, work, logs, l1_log):
    """What L1's init left in @work; the log becomes one file."""
    log_path = f"{logs}/{name}.log"
    word = read(f"{work}/status").decode().strip()
    said = read(f"{work}/said")
    with open(log_path, "wb") as f:
        f.write(read(f"{work}/log") + read(f"{work}/console") + behind("script", said) +
                behind("L1", read(f"{work}/l1") if word else last_words(l1_log, work)))
    for what in ("counters", "marks"):
        if os.path.exists(f"{work}/{what}"):
            shutil.copy(f"{work}/{what}", f"{logs}/{name}.{what}")
    ended = None if word.isdigit() else \
        "no end in L1's time" if word else L1_GONE
    reasons, note = console.judge(test, log_path, int(word) if word.isdigit() else None, ended)
    reasons += [f"script: {line.decode()}" for line in said.splitlines()
                if line.startswith((b"status ", b"status:"))]
    if not ended:
        if boot.yes(test, "disk"):
            reasons += console.check_disk(f"{work}/disk", log_path)
        reasons += boot.run_after(test, name, {"log": log_path, "marks": f"{logs}/{name}.marks"})
    exits = [s.split()[1] for s in read(f"{work}/counters").decode().splitlines()
             if s.startswith("exits ")]
    note = ", ".join(filter(None, [note, f"{exits[0]} exits" if exits else "", "nested in TCG"]))
    return "fail" if reasons else "pass", reasons, note


def follow(p, dirs, seconds):
    """Yields the names of @dirs as each is done; L1 may end before the last."""
    deadline = time.monotonic() + seconds
    left = dict(dirs)
    while left:
        running = p.poll() is None
        for name in [n for n, d in left.items() if os.path.exists(f"{d}/status")]:
            del left[name]
            yield name
        if not running:
            return
        if time.monotonic() > deadline:
            proc.stop(p)
        if left:
            time.sleep(1)


def limit(test):
    return proc.scaled(float(test.get("timeout", 300)))


def within_reach(argv, files, work):
    """@argv with what of @files L1 cannot see, being links to elsewhere, in @work."""
    top = os.path.realpath(".") + "/"
    for path in files:
        if not os.path.realpath(path).startswith(top):
            copy = os.path.join(work, os.path.basename(path))
            shutil.copy(path, copy)
            argv = [a.replace(path, copy) for a in argv]
    return argv


def prepare(test, place):
    """Makes the directory @place for L1's init; returns what is missing."""
    disk = f"{place}/disk" if boot.yes(test, "disk") else None
    argv, files = arguments(test, disk)
    # L1's own kernel comes with it.
    missing = [f for f in files if not os.path.exists(f) and not f.endswith("-l1/debian/vmlinux")]
    if missing:
        return [f"{f} does not exist" for f in missing]
    os.mkdir(place)
    if disk:
        boot.make_disk(disk)
    if test.get("boot") == "grub":
        boot.make_grub_image(test, place, None)
    argv = [a.replace("{place}", place) for a in argv]
    contents = {"arguments": "\n".join(within_reach(argv, files, place)),
                "limit": f"{limit(test):.0f}", "script": test.get("script"),
                "program": test.get("program")}
    for what, text in contents.items():
        if text:
            with open(f"{place}/{what}", "w") as f:
                f.write(f"{text}\n")
    return []


def of_l1(test):
    """What decides in which L1 a test is run: kind, processors, model, kernel, its words."""
    return (test["kind"], test.get("l1_smp", "1"), test.get("l1_cpu", ""),
            test.get("l1_kernel", ""), test.get("l1_append", ""))


def start_l1(tests, work, name, out):
    """Starts L1, with this repository in it; who calls ends it."""
    kind, cpus, cpu, kernel, words = of_l1(tests[0])
    room = memory(tests) * (2 if kernel else 1)
    argv = ["selftests/kvm/run", *KINDS[kind], "-c", cpus, "-m", str(room), "-l", name,
            "-d", work] + (["-p", cpu] if cpu else []) + (["-D"] if kernel else []) + \
           (["-a", words] if words else [])
    return proc.start(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)


def run_in_one(tests, dirs, work, logs, l1):
    """Runs @tests in an L1 of the name @l1: yields as run() does, as far as it gets."""
    run_log = f"{logs}/{l1}.run.log"
    seconds = sum(map(limit, tests.values())) + 600
    with open(run_log, "wb") as out:
        p = start_l1(list(tests.values()), work, l1, out)
        try:
            for name in follow(p, dirs, seconds):
                yield (name, *judge(name, tests[name], dirs[name], logs, ""))
        finally:
            if p.poll() is None:
                p.terminate()    # the script ends its QEMU
                p.wait()
            proc.stop(p)
    left = [n for n in tests if not os.path.exists(f"{dirs[n]}/status")]
    if left and p.returncode == SKIP:
        for name in left:
            yield name, "skip", [], proc.tail(run_log, 1)[0]
    elif left and last_words(f"{logs}/{l1}.l1.log", dirs[left[0]]):
        # That one ended L1; the others get another.
        name = left[0]
        yield (name, *judge(name, tests[name], dirs[name], logs, f"{logs}/{l1}.l1.log"))


def run(tests, logs, number=0):
    """Boots @tests, name to options: yields (name, verdict, reasons, note)."""
    kind = of_l1(next(iter(tests.values())))[0]
    place = "build/kvm" if kind == "kvm" else "build/kvm-vmi-l1"
    os.makedirs(place, exist_ok=True)
    left, tries = dict(tests), dict.fromkeys(tests, 0)
    again = failed = 0
    while left and failed < 2:
        l1 = f"{kind}-l1" + (f".{number}" if number else "") + (f".again{again}" if again else "")
        again += 1
        failed += 1
        dirs = {}
        with tempfile.TemporaryDirectory(prefix="run.", dir=place) as work:
            for i, (name, test) in enumerate(list(left.items())):
                missing = prepare(test, f"{work}/{i:02}")
                if missing:
                    del left[name]
                    yield name, "fail", missing, ""
                else:
                    dirs[name] = f"{work}/{i:02}"
            if not dirs:
                return
            for name, verdict, *rest in run_in_one(dict(left), dirs, work, logs, l1):
                failed = 0
                tries[name] += 1
                # The SVM that QEMU emulates hangs now and then, a guest that makes
                # kvm-vmi's host hang is a fault of ours.
                frail = kind == "kvm" and verdict == "fail" and L1_GONE in rest[0]
                most = max(int(tests[name].get("tries", 1)), 1 + frail)
                if verdict != "fail" or tries[name] >= most:
                    del left[name]
                    yield name, verdict, *rest
    for name in left:
        yield name, "fail", [f"L1 does not start: {logs}/{l1}.l1.log"], ""
