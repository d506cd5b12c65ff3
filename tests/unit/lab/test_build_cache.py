import os
from pathlib import Path

import pytest

from whypanic.host.cache import locked
from whypanic.lab import build_cache
from whypanic.lab.build_cache import Record, Request, key_of
from whypanic.model.errors import HostError
from whypanic.model.lab import BuildResult, BuildSpec, Toolchain

_SPEC = BuildSpec(tree="/src", toolchain="toy")
_RECORD = Record(
    result=BuildResult(spec=_SPEC, ok=True, folder=""),
    toolchain=Toolchain(
        id="toy",
        family="gcc",
        version="1",
        compiler="toy",
        compiler_text="toy 1",
        linker="ld",
        linker_text="ld",
        make_variables=(),
    ),
    version="6.1",
    tree_hash="0" * 64,
    n_objects=3,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WHYPANIC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "lab"


def objects(folder: Path) -> Path:
    (folder / "arch/arm64/boot").mkdir(parents=True)
    (folder / "arch/arm64/boot/Image").write_bytes(b"image")
    (folder / ".config").write_text("CONFIG_A=y\n")
    (folder / "a").mkdir()
    (folder / "a/x.ko").touch()
    (folder / "modules.order").write_text("a/x.o\na/absent.ko\n/etc/passwd\n../secret.ko\n")
    return folder


def test_texts_do_not_run_into_each_other() -> None:
    assert len({key_of("ab", "c"), key_of("a", "bc"), key_of(["a", "bc"]), key_of("abc")}) == 4


def test_build_is_kept_whole_and_found(cache: Path, tmp_path: Path) -> None:
    kept = build_cache.keep_build("k", _RECORD, objects(tmp_path / "out"))
    assert kept.image == str(cache / "builds/k/Image")
    assert kept.vmlinux is None
    names = sorted(str(p.relative_to(cache / "builds/k")) for p in (cache / "builds/k").rglob("*"))
    assert names == [".config", "Image", "build.json", "modules", "modules/a", "modules/a/x.ko"]
    other = BuildSpec(tree="/other", toolchain="toy")
    found = build_cache.find_build("k", other, ())
    assert found is not None
    assert (found.cached, found.spec, found.image_hash) == (True, other, kept.image_hash)
    assert build_cache.find_build("l", other, ()) is None


def test_build_without_an_image_leaves_nothing(cache: Path, tmp_path: Path) -> None:
    out = objects(tmp_path / "out")
    (out / "arch/arm64/boot/Image").unlink()
    with pytest.raises(HostError, match="cannot write"):
        build_cache.keep_build("k", _RECORD, out)
    assert list((cache / "builds").iterdir()) == []


def test_damaged_record_is_no_build(cache: Path, tmp_path: Path) -> None:
    build_cache.keep_build("k", _RECORD, objects(tmp_path / "out"))
    (cache / "builds/k/build.json").write_text("{")
    assert build_cache.find_build("k", _SPEC, ()) is None


def test_builds_that_nobody_asked_for_go_first(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_cache, "_MAX_BUILDS", 2)
    out = objects(tmp_path / "out")
    for age, key in ((30, "old"), (20, "asked")):
        build_cache.keep_build(key, _RECORD, out)
        os.utime(cache / "builds" / key, (1e9 - age, 1e9 - age))
    # It is found, and so the younger of the two.
    assert build_cache.find_build("old", _SPEC, ()) is not None
    build_cache.keep_build("new", _RECORD, out)
    assert sorted(folder.name for folder in (cache / "builds").iterdir()) == ["new", "old"]


def test_request_and_count_come_back() -> None:
    assert build_cache.read_request("r") is None
    build_cache.write_request("r", Request(key="k", options=()))
    assert build_cache.read_request("r") == Request(key="k", options=())
    build_cache.write_count("c", 740)
    assert build_cache.read_count("c") == 740


def test_oldest_folders_of_objects_go_and_held_ones_stay(cache: Path) -> None:
    for n in range(8):
        folder = cache / "work" / f"w{n}"
        folder.mkdir(parents=True)
        os.utime(folder, (n, n))
    with locked(cache / "work/w1.lock"):
        build_cache.work_folder("new")
    assert sorted(p.name for p in (cache / "work").iterdir() if p.is_dir()) == [
        "new",
        "w1",
        "w3",
        "w4",
        "w5",
        "w6",
        "w7",
    ]


def test_log_of_a_failure_is_kept(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "make.log").write_text("said\n")
    folder = build_cache.keep_failure("f", tmp_path / "make.log")
    assert (folder / "make.log").read_text() == "said\n"
    assert folder == cache / "failures/f"
