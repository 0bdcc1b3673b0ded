"""The contracts: what every plug must pass, those that come later too.

Each class is the contract of one kind of plug. A test module puts plugs through it,

    @pytest.mark.parametrize("plug", contracts.plugs(darts_tf.methods))
    class TestMethods(contracts.Method):
        pass

and `plugs` finds the library's by name, so that a new one is tested as soon as it has its name.
Plugs from elsewhere may be put through too. The functions at the end compare a plug with its plain
twin, where it has one: one more line in the list of twins of a test module.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar
from unittest import mock

import numpy as np
import pytest

import darts_tf
from darts_tf import criteria, datasets, methods, operations, report, spaces
from darts_tf.config import SearchConfig, TrainingConfig
from darts_tf.errors import UserError
from darts_tf.registry import Registry
from darts_tf.runs.checkpoints import Checkpoints
from darts_tf.runs.directory import RunDirectory
from darts_tf.runs.history import EpochRecord
from darts_tf.settings import setting_fields
from darts_tf.spaces.genotype import read_genotype
from darts_tf.spaces.mobile import Mobile
from darts_tf.study.stops import replay
from tests import histories
from tests.small_space import SMALL

Rng = np.random.Generator
# Channels of a first cell, for methods whose channels have to divide by more than 4.
CHANNELS = {"drnas": 24}
Tables = dict[str, np.ndarray]
Prepared = Callable[[str], datasets.DataRequest]


# The smallest space with a choice on each edge, for the long tests.
FEW = dataclasses.replace(
    SMALL,
    candidates=("none", "skip_connect", "dil_conv_3x3"),
    learnable=("dil_conv_3x3",),
    name="few",
)


# Where methods are searched that do not search cells, by family: the space of short tests, and a
# smaller one for long tests.
ELSEWHERE = {
    "mobile": (
        spaces.get("mobile_small"),
        Mobile(
            name="few_blocks",
            stem=8,
            first=4,
            widths=(4, 6),
            repeats=(1, 2),
            strides=(1, 2),
            head=8,
            kernels=(3, 5),
            last="mbconv_3x3_e3",
        ),
    ),
}


def space_for(method: Any, few: bool = False) -> Any:
    """Returns a space in which a method searches.

    Args:
        method: The method.
        few: Whether the space is for long tests, with few choices.
    """
    if method.searches("cells"):
        return FEW if few else spaces.get("darts")
    return ELSEWHERE[method.families[0]][few]


def plugs(room: Any, *more: Any, **settings: dict[str, Any]) -> list[Any]:
    """Returns the parameters of a test: the plugs of a room, by name, and others.

    Args:
        room: The module with `names` and `get`.
        *more: Plugs that are not registered.
        **settings: By the name of a plug what a test gives it in place of defaults that take long.
    """
    own = [{"name": name, **settings.get(name, {})} for name in room.names()]
    configured = [room.get(each if len(each) > 1 else each["name"]) for each in own]
    found = [*configured, *more]
    return [pytest.param(plug, id=plug.name) for plug in found]


def registry_of(room: Any) -> Registry[Any]:
    """Returns the table behind a room's `get`, `names` and `register`."""
    [registry] = [value for value in vars(room).values() if isinstance(value, Registry)]
    return registry


@contextmanager
def known(room: Any, plug: Any) -> Iterator[None]:
    """Has a plug registered for a while, if it is not in any case."""
    if plug.name in room.names():
        yield
        return
    room.register(plug)
    try:
        yield
    finally:
        del registry_of(room)._registered[plug.name]


@contextmanager
def repeatable() -> Iterator[None]:
    """Leaves TensorFlow's kernels as they were before a run chose deterministic ones."""
    from darts_tf.engine.devices import choose_kernels

    try:
        yield
    finally:
        choose_kernels(deterministic=False)


def plain(value: Any) -> Any:
    """Returns a value as it comes back from JSON."""
    return json.loads(json.dumps(value))


class _Configured:
    """What holds for plugs with settings or arguments of any kind."""

    room: ClassVar[Any]

    def test_it_comes_back_from_its_config(self, plug: Any) -> None:
        config = plug.get_config()
        assert config["name"] == plug.name
        again = type(plug).from_config(plain(config))
        assert type(again) is type(plug)
        assert plain(again.get_config()) == plain(config)
        with known(self.room, plug):
            assert plain(self.room.get(plain(config)).get_config()) == plain(config)

    def test_it_is_found_by_name_instance_and_class(self, plug: Any) -> None:
        assert self.room.get(plug) is plug
        with known(self.room, plug):
            assert plug.name in self.room.names()
            assert type(self.room.get(plug.name)) is type(plug)
            with pytest.raises(UserError, match=f"Did you mean '{plug.name}'") as error:
                self.room.get(f"{plug.name[:-1]}{plug.name[-1:] * 2}")
        assert str(error.value).count("\n") == 0

    def test_it_has_a_docstring_of_its_own(self, plug: Any) -> None:
        assert type(plug).__doc__


class _Flagged:
    """What holds for plugs that the search program chooses by a flag."""

    room: ClassVar[Any]
    flag: ClassVar[str]

    def test_help_lists_its_flags_with_their_texts(
        self, plug: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with known(self.room, plug), pytest.raises(SystemExit) as ended:
            _search(monkeypatch, f"--{self.flag}={plug.name}", "--helpfull")
        assert not ended.value.code
        shown = capsys.readouterr().out
        assert plug.name in shown
        for field in setting_fields(plug):
            assert f"--{plug.name}_{field.name}=" in shown
            assert " ".join(field.metadata["text"].split()) in " ".join(shown.split())

    def test_a_mistake_in_its_flags_is_one_line(
        self, plug: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        names = [field.name for field in setting_fields(plug) if type(field.default) is not str]
        wrong = [f"--{plug.name}_no_such_setting=1", *(f"--{plug.name}_{name}=?" for name in names)]
        for mistake in wrong:
            with known(self.room, plug):
                status = _search(monkeypatch, f"--{self.flag}={plug.name}", mistake)
            told = capsys.readouterr().err
            assert status == 2
            assert told.count("\n") == 1, told
            assert told.startswith("search: ")
            assert mistake.partition("=")[0] in told


def _search(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Runs the search program in this process, where plugs from elsewhere are known."""
    from darts_tf.command_line.program import run
    from trainers import search

    monkeypatch.setattr(sys, "argv", ["search", *words])
    return run("search", search.main)


@contextmanager
def copied_when_killed(run: RunDirectory, killed: Any, epochs: int) -> Iterator[None]:
    """Copies the directory of a run, once, as a kill within an epoch would leave it.

    Args:
        run: The run, which saves a checkpoint after each step.
        killed: The directory of the copy.
        epochs: The number of whole epochs before the kill.
    """
    from darts_tf.engine.durability import Durability

    after_step = Durability.after_step

    def copying(self: Durability, score: Any) -> None:
        after_step(self, score)
        if not killed.exists() and len(run.read_history()) == epochs:
            shutil.copytree(run.path, killed)

    with mock.patch.object(Durability, "after_step", copying):
        yield


def check_alike(*runs: RunDirectory) -> None:
    """Compares the histories and outcomes of two runs to the bit, the time that they took apart."""
    histories = [[{**line, "timing": None} for line in run.read_history()] for run in runs]
    assert histories[0] == histories[1]
    outcomes = [{**run.read_outcome(), "cost": None} for run in runs]
    assert outcomes[0] == outcomes[1]
    total = [len(list(run.checkpoints.iterdir())) for run in runs]
    assert total[0] == total[1]


def random_strengths(space: Any, rng: Rng) -> Tables:
    """Returns tables of strengths for the cells of a space; masked entries are NaN."""
    return {
        cell: np.where(mask := space.mask(cell), rng.uniform(size=mask.shape), np.nan)
        for cell in space.cells
    }


class Space(_Configured, _Flagged):
    """The contract of search spaces, as far as it takes no TensorFlow."""

    room = spaces
    flag = "space"

    def test_its_cells_are_graphs_of_known_operations(self, plug: Any) -> None:
        assert len(set(plug.cells)) == len(plug.cells) > 0
        for cell in plug.cells:
            edges = plug.edges(cell)
            targets = [edge.target for edge in edges]
            last = plug.inputs + plug.node_count(cell) - 1
            assert targets == sorted(targets)
            assert set(targets) <= set(range(plug.inputs, last + 1))
            pairs = {(edge.source, edge.target) for edge in edges}
            assert len(pairs) == len(edges) or cell in plug.wirings
            assert all(0 <= edge.source < edge.target for edge in edges)
            for edge in edges:
                assert 0 < len(set(edge.candidates)) == len(edge.candidates) <= plug.width(cell)
                assert set(edge.candidates) <= set(operations.names())
                for name in edge.candidates:
                    assert not (plug.is_free(name) and plug.is_learnable(name))
            assert plug.mask(cell).sum() == sum(len(edge.candidates) for edge in edges)
            assert set(plug.output(cell)) <= set(range(plug.inputs, last + 1))

    def test_its_networks_have_all_its_cells(self, plug: Any) -> None:
        most = plug.most_layers or plug.fewest_layers + 3
        for layers in (plug.fewest_layers, most):
            plug.check_layers(layers)
            places = plug.macro(layers)
            assert {place.cell for place in places} == set(plug.cells) - set(plug.wirings)
            assert all(place.width >= 1 for place in places)
            assert plug.macro(layers) == places
        wrong = (plug.fewest_layers - 1, *([most + 1] if plug.most_layers else []))
        for layers in wrong:
            with pytest.raises(UserError, match=f"^layers: expected .*, got {layers}$"):
                plug.check_layers(layers)

    def test_what_it_derives_and_draws_is_its_own_and_comes_back_from_json(
        self, plug: Any, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        with known(spaces, plug):
            for _ in range(10):
                genotypes = [plug.sample(rng)]
                if plug.searchable:
                    genotypes.append(plug.derive(random_strengths(plug, rng)))
                for genotype in genotypes:
                    plug.check(genotype)
                    assert genotype.space == plug.name
                    assert read_genotype(genotype.to_json()) == genotype
                    assert set(spaces.space_of(genotype).cells) == set(plug.cells)

    def test_what_is_no_strength_is_refused(self, plug: Any, seed: int) -> None:
        tables = random_strengths(plug, np.random.default_rng(seed))
        for wrong in (-0.1, 1.1, np.nan):
            cell = plug.cells[-1]
            spoiled = {**tables, cell: np.where(plug.mask(cell), wrong, 0.0)}
            with pytest.raises(ValueError, match=cell if plug.searchable else "use random search"):
                plug.derive(spoiled)

    def test_its_runs_have_a_page_and_its_cells_are_drawn(
        self, plug: Any, seed: int, tmp_path: Any
    ) -> None:
        from darts_tf.report.pictures.text import as_text

        with known(spaces, plug):
            if plug.searchable:
                run = histories.searched_in(plug, tmp_path / "run", seed, epochs=2)
            else:
                run = histories.random_searched(tmp_path / "run", seed, ended=1, space=plug)
            page = report.write_report(run.path)
            genotype = plug.sample(np.random.default_rng(seed))
            text = as_text(genotype)
        assert page.stat().st_size > 0
        for cell in plug.cells:
            assert all(operation in text for operation, _, _ in genotype.edges(cell))

    def test_every_criterion_says_whether_it_means_something_here(self, plug: Any) -> None:
        from darts_tf.searching.plugs import choose

        with known(spaces, plug):
            for name in criteria.names():
                with suppress(UserError):
                    settings = SearchConfig(stop_criterion=name, layers=plug.fewest_layers)
                    config, chosen = choose(settings, space=plug)
                    assert config.space == plug.name
                    assert chosen.criterion.name == name


class SpaceBuilt:
    """The contract of search spaces that takes TensorFlow: supernets and networks."""

    def test_its_supernet_is_built_and_comes_back_from_its_config(
        self, plug: Any, seed: int
    ) -> None:
        import keras

        from darts_tf.supernet.families import supernet_class

        if not plug.searchable:
            with known(spaces, plug), pytest.raises(UserError, match="use random search"):
                supernet_class(plug)
            return
        plug = plug.with_layers(plug.fewest_layers)
        images = np.random.default_rng(seed).normal(size=(2, 8, 8, 3)).astype("float32")
        with known(spaces, plug):
            make = supernet_class(plug)
            net = make(plug, layers=plug.fewest_layers, init_channels=4, classes=3)
            again = keras.saving.deserialize_keras_object(
                plain(keras.saving.serialize_keras_object(net))
            )
            scores = net(images, training=True)
            again(images, training=True)
        assert scores.shape == (2, 3)
        assert np.isfinite(scores).all()
        assert [v.path for v in again.variables] == [v.path for v in net.variables]
        assert [v.shape for v in again.variables] == [v.shape for v in net.variables]
        tables = net.architecture_parameters()
        assert {cell: table.shape for cell, table in tables.items()} == {
            cell: plug.mask(cell).shape for cell in plug.cells
        }
        plug.check(plug.derive(net.relaxation.strengths()))

    def test_its_networks_are_built_and_loaded_by_keras(
        self, plug: Any, seed: int, tmp_path: Any
    ) -> None:
        import keras

        from darts_tf.networks.families import PARTS

        rng = np.random.default_rng(seed)
        layers = plug.fewest_layers
        genotype = plug.with_layers(layers).sample(rng)
        with known(spaces, plug):
            network = darts_tf.build_network(
                genotype, (8, 8, 3), classes=3, layers=layers, init_channels=4
            )
            for_inference = darts_tf.inference_network(
                network, darts_tf.NetworkSpec(genotype, (8, 8, 3), 3, layers, 4), (0.5,), (0.25,)
            )
        # By their names weights are found again, by `darts_tf.applications` and `--initial_model`.
        parts = (*PARTS, "logits")
        assert all(layer.name.startswith(parts) for layer in for_inference.layers if layer.weights)
        images = rng.integers(0, 256, (2, 8, 8, 3)).astype("float32")
        for_inference.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert loaded.output_shape == (None, 3)
        np.testing.assert_array_equal(
            loaded.predict(images, verbose=0), for_inference.predict(images, verbose=0)
        )


class SpaceSearched:
    """The contract of search spaces that takes whole searches, in its module's `folder`."""

    def test_a_killed_search_resumes_to_the_bit(self, plug: Any, seed: int, folder: Any) -> None:
        config = SearchConfig(
            dataset="digits",
            data_dir=str(folder / "data"),
            seed=seed,
            epochs=2,
            batch_size=300,
            layers=plug.fewest_layers,
            init_channels=2,
            stop_criterion="none",
            checkpoint_every="1step",
        )
        runs = [
            RunDirectory(folder / f"{plug.name}-{name}", "search") for name in ("alone", "killed")
        ]
        with known(spaces, plug), repeatable():
            with copied_when_killed(runs[0], runs[1].path, epochs=1):
                found = darts_tf.search(config, runs[0].path, space=plug, verbose=0)
            darts_tf.search(config, runs[1].path, space=plug, verbose=0)
            plug.check(found.genotype)
            assert read_genotype(runs[0].read_outcome()) == found.genotype
        check_alike(*runs)


class Operation:
    """The contract of operations."""

    def test_it_is_known(self, plug: Any) -> None:
        assert operations.get(plug.name) is plug
        assert plug.free is not plug.learnable
        assert plug.family
        operations.register(plug)

    @pytest.mark.parametrize("stride", [1, 2])
    def test_its_block_is_made_of_stock_layers(self, plug: Any, stride: int) -> None:
        if plug.block is None:  # none, choices that are no operation, functions of recurrent cells
            pytest.skip("it has no block")
        import keras

        from darts_tf.networks.blocks import Blocks

        channels = 4 * plug.groups
        x = keras.Input((7, 10, channels))
        blocks = Blocks("float32")
        y = blocks.operation(plug.name, x, blocks.relu(x, "relu"), channels, stride, "op")
        model = keras.Model(x, y)
        size = (7, 10) if stride == 1 else (4, 5)
        assert y.shape == (None, *size, channels)
        assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
        assert bool(model.trainable_weights) or not plug.learnable
        assert not model.trainable_weights or plug.learnable or stride == 2
        assert plug.family in darts_tf.spaces.operations.COLORS or plug.color

    @pytest.mark.parametrize("stride", [1, 2])
    def test_a_supernet_computes_it_on_an_edge(self, plug: Any, stride: int, seed: int) -> None:
        from darts_tf.supernet.mixed_operation import MixedOperation, total
        from darts_tf.supernet.source_features import SourceFeatures

        if plug.layer is None and plug.name != operations.NONE:  # one of networks alone
            with pytest.raises(ValueError, match=f"can compute, got '{plug.name}'"):
                MixedOperation(4, stride, (plug.name,))
            return
        image = np.random.default_rng(seed).normal(size=(2, 7, 6, 4)).astype("float32")
        edge = MixedOperation(4, stride, (plug.name,))
        features = SourceFeatures(stride, filter(None, edge.reads))
        y = total([edge(features(image), np.ones(1, "float32"))])
        assert y.shape == ((2, 7, 6, 4) if stride == 1 else (2, 4, 3, 4))
        assert np.isfinite(y).all()
        assert bool(edge.trainable_weights) == (
            plug.learnable or (stride == 2 and plug.family == "skip")
        )


class Criterion(_Configured, _Flagged):
    """The contract of stopping criteria."""

    room = criteria
    flag = "stop_criterion"

    def test_it_reads_records_alone_and_changes_its_mind_for_nobody(
        self, plug: Any, seed: int, tmp_path: Any
    ) -> None:
        records = wandering(seed, tmp_path)
        again = [EpochRecord.from_dict(plain(record.to_dict())) for record in records]
        assert isinstance(plug.state([]), str)
        for epoch in range(1, len(records) + 1):
            answer = plug(records[:epoch])
            assert answer is None or (isinstance(answer, str) and answer.count("\n") == 0)
            assert plug(tuple(again[:epoch])) == answer
            assert plug.state(records[:epoch]) == plug.state(again[:epoch])
            if answer is not None:
                numbers = [record.epoch for record in records[:epoch]]
                assert plug.returned_epoch(records[:epoch]) in numbers

    def test_its_readings_are_replayed(self, plug: Any, seed: int, tmp_path: Any) -> None:
        records = wandering(seed, tmp_path)
        readings = plug.readings(spaces.get("darts"))
        names = [reading.name for reading in readings]
        assert len(set(names)) == len(names) > 0
        assert all(reading.name and type(reading.criterion) is type(plug) for reading in readings)
        found = replay(records, spaces.get("darts"), [plug])
        assert len(found.stops) + bool(found.left_out) >= 1
        assert {stop.reading for stop in found.stops} <= set(names)

    def test_a_search_makes_it_of_its_settings(self, plug: Any, seed: int, tmp_path: Any) -> None:
        from darts_tf.searching.plugs import choose, run_flags

        with known(criteria, plug):
            config, chosen = choose(SearchConfig(), criterion=plug)
            assert chosen.criterion is plug
            assert config.stop_criterion == plug.name
            lines = run_flags(config, chosen)
            assert f"--stop_criterion={plug.name}" in lines
            own = {field.name: getattr(plug, field.name) for field in setting_fields(plug)}
            _, made = choose(config, criterion={"name": plug.name, **own})
            records = wandering(seed, tmp_path)
            for epoch in range(1, len(records) + 1):
                assert made.criterion(records[:epoch]) == plug(records[:epoch])


def wandering(seed: int, folder: Any) -> list[EpochRecord]:
    """Returns the records of a search whose alphas wander, those of skip-connects upwards."""
    lines = histories.searched(folder / "run", seed, epochs=30).read_history()
    return [EpochRecord.from_dict(line) for line in lines]


def fewest_layers(method: Any, space: Any) -> int:
    """Returns the fewest cells of a supernet that a method accepts in a space, 3 for most."""
    channels = CHANNELS.get(method.name, 16)
    for layers in range(space.fewest_layers, 9):
        config = SearchConfig(
            space=space.name, layers=layers, init_channels=channels, stop_criterion="none"
        )
        with known(spaces, space), suppress(UserError):
            method.check(config, space)
            return layers
    raise ValueError(f"{method.name} refuses up to 8 cells")


class Method(_Configured, _Flagged):
    """The contract of search methods, as far as it takes no TensorFlow."""

    room = methods
    flag = "method"

    def test_its_stages_follow_from_the_settings(self, plug: Any) -> None:
        config, space = SearchConfig(epochs=50), space_for(plug)
        epochs = plug.stage_epochs(config)
        assert epochs
        assert all(isinstance(count, int) and count > 0 for count in epochs)
        stage = plug.stage(0, config, space, ())
        assert stage == plug.stage(0, config, space, ())
        assert stage.number == 0
        assert stage.epochs == epochs[0]
        assert 0 <= stage.arch_start_epoch < stage.epochs
        assert stage.layers >= stage.space.fewest_layers

    def test_a_search_writes_its_settings_down(self, plug: Any) -> None:
        from darts_tf.searching.plugs import choose, run_flags

        with known(methods, plug):
            space, channels = space_for(plug), CHANNELS.get(plug.name, 16)
            settings = SearchConfig(
                space=space.name,
                layers=space.most_layers or SearchConfig.layers,
                init_channels=channels,
                stop_criterion="none",
            )
            config, chosen = choose(settings, method=plug)
            assert config.method == plug.name
            assert chosen.method is plug
            lines = run_flags(config, chosen)
            assert f"--method={plug.name}" in lines
            names = {line.partition("=")[0] for line in lines}
            assert {f"--{plug.name}_{field.name}" for field in setting_fields(plug)} <= names
            _, again = choose(config, method=plain(plug.get_config()))
            assert again.method.get_config() == plug.get_config()

    def test_it_derives_genotypes_of_the_space(self, plug: Any, seed: int) -> None:
        space, rng = space_for(plug), np.random.default_rng(seed)
        genotype = plug.derive(random_strengths(space, rng), space)
        assert set(genotype.cells) == set(space.cells)


# Examples that are drawn, words in a window of a text, and what examples of a kind look like: their
# shape, where it does not follow from the size of images, and dtype; and the words that one takes.
_DRAWN, _WORDS = 16, 3
_FORMS = {"images": ((), np.uint8), "text": ((2 + _WORDS,), np.int32)}
_COST = {"images": 1, "text": _WORDS + 1}


class DataSource:
    """The contract of sources of data sets.

    Its test module has a fixture `prepared`: a function from a name to the words by which a small
    data set of that source is found, which it has made before.
    """

    room = datasets

    def test_it_is_found_by_name(self, plug: Any) -> None:
        assert datasets.get(plug) is plug
        with known(datasets, plug):
            assert plug.name in datasets.names()
            assert type(datasets.get(plug.name)) is type(plug)
            assert type(datasets.get(f"{plug.name}:argument")) is type(plug)

    def test_a_mistake_in_its_name_is_one_line(
        self,
        plug: Any,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        tmp_path: Any,
    ) -> None:
        # An argument too many, or one too few.
        argument = "" if plug.argument else ":argument"
        with known(datasets, plug):
            for name in (f"{plug.name}{plug.name[-1]}", f"{plug.name}{argument}"):
                status = _search(monkeypatch, f"--dataset={name}", f"--run_dir={tmp_path / 'run'}")
                told = capsys.readouterr().err
                assert status == 2
                assert told.count("\n") == 1
                assert f"'{name}'" in told
                assert plug.name in told
        assert not (tmp_path / "run").exists()

    def test_its_images_are_those_of_its_facts_and_always_in_one_order(
        self, plug: Any, prepared: Prepared
    ) -> None:
        request = prepared(plug.name)
        with known(datasets, plug):
            looked_up = datasets.find(request)
            dataset, again = (datasets.find(request).load() for _ in range(2))
        facts = dataset.facts
        assert looked_up.facts.name == facts.name == request.dataset
        assert len(facts.classes) > 1
        assert len(facts.mean) == len(facts.deviation) == facts.channels
        assert all(0 < number < 1 for number in (*facts.mean, *facts.deviation))
        splits = zip(
            (dataset.train, dataset.test),
            (again.train, again.test),
            (facts.train_images, facts.test_images),
            strict=True,
        )
        for split, same, count in splits:
            assert len(split) == len(same) == count > 0
            size = facts.image_size
            shape, dtype = _FORMS[facts.kind]
            split, same = (each.arranged(_DRAWN, _WORDS) for each in (split, same))
            assert split.shape == (shape or (size, size, facts.channels))
            pixels, labels = _drawn(split)
            assert pixels.dtype == dtype
            assert set(labels.flat) <= set(range(len(facts.classes)))
            for first, second in zip((pixels, labels), _drawn(same), strict=True):
                np.testing.assert_array_equal(first, second)

    def test_an_epoch_goes_on_from_any_step_to_the_bit(
        self, plug: Any, seed: int, prepared: Prepared
    ) -> None:
        from darts_tf.data.augment.transforms import search_transform
        from darts_tf.data.batches import training_batches

        with known(datasets, plug):
            dataset = datasets.find(prepared(plug.name)).load()
        batch_size = max(1, len(dataset.train) // (4 * _COST[dataset.facts.kind]))
        settings = {
            "batch_size": batch_size,
            "seed": seed,
            "epoch": 1,
            "transform": search_transform(dataset.facts),
        }
        train = dataset.train.arranged(batch_size, _WORDS)
        whole, rest = ([*training_batches(train, **settings, first_step=step)] for step in (0, 2))
        assert len(rest) == len(whole) - 2 > 0
        for left, right in zip(whole[2:], rest, strict=True):
            for ours, theirs in zip(left, right, strict=True):
                np.testing.assert_array_equal(ours, theirs)


def _drawn(split: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns pixels and labels of a split's first images, not cropped."""
    count = min(_DRAWN, len(split))
    seeds = np.zeros((1, 2), np.int32)
    [batch] = split.batches(np.arange(count), count, seeds, crop=False)
    return batch[0].numpy(), batch[1].numpy()


class MethodBuilt:
    """The contract of search methods that takes TensorFlow.

    Attributes:
        alike: By name of a method the settings with which nothing is drawn for each image, whose
            draws differ from device to device.
        short: By name of a method the settings with which a search of three epochs makes sense.
    """

    alike: ClassVar[dict[str, dict[str, Any]]] = {}
    short: ClassVar[dict[str, dict[str, Any]]] = {}

    def test_its_relaxation_comes_back_from_its_config(self, plug: Any, seed: int) -> None:
        import keras
        import tensorflow as tf

        relaxation = plug.relaxation(space_for(plug), dtype="float64", name="relaxation")
        relaxation.build()
        rng = np.random.default_rng(seed)
        for variable in relaxation.trainable_variables:
            variable.assign(rng.normal(size=variable.shape))
        again = keras.saving.deserialize_keras_object(
            plain(keras.saving.serialize_keras_object(relaxation))
        )
        if not again.built:
            again.build()
        again.set_weights(relaxation.get_weights())
        for noise in (None, tf.constant([seed, 1], tf.int32)):
            for ours, theirs in zip(
                tf.nest.flatten(relaxation(noise)), tf.nest.flatten(again(noise)), strict=True
            ):
                np.testing.assert_array_equal(ours, theirs)

    def test_its_steps_move_it_and_its_strengths_are_shares(
        self, plug: Any, seed: int, folder: Any
    ) -> None:
        run = self.searched(plug, seed, folder)
        state = Checkpoints(run).latest().arrays
        assert all(np.isfinite(array).all() for array in state.values())
        assert any(
            ("velocity" in name or "momentum" in name) and np.any(array)
            for name, array in state.items()
        )
        lines = run.read_history()
        with known(spaces, space_for(plug, few=True)):
            records = [EpochRecord.from_dict(line) for line in lines]
        for record in records:
            losses = record.train_loss, record.valid_loss
            assert np.isfinite([*losses, *record.measures.values()]).all()
            for cell, table in (record.strengths or darts_tf.softmax(record.alphas)).items():
                strengths = np.array(table, float)
                competing = np.isfinite(strengths)
                assert strengths.shape == np.shape(record.alphas[cell])
                assert competing.any(axis=1).all()
                assert ((strengths[competing] >= 0) & (strengths[competing] <= 1)).all()
        moved = any(sum((record.moved or {}).values()) > 0 for record in records)
        assert moved == plug.alphas_learn
        assert len({record.valid_loss for record in records}) == len(records)

    def test_what_it_finds_on_the_digits_is_trained_and_exported(
        self, plug: Any, seed: int, folder: Any
    ) -> None:
        from darts_tf.exporting.saved_model import export_saved_model

        found = self.searched(plug, seed, folder)
        settings = {name: found.settings()[name] for name in ("dataset", "data_dir")}
        config = TrainingConfig(
            **settings,
            epochs=1,
            batch_size=300,
            layers=space_for(plug, few=True).fewest_layers,
            init_channels=2,
            auxiliary_weight=0.0,
            warmup_epochs=0,
        )
        with known(spaces, space_for(plug, few=True)), repeatable():
            genotype = read_genotype(found.read_outcome())
            # What another method has found, too, is trained already: then the training is read.
            trained = folder / "-".join(
                word
                for cell in genotype.cells
                for word in (cell, *(f"{name}{source}" for name, source, _ in genotype.edges(cell)))
            )
            result = darts_tf.train(config, genotype, trained, verbose=0)
        assert 0 <= result.result["top1_error_percent"] <= 100
        served = export_saved_model(result.model, folder / f"{plug.name}-served")
        assert (served / "saved_model.pb").exists()

    def test_a_killed_search_resumes_to_the_bit(self, plug: Any, seed: int, folder: Any) -> None:
        alone = self.searched(plug, seed, folder)
        killed = folder / f"{plug.name}-killed"
        self.search(plug, int(alone.settings()["seed"]), folder, killed)
        check_alike(alone, RunDirectory(killed, "search"))

    def searched(self, plug: Any, seed: int, folder: Any) -> RunDirectory:
        """Returns a search on the digits, which the first test that needs it runs.

        A copy of its directory has what a kill within the third epoch would leave, which is in the
        last stage of a method with two or three.
        """
        alone, killed = (folder / f"{plug.name}-{name}" for name in ("alone", "killed"))
        run = RunDirectory(alone, "search")
        if not killed.exists():
            with copied_when_killed(run, killed, epochs=2):
                self.search(plug, seed, folder, alone)
        return run

    def search(self, plug: Any, seed: int, folder: Any, run: Any) -> None:
        """Searches on the digits, or goes on with a search."""
        config = SearchConfig(
            dataset="digits",
            data_dir=str(folder / "data"),
            seed=seed,
            epochs=max(3, len(plug.stage_epochs(SearchConfig()))),
            batch_size=300,
            layers=fewest_layers(plug, space_for(plug, few=True)),
            init_channels=CHANNELS.get(plug.name, 8),
            stop_criterion="none",
            checkpoint_every="1step",
        )
        method = type(plug).from_config({**plug.get_config(), **self.short.get(plug.name, {})})
        space = space_for(plug, few=True)
        with known(spaces, space), repeatable():
            darts_tf.search(config, run, method=method, space=space, verbose=0)

    def test_two_devices_do_what_one_does(
        self, plug: Any, seed: int, two_devices: list[Any]
    ) -> None:
        from tests import replicas

        method = type(plug).from_config({**plug.get_config(), **self.alike.get(plug.name, {})})
        # That steps can be compiled, the tests above show.
        channels = CHANNELS.get(plug.name, 8)
        error = replicas.greatest_error(2, seed, "first", method, channels, compiled=False)
        assert error < 1e-9


def check_derivation(
    space: Any, twin: Callable[[np.ndarray, Any], list[tuple[str, int, int]]], seed: int
) -> None:
    """Compares what a space derives with its plain twin.

    Args:
        space: The space.
        twin: From the table of a cell and its edges to its (operation, source, node).
        seed: Of the tables.
    """
    rng = np.random.default_rng(seed)
    for _ in range(20):
        tables = random_strengths(space, rng)
        genotype = space.derive(tables)
        for cell, table in tables.items():
            found = [
                (operation, source, number + space.inputs)
                for number, node in enumerate(genotype.nodes(cell))
                for operation, source in node
            ]
            assert found == list(twin(table, space.edges(cell)))


def check_stop(
    criterion: Any, twin: Callable[[Any, list[Tables]], int | None], seed: int, folder: Any
) -> None:
    """Compares when a criterion stops with its plain twin.

    Args:
        criterion: The criterion.
        twin: From the criterion and the alphas of each epoch, by cell, to the first epoch at which
            it stops, or None.
        seed: Of the alphas.
        folder: An empty one.
    """
    records = wandering(seed, folder)
    alphas = [{cell: np.array(table) for cell, table in each.alphas.items()} for each in records]
    stops = [n for n in range(len(records)) if criterion(records[: n + 1]) is not None]
    assert next(iter(stops), None) == twin(criterion, alphas)


def check_weights(method: Any, twin: Callable[[Tables], Tables], seed: int) -> None:
    """Compares the edge weights of a method's relaxation, without noise, with its plain twin.

    Args:
        method: The method.
        twin: From the tables of alphas to those of weights.
        seed: Of the alphas.
    """
    from darts_tf.supernet.edge_weights import EdgeWeights

    relaxation = method.relaxation(spaces.get("darts"), dtype="float64", name="relaxation")
    relaxation.build()
    rng = np.random.default_rng(seed)
    for table in relaxation.alphas.values():
        table.assign(rng.normal(size=table.shape))
    expected = twin(relaxation.architecture_parameters())
    for cell, weights in relaxation(None).items():
        np.testing.assert_allclose(EdgeWeights.of(weights).candidates, expected[cell], rtol=1e-12)
