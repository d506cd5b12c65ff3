"""QEMU's side of gdb's remote protocol, as far as looking at a machine that stands still needs it.

Source: gdb manual, appendix E Remote Protocol: packets `$data#checksum`, answered by `+`; `}` escapes a byte, `*`
repeats one; numbers are hexadecimal, contents of registers and memory are bytes in the order of the target.
"""

import re
from collections.abc import Iterator
from typing import Protocol

from whypanic.model.errors import HostError

_MAX_ANSWER_BYTES = 1 << 16
_MAX_DOCUMENT_BYTES = 1 << 20
_MAX_THREADS = 64
_RECEIVED_BYTES = 4096
_CHUNK = 0xFFB
"""Bytes of a description that are asked for at once: QEMU's packets have 4096."""
_ESCAPED = 0x7D
_REPEATED = 0x2A


class Channel(Protocol):
    """Bytes to and from QEMU, with a deadline."""

    def send(self, data: bytes) -> None: ...

    def receive(self, n_bytes: int) -> bytes: ...


class GdbStub:
    """A conversation with the stub. Every method raises HostError where the answer does not come or makes no sense."""

    def __init__(self, channel: Channel) -> None:
        """Begin the conversation; the machine stands still from here on."""
        self._channel = channel
        self._received = bytearray()
        # Without `multiprocess+` threads have plain numbers; with `xmlRegisters` they all have names.
        if b"qXfer:features:read+" not in self.ask(b"qSupported:xmlRegisters=aarch64"):
            message = "this gdb stub does not describe its registers"
            raise HostError(message)
        self.ask(b"?")

    def ask(self, request: bytes) -> bytes:
        """Return what is answered to a request; empty: it is not known there."""
        self._channel.send(b"$%s#%02x" % (request, sum(request) & 0xFF))
        answer = self._packet()
        self._channel.send(b"+")
        return answer

    def _packet(self) -> bytes:
        while True:
            start = self._received.find(b"$")
            end = -1 if start < 0 else self._received.find(b"#", start)
            if end >= 0 and len(self._received) >= end + 3:
                body = bytes(self._received[start + 1 : end])
                told = bytes(self._received[end + 1 : end + 3])
                del self._received[: end + 3]
                if told.lower() != b"%02x" % (sum(body) & 0xFF):
                    message = "a packet of the gdb stub has a wrong checksum"
                    raise HostError(message)
                return unescape(body)
            if len(self._received) > _MAX_ANSWER_BYTES:
                message = "an answer of the gdb stub has no end"
                raise HostError(message)
            self._received += self._channel.receive(_RECEIVED_BYTES)

    def threads(self) -> tuple[int, ...]:
        """Return the numbers of its threads, which are CPUs in their order."""
        found: list[int] = []
        answer = self.ask(b"qfThreadInfo")
        while answer.startswith(b"m") and len(found) < _MAX_THREADS:
            found += [_number(word) for word in answer[1:].split(b",")]
            answer = self.ask(b"qsThreadInfo")
        return tuple(found)

    def select(self, thread: int) -> None:
        """Have `register` and `memory` speak of one CPU."""
        if self.ask(b"Hg%x" % thread) != b"OK":
            message = f"the gdb stub has no thread {thread}"
            raise HostError(message)

    def register_numbers(self) -> dict[str, int]:
        """Return the numbers of all registers by the name that QEMU gives them."""
        numbers: dict[str, int] = {}
        following = 0
        target = self._document(b"target.xml")
        for file in re.findall(r'<xi:include href="([\w.-]{1,80})"', target):
            for name, number in _registers(self._document(file.encode())):
                following = following if number is None else number
                numbers.setdefault(name, following)
                following += 1
        return numbers

    def _document(self, name: bytes) -> str:
        document = b""
        while len(document) < _MAX_DOCUMENT_BYTES:
            answer = self.ask(b"qXfer:features:read:%s:%x,%x" % (name, len(document), _CHUNK))
            if answer[:1] not in (b"m", b"l"):
                break
            document += answer[1:]
            if answer[:1] == b"l" or len(answer) == 1:
                return document.decode(errors="backslashreplace")
        message = f"the gdb stub does not give `{name.decode()}`"
        raise HostError(message)

    def register(self, number: int) -> int | None:
        """Return the content of a register of the selected CPU; None where the stub cannot read it."""
        return _content(self.ask(b"p%x" % number))

    def memory(self, address: int, n_bytes: int) -> bytes | None:
        """Return memory as the selected CPU sees it now; None where it is not mapped."""
        answer = self.ask(b"m%x,%x" % (address, n_bytes))
        try:
            data = bytes.fromhex(answer.decode("ascii"))
        except ValueError:
            return None
        return data if len(data) == n_bytes else None


def _registers(document: str) -> Iterator[tuple[str, int | None]]:
    """Yield name and number of each register of a description; None: the one behind that before it."""
    for tag in re.findall(r"<reg ([^<>]{1,400})>", document):
        name = re.search(r'\bname="([\w.-]{1,80})"', tag)
        number = re.search(r'\bregnum="(\d{1,6})"', tag)
        if name is not None:
            yield name[1], int(number[1]) if number else None


def _number(word: bytes) -> int:
    try:
        return int(word, 16)
    except ValueError:
        message = "the gdb stub names a thread that is no number"
        raise HostError(message) from None


def _content(answer: bytes) -> int | None:
    """Return a register's bytes as a number; None for an error such as `E14`, and for `xx`: not available."""
    if not answer or len(answer) % 2:
        return None
    try:
        return int.from_bytes(bytes.fromhex(answer.decode("ascii")), "little")
    except ValueError:
        return None


def unescape(body: bytes) -> bytes:
    """Return the bytes that a packet stands for: repetitions written out, escapes resolved."""
    if _ESCAPED not in body and _REPEATED not in body:
        return body
    out = bytearray()
    i = 0
    while i < len(body):
        byte = body[i]
        follows = body[i + 1] if i + 1 < len(body) else 0
        if byte == _ESCAPED:
            out.append(follows ^ 0x20)
            i += 2
        elif byte == _REPEATED and out:
            # The count is a printable character: 29 is added to it.
            out += out[-1:] * max(follows - 29, 0)
            i += 2
        else:
            out.append(byte)
            i += 1
    return bytes(out)
