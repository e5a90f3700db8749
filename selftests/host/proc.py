# SPDX-License-Identifier: GPL-2.0-only
"""Processes that the runner starts, and their logs."""

import os
import re
import signal
import subprocess
import threading

TABLE = re.compile(r"# \d+ \w+ \d+ (native|call|jump|nop) (\d+|-)$")

_lock = threading.Lock()
_running = set()
_over = threading.Event()

# As Ctrl-C: who starts processes ends them then, for nobody else would.
signal.signal(signal.SIGTERM, signal.default_int_handler)


def scaled(seconds):
    """Timeouts are for a slow machine; VMI_TIMEOUT_SCALE is for a slower one."""
    return seconds * float(os.environ.get("VMI_TIMEOUT_SCALE", "1"))


def start(argv, **kwargs):
    """A process in a group of its own, so that its children end with it."""
    if _over.is_set():
        raise KeyboardInterrupt
    env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    p = subprocess.Popen(argv, start_new_session=True, env=env, **kwargs)
    with _lock:
        _running.add(p)
    return p


def stop(p):
    """Ends @p and what it started; returns its exit status."""
    if p.poll() is None:
        try:
            os.killpg(p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    status = p.wait()
    with _lock:
        _running.discard(p)
    return status


def stop_all():
    """Ends all processes; no more can be started, in whatever thread."""
    _over.set()
    with _lock:
        running = list(_running)
    for p in running:
        stop(p)


def run_to_log(command, log, timeout):
    """Exit status of a shell command whose output goes to @log; None when it
    did not end in time."""
    with open(log, "wb") as out:
        p = start(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL,
                  stdout=out, stderr=subprocess.STDOUT)
        try:
            p.wait(timeout)
        except subprocess.TimeoutExpired:
            stop(p)
            return None
        return stop(p)


def tail(path, lines):
    """The end of a log, without the table of operations that a guest prints."""
    try:
        with open(path, errors="replace") as f:
            kept = [s.rstrip() for s in f if not TABLE.search(s)]
    except OSError:
        return []
    return kept[-lines:]
