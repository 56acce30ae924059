"""PROXY protocol headers, made and read as HAProxy's proxy-protocol.txt says, independently of the program."""

import ipaddress
import socket
import struct
import subprocess

from .gateway import free_port
from .wait import wait_until

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21


def v1(source="192.0.2.7", destination="198.51.100.1", source_port=4321, destination_port=6432, family=None):
    family = family or ("TCP6" if ":" in source else "TCP4")
    return f"PROXY {family} {source} {destination} {source_port} {destination_port}\r\n".encode()


def v2(source="192.0.2.7", destination="198.51.100.1", source_port=4321, destination_port=6432, command=PROXY,
       family=None, extensions=b"", length=None):
    addresses = [ipaddress.ip_address(each) for each in (source, destination)]
    body = b"".join(each.packed for each in addresses) + struct.pack("!HH", source_port, destination_port) + extensions
    if family is None:
        family = 0x11 if addresses[0].version == 4 else 0x21
    return SIGNATURE + struct.pack("!BBH", command, family, len(body) if length is None else length) + body


def extension(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def extensions(data):
    """TLVs as pairs of type and value."""
    found = []
    while data:
        kind, length = struct.unpack("!BH", data[:3])
        assert len(data) >= 3 + length, "an extension runs over the end"
        found.append((kind, data[3:3 + length]))
        data = data[3 + length:]
    return found


def read_header(connection):
    """Reads the header that a connection begins with, and nothing behind it."""
    start = _exactly(connection, 12)
    if start == SIGNATURE:
        command, family, length = struct.unpack("!BBH", _exactly(connection, 4))
        body = _exactly(connection, length)
        size = {0x11: 4, 0x21: 16, 0x00: 0}[family]
        header = {"version": 2, "command": command, "family": family}
        if size:
            header["source"] = str(ipaddress.ip_address(body[:size]))
            header["destination"] = str(ipaddress.ip_address(body[size:2 * size]))
            header["ports"] = struct.unpack("!HH", body[2 * size:2 * size + 4])
            body = body[2 * size + 4:]
        header["extensions"] = extensions(body)
        return header
    line = start
    while not line.endswith(b"\r\n"):
        assert len(line) <= 107, line
        line += _exactly(connection, 1)
    words = line.decode("ascii")[:-2].split(" ")
    assert words[0] == "PROXY" and words[1] in ("TCP4", "TCP6"), line
    return {
        "version": 1, "family": words[1], "source": words[2], "destination": words[3],
        "ports": (int(words[4]), int(words[5]))}


def _exactly(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        assert piece, f"the stream ends in the header behind {data}"
        data += piece
    return data


class HAProxy:
    """A real HAProxy with one frontend on a port of its own."""

    def __init__(self, folder, text):
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        path = folder / "haproxy.cfg"
        path.write_text(
            "global\n    log stderr format raw local0\ndefaults\n    mode tcp\n    timeout connect 5s\n"
            "    timeout client 60s\n    timeout server 60s\n" + text.replace("PORT", str(self.port)))
        self.process = subprocess.Popen(
            ["haproxy", "-db", "-f", path], stdout=subprocess.DEVNULL, stderr=open(folder / "log", "w"))
        wait_until(self._listens, what="haproxy")

    def _listens(self):
        assert self.process.poll() is None, "haproxy has ended"
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def close(self):
        self.process.terminate()
        self.process.wait(10)
