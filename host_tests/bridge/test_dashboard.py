"""Checks the Grafana dashboard against the existing metrics: it uses no others, and shows every one."""

import asyncio
import json
import re
from pathlib import Path

import phoneterm_bridge
from phoneterm.core import messages
from phoneterm_bridge.web.counted_journal import BOUNDS_MS
from phoneterm_bridge.web.figures import TELEMETRY_METRICS
from phoneterm_bridge.web.metrics import render
from prometheus_client.parser import text_string_to_metric_families

_DASHBOARD = json.loads((Path(phoneterm_bridge.__file__).parent / "web" / "grafana" / "phoneterm.json").read_text())
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def existing():
    """Return metric name -> the names of its samples, from a scrape without any figure."""
    text = asyncio.run(render({}, [0] * (len(BOUNDS_MS) + 1), 0)).decode()
    families = text_string_to_metric_families(text)
    return {family.name: {family.name + suffix for suffix in _SUFFIXES[family.type]} for family in families}


def expressions():
    for panel in _DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for variable in _DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]


def asked_for():
    return {
        name: title
        for title, text in expressions()
        for name in re.findall(r"\b(?:phoneterm|process)_\w+", text)
    }  # fmt: skip


def test_the_dashboard_asks_only_for_metrics_that_exist():
    names = set().union(*existing().values())
    assert asked_for()
    for name, title in asked_for().items():
        assert name in names, f"the panel {title} asks for {name}"


def test_every_metric_of_the_bridge_is_on_the_dashboard():
    asked = set(asked_for())
    assert [name for name, names in existing().items() if name.startswith("phoneterm") and not names & asked] == []


def test_every_telemetry_field_has_a_metric_that_is_described():
    fields = {name for name, _, _ in messages.fields_of(messages.TELEMETRY)}
    assert fields == set(TELEMETRY_METRICS)
    assert {name for name, _ in TELEMETRY_METRICS.values()} <= set(existing())


def test_panels_have_titles_of_their_own_and_do_not_overlap():
    panels = [panel for panel in _DASHBOARD["panels"] if panel["type"] != "row"]
    assert len({panel["title"] for panel in panels}) == len(panels)
    taken = set()
    for panel in _DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
