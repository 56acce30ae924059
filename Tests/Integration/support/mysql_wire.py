"""The packets of MySQL, made and read by hand: for clients and servers that do what no real one does."""

import hashlib
import socket
import ssl
import struct

from .clients import context

LONG_PASSWORD, LONG_FLAG, CONNECT_WITH_DB, LOCAL_FILES = 1, 4, 8, 0x80
PROTOCOL_41, TLS, TRANSACTIONS, SECURE = 0x200, 0x800, 0x2000, 0x8000
MULTI_RESULTS, PLUGINS = 0x60000, 0x80000
CAPABILITIES = (
    LONG_PASSWORD | LONG_FLAG | CONNECT_WITH_DB | LOCAL_FILES | PROTOCOL_41 | TLS | TRANSACTIONS | SECURE
    | MULTI_RESULTS | PLUGINS)
QUERY, PING, CHANGE_USER, MULTI = 0x03, 0x0E, 0x11, 0xFE
OK = b"\0\0\0\2\0\0\0"


def packet(payload, sequence):
    return struct.pack("<I", len(payload))[:3] + bytes([sequence & 255]) + payload


def read_packet(stream):
    """The next packet as (sequence, payload); (None, b"") at the end of the stream."""
    head = exactly(stream, 4)
    if len(head) < 4:
        return None, b""
    return head[3], exactly(stream, int.from_bytes(head[:3], "little"))


def exactly(stream, count):
    data = b""
    while len(data) < count:
        piece = stream.recv(count - len(data))
        if not piece:
            break
        data += piece
    return data


def error(payload):
    """Code and text of an ERR packet."""
    assert payload[:1] == b"\xff", payload
    code, text = struct.unpack("<H", payload[1:3])[0], payload[3:]
    return code, (text[6:] if text[:1] == b"#" else text).decode()


def fixed_part(capabilities=CAPABILITIES, character_set=45):
    return struct.pack("<IIB", capabilities, 1 << 24, character_set) + bytes(23)


def response(user="orders_rw", database="orders", capabilities=CAPABILITIES, sequence=2):
    """The packet by which a client says who it is, with a proof that proves nothing."""
    return packet(
        fixed_part(capabilities) + user.encode() + b"\0" + bytes([20]) + bytes(range(20)) + database.encode()
        + b"\0mysql_native_password\0", sequence)


def change_user(user, database="orders", sequence=0):
    return packet(
        bytes([CHANGE_USER]) + user.encode() + b"\0\0" + database.encode() + b"\0"
        + struct.pack("<H", 45) + b"mysql_native_password\0", sequence)


def query(text):
    return packet(bytes([QUERY]) + text.encode(), 0)


def native_proof(password, nonce):
    once = hashlib.sha1(password.encode()).digest()
    mask = hashlib.sha1(nonce + hashlib.sha1(once).digest()).digest()
    return bytes(left ^ right for left, right in zip(once, mask))


class Client:
    """A client that is driven packet by packet: connected, greeted and within TLS."""

    def __init__(self, gateway, identity, header=b"", timeout=20):
        self.socket = socket.create_connection(gateway.address, timeout=timeout)
        self.socket.sendall(header)
        sequence, self.greeting = read_packet(self.socket)
        assert sequence == 0
        self.socket.sendall(packet(fixed_part(), 1))
        self.stream = context(gateway.pki, identity).wrap_socket(
            self.socket, server_hostname="localhost", suppress_ragged_eofs=False)

    def send(self, data):
        self.stream.sendall(data)

    def read(self):
        return read_packet(self.stream)

    def prove(self, password, first):
        """Answers the switch to mysql_native_password, which has the sequence `first`."""
        sequence, payload = self.read()
        assert (sequence, payload[:23]) == (first, b"\xfemysql_native_password\0"), payload
        self.send(packet(native_proof(password, payload[23:43]), first + 1))
        sequence, payload = self.read()
        assert sequence == first + 2
        return payload

    def log_in(self, user="orders_rw", password=None, database="orders"):
        self.send(response(user, database))
        answer = self.prove(password or user, 3)
        assert answer[:1] == b"\0", answer
        return self

    def ask(self, text):
        """The first value that a query returns."""
        self.send(query(text))
        _, payload = self.read()
        assert payload == b"\1", payload
        self.read(), self.read()  # the column, and EOF
        _, row = self.read()
        self.read()
        return row[1:].decode()

    def is_over(self):
        """Whether nothing but the end of the stream is left; a reset counts."""
        try:
            return self.stream.recv(1) == b""
        except (ssl.SSLError, OSError):
            return True

    def close(self):
        self.stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def greeting(version="8.0.36", capabilities=CAPABILITIES, sequence=0):
    return packet(
        b"\n" + version.encode() + b"\0" + struct.pack("<I", 7) + b"abcdefgh\0"
        + struct.pack("<H", capabilities & 0xFFFF) + b"\x2d\2\0" + struct.pack("<H", capabilities >> 16)
        + bytes([21]) + bytes(10) + b"ijklmnopqrst\0caching_sha2_password\0", sequence)


def server(script, tls=None, **arguments):
    """A server that greets, takes the gateway's response and goes on as `script(stream, sequence)`; `tls` is a
    context for what comes behind the request for it."""

    def serve(connection):
        connection.sendall(greeting(**arguments))
        sequence, payload = read_packet(connection)
        if tls is not None:
            assert len(payload) == 32
            connection = tls.wrap_socket(connection, server_side=True)
            sequence, payload = read_packet(connection)
        script(connection, sequence + 1)
        while connection.recv(4096):
            pass

    return serve


def asking_for_the_password(how, heard):
    """A server that asks for the password itself, by a switch or in the way of caching_sha2_password."""

    def script(stream, sequence):
        if how == "full authentication":
            stream.sendall(packet(b"\xfecaching_sha2_password\0" + bytes(range(1, 21)) + b"\0", sequence))
            sequence, _ = read_packet(stream)
            stream.sendall(packet(b"\1\4", sequence + 1))
        else:
            stream.sendall(packet(b"\xfe" + how.encode() + b"\0", sequence))
        sequence, payload = read_packet(stream)
        heard.append(payload)
        if sequence is not None:
            stream.sendall(packet(OK, sequence + 1))

    return script
