"""The alert rules and the scrape sample beside the dashboard: they parse, and ask only for what the bridge measures."""

import re
import shutil
import subprocess
from pathlib import Path

import phoneterm_bridge
import pytest
import yaml
from bridge.test_dashboard import existing
from phoneterm_bridge.settings.http import HttpSettings
from phoneterm_bridge.web.metrics import label_names

_FOLDER = Path(phoneterm_bridge.__file__).parent / "web" / "prometheus"
_RULES = yaml.safe_load((_FOLDER / "phoneterm.rules.yml").read_text())
_SCRAPE = yaml.safe_load((_FOLDER / "scrape.yml").read_text())
_ALERTS = [rule for group in _RULES["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("alert", _ALERTS, ids=[alert["alert"] for alert in _ALERTS])
def test_an_alert_asks_only_for_metrics_and_labels_that_exist(alert):
    names = set().union(*existing().values())
    asked = re.findall(r"\bphoneterm_\w+", alert["expr"])
    assert asked or "up{" in alert["expr"]
    assert [name for name in asked if name not in names] == []
    labels = {label for name in asked for label in label_names(name)}
    for label in re.findall(r"\$labels\.(\w+)", str(alert["annotations"])) + re.findall(r"(\w+)=~?\"", alert["expr"]):
        assert label in labels or label == "job", label


@pytest.mark.parametrize("alert", _ALERTS, ids=[alert["alert"] for alert in _ALERTS])
def test_an_alert_says_what_is_wrong_and_what_to_do(alert):
    assert set(alert) <= {"alert", "expr", "for", "labels", "annotations"}
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert alert["annotations"]["summary"].endswith(".") and alert["annotations"]["remedy"]
    assert re.fullmatch(r"\d+[mhd]", alert.get("for", "1m"))


def test_alerts_have_names_of_their_own():
    names = [alert["alert"] for alert in _ALERTS]
    assert len(set(names)) == len(names)


def test_the_scrape_sample_reads_the_rules_and_the_port_that_the_settings_have():
    (job,) = _SCRAPE["scrape_configs"]
    assert _SCRAPE["rule_files"] == ["phoneterm.rules.yml"]
    default = HttpSettings()
    assert job["static_configs"] == [{"targets": [f"{default.host}:{default.port}"]}]
    assert f'job="{job["job_name"]}"' in _ALERTS[0]["expr"]


def test_prometheus_own_tool_takes_both_where_it_is_installed():
    tool = shutil.which("promtool")
    checks = [["check", "config", "scrape.yml"], ["check", "rules", "phoneterm.rules.yml"]] if tool else []
    for check in checks:
        done = subprocess.run([tool, *check], cwd=_FOLDER, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
