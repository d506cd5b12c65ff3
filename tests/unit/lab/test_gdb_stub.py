import pytest

from builders.fake_gdb_stub import FakeStub
from whypanic.lab.gdb_stub import GdbStub, unescape
from whypanic.model.errors import HostError


def test_registers_are_found_by_name_and_read() -> None:
    stub = GdbStub(FakeStub([{"x3": 0x1122334455667788, "cpsr": 0x3C9, "ESR_EL2": 0x96000004}]))
    numbers = stub.register_numbers()
    assert numbers["x0"] == 0
    assert numbers["cpsr"] == 33
    assert numbers["v0"] == 34
    assert numbers["fpsr"] == 35
    assert numbers["ESR_EL2"] == 68
    assert stub.register(numbers["x3"]) == 0x1122334455667788
    assert stub.register(numbers["cpsr"]) == 0x3C9
    assert stub.register(numbers["ESR_EL2"]) == 0x96000004
    assert stub.register(numbers["FAR_EL2"]) is None


def test_a_description_longer_than_a_packet_is_asked_for_in_pieces() -> None:
    fake = FakeStub([{}], named=[f"REG_{i}_EL1" for i in range(300)])
    numbers = GdbStub(fake).register_numbers()
    assert numbers["REG_299_EL1"] == 68 + 299
    pieces = [r for r in fake.asked if r.startswith(b"qXfer:features:read:system-registers.xml")]
    assert len(pieces) > 4


def test_each_cpu_is_a_thread() -> None:
    fake = FakeStub([{"pc": 1}, {"pc": 2}, {"pc": 3}])
    stub = GdbStub(fake)
    assert stub.threads() == (1, 2, 3)
    stub.select(3)
    assert stub.register(32) == 3
    with pytest.raises(HostError, match="no thread 9"):
        stub.select(9)


def test_memory_is_read_whole_or_not() -> None:
    stub = GdbStub(FakeStub([{}], memory=b"0123456789"))
    assert stub.memory(2, 4) == b"2345"
    assert stub.memory(8, 4) is None
    assert stub.memory(100, 4) is None


class _Says:
    """A channel that says what it was given, once."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def send(self, data: bytes) -> None:
        assert data

    def receive(self, n_bytes: int) -> bytes:
        data, self.data = self.data[:n_bytes], self.data[n_bytes:]
        if not data:
            message = "no answer in time"
            raise HostError(message)
        return data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"+", "no answer in time"),
        (b"+$PacketSize=1000#00", "checksum"),
        (b"+$PacketSize=1000#f1", "does not describe"),
        (b"x" * 100_000, "no end"),
    ],
)
def test_what_is_no_stub_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(HostError, match=words):
        GdbStub(_Says(data))


def test_threads_without_numbers_are_refused() -> None:
    fake = FakeStub([{}])
    stub = GdbStub(fake)
    fake.only = b"mp1.zz"
    with pytest.raises(HostError, match="no number"):
        stub.threads()


def test_descriptions_that_never_end_are_refused() -> None:
    fake = FakeStub([{}])
    stub = GdbStub(fake)
    fake.only = b"m" + b"x" * 4000
    with pytest.raises(HostError, match=r"target\.xml"):
        stub.register_numbers()


@pytest.mark.parametrize(
    ("body", "bytes_meant"),
    [
        (b"plain", b"plain"),
        (b"a}\x03b", b"a#b"),
        (b"0* ", b"0000"),
        (b"0*", b"0"),
        (b"*", b"*"),
        (b"}", b" "),
    ],
)
def test_escapes_and_repetitions_are_resolved(body: bytes, bytes_meant: bytes) -> None:
    assert unescape(body) == bytes_meant
