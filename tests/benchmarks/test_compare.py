"""The harness: who is asked when, what is written, and how mistakes and failures end."""

import csv
import sys

import pytest

from darts_tf.command_line import program
from darts_tf.errors import UserError

children = pytest.importorskip("benchmarks.children")  # not in the wheel

from benchmarks import command_line, compare, growth  # noqa: E402
from benchmarks.timing import measuring, regressions, works  # noqa: E402

# Answers as a worker does, without doing anything; its sides differ in speed and in memory.
_WORKER = """
import sys
log, side, module, *flags = sys.argv[1:]
def note(what):
    with open(log, "a") as file:
        file.write(f"{side}: {what}\\n")
note("start")
print(100.0, flush=True)
for i, _ in enumerate(sys.stdin):
    note("run")
    print({"ours": (2, 4, 3), "pytorch nchw": (5, 7, 6)}.get(side, (9, 9, 9))[i % 3], flush=True)
print({"ours": 100.4}.get(side, 200.4))
"""


@pytest.fixture
def log(monkeypatch, tmp_path):
    """Replaces all processes by quick ones that note in a file what they are asked."""
    path = tmp_path / "log"

    def command(module, name, side, *flags):
        if module == "check":
            return [sys.executable, "-c", "raise SystemExit(0)"]
        return [sys.executable, "-c", _WORKER, str(path), side, module, *flags]

    monkeypatch.setattr(children, "command", command)
    monkeypatch.setattr(compare, "require_torch", lambda: None)
    for module in (growth, measuring):
        monkeypatch.setattr(module, "processor", lambda: "A CPU")
    return path


def read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_sides_take_turns_and_medians_are_told(log, tmp_path, capsys):
    output = tmp_path / "new" / "compare.csv"
    compare.main(["--works=search_8", "--runs=3", f"--output={output}"])
    assert read(output) == [
        ["work", "peer", "ours_s", "peer_s", "ratio", "ours_mib", "peer_mib", "processor"],
        ["search_8", "pytorch nchw", "3", "6", "2.00", "100", "200", "A CPU"],
        ["search_8", "pytorch channels_last", "3", "9", "3.00", "100", "200", "A CPU"],
    ]
    table = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in table[2].strip("|").split("|")] == read(output)[1][:-1]
    expected = []
    for peer in works.PYTORCH:
        expected += [f"{side}: start" for side in (works.OURS, peer)]
        expected += [
            f"{side}: run" for side in (works.OURS, peer, peer, works.OURS, works.OURS, peer)
        ]
    assert log.read_text().splitlines() == expected


def test_a_start_is_a_new_process_each_time(log, tmp_path):
    compare.main(["--works=start", "--runs=9", f"--output={tmp_path / 'out.csv'}"])
    order = ["ours", "plain graph", "plain graph", "ours", "ours", "plain graph"]
    assert log.read_text().splitlines() == [f"{side}: start" for side in order]


def test_rows_of_other_works_stay(log, tmp_path):
    output = tmp_path / "out.csv"
    for name in ("inference_1", "search_8", "inference_1"):
        compare.main([f"--works={name}", "--runs=1", f"--output={output}"])
    assert [row[0] for row in read(output)[1:]] == ["search_8"] * 2 + ["inference_1"] * 2


def test_the_plain_graph_is_asked_for(log, tmp_path):
    output = tmp_path / "out.csv"
    compare.main(["--works=search_8", "--runs=1", "--plain", f"--output={output}"])
    assert [row[1] for row in read(output)[1:]] == [*works.PYTORCH, works.PLAIN]


def earlier(path, **ratios):
    """Results of search_8 beside both layouts, as `compare` writes them."""
    rows = [
        f"search_8,pytorch {peer},3,6,{ratio},1,1,A CPU"
        for peer, ratio in {"nchw": "2.00", "channels_last": "3.00", **ratios}.items()
    ]
    path.write_text("\n".join((",".join(compare.FILE_COLUMNS), *rows)))
    return path


def test_ratios_are_compared_with_those_that_the_output_had(log, tmp_path, capsys):
    output = earlier(tmp_path / "out.csv", nchw="2.50")
    words = ["--works=search_8", "--runs=3", f"--output={output}", f"--against={output}"]
    with pytest.raises(SystemExit) as ended:
        compare.main(words)
    assert ended.value.code == 1
    fell = "search_8 beside pytorch nchw: the ratio fell by 20.0 %, from 2.50 to 2.00"
    assert capsys.readouterr().out.splitlines()[4:] == ["", fell]
    assert [row[4] for row in read(output)[1:]] == ["2.00", "3.00"]

    compare.main(words)  # beside what it has just written
    assert capsys.readouterr().out.splitlines()[4:] == ["", "no ratio fell by more than a tenth"]


@pytest.mark.parametrize(
    ("before", "after", "falls"),
    [
        ("2.00", "1.80", False),
        ("2.00", "1.79", True),
        ("1.10", "0.99", False),  # in binary floating point, 0.9 * 1.1 > 0.99
        ("1.10", "0.98", True),
        ("0.38", "0.34", True),
        ("3.00", "9.00", False),
    ],
)
def test_a_tenth_may_be_lost(before, after, falls):
    row = {"work": "training", "peer": "pytorch nchw"}
    fallen = regressions.fallen([row | {"ratio": before}], [row | {"ratio": after}])
    assert len(fallen) == falls


def test_other_processors_and_new_works_are_told(log, tmp_path, monkeypatch, capsys):
    against = earlier(tmp_path / "before.csv")
    monkeypatch.setattr(measuring, "processor", lambda: "Another CPU")
    output = f"--output={tmp_path / 'out.csv'}"
    compare.main(["--works=start,search_8", "--runs=3", output, f"--against={against}"])
    told = capsys.readouterr().out.splitlines()
    differ = "the processors differ: A CPU earlier, Another CPU now; ratios may differ for that "
    assert told[-3:] == [
        "start beside plain graph: not among the earlier results",
        f"{differ}reason alone",
        "no ratio fell by more than a tenth",
    ]
    assert "Another CPU" in (tmp_path / "out.csv").read_text()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "against: expected results of benchmarks.compare, got '"),
        ("a,b\n1,2\n", "against: expected results of benchmarks.compare, got '"),
        ("search_8,nchw,1,1,fast,1,1,A CPU", "got 'fast'"),
        ("search_8,nchw,1,1,-1,1,1,A CPU", "got '-1'"),
        ("search_8,nchw,1,1,nan,1,1,A CPU", "got 'nan'"),
        ("search_8,nchw", "got 'None'"),
    ],
)
def test_other_files_are_refused_before_anything_is_timed(text, told, log, tmp_path):
    path = tmp_path / "before.csv"
    if text is not None:
        path.write_text(text if text[0] == "a" else f"{','.join(compare.FILE_COLUMNS)}\n{text}\n")
    with pytest.raises(UserError) as refused:
        compare.main(["--works=search_8", f"--output={tmp_path / 'o.csv'}", f"--against={path}"])
    assert told in str(refused.value)
    assert not log.exists()


def test_what_is_not_the_same_is_not_timed(monkeypatch, tmp_path):
    command = [sys.executable, "-c", "raise SystemExit(1)"]
    monkeypatch.setattr(children, "command", lambda *words: command)
    monkeypatch.setattr(compare, "require_torch", lambda: None)
    with pytest.raises(SystemExit) as ended:
        compare.main(["--works=search_8", f"--output={tmp_path / 'out.csv'}"])
    assert ended.value.code == 1
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("before", ["", "print(100.0, flush=True); sys.stdin.readline();"])
def test_a_worker_that_fails_tells_why(before, monkeypatch):
    command = [sys.executable, "-c", f"import sys; {before} sys.exit('out of luck')"]
    monkeypatch.setattr(children, "command", lambda *words: command)
    with pytest.raises(SystemExit, match=r"(?s)out of luck.*ended with status 1"):
        measuring.compare("search_8", works.WORKS["search_8"], 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--works=serch_8"], "unknown workload 'serch_8'. Did you mean 'search_8'?"),
        (["--works=qqq"], "unknown workload 'qqq'. Expected one of search_32, search_8, "),
        (["--runs=0"], "argument --runs: expected a positive integer, got '0'"),
        (["--run=3"], "unrecognized arguments: --run=3"),
        (["--works=second_order", "--output=."], "output: expected a file, got the folder '.'"),
    ],
)
def test_mistakes_end_in_one_line(arguments, told, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["compare", *arguments])
    assert program.run("compare", compare.main) == 2
    found = capsys.readouterr().err
    assert found.startswith(f"compare: {told}")
    assert found.count("\n") == 1


def test_without_pytorch_its_works_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(command_line, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install -r benchmarks/requirements\.txt"):
        compare.main(["--works=start,search_8", f"--output={tmp_path / 'out.csv'}"])


def test_growth_varies_one_size_at_a_time(log, tmp_path, monkeypatch, capsys):
    asked = []

    def measure(sizes, runs):
        asked.append(sizes)
        return {"seconds": "1", "mib": "2", "start_s": "3"}

    monkeypatch.setattr(growth, "measure", measure)
    output = tmp_path / "growth.csv"
    growth.main([f"--output={output}"])
    rows = read(output)
    assert rows[0] == ["what", "value", "seconds", "mib", "start_s", "processor"]
    assert all(row[-1] == "A CPU" for row in rows[1:])
    assert [row[:2] for row in rows[1:4]] == [["channels", c] for c in ("8", "16", "32")]
    assert len(rows) == 1 + 15
    assert len(capsys.readouterr().out.splitlines()) == 2 + 15
    assert len(asked) == len(set(asked)) == 1 + 5 * 2
    differ = [
        sum(a != b for a, b in zip(s.flags(), growth.AROUND.flags(), strict=True)) for s in asked
    ]
    assert sorted(differ) == [0] + [1] * 10
