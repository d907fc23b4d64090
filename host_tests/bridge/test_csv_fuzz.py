"""Any CSV file is either refused as a whole, with sentences, or imported as a whole; existing data is never lost."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phoneterm_bridge.cli import user_app
from phoneterm_bridge.csv_files.files import carry_out, export, plan_import, read_known
from phoneterm_bridge.csv_files.rows import COLUMNS
from phoneterm_bridge.store.database import open_store
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_proof import prove
from typer.testing import CliRunner

_CELLS = {
    "user": ["anna", "bert", "carl", "", "a b", "=1+1", "-x", "@sum", "a" * 65],
    "multi_user_aware": ["yes", "no", "", "maybe"],
    "extension": ["101", "102", "103", "", "1x1", "٣", "1" * 40],
    "endpoint": ["101", "dev-1", "", "PJSIP/1", "a\r\nAction: Logoff"],
    "context": ["internal", "sales", "", "a,b"],
    "type": ["term", "queue", "", "a b"],
    "terminal": ["phone-101", "phone-102", "phone-9", "", "../etc/passwd", "PHONE"],
    "operations": ["blind", "blind attended", "none", "", "complete"],
    "classes": ["internal", "internal national", "none", "", "UPPER"],
    "allow": ["030", "030 0171", "none", "", "*", "03a"],
    "deny": ["0309", "none", "", "#"],
    "group": ["Berlin, 2nd floor", "", "none", "=1+1", "x" * 65],
}
_LINES = st.lists(st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in _CELLS.items()}), max_size=4)
_LINES_THAT_OFTEN_FIT = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(cells[:3]) for name, cells in _CELLS.items()}), max_size=4
)


def to_bytes(lines):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue().encode()


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """One store for all examples; it grows as they are imported."""
    engine = open_store(tmp_path_factory.mktemp("store") / "bridge.db")
    directory = Directory(engine, "test")
    directory.add_user("anna", True)
    directory.add_extension("101", "anna")
    directory.add_terminal("phone-101", "101")
    directory.set_prefixes("phone-101", ("0171",), ("01719",))
    yield engine
    engine.dispose()


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(_LINES.map(to_bytes) | _LINES_THAT_OFTEN_FIT.map(to_bytes) | st.binary(max_size=300))
def test_a_file_is_taken_or_refused_as_a_whole_and_nothing_is_lost(engine, content):
    before, file_before = read_known(engine), export(engine)
    plan = plan_import(engine, content)
    assert export(engine) == file_before  # planning changes nothing
    if plan.mistakes:
        with pytest.raises(ValueError, match="mistakes"):
            carry_out(Directory(engine, "test"), plan, lambda new: None)
        assert export(engine) == file_before
        return
    carry_out(Directory(engine, "test"), plan, lambda new: None)
    after = read_known(engine)
    assert before.users.keys() <= after.users.keys()
    assert before.extensions.items() <= after.extensions.items()
    assert {tid: one["extension"] for tid, one in before.terminals.items()}.items() <= {
        tid: one["extension"] for tid, one in after.terminals.items()
    }.items()
    assert plan_import(engine, export(engine).encode()).steps == []
    assert prove(engine).problem is None


def test_what_was_planned_is_what_the_store_has_afterwards(engine):
    content = to_bytes([{"user": "dora", "extension": "177", "terminal": "phone-177", "allow": "030", "deny": "0309"}])
    plan = plan_import(engine, content)
    carry_out(Directory(engine, "test"), plan, lambda new: None)
    assert plan.known == read_known(engine)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | _LINES.map(to_bytes))
def test_the_command_line_never_shows_a_traceback_and_never_writes_outside_its_folder(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("import")
    (folder / "staff.csv").write_bytes(content)
    (folder / "new").mkdir()
    store = f"--set=store.path={folder / 'bridge.db'}"
    arguments = ["import", str(folder / "staff.csv"), "--output", str(folder / "new"), "--here", store]
    result = CliRunner().invoke(user_app, arguments)
    assert result.exit_code in (0, 1)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert {path.name.partition(".db")[0] for path in folder.iterdir()} <= {"staff.csv", "new", "bridge"}
