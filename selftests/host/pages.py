# SPDX-License-Identifier: GPL-2.0-only
"""Clients of a guest's web server, which fetch its page again and again.

usage: pages.py ADDRESS CLIENTS OVER

The server has the page's SHA-256 in "sum".  Until one of the files OVER (with commas
between them) is there; then come what was fetched, and a line for each page that did not
come, or came wrong.
"""

import hashlib
import os
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
import proc    # noqa: E402


def get(address, port, name):
    """A file of the server's."""
    with socket.create_connection((address, port), proc.scaled(60)) as s:
        s.sendall(f"GET /{name} HTTP/1.0\r\n\r\n".encode())
        parts = []
        while data := s.recv(65536):
            parts.append(data)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    if b" 200 " not in head[:20]:
        raise ValueError(f"{len(body)} bytes, {head[:40]!r}")
    return body


class Client(threading.Thread):
    """Fetches the page until told to stop."""

    def __init__(self, address, port, digest):
        super().__init__(daemon=True)
        self.address, self.port, self.digest = address, port, digest
        self.stop = False
        self.done, self.failures, self.longest = 0, [], 0.0

    def fetch(self):
        body = get(self.address, self.port, "page")
        if hashlib.sha256(body).hexdigest() != self.digest:
            raise ValueError(f"{len(body)} bytes, not those of the page")

    def run(self):
        while not self.stop:
            start = time.monotonic()
            try:
                self.fetch()
                self.done += 1
            except (OSError, ValueError) as err:
                self.failures.append(f"{type(err).__name__}: {err}")
                time.sleep(1)
            self.longest = max(self.longest, time.monotonic() - start)


def main():
    address, count, over = sys.argv[1:]
    digest = get(address, 80, "sum").split()[0].decode()
    clients = [Client(address, 80, digest) for _ in range(int(count))]
    for client in clients:
        client.start()
    while not any(os.path.exists(name) for name in over.split(",")):
        time.sleep(0.5)
    for client in clients:
        client.stop = True
    for client in clients:
        client.join(proc.scaled(120))
    failures = sum((c.failures for c in clients), [])
    for failure in failures[:20]:
        print(f"lost: {failure}")
    print(f"pages: {sum(c.done for c in clients)}, {len(failures)} lost, the slowest took "
          f"{max(c.longest for c in clients) * 1000:.0f} ms")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
