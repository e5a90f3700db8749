# SPDX-License-Identifier: GPL-2.0-only
"""The host's end of userland/net.c and host/io.c: takes and gives streams.

A client asks with one letter and a length (32 bits, little endian).  "u": it
sends that many bytes and gets their CRC-32.  "d": it gets that many bytes and
their CRC-32.  "s" and "r" are the same without the CRC, "e" gives back each
byte.  As a program: net.py PORT, until it is killed.
"""

import os
import socket
import struct
import sys
import threading
import zlib

CHUNK = 1 << 18


def _take(conn, length, summed):
    crc = 0
    while length:
        data = conn.recv(min(length, CHUNK))
        if not data:
            return
        if summed:
            crc = zlib.crc32(data, crc)
        length -= len(data)
    if summed:
        conn.sendall(struct.pack("<I", crc))


def _give(conn, length, summed):
    crc = 0
    block = os.urandom(CHUNK) if summed else bytes(CHUNK)
    while length:
        data = block[:length]
        conn.sendall(data)
        length -= len(data)
        if summed:
            crc = zlib.crc32(data, crc)
            block = block[1:] + block[:1]
    if summed:
        conn.sendall(struct.pack("<I", crc))


def _echo(conn, length, _):
    while length:
        data = conn.recv(1)
        if not data:
            return
        conn.sendall(data)
        length -= 1


# By letter: the routine, and whether there is a sum.
ANSWERS = {b"u": (_take, True), b"d": (_give, True), b"s": (_take, False),
           b"r": (_give, False), b"e": (_echo, False)}


def _serve(conn):
    with conn:
        try:
            conn.settimeout(600)
            ask = b""
            while len(ask) < 5:
                more = conn.recv(5 - len(ask))
                if not more:
                    return
                ask += more
            length = struct.unpack("<I", ask[1:])[0]
            answer, summed = ANSWERS[ask[:1]]
            answer(conn, length, summed)
        except (OSError, KeyError):
            pass    # the guest sees a wrong checksum, or none


class Server:
    """Serves on a port of the loopback interface as long as it is open."""

    def __init__(self, address=("127.0.0.1", 0)):
        self.sock = socket.create_server(address)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=_serve, args=(conn,), daemon=True).start()

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


if __name__ == "__main__":
    Server(("", int(sys.argv[1])))
    threading.Event().wait()
