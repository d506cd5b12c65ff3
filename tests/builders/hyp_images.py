"""Small images with a hyp domain, laid out as Linux 4.14 and 6.x lay it out, linked by the cross binutils."""

from pathlib import Path

from builders.images import link

KIMAGE_4_14 = 0xFFFF000008080000
HYP_PAGE_4_14 = 0xFFFF0000089E2000
STAGE2_4_14 = 0xFFFF0000089E6F84
"""Where `__init_stage2_translation` lay in the kernel of the 2017 panic."""

SCRIPT_4_14 = f"""\
ENTRY(_text)
PHDRS {{ head PT_LOAD; text PT_LOAD; data PT_LOAD; note PT_NOTE; }}
SECTIONS {{
  . = {KIMAGE_4_14:#x};
  .head.text : {{ _text = .; KEEP(*(.head.text)) }} :head
  . = {HYP_PAGE_4_14:#x};
  .text : {{
    _stext = .;
    __hyp_idmap_text_start = .; *(.hyp.idmap.text) __hyp_idmap_text_end = .;
    __hyp_text_start = .;
    *(.hyp.text.first)
    . = {STAGE2_4_14 - HYP_PAGE_4_14:#x};
    *(.hyp.text)
    __hyp_text_end = .;
    *(.text .text.*)
    _etext = .;
  }} :text
  . = ALIGN(0x10000);
  .rodata : {{ __start_rodata = .; *(.rodata .rodata.*) }} :data
  .note.gnu.build-id : {{ *(.note.gnu.build-id) }} :data :note
  .rela.dyn : {{ *(.rela .rela*) }} :data
  __end_rodata = .;
  .data : {{ _sdata = .; *(.data .data.*) _edata = .; }} :data
  .bss : {{ __bss_start = .; *(.bss .bss.*) __bss_stop = .; }} :data
  _end = .;
}}
"""

SCRIPT_6_1 = """\
ENTRY(_text)
PHDRS { text PT_LOAD; data PT_LOAD; note PT_NOTE; }
SECTIONS {
  . = 0xffff800008000000;
  .head.text : { _text = .; KEEP(*(.head.text)) } :text
  .text : ALIGN(0x10000) {
    _stext = .;
    __hyp_idmap_text_start = .; *(.hyp.idmap.text) __hyp_idmap_text_end = .;
    . = ALIGN(0x1000);
    __hyp_text_start = .;
    *(.hyp.stub.text)
    . = ALIGN(0x1000);
    __kvm_nvhe___hyp_section_.hyp.text = .;
    *(.hyp.text)
    . = ALIGN(0x1000);
    __hyp_text_end = .;
    __idmap_text_start = .; *(.idmap.text) __idmap_text_end = .;
    *(.text .text.*)
    _etext = .;
  } :text
  . = ALIGN(0x10000);
  .rodata : { __start_rodata = .; *(.rodata .rodata.*) } :data
  .hyp.rodata : ALIGN(0x1000) { __hyp_rodata_start = .; *(.hyp.data..ro_after_init) *(.hyp.rodata) . = ALIGN(0x1000); __hyp_rodata_end = .; } :data
  .note.gnu.build-id : { *(.note.gnu.build-id) } :data :note
  .altinstructions : { __alt_instructions = .; *(.altinstructions) __alt_instructions_end = .; } :data
  .hyp.reloc : ALIGN(4) { __hyp_reloc_begin = .; *(.hyp.reloc) __hyp_reloc_end = .; } :data
  .rela.dyn : ALIGN(8) { *(.rela .rela*) } :data
  __end_rodata = .;
  .data : ALIGN(0x1000) { _sdata = .; *(.data .data.*) _edata = .; } :data
  .bss : ALIGN(0x1000) { __hyp_bss_start = .; *(.hyp.bss) . = ALIGN(0x1000); __hyp_bss_end = .; __bss_start = .; *(.bss .bss.*) __bss_stop = .; } :data
  _end = .;
}
"""

BANNER = """\
.section .rodata.banner, "a"
.globl linux_banner
.type linux_banner, %object
linux_banner: .asciz "{text}\\n"
.size linux_banner, . - linux_banner
"""


def link_4_14(source: str, *, banner: str | None = None, build_id: str = "0x" + "41" * 20) -> Path:
    """Return an image laid out like 4.14, with `.hyp.text` of the source at STAGE2_4_14; not relocatable."""
    return link(_with_banner(source, banner), script=SCRIPT_4_14, build_id=build_id)


def link_6_1(source: str, *, banner: str | None = None, build_id: str = "0x" + "61" * 20) -> Path:
    """Return a relocatable image laid out like 6.1."""
    return link(
        _with_banner(source, banner),
        "-shared",
        "-Bsymbolic",
        "-z",
        "notext",
        "--no-apply-dynamic-relocs",
        script=SCRIPT_6_1,
        build_id=build_id,
    )


def _with_banner(source: str, banner: str | None) -> str:
    return source if banner is None else source + "\n" + BANNER.format(text=banner)
