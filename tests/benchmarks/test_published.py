"""Published searches: read from logs and Hessians of their layout, and told by setting."""

import json

import numpy as np
import pytest

pytest.importorskip("benchmarks")  # not in the wheel

from benchmarks import published
from darts_tf.errors import UserError


def genotype(skips):
    """A cell of two edges a node with so many skip-connects, as DARTS's programs print it."""
    names = ["skip_connect"] * skips + ["dil_conv_3x3"] * (8 - skips)
    edges = [(name, place % 2) for place, name in enumerate(names)]
    other = [("max_pool_3x3", place % 2) for place in range(8)]
    return (
        f"Genotype(normal={edges}, normal_concat=range(2, 6), "
        f"reduce={other}, reduce_concat=range(2, 6))"
    )


def write(folder, seed, skips, curvatures=()):
    """A log in the form of RobustDARTS's, and its Hessians of every second epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for epoch, count in enumerate(skips):
        date = "2019-07-16 13:28:39,383"
        lines += [
            f"{date} epoch {epoch} lr 2.5e-02",
            f"{date} train_acc 60.0",
            f"{date} valid_acc {50 + epoch}.0",
            f"{date} genotype = {genotype(count)}",
        ]
    (folder / f"log_{seed}.txt").write_text("\n".join(lines) + "\n")
    hessians = [
        # Not symmetric, and its largest eigenvalue is that of its symmetric part.
        {"epoch": 2 * place, "H": [[value, 1.0], [-1.0, 0.1]]}
        for place, value in enumerate(curvatures)
    ]
    if hessians:
        text = "\n".join(map(json.dumps, hessians))
        (folder / f"derivatives_{seed}.json").write_text(text)


@pytest.fixture
def clone(tmp_path):
    skips = [0] * 10 + [3, 1] + [4] * 38
    write(tmp_path / "s1/cifar10/0.0_0.0003-1", 1, skips, [1.0] * 9 + [9.0] * 16)
    write(tmp_path / "s1/cifar10/0.0_0.0003-1", 2, [2] * 50)
    write(tmp_path / "s3/svhn/0.2_0.0009-2", 1, [1] * 50)
    return tmp_path


def test_each_setting_has_a_row_with_its_seeds(clone):
    first, second = published.rows(published.read(clone))
    assert [first[name] for name in ("space", "drop path", "weight decay", "searches")] == [
        "s1/cifar10",
        "0",
        "0.0003",
        "2",
    ]
    assert first["epoch 0"] == "1.0"  # of 0 and 2
    assert first["epoch 10"] == "2.5"  # of 3 and 2
    assert first["Criterion 1"] == "10 0"
    assert first["Criterion 1 from epoch 10"] == "10 10"
    assert first["curvature"] == "22"  # as the docstring of the criterion has it; one seed only
    assert first["error %"] == "1.0"
    assert [second[name] for name in published.CRITERIA] == ["-", "-", ""]


def test_curvatures_are_the_largest_eigenvalues_of_symmetric_parts(clone):
    [one, *_] = published.read(clone)
    measured = {r.epoch: r.measures["curvature"] for r in one.records if r.measures}
    assert sorted(measured) == list(range(0, 50, 2))
    symmetric = np.linalg.eigvalsh(np.diag([9.0, 0.1])).max()
    assert measured[20] == pytest.approx(symmetric)


def test_the_command_prints_and_writes_the_table(clone, tmp_path, capsys):
    file = tmp_path / "out" / "published.csv"
    published.main([str(clone), f"--output={file}"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 2
    assert file.read_text().splitlines()[0] == ",".join(published.COLUMNS)


def test_a_folder_without_logs_and_damaged_hessians_are_told_in_one_line(clone, tmp_path):
    with pytest.raises(UserError, match="got no logs of the form"):
        published.read(tmp_path / "s3")
    (clone / "s1/cifar10/0.0_0.0003-1/derivatives_1.json").write_text('{"epoch": 0}')
    with pytest.raises(UserError, match="expected Hessians by epoch"):
        published.read(clone)
