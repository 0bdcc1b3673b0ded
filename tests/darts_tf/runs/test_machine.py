"""The name of the processor."""

import platform

import pytest

from darts_tf.runs import machine

TWO_CORES = """processor\t: 0
vendor_id\t: {vendor}
model name\t: {name}
stepping\t: 1

processor\t: 1
model name\t: another
"""


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("AMD EPYC", "AMD EPYC"),
        ("Intel(R) Xeon(R) CPU   @ 2.20GHz ", "Intel(R) Xeon(R) CPU @ 2.20GHz"),
    ],
)
def test_linux_names_the_processor(written, name, tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text(TWO_CORES.format(vendor="somebody", name=written))
    assert machine.processor(path) == name


@pytest.mark.parametrize("text", [None, "", "processor\t: 0\n", "model name\t:\nstepping\t: 1\n"])
def test_python_names_the_processor_elsewhere(text, tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    path = tmp_path / "cpuinfo"
    if text is not None:
        path.write_text(text)
    assert machine.processor(path) == "arm64"
    monkeypatch.setattr(platform, "processor", lambda: "i386")
    assert machine.processor(path) == "i386"


def test_this_machine_has_a_processor():
    assert machine.processor().strip() == machine.processor() != ""
