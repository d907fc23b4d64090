"""The CSV file of users, extensions and terminals: all or nothing, with every mistake named by line and column."""

import json
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phoneterm_bridge.cli import user_app
from phoneterm_bridge.csv_files.plan import ImportPlan, Known
from phoneterm_bridge.csv_files.rows import COLUMNS, read_rows
from phoneterm_bridge.store import passwords, reading
from phoneterm_bridge.store.database import open_store, writing
from phoneterm_bridge.store.directory import Directory
from phoneterm_bridge.store.journal_proof import prove
from typer.testing import CliRunner

_STAFF = """user,multi_user_aware,extension,endpoint,context,type,terminal,operations,classes,allow,deny
anna,yes,101,dev-101,sales,term,phone-101,blind attended,internal national,030,0309
anna,,102,,,queue,,,,,
bert,no,103,,,,phone-103,none,,,
carl,,,,,,,,,,
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run `phoneterm user` in an empty folder; returns what it printed, and asserts its exit code."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments, exit_code=0):
        result = CliRunner().invoke(user_app, arguments)
        assert result.exit_code == exit_code, result.output
        return result.output

    return run_command


def revision_and_terminals(tmp_path):
    engine = open_store(tmp_path / "state" / "phoneterm.db")
    snapshot = reading.read_snapshot(engine)
    engine.dispose()
    return snapshot.revision, snapshot.terminals


def test_a_file_becomes_users_extensions_and_terminals(run, tmp_path):
    (tmp_path / "staff.csv").write_text(_STAFF)
    said = run("import", "staff.csv", "-o", "new", "--here")
    assert "3 users added, 3 extensions added, 2 terminals enrolled, 4 permissions of terminals set." in said
    terminals = revision_and_terminals(tmp_path)[1]
    anna, bert = terminals["phone-101"], terminals["phone-103"]
    assert (anna.endpoint, anna.context, anna.is_multi_user_aware) == ("dev-101", "sales", True)
    assert (anna.classes, anna.allow_prefixes, anna.deny_prefixes) == (("internal", "national"), ("030",), ("0309",))
    assert (bert.endpoint, bert.context, bert.extension_type) == ("103", "internal", "term")
    assert (bert.allows_blind, bert.allows_attended, bert.is_multi_user_aware) == (False, False, False)
    settings_of_anna = json.loads((tmp_path / "new" / "phone-101.json").read_text())
    assert bytes.fromhex(settings_of_anna["mac_key"]) == anna.key
    assert passwords.is_password(anna.password_hash, settings_of_anna["mqtt_password"])
    assert stat.S_IMODE((tmp_path / "new" / "phone-101.json").stat().st_mode) == 0o600


def test_a_dry_run_says_what_would_change_and_changes_nothing(run, tmp_path):
    (tmp_path / "staff.csv").write_text(_STAFF)
    for _ in "without a store", "with one":
        said = run("import", "staff.csv", "--dry-run", "-o", "new", "--here")
        assert said.startswith("Would be done: 3 users added, ")
        assert not (tmp_path / "new").exists()
        assert revision_and_terminals(tmp_path) == (1, {})


@pytest.mark.parametrize("is_there", [False, True], ids=["without a store", "with one"])
@pytest.mark.parametrize("output", [(), ("-o", "taken"), ("-o", "file"), ("-o", "file/new")])
def test_a_dry_run_is_refused_wherever_the_real_one_is(run, tmp_path, is_there, output):
    (tmp_path / "staff.csv").write_text(_STAFF)
    (tmp_path / "file").write_text("")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "phone-103.json").write_text("there already")
    if is_there:
        run("add", "dora")
    run("import", "staff.csv", "--dry-run", "--here", *output, exit_code=1)
    assert (tmp_path / "state").exists() is is_there
    run("import", "staff.csv", "--here", *output, exit_code=1)


@pytest.mark.parametrize("options", [("--dry-run",), ()], ids=["dry", "real"])
def test_a_store_that_is_locked_stops_a_dry_run_as_it_stops_the_real_one(run, tmp_path, options):
    (tmp_path / "staff.csv").write_text(_STAFF)
    run("add", "dora")
    engine = open_store(tmp_path / "state" / "phoneterm.db")
    with writing(engine):
        assert "is locked" in run("import", "staff.csv", "-o", "new", "--here", *options, exit_code=1)
    engine.dispose()


def test_what_is_exported_can_be_imported_and_is_the_same_again(run, tmp_path):
    (tmp_path / "staff.csv").write_text(_STAFF)
    run("import", "staff.csv", "-o", "new", "--here")
    before = revision_and_terminals(tmp_path)
    run("export", "out.csv")
    assert run("import", "out.csv") == "Done: nothing, all is there already.\n"
    assert revision_and_terminals(tmp_path) == before
    assert run("export") == (tmp_path / "out.csv").read_text()
    other = ("--set", "store.path=other.db")
    run("import", "out.csv", "-o", "other", "--here", *other)
    assert run("export", *other) == run("export")
    secrets = json.loads((tmp_path / "new" / "phone-101.json").read_text())
    assert secrets["mqtt_password"] not in run("export")


def test_permissions_of_what_is_there_are_set_and_empty_cells_leave_them_alone(run, tmp_path):
    (tmp_path / "staff.csv").write_text(_STAFF)
    run("import", "staff.csv", "-o", "new", "--here")
    (tmp_path / "more.csv").write_text("user;multi_user_aware;extension;terminal;classes\nanna;no;101;phone-101;\n"
                                       "bert;;103;phone-103;none\n")  # fmt: skip
    said = run("import", "more.csv")
    assert said == "Done: 1 users' permissions changed, 1 permissions of terminals set.\n"
    terminals = revision_and_terminals(tmp_path)[1]
    assert terminals["phone-101"].is_multi_user_aware is False
    assert terminals["phone-101"].classes == ("internal", "national")
    assert terminals["phone-103"].classes == ()


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("", ["Line 1, column user: the column is missing."]),
        ("user,extensoin\nanna,1\n", ["Line 1, column 'extensoin': there is no such column; did you mean extension."]),
        ("user,user\nanna,1\n", ["Line 1, column user: the column is there twice."]),
        ("user\nanna,101\n", ["Line 2: there are 2 cells for 1 columns."]),
        ('user\nanna\n"bert\n', ["Line 3: the line is not CSV (unexpected end of data)."]),
        ("user,extension\n,101\n", ["Line 2, column user: the user name has 1 to 64 letters, digits and - . @ _ and "
                                    "nothing else."]),
        ("user,multi_user_aware\nanna,so\n", ["Line 2, column multi_user_aware: 'so' is neither yes nor no."]),
        ("user,terminal\nanna,phone\n", ["Line 2, column terminal: the line has no extension that this could belong "
                                         "to."]),
        ("user,extension,classes\nanna,101,internal\n",
         ["Line 2, column classes: the line has no terminal that this could belong to."]),
        ("user,extension\nanna,1x\n\nbert,=1+2\n",
         ["Line 2, column extension: an extension's number has digits, and single stars only between digits.",
          "Line 4, column extension: an extension's number has digits, and single stars only between digits."]),
        ("user,extension,context\nanna,101,in ternal\n",
         ["Line 2, column context: the context has 1 to 64 letters, digits and - . _ and nothing else."]),
        ("user,extension\nanna,101\nbert,101\n", ["Line 3, column user: extension '101' already has 'anna'."]),
        ("user,extension,terminal\nanna,101,p\nanna,102,p\n",
         ["Line 3, column terminal: this terminal is already at extension '101'."]),
        ("user,extension,terminal,operations,allow\nanna,101,p,swap,0x\n",
         ["Line 2, column operations: an operation that can be allowed is blind or attended.",
          "Line 2, column allow: a prefix has 1 to 32 digits and stars."]),
        ("user,extension,terminal,classes\nanna,101,p,internal intrenal\n",
         ["Line 2, column classes: there is no class intrenal; there are internal, national, international."]),
        ("user,extension,type,terminal\nanna,101,queue,p\n",
         ["Line 2, column type: an extension of type 'queue' cannot have a terminal: it needs type term."]),
        ("user,extension,type,terminal\nanna,101,queue,\nanna,101,,p\n",
         ["Line 3, column terminal: an extension of type 'queue' cannot have a terminal: it needs type term."]),
        ("user,extension,type,terminal,operations,classes,deny\nanna,101,queue,p,swap,mobile,x\n",
         ["Line 2, column type: an extension of type 'queue' cannot have a terminal: it needs type term.",
          "Line 2, column operations: an operation that can be allowed is blind or attended.",
          "Line 2, column classes: there is no class mobile; there are internal, national, international.",
          "Line 2, column deny: a prefix has 1 to 32 digits and stars."]),
        ("user,extension,terminal\nanna,101,Phone\n",
         ["Line 2, column terminal: a terminal's id has 1 to 32 of a-z, 0-9 and '-'."]),
    ],
)  # fmt: skip
def test_mistakes_are_named_by_line_and_column_and_nothing_is_changed(run, tmp_path, text, mistakes):
    (tmp_path / "staff.csv").write_text(text)
    said = run("import", "staff.csv", "-o", "new", "--here", exit_code=1).splitlines()
    assert said[:-1] == mistakes
    count = "one mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    assert said[-1] == f"The file staff.csv has {count}; nothing was changed."
    assert revision_and_terminals(tmp_path) == (1, {})


def test_a_class_of_the_sites_own_digit_map_is_known(run, tmp_path):
    (tmp_path / "staff.csv").write_text("user,extension,terminal,classes\nanna,101,p,mobile\n")
    own = ("--set", "phones.digit_map=internal:1xx|mobile:01[5-7]x.T")
    assert run("import", "staff.csv", "-o", "new", "--here", *own).startswith("Done: ")
    assert revision_and_terminals(tmp_path)[1]["p"].classes == ("mobile",)


@pytest.mark.parametrize(
    ("content", "mistake"),
    [(b"user\nann\xff\n", "Line 2: the text is not UTF-8."), (b"user\nan\0na\n", "Line 2: the text has a NUL")],
)
def test_a_file_that_is_no_text_is_one_sentence(run, tmp_path, content, mistake):
    (tmp_path / "staff.csv").write_bytes(content)
    assert mistake in run("import", "staff.csv", exit_code=1)


def test_a_file_as_a_spreadsheet_writes_it_is_read(run, tmp_path):
    (tmp_path / "staff.csv").write_bytes("\ufeffUser;Extension \r\nanna;101\r\n;\r\n".encode())
    assert run("import", "staff.csv") == "Done: 1 users added, 1 extensions added.\n"


def test_new_terminals_need_a_folder_for_their_settings(run, tmp_path):
    (tmp_path / "staff.csv").write_text(_STAFF)
    said = run("import", "staff.csv", exit_code=1)
    assert said == "The file has new terminals: --output FOLDER says where their settings go.\n"


def test_when_the_settings_of_a_terminal_cannot_be_written_nothing_is_changed(run, tmp_path):
    (tmp_path / "staff.csv").write_text(_STAFF)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "phone-103.json").write_text("there already")
    assert "phone-103.json cannot be written (File exists)" in run(
        "import", "staff.csv", "-o", "new", "--here", exit_code=1
    )
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["phone-103.json"]
    assert revision_and_terminals(tmp_path) == (1, {})


def test_an_export_to_a_file_that_exists_names_what_to_do(run, tmp_path):
    (tmp_path / "staff.csv").write_text("user\nanna\n")
    run("import", "staff.csv")
    said = run("export", "staff.csv", exit_code=1)
    assert said == "The file staff.csv cannot be written (File exists); name another file.\n"


def test_a_revoked_terminal_is_not_exported_and_does_not_come_back(run, tmp_path):
    (tmp_path / "staff.csv").write_text(_STAFF)
    run("import", "staff.csv", "-o", "new", "--here")
    engine = open_store(tmp_path / "state" / "phoneterm.db")
    Directory(engine, "test").revoke_terminal("phone-101")
    assert "phone-101" not in run("export")
    assert "column terminal: this terminal has been revoked" in run("import", "staff.csv", exit_code=1)
    assert prove(engine).problem is None
    engine.dispose()


_TEXTS = st.text(max_size=40) | st.sampled_from(["anna", "101", "phone", "none", "blind", "0", "*", "a" * 70])
_FILES = st.lists(st.lists(_TEXTS, max_size=12), max_size=5).map(
    lambda rows: ",".join(COLUMNS) + "\n" + "\n".join(",".join(row) for row in rows)
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200) | _FILES.map(str.encode) | st.text(max_size=200).map(str.encode))
def test_whatever_a_file_has_its_mistakes_are_printable_sentences(content):
    rows, mistakes = read_rows(content)
    plan = ImportPlan(Known())
    for row in rows:
        plan.add(row)
    for mistake in mistakes + plan.mistakes:
        assert str(mistake).isprintable()
        assert str(mistake).startswith("Line ")
        assert len(str(mistake)) < 300
