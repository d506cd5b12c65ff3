import pytest

from whypanic.lab.modes import all_cpus, all_modes, cpu_for, find_cpu, find_mode, prove
from whypanic.model.errors import UsageError

NAMES = ("el1", "nvhe", "vhe", "nvhe-on-vhe", "hvhe", "protected", "kvm-off")


def test_the_modes_of_the_contract() -> None:
    assert tuple(mode.id for mode in all_modes()) == NAMES


def test_every_cpu_of_a_mode_is_known_and_fits() -> None:
    for mode in all_modes():
        for argument in mode.cpus:
            cpu = find_cpu(argument)
            assert cpu is not None, argument
            assert mode.vhe in (None, cpu.vhe), (mode.id, argument)


def test_every_mode_has_a_cpu_for_every_page_size() -> None:
    for mode in all_modes():
        for page in ("4k", "16k", "64k"):
            cpu = find_cpu(cpu_for(mode, page))
            assert cpu is not None
            assert page in cpu.pages, (mode.id, page)


def test_16k_and_no_vhe_is_a_cortex_a35() -> None:
    assert cpu_for(find_mode("nvhe"), "16k") == "cortex-a35"
    assert cpu_for(find_mode("nvhe"), "4k") == "cortex-a57"


def test_no_proof_is_part_of_another_modes() -> None:
    for mode in all_modes():
        for other in all_modes():
            for proof in mode.proofs:
                for text in other.proofs:
                    assert proof == text or proof not in text


def test_unknown_names() -> None:
    with pytest.raises(UsageError, match="no mode `el3`"):
        find_mode("el3")
    assert find_cpu("cortex-z99,sve=off") is None
    assert len({cpu.model for cpu in all_cpus()}) == len(all_cpus())


@pytest.mark.parametrize(
    ("mode", "line"),
    [
        ("el1", "CPU: All CPU(s) started at EL1"),
        ("nvhe", "kvm [1]: Hyp mode initialized successfully"),
        ("nvhe", "kvm [1]: Hyp nVHE mode initialized successfully"),
        ("vhe", "kvm [1]: VHE mode initialized successfully"),
        ("nvhe-on-vhe", "kvm [1]: Hyp nVHE mode initialized successfully"),
        ("hvhe", "kvm [1]: Hyp hVHE mode initialized successfully"),
        ("protected", "kvm [1]: Protected nVHE mode initialized successfully"),
        ("protected", "kvm [1]: Protected hVHE mode initialized successfully"),
        ("kvm-off", "kvm [1]: KVM disabled from command line"),
    ],
)
def test_a_mode_is_proved_and_others_are_denied(mode: str, line: str) -> None:
    console = f"[    0.1] CPU features: detected: something\n[    0.2] {line}\nmore\n"
    proof = prove(find_mode(mode), console)
    assert proof.proved is True
    assert proof.words == f"[    0.2] {line}"
    for other in all_modes():
        if not set(other.proofs) & set(find_mode(mode).proofs):
            assert prove(other, console).proved is False, other.id


def test_a_console_that_does_not_tell() -> None:
    assert prove(find_mode("vhe"), "CPU: All CPU(s) started at EL2\n").proved is None
    assert prove(find_mode("vhe"), "").proved is None
