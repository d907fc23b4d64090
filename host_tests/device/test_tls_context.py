"""The terminal's TLS context: what cannot be set up is one sentence. On the MicroPython VM, without a broker."""

import pytest

STORY = """
from phoneterm.device import settings, tls

class Without:
    "The context of an interpreter without TLS-PSK."

    def __setattr__(self, name, value):
        if name[:4] == "psk_":
            raise AttributeError(name)

class Module:
    PROTOCOL_TLS_CLIENT = CERT_REQUIRED = 0

    def SSLContext(protocol):
        return Without()

def read(path):
    if path not in files:
        raise OSError(2)
    return files[path]

files = {files}

async def story(lab):
    if {has_no_psk}:
        tls.tls = Module
    tls._read = read
    texts = {key: "" for key in settings.KEYS}
    texts.update({texts})
    made = tls.make_context(settings.Settings(**texts))
    lab.say(*made if isinstance(made, settings.Problem) else (made is not None,))
"""


@pytest.fixture
def make(tell):
    """Return a coroutine that makes a context from settings and says the Problem, or whether there is one."""

    async def make_context(files=None, has_no_psk=False, **texts):
        text = STORY.replace("{files}", repr(files or {})).replace("{has_no_psk}", repr(has_no_psk))
        (said,) = await (await tell(1, text.replace("{texts}", repr({"tid": "t101"} | texts)))).end()
        return said

    return make_context


async def test_without_tls_there_is_none(make):
    assert await make(tls="off") == [False]


async def test_a_shared_key_needs_no_file(make):
    assert await make(tls="psk", tls_psk=bytes(32)) == [True]


async def test_an_interpreter_without_tls_psk_says_so(make):
    said = await make(tls="psk", tls_psk=bytes(32), has_no_psk=True)
    assert said == ["tls", "This interpreter has no TLS-PSK: use tls = ca."]


@pytest.mark.parametrize("files", [{}, {"ca.der": b"nothing"}])
async def test_a_ca_that_is_not_there_or_no_ca_is_named(make, files):
    key, sentence = await make(files, tls="ca", tls_ca_path="ca.der")
    assert key == "tls_ca_path"
    assert sentence.startswith("The setting tls_ca_path does not name a file in DER form: ")
