"""`phoneterm keys` as its user sees it."""

import subprocess
import sys

import pytest
from keypad_lab.cli import app
from typer.testing import CliRunner

_HEADER = "time_us,contacts,stall_us\n"


@pytest.fixture
def trace(tmp_path):
    """Return a function that writes a trace and returns its path."""

    def write(*lines):
        path = tmp_path / "trace.csv"
        path.write_text(_HEADER + "".join(line + "\n" for line in lines))
        return str(path)

    return write


def _run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_a_replay_prints_a_line_for_every_change_and_then_a_summary(trace):
    done = _run("replay", trace("1000,0,0", "11000,0x8000,0", "101000,0,0", "500000,1,0"))
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "14.000,D,down",
        "121.000,D,up",
        "502.000,1,down",
        "# keys: 2 down; 1 up; still held: 1",
        "# trace: 4 rows; 0.499 s; 0 stalls",
        "# scanner: 595 polls; gap p50 1 ms; p99 1 ms; max 2 ms",
    ]


def test_stuck_keys_are_told_in_the_summary(trace):
    done = _run("replay", trace("0,0,0", "1000000,2,0", "40000000,0,0"))
    assert [line for line in done.stdout.splitlines() if line.startswith("# fault")] == [
        "# fault: 2 stuck and masked at 31003.000 ms",
        "# fault: 2 works again at 40020.000 ms",
    ]


def test_a_bad_line_is_one_sentence_and_exit_code_1(trace):
    path = trace("0,0,0", "5,70000,0")
    done = _run("replay", path)
    assert done.exit_code == 1
    assert done.stderr == f"{path}: Line 3: contacts '70000' must be 0 to 65535, or 0x0 to 0xffff.\n"


def test_a_missing_trace_is_one_sentence_and_exit_code_1(tmp_path):
    done = _run("replay", str(tmp_path / "none.csv"))
    assert done.exit_code == 1
    assert done.stderr.endswith("none.csv cannot be read: No such file or directory.\n")


def test_a_file_of_bytes_that_are_no_text_is_one_sentence(tmp_path):
    (tmp_path / "x").write_bytes(bytes(range(256)) * 10)
    done = _run("replay", str(tmp_path / "x"))
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1


def test_bad_legends_are_one_sentence(trace):
    done = _run("replay", trace("0,0,0"), "--legends", "1234")
    assert done.exit_code == 1
    assert done.stderr == "--legends: a keymap is 16 different digits, capital letters, * or #, not '1234'.\n"


def test_a_generated_trace_replays_to_the_keys_in_its_truth(tmp_path):
    trace, truth = tmp_path / "t.csv", tmp_path / "truth.csv"
    made = _run("generate", str(trace), "--habit", "all-at-once", "--presses", "100", "--truth", str(truth))
    assert made.exit_code == 0, made.stderr
    pressed = [line.split(",")[1] for line in truth.read_text().splitlines() if line.endswith("down")]
    reported = [line.split(",")[1] for line in _run("replay", str(trace)).stdout.splitlines() if line.endswith("down")]
    assert reported == pressed
    assert len(pressed) == 100


def test_an_unknown_habit_and_an_unwritable_file_are_one_sentence(tmp_path):
    done = _run("generate", str(tmp_path / "t.csv"), "--habit", "nobody")
    assert done.exit_code == 1
    assert done.stderr.startswith("--habit nobody is not known: choose one of clean, ")
    done = _run("generate", str(tmp_path / "no" / "t.csv"), "--presses", "1")
    assert done.exit_code == 1
    assert done.stderr.endswith("t.csv cannot be written: No such file or directory.\n")


def test_the_bench_prints_its_table_and_its_verdict():
    done = _run("bench", "--presses", "100", "--no-costs")
    assert done.exit_code == 0, done.stdout
    assert "QMK asym_eager_defer_pk" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("All limits are kept")


def test_a_reader_that_closes_its_pipe_early_gets_no_traceback(tmp_path):
    trace = tmp_path / "t.csv"
    _run("generate", str(trace), "--presses", "300")
    command = [sys.executable, "-c", "from keypad_lab.cli import app; app()", "replay", str(trace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
