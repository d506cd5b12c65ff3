import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

from whypanic.host.process import find_program, run_program, start_program
from whypanic.model.errors import HostError


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_output_and_code_of_a_short_program() -> None:
    done = run_program(
        _python("import sys; print('out'); print('bad', file=sys.stderr); sys.exit(7)"),
        timeout_s=20,
    )
    assert done == (7, "out\n", "bad")


def test_input_is_empty() -> None:
    assert "EOFError" in run_program(_python("input()"), timeout_s=20).stderr


def test_environment_is_the_given_one() -> None:
    code = "import os; print(sorted(k for k in os.environ if k != 'LC_CTYPE'))"
    assert run_program(_python(code), timeout_s=20, environment={"ONE": "1"}).stdout == "['ONE']\n"


def test_a_program_that_runs_too_long_is_ended_with_its_children() -> None:
    code = (
        "import subprocess, sys, time\n"
        "c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(c.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with tempfile.TemporaryFile() as printed:
        with start_program(_python(code), stdout=printed) as child:
            pid = b""
            for _ in range(200):
                printed.seek(0)
                pid = printed.read()
                if pid.endswith(b"\n") or child.wait(0.05) is not None:
                    break
            assert child.wait(0) is None
        assert child.wait(0) is not None
    grandchild = int(pid)
    for _ in range(100):
        try:
            state = Path(f"/proc/{grandchild}/stat").read_text(encoding="ascii")
        except (FileNotFoundError, ProcessLookupError):
            return
        if state.rsplit(")", 1)[1].split()[0] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the grandchild still runs")


def test_too_long_is_an_error_that_names_the_program() -> None:
    with pytest.raises(HostError, match=r"ran longer than 0\.2 s"):
        run_program(_python("import time; time.sleep(60)"), timeout_s=0.2)


def test_what_cannot_be_started_is_an_error() -> None:
    with pytest.raises(HostError, match="cannot start `/nonexistent/program`: no such file"):
        run_program(["/nonexistent/program"], timeout_s=1)


def test_a_missing_program_comes_with_hints() -> None:
    with pytest.raises(HostError) as caught:
        find_program("no-such-program-anywhere", hints=("install it",))
    assert caught.value.message == "no program `no-such-program-anywhere` on this machine"
    assert caught.value.hints == ("install it",)


def test_a_program_that_is_there_is_found() -> None:
    assert find_program("sh").endswith("/sh")


def test_inherited_descriptors_keep_their_numbers() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"seen")
        file.flush()
        code = f"import os, sys; sys.exit(os.pread({file.fileno()}, 4, 0) != b'seen')"
        with start_program(_python(code), inherit=(file.fileno(),)) as child:
            assert child.wait(20) == 0


def test_cpu_time_is_limited() -> None:
    with start_program(_python("while True: pass")) as child:
        child.limit(cpu_s=1)
        assert child.ran_out_of_time(30)


def test_a_program_that_ends_by_itself_did_not_run_out_of_time() -> None:
    with start_program(_python("import sys; sys.exit(3)")) as child:
        child.limit(cpu_s=30)
        assert not child.ran_out_of_time(20)


def test_only_the_end_of_complaints_is_kept() -> None:
    code = "import sys; sys.stderr.write('a' * 100_000 + 'the end')"
    with start_program(_python(code)) as child:
        assert child.wait(20) == 0
        assert child.complaint().endswith("athe end")
        assert len(child.complaint()) == 2000


def test_cpu_time_of_a_program_and_of_one_that_is_gone() -> None:
    with start_program(_python("while True: pass")) as child:
        while child.cpu_s() < 0.05:
            assert child.wait(0.01) is None
    assert child.cpu_s() == 0.0


def test_a_file_that_grows_too_long_ends_the_program(tmp_path: Path) -> None:
    code = (
        "import time; time.sleep(0.3)\n"
        f"with open({str(tmp_path / 'f')!r}, 'wb', buffering=0) as file:\n"
        "    file.write(bytes(1000)); file.write(bytes(1000))\n"
    )
    with start_program(_python(code)) as child:
        child.limit_files(1000)
        assert child.wait(20) != 0
    assert (tmp_path / "f").stat().st_size <= 1000
    with start_program(_python(code)) as child:
        child.limit_files(1000)
        child.limit_files(None)
        assert child.wait(20) == 0


def test_a_child_has_the_number_of_its_group() -> None:
    with start_program(_python("pass")) as child:
        assert os.getpgid(child.pid) == child.pid
