"""Upstreams that speak TLS, well or badly."""

import socket
import ssl

from .postgres import SSL_REQUEST


def server_context(identity, client_ca=None, maximum=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(identity.certificate, identity.key)
    if client_ca is not None:
        made.load_verify_locations(client_ca)
        made.verify_mode = ssl.CERT_REQUIRED
    if maximum is not None:
        made.maximum_version = maximum
    return made


def within_tls(made, serve, asked=False):
    """Serves within TLS, which the client has asked for by SSLRequest where `asked` says so."""

    def start(connection):
        if asked:
            assert _exactly(connection, 8) == SSL_REQUEST
            connection.sendall(b"S")
        try:
            stream = made.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False)
        except ssl.SSLError:
            return
        with stream:
            serve(stream)

    return start


def answering(data):
    """Answers SSLRequest with these bytes, and ends."""

    def serve(connection):
        _exactly(connection, 8)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

    return serve


def _exactly(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            break
        data += piece
    return data
