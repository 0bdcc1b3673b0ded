"""A search in a space with a benchmark tells the true accuracy of each epoch's cell."""

from dataclasses import replace

import numpy as np

import darts_tf
from darts_tf.runs.directory import RunDirectory
from darts_tf.spaces.foreign import bench_string
from tests.bench_files import write_bench


def test_the_true_accuracy_is_recorded_and_told(tmp_path, seed, caplog):
    random = np.random.default_rng(seed)
    data = random.integers(0, 256, (32, 8, 8, 1), np.uint8), np.arange(32) % 2
    config = darts_tf.SearchConfig(
        seed=seed,
        epochs=1,
        batch_size=16,
        layers=3,
        init_channels=2,
        stop_criterion="none",
        space="nas_bench_201",
    )
    plain = darts_tf.search(config, tmp_path / "plain", data=data, verbose=0)
    (tmp_path / "bench").mkdir()
    write_bench(tmp_path / "bench", {bench_string(plain.genotype): [90.0, 91.0]})

    with caplog.at_level("INFO"):
        found = darts_tf.search(
            replace(config, benchmark_dir=str(tmp_path / "bench")),
            tmp_path / "told",
            data=data,
            verbose=0,
        )

    assert found.genotype == plain.genotype
    [record] = found.records
    assert record.measures["true_cifar10_test"] == 90.5
    assert record.measures["true_cifar100_valid"] == 70.5
    assert "true 90.50% on CIFAR-10" in caplog.text
    assert "true" in (RunDirectory(tmp_path / "told", "search").report).read_text(encoding="utf-8")
    [before] = plain.records
    published = {name for name in before.measures if name.startswith("true_")}
    assert not published or before.measures["true_cifar10_test"] > 50
