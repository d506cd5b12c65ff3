"""The engines of the replay, for tests."""

import os
import shutil

import pytest

from whypanic.replay.protocol import Engine

QEMU = "qemu-system-aarch64"


def unicorn_engine() -> Engine:
    """Return the embedded engine."""
    from whypanic.replay.unicorn import UnicornEngine

    return UnicornEngine()


def qemu_engine() -> Engine:
    """Return the engine that needs a program of the machine: without it the test is skipped, but never in CI."""
    if shutil.which(QEMU) is None and not os.environ.get("CI"):
        pytest.skip(f"no {QEMU}: `bash scripts/setup.sh dev` installs it")
    from whypanic.replay.qemu import QemuEngine

    return QemuEngine()
