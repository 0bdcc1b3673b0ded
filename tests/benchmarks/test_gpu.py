"""Measurements on a GPU, tried on the CPU: who is asked what, what is written, what is refused."""

import csv
import sys

import numpy as np
import pytest

from darts_tf.errors import UserError
from tests.trainers.programs import python

children = pytest.importorskip("benchmarks.children")  # not in the wheel

from benchmarks import gpu  # noqa: E402
from benchmarks.timing import gpu_worker, works  # noqa: E402

# Notes its command line, and answers as a worker does; of batches of 256 the peers run out of
# memory, as does NCHW of every batch in bfloat16.
_WORKER = """
import sys
log, side, *flags = sys.argv[1:]
with open(log, "a") as file:
    file.write(" ".join([side, *flags]) + "\\n")
if "--card" in flags:
    print("Card 5000", "1.2.3", sep="\\n")
    raise SystemExit
if side != "ours" and "--batch=256" in flags or "--precision=bfloat16" in flags and "nchw" in side:
    sys.exit("out of memory")
print(100.0, flush=True)
for _ in sys.stdin:
    print({"ours": 2.0, "pytorch nchw": 5.0}.get(side, 8.0), flush=True)
print({"ours": 300.4}.get(side, 400.4))
"""


@pytest.fixture
def log(monkeypatch, tmp_path):
    """Replaces all processes by quick ones that note in a file what they are asked."""
    path = tmp_path / "log"

    def command(module, side, *flags):
        assert module == "timing.gpu_worker"
        return [sys.executable, "-c", _WORKER, str(path), side, *flags]

    monkeypatch.setattr(children, "command", command)
    monkeypatch.setattr(gpu, "require_torch", lambda: None)
    return path


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_have_both_frameworks_and_the_card(log, tmp_path, capsys):
    output = tmp_path / "gpu.csv"
    gpu.main(["--works=search", "--runs=1", f"--output={output}"])
    rows = read(output)
    settings = [(row["batch"], row["precision"], row["jit_compile"]) for row in rows]
    precisions = [("float32", "no"), ("float32", "yes"), ("bfloat16", "no"), ("bfloat16", "yes")]
    assert settings == [(batch, *rest) for batch in ("64", "128", "256") for rest in precisions]
    shared = {"card": "Card 5000", "tensorflow": "1.2.3", "pytorch": "1.2.3", "work": "search"}
    assert all(row.items() >= shared.items() for row in rows)
    both, alone, none = rows[0], rows[2], rows[-1]
    figures = ("ours_s", "nchw_s", "channels_last_s", "ratio", "ours_mib", "peer_mib")
    assert [both[key] for key in figures] == ["2", "5", "8", "2.50", "300", "400"]
    assert [alone[key] for key in figures] == ["2", "-", "8", "4.00", "300", "400"]
    assert [none[key] for key in figures] == ["2", "-", "-", "-", "300", "-"]
    told = capsys.readouterr()
    assert told.out.startswith("card: Card 5000, tensorflow: 1.2.3, pytorch: 1.2.3\n\n| work")
    assert len(told.out.splitlines()) == 2 + 2 + 12
    assert "out of memory" in told.err

    asked = [line.split(" --", 1) for line in log.read_text().splitlines()]
    # PyTorch compiles nothing, so that each of its layouts runs once for a batch and a precision.
    assert [side for side, _ in asked].count("ours") == 1 + 12
    assert [side for side, _ in asked].count("pytorch nchw") == 1 + 6
    assert [side for side, _ in asked].count("pytorch channels_last") == 6
    assert all(("--jit_compile" in words) <= (side == "ours") for side, words in asked)
    assert not any("--cpu" in words for _, words in asked)


def test_rows_of_other_works_and_cards_stay(log, tmp_path):
    output = tmp_path / "gpu.csv"
    for kind in ("inference", "training", "inference"):
        gpu.main([f"--works={kind}", "--runs=1", "--alone", f"--output={output}"])
    kinds = [row["work"] for row in read(output)]
    assert kinds == ["training"] * 4 + ["inference"] * 2
    output.write_text(output.read_text().replace("Card 5000", "Card 4000"))
    gpu.main(["--works=inference", "--runs=1", "--alone", f"--output={output}"])
    assert [row["card"] for row in read(output)] == ["Card 4000"] * 6 + ["Card 5000"] * 2
    assert "pytorch" not in log.read_text()


@pytest.mark.parametrize(
    ("seen", "arguments", "told"),
    [
        ((), [], "expected a GPU that TensorFlow sees, got none"),
        ((), ["--alone"], "expected a GPU that TensorFlow sees, got none"),
        ((works.OURS,), [], "expected a GPU that PyTorch sees, got none"),
        ((), ["--works=serch"], "unknown work 'serch'. Did you mean 'search'?"),
    ],
)
def test_what_cannot_be_measured_is_refused(seen, arguments, told, log, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "card", lambda side: ("Card" if side in seen else "", "1.2.3"))
    with pytest.raises(UserError) as refused:
        gpu.main([*arguments, f"--output={tmp_path / 'gpu.csv'}"])
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not log.exists()


def test_a_framework_that_does_not_start_is_told(monkeypatch):
    words = [sys.executable, "-c", "import sys; sys.exit('no driver')"]
    monkeypatch.setattr(children, "command", lambda *parts: words)
    with pytest.raises(UserError, match="ours: expected a framework that starts, got: no driver"):
        gpu.card(works.OURS)


@pytest.mark.parametrize("kind", ["search", "training", "inference"])
def test_peers_move_to_a_device_and_compute_in_bfloat16(kind, seed, monkeypatch):
    torch = pytest.importorskip("torch")
    from benchmarks.pytorch import peers

    # Threads wait for each other busily, for minutes where other tests run beside.
    monkeypatch.setattr(peers, "usable_cores", lambda: 1)
    sizes = works.WORKS[gpu.KINDS[kind][0]].tiny().sizes
    results = []
    for bfloat16 in (False, True):
        torch.manual_seed(seed)
        side = peers.build(kind, works.CHANNELS_LAST, sizes)
        side.move_to("cpu", bfloat16)
        results.append(np.asarray(side()))
        assert results[-1].dtype in (np.float64, np.float32)
    exact, coarse = results
    assert not np.array_equal(exact, coarse)
    assert np.abs(exact - coarse).max() < 0.1 * max(1, np.abs(exact).max())


@pytest.mark.long
def test_our_side_runs_on_the_cpu(tmp_path):
    words = ("--tiny", "--runs=1", "--alone", "--cpu", "--output=gpu.csv")
    ended = python("-m", "benchmarks.gpu", *words, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    rows = read(tmp_path / "gpu.csv")
    settings = [(row["work"], row["precision"], row["jit_compile"]) for row in rows]
    assert settings == [
        ("search", "float32", "no"),
        ("search", "bfloat16", "yes"),
        ("training", "float32", "no"),
        ("training", "bfloat16", "yes"),
        ("inference", "float32", "no"),
    ]
    assert all(row["card"] == "CPU" for row in rows)
    for row in rows:
        assert all(float(row[key]) > 0 for key in ("ours_s", "ours_mib", "start_s")), ended.stderr


@pytest.mark.long
def test_a_card_is_named_or_not(tmp_path):
    ended = python("-m", "benchmarks.timing.gpu_worker", works.OURS, "--card", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    import tensorflow as tf

    name, version = gpu_worker.card(works.OURS)
    assert bool(name) == bool(tf.config.list_physical_devices("GPU"))
    assert ended.stdout.splitlines()[-2:] == [name, version] == [name, tf.__version__]
