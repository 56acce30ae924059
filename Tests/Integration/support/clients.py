"""TLS clients."""

import socket
import ssl


def context(pki, identity=None, *, minimum=None, maximum=None, alpn=None):
    """A client's context that believes the CA's servers and shows `identity`."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(pki.ca.certificate)
    if identity is not None:
        made.load_cert_chain(identity.certificate, identity.key)
    if minimum is not None:
        made.minimum_version = minimum
    if maximum is not None:
        made.maximum_version = maximum
    if alpn is not None:
        made.set_alpn_protocols(alpn)
    return made


def dial(address, timeout=20):
    """A connection to a TCP address or to the path of a Unix socket."""
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout=timeout)
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    raw.settimeout(timeout)
    try:
        raw.connect(str(address))
    except BaseException:
        raw.close()
        raise
    return raw


def connect(gateway, identity=None, *, timeout=20, made=None, **arguments):
    """A TLS connection to the gateway; a ragged end of the stream raises SSLEOFError."""
    made = made or context(gateway.pki, identity, **arguments)
    raw = dial(gateway.address, timeout)
    try:
        return made.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
    except BaseException:
        raw.close()
        raise


def exchange(gateway, identity, data=b"ping"):
    """Sends `data` over a connection of its own and returns as many bytes of the answer."""
    with connect(gateway, identity) as stream:
        stream.sendall(data)
        return receive(stream, len(data))


def receive(stream, count):
    """Exactly `count` bytes, or what came before the end."""
    received = bytearray()
    while len(received) < count:
        piece = stream.recv(min(65536, count - len(received)))
        if not piece:
            break
        received += piece
    return bytes(received)
