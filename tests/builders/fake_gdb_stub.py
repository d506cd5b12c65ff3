"""A gdb stub that is none: it answers as QEMU does, over registers and memory that a test gives."""

import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

TARGET = """<?xml version="1.0"?><target><architecture>aarch64</architecture>\
<xi:include href="aarch64-core.xml"/><xi:include href="aarch64-fpu.xml"/>\
<xi:include href="system-registers.xml"/></target>"""
CORE = (
    '<feature name="org.gnu.gdb.aarch64.core">'
    + "".join(f'<reg name="x{i}" bitsize="64"/>\n' for i in range(31))
    + '<reg name="sp" bitsize="64" type="data_ptr"/><reg name="pc" bitsize="64"/>'
    '<reg name="cpsr" bitsize="32" type="cpsr_flags"/></feature>'
)
FPU = '<feature><reg name="v0" bitsize="128" regnum="34"/><reg name="fpsr" bitsize="32"/></feature>'
N_BEFORE_SYSTEM = 68


class FakeStub:
    """The other end of a conversation: a channel that can be asked directly, too."""

    def __init__(
        self,
        cpus: Sequence[Mapping[str, int]],
        *,
        named: Sequence[str] = ("ESR_EL2", "FAR_EL2", "VBAR", "SCTLR", "ESR_EL1"),
        memory: bytes = b"",
    ) -> None:
        """Take registers by the name that QEMU gives them.

        :param named: names of the system registers, in the order of their numbers.
        """
        self.cpus = cpus
        self.memory = memory
        self.thread = 0
        system = "".join(
            f'<reg name="{name}" bitsize="64" regnum="{N_BEFORE_SYSTEM + i}" group="cp_regs"/>'
            for i, name in enumerate(named)
        )
        self.documents = {
            b"target.xml": TARGET.encode(),
            b"aarch64-core.xml": CORE.encode(),
            b"aarch64-fpu.xml": FPU.encode(),
            b"system-registers.xml": f"<feature>{system}</feature>".encode(),
        }
        names = [*(f"x{i}" for i in range(31)), "sp", "pc", "cpsr"]
        self.names = {
            **dict(enumerate(names)),
            **{N_BEFORE_SYSTEM + i: name for i, name in enumerate(named)},
        }
        self.asked: list[bytes] = []
        self.only: bytes | None = None
        """What it answers to everything; None: what is right."""
        self._out = bytearray()

    def send(self, data: bytes) -> None:
        data = data.lstrip(b"+")
        if data:
            request = data[1:-3]
            assert data == b"$%s#%02x" % (request, sum(request) & 0xFF)
            self.asked.append(request)
            answer = self.answer(request)
            self._out += b"+$%s#%02x" % (answer, sum(answer) & 0xFF)

    def receive(self, n_bytes: int) -> bytes:
        data = bytes(self._out[: min(n_bytes, 700)])
        del self._out[: len(data)]
        return data

    def answer(self, request: bytes) -> bytes:
        """Return what is answered to one request."""
        kind, rest = request[:1], request[1:]
        if self.only is not None:
            return self.only
        if request.startswith(b"qSupported"):
            return b"PacketSize=1000;qXfer:features:read+;vContSupported+;multiprocess+"
        if request == b"?":
            return b"T05thread:01;"
        if request == b"qfThreadInfo":
            return b"m01"
        if request == b"qsThreadInfo":
            self.thread += 1
            return b"m%02x" % (self.thread + 1) if self.thread < len(self.cpus) else b"l"
        if request.startswith(b"qXfer:features:read:"):
            name, _, place = request.removeprefix(b"qXfer:features:read:").partition(b":")
            start, length = (int(n, 16) for n in place.split(b","))
            piece = self.documents[name][start : start + length]
            return (b"l" if start + length >= len(self.documents[name]) else b"m") + piece
        if kind == b"H":
            self.thread = int(rest[1:], 16) - 1
            return b"OK" if self.thread < len(self.cpus) else b"E22"
        if kind == b"p":
            register = self.names.get(int(rest, 16), "")
            value = self.cpus[self.thread].get(register)
            n_bytes = 4 if register == "cpsr" else 8
            return b"E14" if value is None else value.to_bytes(n_bytes, "little").hex().encode()
        if kind == b"m":
            start, length = (int(n, 16) for n in rest.split(b","))
            data = self.memory[start : start + length]
            return data.hex().encode() if data else b"E14"
        return b""


def serve(stub: FakeStub, path: Path) -> threading.Thread:
    """Listen on a socket for one conversation, and return the thread that does."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)
    listener.settimeout(10)

    def talk() -> None:
        # The test may go away at any moment: that ends the conversation.
        with suppress(OSError), listener:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(10)
                pending = b""
                while data := connection.recv(4096):
                    pending += data
                    while (end := pending.find(b"#")) >= 0 and len(pending) >= end + 3:
                        stub.send(pending[: end + 3])
                        pending = pending[end + 3 :]
                        while answer := stub.receive(4096):
                            connection.sendall(answer)

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    return thread
