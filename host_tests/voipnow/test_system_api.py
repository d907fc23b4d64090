"""SystemAPI's client against the stand-in: its WSDL, versions, tokens, what is repeated, and what it lets nobody do."""

import asyncio
import contextlib
import json
import ssl
import sys
import warnings

import httpx
import pytest
from lxml import etree
from phoneterm_bridge.broker.site_tls import CA, SiteTls
from phoneterm_bridge.pbx.backends import make_permission_source
from phoneterm_bridge.pbx.voipnow.failures import AppRefused, NoAnswer, NotDone, Refused, TooMany
from phoneterm_bridge.pbx.voipnow.https_client import HttpsClient
from phoneterm_bridge.pbx.voipnow.safe_xml import parse_xml
from phoneterm_bridge.pbx.voipnow.soap_messages import OPERATIONS, SoapMessages, SystemFault
from phoneterm_bridge.pbx.voipnow.system_api import SystemApi
from phoneterm_bridge.pbx.voipnow.wsdl_documents import WsdlDocuments, read_documents
from phoneterm_bridge.settings.bridge import load_settings
from phoneterm_bridge.settings.problem import SetupProblem
from voipnow.conftest import ShiftedClock
from voipnow_lab.faults import ALWAYS
from voipnow_lab.schemas import VERSIONS

pytestmark = pytest.mark.asyncio(loop_scope="session")

_ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
_FIELDS = {
    "GetUserPL": {"ID": 21},
    "UpdateUserPL": {"multiUser": True, "ID": 21},
    "GetUsers": {"parentID": 7},
    "GetExtensions": {"parentID": 21},
    "GetExtensionDetails": {"extendedNumber": "0003*101"},
}


def settings_of(lab, *changes):
    return load_settings(None, (*lab.bridge_settings, *changes)).voipnow


@pytest.fixture
async def api(lab):
    """The client, with nothing kept."""
    api = SystemApi(settings_of(lab))
    yield api
    await api.close()


def asked(lab, part):
    return sum(part in request for request in lab.requests)


async def documents_of(lab, version="latest"):
    client = HttpsClient(lab.url, lab.ca_path, 4.0)
    try:
        return await read_documents(client, lab.url, version)
    finally:
        await client.close()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_each_request_and_each_answer_fits_the_xsds_as_the_client_sees_them(lab, version, operation):
    """With the XSDs that the client was given, and without the stand-in's own judgement."""
    documents = await documents_of(lab, version)
    assert documents is not None
    messages = SoapMessages(documents)
    api = SystemApi(settings_of(lab))
    await api.open()
    prepared = messages.prepare(operation, await api._token.get(), _FIELDS[operation])
    await api.close()
    sent = etree.fromstring(prepared.content)
    for part in ("Header", "Body"):
        for element in sent.findall(f"{_ENVELOPE}{part}/*"):
            alone = etree.fromstring(etree.tostring(element))
            assert list(lab.system.schemas.mistakes(version, alone)) == []
    context = ssl.create_default_context(cafile=lab.ca_path)
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        answer = await client.post(lab.url + prepared.path, content=prepared.content, headers=prepared.headers)
    (body,) = etree.fromstring(answer.content).findall(f"{_ENVELOPE}Body/*")
    assert list(lab.system.schemas.mistakes(version, etree.fromstring(etree.tostring(body)))) == []
    assert messages.read(operation, answer.status_code, answer.content) is not None
    assert lab.system.mistakes == []


async def test_an_update_has_the_flag_and_the_id_and_nothing_else(lab):
    messages = SoapMessages(await documents_of(lab))
    content = messages.prepare("UpdateUserPL", "t", _FIELDS["UpdateUserPL"]).content
    (body,) = etree.fromstring(content).findall(f"{_ENVELOPE}Body/*")
    assert [(etree.QName(one).localname, one.text) for one in body] == [("multiUser", "true"), ("ID", "21")]


async def test_the_headers_namespace_is_the_wsdls_and_a_token_may_have_any_characters(lab):
    for version, space in (("latest", f"{lab.url}/soap2/schema/latest/HeaderData.xsd"),
                           ("3.0.0", "http://4psa.com/HeaderData.xsd/3.0.0")):  # fmt: skip
        messages = SoapMessages(await documents_of(lab, version))
        content = messages.prepare("GetUserPL", "1|a~<&>", {"ID": 21}).content
        (head,) = etree.fromstring(content).findall(f"{_ENVELOPE}Header/*")
        assert head.tag == f"{{{space}}}userCredentials"
        assert [one.text for one in head] == ["1|a~<&>"]


async def test_it_reads_and_writes(api, lab):
    assert await api.details("0003*101") == ("21", "term")
    assert await api.is_multi_user_aware("21") is True
    assert await api.is_multi_user_aware("23") is None
    await api.set_multi_user_aware("21", False)
    assert await api.is_multi_user_aware("21") is False
    assert [user.id for user in await api.users("7")] == ["21", "22", "23"]
    assert await api.extensions("22") == [("0003*102", "term")]
    lab.system.accounts.find_extension("0003*102").type = None
    assert await api.extensions("22") == [("0003*102", "")]
    assert await api.details("0003*102") == ("22", "")
    assert lab.system.mistakes == []


async def test_the_newest_version_that_is_taken_is_spoken(lab):
    lab.system.served, lab.system.taken = ("5.2.5", "3.0.0"), ("3.0.0",)
    api = SystemApi(settings_of(lab))
    await api.details("0003*101")
    assert api.version == "3.0.0"
    lab.system.taken = ()
    with pytest.raises(NotDone, match="it takes no version"):
        await api.details("0003*101")
    lab.system.taken = lab.system.served = VERSIONS
    await api.details("0003*101")
    assert api.version == "latest"
    await api.close()


async def test_a_version_of_the_settings_is_the_only_one_that_is_tried(lab):
    api = SystemApi(settings_of(lab, "voipnow.system_api_version=3.0.0"))
    await api.details("0003*101")
    assert api.version == "3.0.0"
    lab.system.taken = ("latest",)
    with pytest.raises(NotDone, match="it takes no version"):
        await api.details("0003*101")
    await api.close()


async def test_where_the_small_documents_are_not_enough_the_whole_wsdl_is_read(api, lab):
    lab.system.has_small_services = False
    assert await api.details("0003*101") == ("21", "term")
    assert asked(lab, "voipnowservice.wsdl") == 1


async def test_the_wsdl_is_kept_for_a_start_without_it(lab, tmp_path):
    kept = tmp_path / "kept"
    first = SystemApi(settings_of(lab), kept)
    await first.details("0003*101")
    await first.close()
    assert kept.stat().st_mode & 0o777 == 0o600
    for way in ("cut-before", "500", "redirect", "no-json"):
        lab.faults.clear()
        lab.faults.add("wsdl", way, ALWAYS)
        later = SystemApi(settings_of(lab), kept)
        assert await later.details("0003*101") == ("21", "term"), way
        await later.close()
    other = SystemApi(settings_of(lab), tmp_path / "nothing")
    with pytest.raises(NotDone, match="its WSDL"):
        await other.details("0003*101")
    await other.close()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"url": 1}', b"\xff\xfe", pytest.param(b"[" * 100_000, id="nested")]
)
async def test_a_kept_file_that_cannot_be_read_is_none_and_is_written_anew(lab, tmp_path, content):
    kept = tmp_path / "kept"
    kept.write_bytes(content)
    api = SystemApi(settings_of(lab), kept)
    await api.details("0003*101")
    await api.close()
    assert json.loads(kept.read_text())["version"] == "latest"


async def test_the_documents_of_another_voipnow_do_not_count(lab, tmp_path):
    kept = tmp_path / "kept"
    api = SystemApi(settings_of(lab), kept)
    await api.open()
    await api.close()
    kept.write_text(kept.read_text().replace(lab.url, "https://elsewhere.invalid"))
    lab.faults.add("wsdl", "500", ALWAYS)
    api = SystemApi(settings_of(lab), kept)
    with pytest.raises(NotDone):
        await api.open()
    await api.close()


async def test_where_nothing_can_be_kept_it_works_all_the_same(lab, tmp_path):
    api = SystemApi(settings_of(lab), tmp_path / "no folder" / "kept")
    await api.details("0003*101")
    await api.close()


@pytest.mark.parametrize("way", ["cut-before", "cut-after", "half", "no-json", "500", "slow", "bomb", "external"])
async def test_a_read_that_failed_is_repeated_once(lab, way):
    lab.faults.slow_s = 1.0
    timeout_ms = 500 if way == "slow" else 5000
    api = SystemApi(settings_of(lab, f"voipnow.timeout_ms={timeout_ms}"))
    await api.open()
    lab.faults.add("system", way)
    assert await api.details("0003*101") == ("21", "term")
    before = asked(lab, "POST /soap2/")
    lab.faults.add("system", way, 2)
    with pytest.raises((NoAnswer, NotDone)):
        await api.details("0003*101")
    assert asked(lab, "POST /soap2/") == before + 2
    assert asked(lab, "elsewhere") == 0
    await api.close()


@pytest.mark.parametrize("way", ["cut-before", "cut-after", "half", "no-json", "500", "slow", "429", "fault 101"])
async def test_an_update_is_sent_once_whatever_comes(lab, way):
    lab.faults.slow_s = 1.0
    api = SystemApi(settings_of(lab, "voipnow.timeout_ms=500"))
    await api.open()
    lab.faults.add("update", way)
    with pytest.raises((NoAnswer, NotDone, SystemFault)):
        await api.set_multi_user_aware("21", False)
    assert lab.acted == ["UpdateUserPL"]
    await api.close()


async def test_a_token_that_ended_is_renewed_once_for_a_read(api, lab):
    await api.details("0003*101")
    issued = lab.tokens.issued
    lab.tokens.expire_all()
    assert await api.details("0003*101") == ("21", "term")
    assert lab.tokens.issued == issued + 1
    lab.faults.add("system", "fault 101", ALWAYS)
    with pytest.raises(SystemFault, match="fault 101"):
        await api.details("0003*101")


async def test_what_the_app_may_not_read_does_not_cost_a_token_each_time(lab):
    clock = ShiftedClock()
    api = SystemApi(settings_of(lab), clock=clock)
    await api.open()
    lab.faults.add("system", "fault 104", ALWAYS)
    for _ in range(5):
        with pytest.raises(SystemFault, match="fault 104"):
            await api.details("0003*101")
    assert api.tokens_refused == 1
    issued = lab.tokens.issued
    lab.faults.clear()
    lab.tokens.expire_all()
    clock.skip(61)
    assert await api.details("0003*101") == ("21", "term")
    assert lab.tokens.issued == issued + 1
    await api.close()


async def test_the_errors_have_their_own_kinds(api, lab):
    with pytest.raises(SystemFault) as found:
        await api.details("0003*199")
    assert (found.value.number, found.value.is_version) == ("117", False)
    lab.faults.add("system", "429")
    with pytest.raises(TooMany):
        await api.details("0003*101")
    lab.faults.add("system", "404")
    with pytest.raises(Refused, match="404"):
        await api.details("0003*101")
    lab.tokens.expire_all()
    lab.tokens.is_trusted = False
    with pytest.raises(AppRefused):
        await api.details("0003*101")


async def test_a_redirect_is_not_followed_and_gets_no_token(api, lab):
    await api.open()
    lab.faults.add("system", "redirect", 2)
    with pytest.raises(NotDone, match="leads elsewhere"):
        await api.details("0003*101")
    lab.faults.add("update", "redirect")
    with pytest.raises(NotDone, match="leads elsewhere"):
        await api.set_multi_user_aware("21", False)
    assert asked(lab, "/elsewhere") == 0


async def test_a_false_voipnow_gets_nothing(lab, tmp_path):
    other = SiteTls(tmp_path / "other")
    other.make("another site", ["127.0.0.1"], 1)
    api = SystemApi(settings_of(lab, f"voipnow.ca_path={other.path(CA)}"))
    with pytest.raises(NotDone, match="certificate"):
        await api.open()
    assert lab.requests == []
    await api.close()


def changed(documents, name, old, new):
    """Return documents with something else in one of them."""
    texts = {
        url: text.replace(old.encode(), new.encode()) if url.endswith(name) else text
        for url, text in documents.texts.items()
    }
    assert texts != documents.texts
    return documents._replace(texts=texts)


async def test_where_a_request_goes_is_the_settings_server_whatever_the_wsdl_says(lab):
    there = changed(await documents_of(lab), "User.wsdl", f"{lab.url}/soap2/user", "https://evil.example/soap2/user")
    assert SoapMessages(there).prepare("GetUserPL", "t", {"ID": 1}).path == "/soap2/user_agent.php"


async def test_what_a_wsdl_imports_from_elsewhere_is_not_fetched(lab, tmp_path):
    schema = lab.system.schemas._folder / "latest" / "User" / "UserMessages.xsd"
    before = schema.read_text()
    more = '<import namespace="urn:x" schemaLocation="{}"/><import namespace="http://4psa.com/Common'
    try:
        for place in (
            "https://evil.example/x.xsd",
            f"{lab.url}/elsewhere/x.xsd",
            "file:///etc/passwd",
            "../../../x.xsd",
        ):
            schema.write_text(before.replace('<import namespace="http://4psa.com/Common', more.format(place), 1))
            api = SystemApi(settings_of(lab))
            assert await api.details("0003*101") == ("21", "term"), place
            await api.close()
        assert asked(lab, "elsewhere") == asked(lab, "x.xsd") == 0
    finally:
        schema.write_text(before)


@contextlib.asynccontextmanager
async def opened_with(lab, name, before, after):
    """A client of the version `latest`, while one of the stand-in's documents of it is changed."""
    path = lab.system.schemas._folder / "latest" / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    try:
        api = SystemApi(settings_of(lab, "voipnow.system_api_version=latest"))
        yield api
        await api.close()
    finally:
        path.write_text(text)


async def test_a_wsdl_may_name_its_server_by_another_of_its_names(lab):
    absolute = 'schemaLocation="https://another-name.example/soap2/schema/latest/User/UserMessages.xsd"'
    async with opened_with(lab, "User/User.wsdl", 'schemaLocation="UserMessages.xsd"', absolute) as api:
        assert await api.is_multi_user_aware("21") is True


@pytest.mark.parametrize("place", ["http://[x", "x&#x7f;.xsd", "a" * 70_000])
async def test_an_import_of_what_is_no_address_is_one_sentence(lab, place):
    more = f'<import namespace="u" schemaLocation="{place}"/><import'
    async with opened_with(lab, "User/UserMessages.xsd", "<import", more) as api:
        with pytest.raises(NotDone, match="its WSDL"):
            await api.open()


async def test_a_request_to_what_is_no_address_is_one_sentence(lab):
    agent = "/soap2/extension_agent.php"
    async with opened_with(lab, "Extension/Extension.wsdl", agent, "/soap2/&#x7f;.php") as api:
        with pytest.raises(NotDone, match="there can be no such address"):
            await api.details("0003*101")


async def test_the_namespace_of_xml_may_be_imported_without_an_address(lab):
    space = '<import namespace="http://www.w3.org/XML/1998/namespace"/><import'
    async with opened_with(lab, "User/UserMessages.xsd", "<import", space) as api:
        assert await api.is_multi_user_aware("21") is True


@pytest.mark.parametrize(("way", "times"), [("no-json", 3), ("redirect", 2), ("403", 2)])
async def test_a_version_that_is_something_else_is_no_end(lab, way, times):
    """As many documents as the version `latest` is tried for are answered like this; a page may be XML, too."""
    lab.faults.add("wsdl", way, times)
    api = SystemApi(settings_of(lab))
    assert await api.details("0003*101") == ("21", "term")
    assert api.version == "5.2.5"
    await api.close()


async def test_a_number_that_is_none_is_no_traceback(lab):
    limit, number = 'name="phoneExtMax" type="common:Limit"', 'name="phoneExtMax" type="decimal"'
    async with opened_with(lab, "User/UserData.xsd", limit, number) as api:
        with contextlib.suppress(NoAnswer):
            assert await api.is_multi_user_aware("21") is True


async def test_a_fault_that_repeats_the_token_is_shown_without_it(lab):
    messages, token = SoapMessages(await documents_of(lab)), "1|abc~def"
    fault = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>101</faultcode>'
        f"<faultstring>The token {token} is over.</faultstring></e:Fault></e:Body></e:Envelope>"
    )
    with pytest.raises(SystemFault, match=r"fault 101: The token \.\.\. is over\."):
        messages.read("GetUserPL", 500, fault.encode(), token)


@pytest.mark.parametrize("way", ["bomb", "external", "half", "no-json", "redirect", "500"])
async def test_a_wsdl_that_is_none_is_refused(lab, way):
    lab.faults.add("wsdl", way, ALWAYS)
    api = SystemApi(settings_of(lab))
    with pytest.raises(NotDone, match="WSDL"):
        await api.open()
    assert asked(lab, "elsewhere") == 0
    await api.close()


async def test_a_wsdl_without_an_operation_is_not_enough(lab):
    documents = changed(await documents_of(lab), "User.wsdl", "UpdateUserPL", "RemoveUserPL")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(ValueError, match="its WSDL has no UpdateUserPL"):
            SoapMessages(documents)
    assert said == []
    with pytest.raises(ValueError, match="its WSDL"):
        SoapMessages(WsdlDocuments("latest", ("https://x/x",), {"https://x/x": b"<a/>"}))
    with pytest.raises(ValueError, match="where the bridge does not go"):
        SoapMessages(documents._replace(texts={}))


async def test_no_end_of_documents_is_an_end(lab):
    schema = lab.system.schemas._folder / "latest" / "User" / "UserData.xsd"
    before = schema.read_text()
    folder = schema.parent
    head = '<schema xmlns="http://www.w3.org/2001/XMLSchema">'
    try:
        schema.write_text(before.replace("<import", '<include schemaLocation="more0.xsd"/><import', 1))
        for at in range(100):
            (folder / f"more{at}.xsd").write_text(f'{head}<include schemaLocation="more{at + 1}.xsd"/></schema>')
        api = SystemApi(settings_of(lab, "voipnow.system_api_version=latest"))
        with pytest.raises(NotDone, match="larger than any that is known"):
            await api.open()
        await api.close()
    finally:
        schema.write_text(before)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<a>",
        b"plain",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;]><a/>',
    ],
)
async def test_xml_with_a_document_type_or_that_is_none_is_refused(content):
    with pytest.raises(ValueError, match="XML"):
        parse_xml(content)


async def test_without_the_extra_the_bridge_says_so_in_one_sentence(lab, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("phoneterm_bridge.pbx.voipnow.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "zeep", None)
    settings = load_settings(None, (*lab.bridge_settings, "voipnow.permissions=voipnow"))
    with pytest.raises(
        SetupProblem, match=r"need the extra: pip install 'phoneterm.voipnow.' .zeep is missing."
    ) as found:
        make_permission_source(settings)
    assert "\n" not in str(found.value)
    assert make_permission_source(load_settings(None, lab.bridge_settings)) is None


async def test_the_answers_of_two_at_once_are_not_mixed_up(api, lab):
    found = await asyncio.gather(*(api.details(f"0003*10{at}") for at in (1, 2, 3, 1, 2, 3)))
    assert [one.owner for one in found] == ["21", "22", "23", "21", "22", "23"]
    assert asked(lab, "GET /soap2/schema/latest/User/User.wsdl") == 1
