"""Mode of KVM on the host."""

from whypanic.code.hyp_mode import infer_hyp_mode
from whypanic.model.context import CommandLine, CpuFeatures, KernelVersion
from whypanic.model.hyp import HypOffset, HypPanic, HypVaRange, KvmModeLine
from whypanic.model.provenance import Fact, Origin, Source


def at(line: int) -> Source:
    return Source(line=line, text=f"line {line}")


def features(raw: str) -> tuple[Fact, ...]:
    return (
        CpuFeatures(source=at(8), raw=raw, bitmap=int(raw, 16), n_groups=1),
        KernelVersion(source=at(7), release="4.14.0"),
    )


def panic(pc: int, ps: int = 0x3C9) -> HypPanic:
    return HypPanic(source=at(5), ps=ps, pc=pc, esr=None, far=None, hpfar=None, par=None, vcpu=None)


def mode(*facts: Fact) -> str | None:
    found = infer_hyp_mode(facts)
    return found.mode if found else None


def test_the_kernels_words_come_first() -> None:
    protected = KvmModeLine(source=at(1), mode="protected", hvhe=True)
    found = infer_hyp_mode((*features("0x000800"), protected))
    assert found is not None
    assert (found.mode, found.hvhe) == ("protected", True)


def test_a_line_that_only_says_unavailable_tells_no_mode() -> None:
    assert mode(KvmModeLine(source=at(1), mode=None, available=False)) is None


def test_what_only_nvhe_prints() -> None:
    assert mode(HypOffset(source=at(1), offset=1)) == "nvhe"
    assert mode(HypVaRange(source=at(1), first=1 << 47, last=(1 << 48) - 1)) == "nvhe"


def test_a_distance_that_the_image_gave_is_not_printed() -> None:
    solved = Source(origin=Origin.IMAGE, address=0x1000)
    assert mode(HypOffset(source=solved, offset=1)) is None


def test_the_command_line_names_protection() -> None:
    command = CommandLine(source=at(1), text="console=ttyAMA0 kvm-arm.mode=protected")
    assert mode(HypOffset(source=at(2), offset=1), command) == "protected"


def test_the_capability_bitmap_of_4_14() -> None:
    assert mode(*features("0x002086")) == "nvhe"
    assert mode(*features("0x002886")) == "vhe"  # bit 11 is VIRT_HOST_EXTN


def test_an_unknown_kernels_bitmap_tells_nothing() -> None:
    bitmap, _ = features("0x002886")
    assert mode(bitmap) is None


def test_pc_in_the_lower_range_is_nvhe() -> None:
    assert mode(panic(0x0000800041A2B3C8)) == "nvhe"
    assert mode(panic(0xFFFF0000089E6FD8)) is None
    assert mode(panic(0x0000800041A2B3C8, ps=0x3C5)) is None
