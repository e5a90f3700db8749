# SPDX-License-Identifier: GPL-2.0-only
"""Boots a kernel in QEMU or Bochs, follows its console and judges the log."""

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import bochs
import console
import net
import proc


MONITOR = "build/monitor.elf"


def kernel_of(test):
    return test.get("kernel", "build/bzImage")


def yes(test, key):
    return test.get(key, "no").strip() in ("yes", "1", "true", "on")


def lines_of(test, key):
    return [s.strip() for s in test.get(key, "").splitlines() if s.strip()]


def rom_paths(test):
    """Images of the option "rom": names or paths, commas between them."""
    roms = test.get("rom", "none").split(",")
    return [r if "/" in r else f"build/rom/{r}.rom" for r in roms if r != "none"]


def command_line(test, server):
    if test.get("tests") == "guest":
        return test.get("append", "")
    # A QEMU that the host keeps from running loses timer interrupts.  Natively
    # as elsewhere Linux then finds that the timer does not work, and panics, or
    # mistakes the TSC's frequency, and sees processors stall.
    words = ["console=ttyS0", "no_timer_check", "rcupdate.rcu_cpu_stall_suppress=1",
             f"vmi.cpus={test.get('smp', '1')}"]
    if test.get("tests", "all") != "none":
        words.append(f"vmi.test={test.get('tests', 'all')}")
    if yes(test, "disk"):
        words.append("vmi.disk=/dev/vda")
    if server:
        words.append(f"vmi.net={server.port},{test['net']}")
    return " ".join(words + [test.get("append", "")]).strip()


def qemu_argv(test, work, disk, int_log, server):
    """The command that boots @test, and the files that it reads."""
    kernel = kernel_of(test)
    initrd = test.get("initrd", "build/initramfs.cpio.gz")
    files = [kernel, initrd]
    argv = [os.environ.get("QEMU", "qemu-system-x86_64"), "-accel",
            test.get("accel", "tcg"),
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-serial", "stdio", "-m", test.get("mem", "256M"),
            "-smp", test.get("smp", "1")]
    for key in ("machine", "cpu", "icount"):
        if key in test:
            argv += [f"-{key}", test[key]]
    monitor = test.get("monitor_elf", MONITOR)
    if test.get("monitor") == "grub":
        files.append(monitor)
        argv += ["-drive", f"file={work}/grub.iso,format=raw,if=virtio,readonly=on",
                 "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    elif yes(test, "monitor"):
        files.append(monitor)
        # A comma in a module's arguments is written twice.
        words = command_line(test, server).replace(",", ",,")
        argv += ["-kernel", monitor, "-initrd", f"{kernel} {words},{initrd}",
                 "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    else:
        argv += ["-kernel", kernel, "-initrd", initrd, "-append",
                 command_line(test, server)]
    for rom in rom_paths(test):
        files.append(rom)
        argv += ["-option-rom", rom]
    if disk:
        argv += ["-drive", f"file={disk},format=raw,if=none,id=disk",
                 "-device", "virtio-blk-pci,drive=disk"]
    if yes(test, "null_disk"):
        argv += ["-drive", "driver=null-co,size=64M,read-zeroes=on,if=none,id=disk",
                 "-device", "virtio-blk-pci,drive=disk"]
    if server:
        argv += ["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net"]
    if yes(test, "int_log"):
        argv += ["-D", int_log]
    if yes(test, "asks"):
        argv += ["-monitor", f"unix:{work}/monitor,server=on,wait=off"]
    return argv + test.get("qemu", "").split(), files


class Monitor:
    """QEMU's own monitor, for the few things that a guest may ask for."""

    COMMANDS = {
        "log on": "log int",
        "log off": "log none",
        "nmi": "nmi",
        "disk gone": "drive_del disk",
        "wake up": "system_wakeup",
        # Processor 0, bank 1: valid, not corrected, in progress.
        "machine check": "mce 0 1 0xb200000000000000 0x5 0 0",
    }
    PROMPT = b"(qemu) "

    def __init__(self, path):
        self.path = path
        self.sock = None

    def _until_prompt(self):
        got = b""
        while not got.endswith(self.PROMPT):
            data = self.sock.recv(4096)
            if not data:
                return            # QEMU has ended
            got += data

    def command(self, word):
        if not self.sock:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(60)
            self.sock.connect(self.path)
            self._until_prompt()
        self.sock.sendall(self.COMMANDS[word].encode() + b"\n")
        self._until_prompt()


def stall(p, seconds):
    """The whole machine stands still, but time goes on."""
    os.kill(p.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(p.pid, signal.SIGCONT)


def carry_out(word, p, monitor):
    """What the guest asked for, then the newline that it waits for."""
    try:
        if word == "stall":
            stall(p, 3)
        elif word == "wake up later":
            threading.Timer(proc.scaled(15), monitor.command, ["wake up"]).start()
        else:
            monitor.command(word)
        p.stdin.write(b"\n")
        p.stdin.flush()
    except (BrokenPipeError, ConnectionResetError):
        pass        # of that QEMU has ended; its console says why


def follow(p, log, timeout, verbose, monitor, machine=None):
    """Copies the console to @log until the end, of which a @machine of Bochs's knows
    more; returns why it ended early.

    A guest that prints "# host: COMMAND" waits for a newline, which says that
    the monitor has carried it out.
    """
    deadline = end = time.monotonic() + timeout
    panicked = False
    rest = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return "did not power off after its panic" if panicked else \
                f"no end after {timeout:.0f} s"
        if not select.select([p.stdout], [], [], min(left, 1))[0]:
            if machine and (machine.over() or p.poll() is not None):
                return machine.trouble
            continue
        data = os.read(p.stdout.fileno(), 65536)
        if not data:
            return machine.trouble if machine and machine.over() else None
        log.write(data.replace(b"\r", b""))
        log.flush()
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            if verbose:
                print(f"# | {text}", flush=True)
            if "Kernel panic" in text and not panicked:
                panicked = True
                deadline = min(deadline, time.monotonic() + proc.scaled(20))
            if panicked and "Linux version" in text:
                deadline = end          # another kernel, which saves a dump
            asked = re.search(r"# host: (.+)$", text)
            if asked and monitor:
                carry_out(asked.group(1), p, monitor)
            if machine and machine.over(text):
                return machine.trouble


def grub_files(test):
    """What GRUB boots: the kernel, a ramdisk but for stand-alone guests, the monitor."""
    files = {"kernel": kernel_of(test)}
    if test.get("tests") != "guest":
        files["ramdisk"] = test.get("initrd", "build/initramfs.cpio.gz")
    if test.get("monitor", "no") != "no":
        files["monitor"] = test.get("monitor_elf", MONITOR)
    return files


def make_grub_image(test, work, server):
    """What Bochs and the option "monitor = grub" boot from."""
    files = grub_files(test)
    argv = ["selftests/host/grub-image", f"{work}/grub.iso", files["kernel"],
            command_line(test, server), test.get("grub", "")]
    for option, what in (("-r", "ramdisk"), ("-m", "monitor")):
        if what in files:
            argv[1:1] = [option, files[what]]
    subprocess.run(argv, check=True)


def make_disk(path, blank=False):
    with open(path, "wb") as f:
        f.truncate(256 << 20 if blank else 64 << 20)
    if blank:
        return
    subprocess.run(["mkfs.ext4", "-q", "-F", path], check=True,
                   env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"))


def boot_and_follow(test, argv, log_path, monitor, verbose, machine=None):
    """Runs QEMU, or a @machine of Bochs's; returns its exit status and why it was
    stopped, if it was."""
    with open(log_path, "ab") as log:
        p = machine.start() if machine else \
            proc.start(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT)
        try:
            ended = follow(p, log, proc.scaled(float(test.get("timeout", 300))),
                           verbose, monitor, machine)
            if ended is None and not machine:
                p.wait(10)
        finally:
            status = proc.stop(p)
    return machine.exit if machine else status, ended


def boot_to_resume(test):
    """The boot behind one that hibernated."""
    again = dict(test, append=test.get("append", "") + " resume=/dev/vda resumewait")
    if test["resume"] == "refused":
        again |= {"rom": "none", "tests": "process"}
    return again


def run_after(test, name, values):
    """The commands of the option "after"; returns reasons."""
    reasons = []
    for command in lines_of(test, "after"):
        command = command.format(name=name, **values)
        done = subprocess.run(command, shell=True, capture_output=True, text=True)
        for line in (done.stdout + done.stderr).splitlines():
            print(f"# {name}: {line}", flush=True)
        if done.returncode:
            reasons.append(f"{command.split()[0]}: exit status {done.returncode}")
    return reasons


def run(name, test, logs, verbose):
    """Boots @test; returns (verdict, reasons, note)."""
    log_path = f"{logs}/{name}.log"
    int_log = f"{logs}/{name}.int"
    resume = test.get("resume", "no") != "no"
    disk = f"{logs}/{name}.img" if resume or yes(test, "disk") else None
    server = net.Server() if "net" in test else None
    open(log_path, "wb").close()
    try:
        with tempfile.TemporaryDirectory(prefix="vmi-") as work:
            machine = None
            if test.get("kind") == "bochs":
                test = dict(test, faults=bochs.faults(name))
                argv = [bochs.BOCHS]
                files = [*grub_files(test).values(), *rom_paths(test)]
                machine = bochs.Machine(test, work, rom_paths(test))
            else:
                argv, files = qemu_argv(test, work, disk, int_log, server)
            missing = [f for f in files if not os.path.exists(f)]
            if missing:
                return "fail", [f"{f} does not exist" for f in missing], ""
            if not shutil.which(argv[0]):
                return "fail", [f"{argv[0]} is not installed"], ""
            if disk:
                make_disk(disk, blank=resume)
            if machine or test.get("monitor") == "grub":
                make_grub_image(test, work, server)
            monitor = Monitor(f"{work}/monitor") if yes(test, "asks") else None
            status, ended = boot_and_follow(test, argv, log_path, monitor, verbose,
                                            machine)
            if resume and not ended:
                argv, _ = qemu_argv(boot_to_resume(test), work, disk, int_log, server)
                status, ended = boot_and_follow(test, argv, log_path, monitor, verbose)
    finally:
        if server:
            server.close()
    reasons, note = console.judge(test, log_path, status, ended)
    if not ended:
        if disk and not resume:
            reasons += console.check_disk(disk, log_path)
        reasons += run_after(test, name, dict(log=log_path, int_log=int_log, disk=disk))
    if not reasons:
        for leftover in filter(None, [disk, int_log]):
            if os.path.exists(leftover):
                os.unlink(leftover)
    return "fail" if reasons else "pass", reasons, note
