"""The program `trainers.latency`: a table that a search takes, and one line for a mistake."""

import pytest

from darts_tf import spaces
from darts_tf.config import SearchConfig
from darts_tf.errors import UserError
from darts_tf.searching.cost_tables import read_cost_table
from darts_tf.searching.plugs import choose
from trainers import latency

SIZES = {"layers": 6, "init_channels": 2, "image_size": 8, "image_channels": 1, "classes": 2}
WORDS = ["--space=mobile_small", "--stem=cifar", "--repeats=2"]
WORDS += [f"--{name}={value}" for name, value in SIZES.items()]


def test_a_table_has_each_candidate_and_a_search_takes_it(tmp_path, capsys):
    path = tmp_path / "table.json"
    latency.main([*WORDS, f"--output={path}"])
    assert capsys.readouterr().out.startswith(f"wrote {path}: 27 candidates, up to ")
    table, space = read_cost_table(str(path)), spaces.get("mobile_small")
    for cell, [costs] in zip(space.cells, table.cells, strict=True):
        assert len(costs) == len(space.edges(cell)[0].candidates)
        assert max(costs) > 0
    assert table.cells[1][0][:4] != table.cells[3][0][:4]
    assert table.fixed > 0
    settings = {"cost": str(path), "cost_reference": 2.0, "stop_criterion": "none"}
    choose(SearchConfig(space="mobile_small", layers=6, init_channels=2, **settings))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (WORDS, r"^--output: expected the JSON file to write, got none$"),
        ([*WORDS, "--output=t.json", "--layers=7"], r"^--layers: expected 6, .*, got 7$"),
        ([*WORDS, "--output=t.json", "--space=mobil"], r"^--space: unknown .* 'mobile'\?$"),
        ([*WORDS, "--output=no/such/t.json"], r"^--output=no/such/t.json: "),
    ],
)
def test_a_mistake_is_one_line(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message) as told:
        latency.main(words)
    assert "\n" not in str(told.value)
    assert not list(tmp_path.iterdir())
