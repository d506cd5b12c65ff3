"""Records of one dump become one input."""

from pathlib import Path

from whypanic.app.explain import explain_paths
from whypanic.app.inputs import RawInput
from whypanic.app.pstore_records import gather_records
from whypanic.model.errors import InputError


def names(*items: RawInput | InputError) -> list[str]:
    return [
        item.name if isinstance(item, RawInput) else item.message for item in gather_records(items)
    ]


def record(name: str, head: str) -> RawInput:
    return RawInput(f"p/{name}", f"{head}\n<6>[    1.000000] x\n".encode())


def test_parts_of_one_dump() -> None:
    one = record("dmesg-efi_pstore-170000000001001", "Oops#1 Part1")
    two = record("dmesg-efi_pstore-170000000002001", "Oops#1 Part2")
    other = record("dmesg-efi_pstore-180000000001001", "Oops#1 Part1")
    (joined, alone) = gather_records([one, two, other])
    assert isinstance(joined, RawInput)
    assert joined.name == ("p/{dmesg-efi_pstore-170000000001001,dmesg-efi_pstore-170000000002001}")
    assert joined.data == one.data + two.data
    assert alone == other


def test_records_of_another_name_or_content_are_files() -> None:
    plain = RawInput("p/dmesg-efi-1", b"no head\n")
    console = RawInput("p/console-ramoops-0", b"Oops#1 Part1\n")
    error = InputError("gone", path="p/x")
    assert names(plain, error, console) == ["p/dmesg-efi-1", "gone", "p/console-ramoops-0"]


def test_a_part_that_comes_again_is_another_dump() -> None:
    rows = [record(f"dmesg-ramoops-{n}", "Panic#1 Part1") for n in range(3)]
    assert names(*rows) == [row.name for row in rows]


def test_another_folder_is_another_dump() -> None:
    one = record("dmesg-erst-5", "Oops#1 Part1")
    two = RawInput("q/dmesg-erst-6", b"Oops#1 Part2\nx\n")
    assert len(names(one, two)) == 2


def test_a_folder_of_parts_is_one_report(tmp_path: Path) -> None:
    lines = [
        "<1>[    1.000001] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010",
        "<1>[    1.000002] Mem abort info:",
        "<1>[    1.000003]   ESR = 0x0000000096000006",
        "<0>[    1.000004] Internal error: Oops: 0000000096000006 [#1] SMP",
        "<4>[    1.000005] pc : gadget_poll+0x10/0x20",
        "<4>[    1.000006] lr : gadget_work+0x10/0x20",
    ]
    for part in (1, 2, 3):
        start = 2 * (3 - part)
        text = f"Oops#1 Part{part}\n" + "\n".join(lines[start : start + 2])
        (tmp_path / f"dmesg-efi-1700000000{part:02}001").write_text(text)
    document = explain_paths([str(tmp_path)])
    assert len(document.inputs) == 1
    (found,) = document.reports
    assert (found.kind, found.title) == (
        "null-dereference",
        "NULL pointer dereference in gadget_poll",
    )
    assert (found.span.first_line, found.span.last_line) == (2, 9)


def test_a_record_that_is_still_packed_is_said(tmp_path: Path) -> None:
    (tmp_path / "dmesg-ramoops-0.enc.z").write_bytes(b"x\x9c\x00\x01\xff")
    document = explain_paths([str(tmp_path)])
    assert [item.reason for item in document.unreadable] == [
        "a pstore record that the kernel could not decompress"
    ]
