"""Whatever SystemAPI answers is read, a fault, or a ValueError: nothing else comes out of it."""

import asyncio
import contextlib
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some
from phoneterm_bridge.pbx.voipnow.https_client import HttpsClient
from phoneterm_bridge.pbx.voipnow.soap_messages import OPERATIONS, SoapMessages, SystemFault
from phoneterm_bridge.pbx.voipnow.wsdl_documents import read_documents
from voipnow_lab.voipnow_lab import VoipNowLab

_FIELDS = {
    "GetUserPL": {"ID": 21}, "UpdateUserPL": {"multiUser": True, "ID": 21}, "GetUsers": {}, "GetExtensions": {},
    "GetExtensionDetails": {"extendedNumber": "0003*101"},
}  # fmt: skip
_HEAD = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
_TAIL = "</e:Body></e:Envelope>"
_USER, _EXTENSION = "http://4psa.com/UserMessages.xsd/3.0.0", "http://4psa.com/ExtensionMessages.xsd/3.0.0"
_ANSWERS = {
    "GetUserPL": f'<GetUserPLResponse xmlns="{_USER}"><extensionPL><multiUser xmlns="http://4psa.com/UserData.xsd/3.0.0">'
    "true</multiUser></extensionPL></GetUserPLResponse>",
    "UpdateUserPL": f'<UpdateUserPLResponse xmlns="{_USER}"><result>success</result></UpdateUserPLResponse>',
    "GetUsers": f'<GetUsersResponse xmlns="{_USER}"><user><ID>7</ID></user><user/></GetUsersResponse>',
    "GetExtensions": f'<GetExtensionsResponse xmlns="{_EXTENSION}"><extension/></GetExtensionsResponse>',
    "GetExtensionDetails": f'<GetExtensionDetailsResponse xmlns="{_EXTENSION}"><parentID>21</parentID>'
    "<crDate>x</crDate><extensionType>term</extensionType></GetExtensionDetailsResponse>",
}
_FAULT = (
    "<e:Fault><faultcode>e:Server</faultcode><faultstring>no</faultstring><detail><code>117</code></detail></e:Fault>"
)


@pytest.fixture(scope="module")
def documents():
    """The documents of one version, read once."""

    async def make():
        lab = VoipNowLab()
        await lab.start()
        client = HttpsClient(lab.url, lab.ca_path, 4.0)
        try:
            return await read_documents(client, lab.url, "3.0.0")
        finally:
            await client.close()
            await lab.stop()

    return asyncio.run(make())


@pytest.fixture(scope="module")
def messages(documents):
    """The messages of one version, made once."""
    return SoapMessages(documents)


def whole(inner):
    return f"{_HEAD}{inner}{_TAIL}".encode()


@some.composite
def answers(draw):
    """An answer of some operation, cut up and put together wrongly."""
    content = whole(draw(some.sampled_from([*_ANSWERS.values(), _FAULT])))
    for _ in range(draw(some.integers(0, 3))):
        at, to = sorted((draw(some.integers(0, len(content))), draw(some.integers(0, len(content)))))
        content = (
            content[:at]
            + draw(some.sampled_from([b"", b"<", b"/>", b"<a>", b"</a>", content[at:to] * 2]))
            + content[to:]
        )
    return content


@settings(max_examples=500, deadline=None)
@given(some.sampled_from(OPERATIONS), some.sampled_from([200, 202, 204, 400, 500]), answers())
@example("GetUserPL", 200, whole("<e:Fault/>"))
@example("GetUserPL", 200, whole("<e:Fault><detail><x/></detail></e:Fault>"))
@example("GetUserPL", 500, whole(""))
@example("GetUserPL", 200, b"<html><body>no</body></html>")
def test_any_answer_is_read_or_refused(messages, operation, status, content):
    with contextlib.suppress(ValueError, SystemFault):
        messages.read(operation, status, content)


@settings(max_examples=150, deadline=None)
@given(some.data())
def test_any_documents_are_understood_or_refused(documents, data):
    """Words of one document are taken away, or are those of another place."""
    address = data.draw(some.sampled_from(sorted(documents.texts)))
    words = re.split(rb"(\W+)", documents.texts[address])
    for _ in range(data.draw(some.integers(1, 3))):
        at = data.draw(some.integers(0, len(words) - 1))
        words[at] = data.draw(some.sampled_from([b"", *words]))
    changed = documents._replace(texts=documents.texts | {address: b"".join(words)})
    with contextlib.suppress(ValueError):
        made = SoapMessages(changed)
        for operation in OPERATIONS:
            made.prepare(operation, "t", _FIELDS[operation])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_answer_of_each_operation_is_read(messages, operation):
    assert messages.read(operation, 200, whole(_ANSWERS[operation])) is not None


def test_a_fault_has_its_number_wherever_it_stands(messages):
    for inner in (
        _FAULT,
        "<e:Fault><faultcode>117</faultcode><faultstring>no</faultstring></e:Fault>",
        "<e:Fault><faultcode>e:Server</faultcode><faultstring>Error 117: no</faultstring></e:Fault>",
    ):
        with pytest.raises(SystemFault, match="fault 117"):
            messages.read("GetUserPL", 500, whole(inner))


def test_a_value_that_is_none_is_left_out_without_a_word_in_the_log(messages, caplog):
    found = messages.read("GetExtensionDetails", 200, whole(_ANSWERS["GetExtensionDetails"]))
    assert (found.crDate, found.parentID) == (None, 21)
    assert caplog.records == []


def test_the_text_of_a_fault_cannot_break_a_log(messages):
    text = "a&#10;b\u202e" + "x" * 500
    with pytest.raises(SystemFault) as found:
        messages.read(
            "GetUserPL", 500, whole(f"<e:Fault><faultcode>117</faultcode><faultstring>{text}</faultstring></e:Fault>")
        )
    assert str(found.value).isprintable()
    assert len(str(found.value)) < 100
