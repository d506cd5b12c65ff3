"""What callbacks of alternatives may leave."""

from whypanic.code.alternative_callbacks import (
    NOP,
    HasNamed,
    WordChoices,
    callback_words,
    is_known,
)

# and x0, x0, #1; ror x0, x0, #1; add x0, x0, #0; add x0, x0, #0, lsl #12; ror x0, x0, #63
HYP_VA = (0x92400000, 0x93C00400, 0x91000000, 0x91400000, 0x93C0FC00)
MOVZ_X5_1234, MOVK_X5_16 = 0xD2824685, 0xF2A24685


def cpu(**has: bool) -> HasNamed:
    return has.get


def fits(choices: WordChoices, word: int) -> bool:
    return word in choices.words or any(shape.fits(word) for shape in choices.shapes)


def test_nops_for_every_instruction() -> None:
    assert callback_words("alt_cb_patch_nops", (1, 2, 3), cpu()) == (WordChoices((NOP,)),) * 3


def test_names_of_copies_are_understood() -> None:
    assert is_known("__kvm_nvhe_alt_cb_patch_nops")
    assert is_known("kvm_update_va_mask.cfi_jt")
    assert not is_known("made_up")
    assert callback_words("made_up", (NOP,), cpu()) is None
    assert callback_words(None, (NOP,), cpu()) is None


def test_hyp_addresses_without_vhe_keep_registers_and_choose_numbers() -> None:
    choices = callback_words("kvm_update_va_mask", HYP_VA, cpu(HAS_VIRT_HOST_EXTN=False))
    assert choices is not None
    masked = (0x9240BC00, 0x93C0A400, 0x9112A800, 0x91416C00, 0x93C05C00)
    assert all(fits(c, word) for c, word in zip(choices, masked, strict=True))
    # Another register than the file has is never written.
    assert not any(fits(c, word | 1) for c, word in zip(choices, masked, strict=True))
    # Without a tag only the mask is left.
    assert [fits(c, NOP) for c in choices] == [False, True, True, True, True]


def test_hyp_addresses_with_vhe_are_left_alone() -> None:
    choices = callback_words("kvm_update_va_mask", HYP_VA, cpu(HAS_VIRT_HOST_EXTN=True))
    assert choices == (WordChoices((NOP,)),) * 5


def test_hyp_addresses_of_an_unknown_cpu() -> None:
    choices = callback_words("kvm_update_va_mask", HYP_VA, cpu())
    assert choices is not None
    assert fits(choices[0], NOP)
    assert fits(choices[0], 0x9240BC00)


def test_vectors_branch_only_where_hardened() -> None:
    nops = (NOP,) * 4
    left = callback_words("kvm_patch_vector_branch", nops, cpu(SPECTRE_V3A=False))
    assert left == (WordChoices(keeps=True),) * 4
    made = callback_words("kvm_patch_vector_branch", nops, cpu(SPECTRE_V3A=True))
    assert made is not None
    assert not any(choice.keeps for choice in made)
    words = (0xD2824680, 0xF2AACF00, 0xF2D35780, 0xD61F0000)
    assert all(fits(c, word) for c, word in zip(made, words, strict=True))
    older = callback_words("kvm_patch_vector_branch", (NOP,) * 5, cpu(SPECTRE_V3A=True))
    assert older is not None
    assert older[0].words == (0xA9BF07E0,)
    assert callback_words("kvm_patch_vector_branch", (NOP,) * 3, cpu()) is None


def test_values_of_the_running_kernel_have_a_shape() -> None:
    built = (0xD2800005, 0xF2A00005, 0xF2C00005, 0xF2E00005)
    choices = callback_words("kvm_get_kimage_voffset", built, cpu())
    assert choices is not None
    assert fits(choices[0], MOVZ_X5_1234)
    assert fits(choices[1], MOVK_X5_16)
    assert not fits(choices[0], MOVK_X5_16)
    assert callback_words("kvm_compute_final_ctr_el0", built[:2], cpu()) is None


def test_firmware_decides_about_calls() -> None:
    choices = callback_words("smccc_patch_fw_mitigation_conduit", (NOP,), cpu())
    assert choices == (WordChoices((0xD4000002, 0xD4000003), keeps=True),)


def test_speculative_store_bypass_needs_no_firmware_with_ssbs() -> None:
    branch = (0x14000007,)
    name = "spectre_v4_patch_fw_mitigation_enable"
    assert callback_words(name, branch, cpu(SSBS=True)) == (WordChoices(keeps=True),)
    assert callback_words(name, branch, cpu()) == (WordChoices((NOP,), keeps=True),)


def test_branch_history_loop_and_firmware() -> None:
    loop = callback_words("spectre_bhb_patch_loop_iter", (0xD2800403,), cpu())
    assert loop is not None
    assert fits(loop[0], 0xD2800103)
    assert not fits(loop[0], 0xD2800104)
    # mov w0, #0x80003fff
    wa3 = callback_words("spectre_bhb_patch_wa3", (0x32013FE0,), cpu())
    assert wa3 == (WordChoices((0x32013BE0,), keeps=True),)
