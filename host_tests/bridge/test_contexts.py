"""The dialplan context of transfers: for the site, for one user's extensions, and for all that are there."""

import pytest
from phoneterm_bridge.csv_files.files import read_known
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.store.database import open_store


def contexts():
    engine = open_store(load_settings().store.path)
    try:
        return {number: extension[2] for number, extension in read_known(engine).extensions.items()}
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("words", "context"),
    [
        ((), "internal"),
        (("--context", "sales"), "sales"),
        (("--set", "pbx.context=from-internal-xfer"), "from-internal-xfer"),
        (("--set", "pbx.context=from-internal-xfer", "--context", "sales"), "sales"),
    ],
)
def test_a_new_extension_has_the_context_that_is_given_or_else_that_of_the_site(phoneterm, tmp_path, words, context):
    phoneterm("user", "add", "tech1", "--extension", "101", *words)
    phoneterm("user", "extension", "tech1", "102", *words)
    (tmp_path / "staff.csv").write_text("user,extension\ntech1,103\n")
    phoneterm("user", "import", "staff.csv", *[word for word in words if word not in ("--context", "sales")])
    assert contexts()["101"] == contexts()["102"] == context
    assert contexts()["103"] == ("from-internal-xfer" if "--set" in words else "internal")


def test_one_command_sets_the_context_of_all_extensions_or_of_those_that_have_another(phoneterm):
    phoneterm("user", "add", "tech1", "--extension", "101", "--extension", "102")
    phoneterm("user", "add", "tech2", "--extension", "103", "--context", "sales")
    done = phoneterm("user", "context", "from-internal-xfer", "--of", "internal")
    assert done == "2 extensions have now the context from-internal-xfer.\n"
    assert contexts() == {"101": "from-internal-xfer", "102": "from-internal-xfer", "103": "sales"}
    assert phoneterm("user", "context", "from-internal-xfer").startswith("1 extension has now")
    assert phoneterm("user", "context", "from-internal-xfer").startswith("0 extensions")


def test_a_context_that_is_none_is_refused_in_one_sentence(phoneterm):
    phoneterm("user", "add", "tech1", "--extension", "101")
    assert "context has 1 to 64 letters" in phoneterm("user", "context", "a b", exit_code=1)
    assert contexts() == {"101": "internal"}
