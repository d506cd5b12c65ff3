from whypanic.crashlog.panic_messages import headline_of_panic, is_dependent, kind_of_panic
from whypanic.model.fault import PanicMessage
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Source


def test_panic_only() -> None:
    source = Source(line=1, text="")
    panic = PanicMessage(message="Asynchronous SError Interrupt", source=source)
    assert headline_of_panic(panic).kind is Kind.SERROR
    assert kind_of_panic("VFS: Unable to mount root fs") is Kind.PANIC


def test_dependent_panics() -> None:
    assert is_dependent("Oops: Fatal exception in interrupt")
    assert not is_dependent("VFS: Unable to mount root fs on unknown-block(0,0)")
