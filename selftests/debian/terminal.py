# SPDX-License-Identifier: GPL-2.0-only
"""A machine of ours, and somebody at its serial terminal."""

import os
import re
import select
import subprocess
import time

SCALE = float(os.environ.get("VMI_TIMEOUT_SCALE", "1"))


class Failed(Exception):
    """The guest did not do what it should."""


class Console:
    """QEMU's standard input and output, as somebody at the terminal."""

    def __init__(self, command, log):
        self.log = open(log, "wb")
        self.qemu = subprocess.Popen(command, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT)
        self.text = ""

    def _read(self):
        """More of what it says; false: it has ended."""
        data = os.read(self.qemu.stdout.fileno(), 65536)
        self.log.write(data)
        self.log.flush()
        self.text += data.decode(errors="replace").replace("\r", "")
        return bool(data)

    def expect(self, pattern, seconds):
        """Waits for the pattern; returns the text up to its end."""
        deadline = time.monotonic() + seconds * SCALE
        while True:
            found = re.search(pattern, self.text, re.MULTILINE)
            if found:
                seen, self.text = self.text[:found.end()], self.text[found.end():]
                return seen
            left = deadline - time.monotonic()
            if left <= 0:
                raise Failed(f"no '{pattern}' in {seconds * SCALE:.0f} s")
            if select.select([self.qemu.stdout], [], [], left)[0] and not self._read():
                raise Failed(f"QEMU ended before '{pattern}'")

    def type(self, line):
        self.qemu.stdin.write(line.encode() + b"\n")
        self.qemu.stdin.flush()

    def close(self):
        if self.qemu.poll() is None:
            self.qemu.kill()
        self.qemu.wait()
        self.log.close()

    def log_in(self, seconds, name="vmi"):
        """As root, who has no password; from now on NAME:STATUS# is the prompt."""
        self.expect(r"login: ", seconds)
        self.type("root")
        self.expect(r"# ", 60)
        self.type(f"stty -echo; TERM=dumb PS1='{name}:$?# '")
        self.expect(rf"{name}:\d+# ", 60)

    def wake(self, name):
        """A prompt of a shell; what is typed before virsh listens is lost, so often."""
        self.text = ""
        for _ in range(12):
            if self.qemu.poll() is not None:
                raise Failed("QEMU ended")
            self.type("")
            try:
                self.expect(rf"{name}:\d+# ", 10)
                break
            except Failed as error:
                failed = error
        else:
            raise failed
        # The other prompts, if it was late only.
        time.sleep(2)
        while select.select([self.qemu.stdout], [], [], 0)[0] and self._read():
            pass
        self.text = ""

    def run(self, line, wanted="", seconds=300, name="vmi"):
        """A command that has to succeed and to say what matches @wanted; what it said."""
        self.type(line)
        seen = self.expect(rf"{name}:\d+# ", seconds)
        good = f"{name}:0# "
        if not seen.endswith(good) or not re.search(wanted, seen, re.MULTILINE):
            raise Failed(f"'{line}' said: {seen.strip()}")
        return seen[:-len(good)].strip()
