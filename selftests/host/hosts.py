# SPDX-License-Identifier: GPL-2.0-only
"""The hosts on which one kernel boots, as options of a test (see tests.cfg)."""

import configparser

NAMES = ["native", "null", "trace", "monitor"]

# How the kernel's log says on which it is.
SAYS = {
    "native": r"^vmi: no ROM, \d+ sites native$",
    "null": r"^vmi: null ROM, API 3",
    "trace": r"^vmi: trace ROM, API 3",
    "monitor": r"^vmi: monitor, API 3",
    "kvm-vmi": r"^vmi: KVM ROM, API 3",
}


def options(host, **more):
    """A test of the kernel on @host, with what tests.cfg has for all tests."""
    cfg = configparser.ConfigParser(interpolation=None)
    with open("selftests/tests.cfg") as f:
        cfg.read_file(f)
    test = dict(cfg["DEFAULT"], vmi="yes", expect=SAYS[host])
    if host == "monitor":
        test["monitor"] = "yes"
    elif host == "kvm-vmi":
        test.update(kind=host, rom="kvm")
    elif host != "native":
        test["rom"] = host
    return dict(test, **more)
