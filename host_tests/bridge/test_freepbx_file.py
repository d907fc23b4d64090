"""`phoneterm user import --from freepbx`: what is taken of FreePBX's own file, and what is not."""

import pytest
from phoneterm_bridge.csv_files.files import read_known
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.store.database import open_store

_HEADER = "extension,password,name,voicemail,ringtimer,tech,dial,devicetype,user,description,secret,context\n"
_FILE = _HEADER + (
    '101,,"Anna Müller",novm,0,pjsip,PJSIP/101,fixed,101,"Anna Müller",s3cr3t-of-101,from-internal\n'
    '102,,"Bert",default,0,pjsip,PJSIP/desk-102,fixed,102,Bert,s3cr3t-of-102,from-internal\n'
    "103,,Bert,novm,0,sip,SIP/103,fixed,103,Bert,s3cr3t-of-103,from-internal\n"
    "104,,,novm,0,pjsip,PJSIP/104,fixed,104,,s3cr3t-of-104,from-internal\n"
    "900,,Night,novm,0,virtual,,fixed,900,Night,,from-internal\n"
    "901,,Door,novm,0,custom,DAHDI/1,fixed,901,Door,,from-internal\n"
)


def known():
    engine = open_store(load_settings().store.path)
    try:
        return read_known(engine)
    finally:
        engine.dispose()


def test_extension_name_and_endpoint_are_taken_and_nobody_is_aware(phoneterm, tmp_path):
    (tmp_path / "export.csv").write_text(_FILE)
    done = phoneterm("user", "import", "--from", "freepbx", "export.csv")
    assert "4 users added, 4 extensions added" in done
    assert "Left out, because they have no phone of type PJSIP or SIP: '900', '901'." in done
    assert known().extensions == {
        "101": ("anna.muller", "101", "from-internal-xfer", "term"),
        "102": ("bert", "desk-102", "from-internal-xfer", "term"),
        "103": ("bert.103", "103", "from-internal-xfer", "term"),
        "104": ("104", "104", "from-internal-xfer", "term"),
    }
    assert not any(known().users.values())
    assert known().terminals == {}


def test_the_same_file_changes_nothing_the_second_time(phoneterm, tmp_path):
    (tmp_path / "export.csv").write_text(_FILE)
    phoneterm("user", "import", "--from", "freepbx", "export.csv")
    before = known()
    phoneterm("user", "context", "sales")
    phoneterm("user", "allow", "bert")
    assert "nothing" in phoneterm("user", "import", "--from", "freepbx", "export.csv")
    assert known().users == before.users | {"bert": True}
    assert known().extensions["101"][2] == "sales"


def test_no_password_of_the_file_is_stored(phoneterm, tmp_path):
    (tmp_path / "export.csv").write_text(_FILE)
    phoneterm("user", "import", "--from", "freepbx", "export.csv")
    store = load_settings().store.path
    kept = b"".join(path.read_bytes() for path in store.parent.glob(f"{store.name}*"))
    assert b"anna.muller" in kept
    assert b"s3cr3t" not in kept


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("extension,name\n101,Anna\n", "Line 1, column tech: the column is missing; export Extensions in FreePBX"),
        (_HEADER + "1a1,,Anna,,,pjsip,PJSIP/1a1\n", "Line 2, column extension: an extension's number has digits"),
        (_HEADER + "101,,Anna,,,pjsip,PJSIP/1 1\n", "Line 2, column endpoint: the endpoint has 1 to 64"),
        ('extension,"', "the line is not CSV"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_column_and_nothing_is_changed(phoneterm, tmp_path, text, sentence):
    (tmp_path / "export.csv").write_text(text)
    assert sentence in phoneterm("user", "import", "--from", "freepbx", "export.csv", exit_code=1)


def test_another_source_is_refused(phoneterm, tmp_path):
    (tmp_path / "export.csv").write_text(_FILE)
    assert "--from takes freepbx" in phoneterm("user", "import", "--from", "avaya", "export.csv", exit_code=1)
