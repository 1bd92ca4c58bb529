"""Calls the server of tests/warm.py, as a program or a function; imports next to nothing, since it starts often."""

import _socket
import os
import sys


def called(socket, arguments, environ, descriptors):
    """Start `toolkit ARGUMENTS` with an environment and (stdin, stdout, stderr).

    Returns:
        A connection on which come the process id and, when it has ended, its exit code: 4 bytes each.
    """
    directory = os.getcwd()  # noqa: PTH109
    words = [directory, str(len(arguments)), *arguments, *(f"{name}={value}" for name, value in environ.items())]
    request = b"\0".join(map(os.fsencode, words))
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.connect(socket)
    rights = b"".join(number.to_bytes(4, sys.byteorder) for number in descriptors)
    connection.sendmsg([len(request).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
    connection.sendall(request)
    return connection


def number(connection):
    """The next number that it answers; None where the server has ended."""
    answer = connection.recv(4, _socket.MSG_WAITALL)
    return int.from_bytes(answer, "big", signed=True) if len(answer) == 4 else None


def main(socket, arguments):
    """Do as if this process were the command, which shares its streams."""
    connection = called(socket, arguments, os.environ, (0, 1, 2))
    number(connection)
    code = number(connection)
    if code is not None and code < 0:
        os.kill(os.getpid(), -code)
    sys.exit(1 if code is None else code)
