from pathlib import Path

import pytest

from whypanic.app import build_tree
from whypanic.app.build_tree import Target, targets
from whypanic.model.errors import InputError


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def below(folder: Path) -> list[str]:
    return [
        str(each.path.relative_to(folder)) if isinstance(each, Target) else each.message
        for each in targets([str(folder)])
    ]


def test_files_are_taken_as_they_are(tmp_path: Path) -> None:
    names = ["nowhere", str(tmp_path / "x.o"), "nowhere"]
    assert list(targets(names)) == [
        Target(Path("nowhere"), "nowhere"),
        Target(tmp_path / "x.o", str(tmp_path / "x.o")),
    ]


def test_built_kernel(tmp_path: Path) -> None:
    make(tmp_path, "vmlinux", "arch/arm64/kvm/hyp/nvhe/kvm_nvhe.o", "vmlinux.o")
    assert below(tmp_path) == ["vmlinux"]


def test_objects_before_the_kernel_is_linked(tmp_path: Path) -> None:
    nvhe = "arch/arm64/kvm/hyp/nvhe"
    make(
        tmp_path,
        f"{nvhe}/kvm_nvhe.o", f"{nvhe}/kvm_nvhe.tmp.o", f"{nvhe}/kvm_nvhe.rel.o", f"{nvhe}/switch.nvhe.o",
        "arch/arm64/kvm/hyp/vhe/switch.o", "arch/arm64/kernel/head.o", "arch/arm64/kernel/head.S",
        "arch/arm64/kernel/built-in.o", "arch/arm64/kernel/pi/map_range.pi.o", "arch/arm64/kernel/vdso/note.o",
        "kernel/fork.o",
    )  # fmt: skip
    assert below(tmp_path) == [
        "arch/arm64/kernel/head.o",
        "arch/arm64/kernel/pi/map_range.pi.o",
        "arch/arm64/kvm/hyp/nvhe/kvm_nvhe.o",
        "arch/arm64/kvm/hyp/vhe/switch.o",
    ]


def test_objects_of_hyp_code_count_where_they_are_not_linked_yet(tmp_path: Path) -> None:
    make(tmp_path, "arch/arm64/kvm/hyp/nvhe/switch.nvhe.o", "virt/kvm/arm/hyp/timer-sr.o")
    assert below(tmp_path) == [
        "arch/arm64/kvm/hyp/nvhe/switch.nvhe.o",
        "virt/kvm/arm/hyp/timer-sr.o",
    ]


def test_folder_of_something_else(tmp_path: Path) -> None:
    make(tmp_path, "kernel/fork.o")
    (found,) = targets([str(tmp_path)])
    assert isinstance(found, InputError)
    assert found.path == str(tmp_path)
    assert "holds no vmlinux and no objects" in found.message


def test_number_of_objects_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_tree, "MAX_OBJECTS", 2)
    make(tmp_path, *(f"arch/arm64/mm/{n}.o" for n in range(3)))
    assert below(tmp_path)[:2] == ["arch/arm64/mm/0.o", "arch/arm64/mm/1.o"]
    assert below(tmp_path)[2] == "folder holds 3 objects, only the first 2 are audited"


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    make(tmp_path, "arch/arm64/mm/a.o")
    (tmp_path / "arch/arm64/mm/loop").symlink_to(tmp_path / "arch")
    assert below(tmp_path) == ["arch/arm64/mm/a.o"]
