"""A QEMU that is none: it answers on the control socket, and does what a list of steps says when it is let run.

The program is a script that is started like QEMU, so that all between the boot and the process is the real thing.
"""

import json
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from whypanic.model.lab import BootSpec

POWER_OFF = ("event", "SHUTDOWN", {"guest": True, "reason": "guest-shutdown"})
RESET = ("event", "SHUTDOWN", {"guest": True, "reason": "guest-reset"})
REGISTERS = """\
CPU#0
 PC=0000000040210004 X00=0000000000000000 X01={x1:016x}
 SP=0000000040300000
PSTATE=600003c9 -ZC- EL2h  SVCR=00000000
"""
AT_REST = {
    "info registers -a": REGISTERS.format(x1=7),
    "gva2gpa": "gpa: 0x40210004\n",
    "xp": "0000000040210000: 0x14000000\n",
}

_SCRIPT = """\
import json, os, re, socket, sys, threading, time

steps, answers = json.loads({steps!r}), json.loads({answers!r})
arguments = sys.argv[1:]
joined = " ".join(arguments)
fd = re.search(r"id=qmp,fd=(\\d+)", joined)
console = open(re.search(r"id=console,path=(\\S+)", joined)[1], "ab", buffering=0)
exceptions = open(arguments[arguments.index("-D") + 1], "ab", buffering=0)
if steps and steps[0][0] == "refuse":
    sys.exit(steps[0][1])
control = socket.socket(fileno=int(fd[1]))

def say(message):
    control.sendall(json.dumps(message).encode() + b"\\r\\n")

def play():
    for step in steps:
        match step:
            case ["console", text]:
                console.write(text.encode())
            case ["exceptions", text]:
                exceptions.write(text.encode())
            case ["sleep", seconds]:
                time.sleep(seconds)
            case ["event", name, data]:
                stamp = {{"seconds": 1, "microseconds": 2}}
                say({{"event": name, "data": data, "timestamp": stamp}})
            case ["no-more-cont"]:
                refused.set()
            case ["die", words]:
                print(words, file=sys.stderr, flush=True)
                os._exit(1)

def answer(command):
    if command["execute"] != "human-monitor-command":
        return {{}}
    line = command["arguments"]["command-line"]
    return next((text for start, text in answers.items() if line.startswith(start)), "")

version = {{"qemu": {{"major": 7, "minor": 2, "micro": 0}}, "package": ""}}
say({{"QMP": {{"version": version, "capabilities": []}}}})
started = False
refused = threading.Event()
decoder, pending = json.JSONDecoder(), ""
while data := control.recv(65536):
    pending += data.decode()
    while pending.strip():
        try:
            command, end = decoder.raw_decode(pending.lstrip())
        except ValueError:
            break
        pending = pending.lstrip()[end:]
        if command["execute"] == "cont" and refused.is_set():
            error = {{"class": "GenericError", "desc": "Resetting the Virtual Machine is required"}}
            say({{"error": error, "id": command.get("id")}})
            continue
        say({{"return": answer(command), "id": command.get("id")}})
        if command["execute"] == "cont" and not started:
            started = True
            threading.Thread(target=play, daemon=True).start()
"""


def fake_qemu(
    folder: Path, steps: Sequence[Sequence[object]], answers: Mapping[str, str] = AT_REST
) -> str:
    """Return the path of a program that does these steps after it was told to run.

    :param steps: `("console", text)`, `("exceptions", text)`, `("sleep", seconds)`, `("event", name, data)`,
        `("no-more-cont",)`, `("die", words)`; `("refuse", words)` first: it ends before it answers.
    :param answers: what the human monitor prints, by the beginning of the command.
    """
    path = folder / "fake-qemu"
    script = _SCRIPT.format(steps=json.dumps(steps), answers=json.dumps(dict(answers)))
    path.write_text(f"#!{sys.executable}\n{script}", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def raw_image(*texts: str, page: int = 1, big_endian: bool = False) -> bytes:
    """Return an Image that is a header and these texts.

    :param page: field of the header's flags: 1 4k, 2 16k, 3 64k.
    """
    flags = page << 1 | int(big_endian)
    header = struct.pack("<IIQQQ", 0x14000000, 0, 0, 1 << 16, flags)
    header = header.ljust(56, b"\0") + b"ARM\x64" + bytes(4)
    return header + b"\0".join(text.encode() for text in texts) + bytes(0x20000)


LINUX = "Linux version 6.1.7 (me@here) (gcc 12.2.0, GNU ld 2.40) #1 SMP"
KVM = "kvm [%i]: HYP mode not available"


def boot_spec(folder: Path, *, mode: str = "nvhe", image: bytes | None = None) -> BootSpec:
    """Return the boot of a kernel with KVM that is no kernel."""
    (folder / "Image").write_bytes(raw_image(LINUX, KVM) if image is None else image)
    (folder / "initramfs").write_bytes(b"")
    return BootSpec(
        image=str(folder / "Image"),
        initramfs=str(folder / "initramfs"),
        mode=mode,
        keep=str(folder / "kept"),
        deadline_s=20,
    )
