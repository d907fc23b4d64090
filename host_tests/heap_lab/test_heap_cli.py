"""`phoneterm heap`: a figure for every module of a start, and a sentence where there is no 32-bit VM."""

from heap_lab import by_module, cli
from lab_parts import parts
from typer.testing import CliRunner

_REMEDY = "run 'phoneterm parts install --tests' as root."


def test_every_module_of_a_start_has_a_figure(need_part):
    need_part(parts.MICROPYTHON_32)
    figures = by_module.measure()
    assert {"phoneterm.app", "phoneterm.core.terminal", "phoneterm.device.mqtt", *by_module.DROPPED} <= figures.keys()
    assert list(figures).index("phoneterm.core.mac") < list(figures).index("phoneterm.core.messages")


def test_a_machine_without_the_vm_gets_a_sentence_and_no_failure(monkeypatch, tmp_path):
    monkeypatch.setenv("PHONETERM_PARTS", str(tmp_path / "none"))
    result = CliRunner().invoke(cli.app, ["measure"])
    assert result.exit_code == 0
    assert result.output == f"32-bit heap: not measured: micropython-32 is not on this machine: {_REMEDY}\n"
