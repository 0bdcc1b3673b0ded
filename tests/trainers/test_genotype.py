"""The program `trainers.genotype`: the cells of any epoch, in any form, from files alone."""

import json
import re
import shlex

import pytest

from darts_tf.errors import UserError
from darts_tf.report.pictures.text import as_text
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import read_genotype
from darts_tf.spaces.written import export_genotype
from tests.histories import searched, trained
from tests.trainers.programs import refused
from trainers import genotype, genotypes


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return searched(tmp_path_factory.mktemp("search") / "run", seed=5, epochs=4)


def recorded(run, epoch):
    return read_genotype(json.loads(run.history.read_text().splitlines()[epoch]))


@pytest.mark.parametrize("epoch", range(4))
def test_any_epochs_genotype_is_that_of_its_line(finished, epoch, capsys):
    genotype.main([str(finished.path), f"--epoch={epoch}"])
    told = json.loads(capsys.readouterr().out)
    assert read_genotype(told) == recorded(finished, epoch)
    assert told["epoch"] == epoch
    genotype.main([f"--run_dir={finished.path}", f"--epoch={epoch}", "--format=txt"])
    assert capsys.readouterr().out == as_text(recorded(finished, epoch), f"epoch {epoch}") + "\n"


def test_without_an_epoch_it_is_the_one_that_was_found_or_the_last(finished, tmp_path, capsys):
    outcome = finished.read_json(finished.genotype)
    other = searched(tmp_path / "other", seed=5, epochs=4)
    chosen = {**outcome, "genotype": recorded(other, 1).to_dict(), "genotype_epoch": 1}
    other.write_json(other.genotype, chosen)
    genotype.main([str(other.path)])
    assert json.loads(capsys.readouterr().out)["epoch"] == 1
    other.genotype.unlink()
    with other.history.open("a") as file:
        file.write('{"epoch": 4, "alp')  # the epoch that is being written
    genotype.main([str(other.path)])
    told = json.loads(capsys.readouterr().out)
    assert (told["epoch"], read_genotype(told)) == (3, recorded(other, 3))


def test_an_outcome_without_its_epoch_is_told(tmp_path):
    run = searched(tmp_path / "run", seed=5, epochs=2)
    outcome = run.read_json(run.genotype)
    run.write_json(run.genotype, {name: v for name, v in outcome.items() if name != "epoch"})
    with pytest.raises(UserError, match=r"genotype\.json: expected its epoch, got None"):
        genotype.main([str(run.path)])


def test_mistakes_are_told_in_one_line_before_tensorflow_is_imported(finished, tmp_path):
    line = refused("trainers.genotype", str(finished.path), "--epoch=4", cwd=tmp_path)
    assert line == f"genotype: --epoch=4: expected an epoch of {finished.path}, 0 to 3\n"


def test_other_directories_and_numbers_are_told(tmp_path):
    training = trained(tmp_path / "training", seed=1, epochs=2)
    empty = searched(tmp_path / "empty", seed=1, epochs=0, finished=False)
    for words, what in [
        ([], "--run_dir: expected the directory of a search or --genotype, got nothing"),
        ([str(tmp_path)], "expected the directory of a run"),
        ([str(tmp_path / "none")], "expected the directory of a run"),
        ([str(training.path)], "expected the run of a search, got one of train"),
        ([str(empty.path)], "expected a search with an epoch, got an empty history"),
        ([str(empty.path), "--epoch=-2"], "epoch: "),
        ([str(empty.path), "--epoch=x"], "expected an integer"),
    ]:
        with pytest.raises(UserError, match=what):
            genotype.main(words)


LOG = """03/11 03:10:12 AM epoch 0 lr 2.5e-02
03/11 03:20:12 AM train_acc 40.0
03/11 03:30:12 AM valid_acc 50.0
03/11 03:30:13 AM genotype = {first}
03/11 03:31:12 AM epoch 1 lr 2.4e-02
03/11 03:40:12 AM train_acc 45.0
03/11 03:50:12 AM valid_acc 55.0
03/11 03:50:13 AM genotype = {second}
"""


def test_a_genotype_goes_from_any_form_to_any_other(tmp_path, capsys):
    v2 = zoo.get("DARTS_V2")
    forms = {}
    for form in ("json", "darts", "nni"):
        genotype.main(["DARTS_V2", f"--format={form}"])
        forms[form] = capsys.readouterr().out
        assert read_genotype(forms[form].strip()) == v2
    file = tmp_path / "cell.json"
    for text in forms.values():
        file.write_text(text)
        for source in ([str(file)], [f"--genotype={file}"], [text]):
            genotype.main([*source, "--format=nni"])
            assert capsys.readouterr().out == forms["nni"]
    genotype.main(["DARTS_V2", "--format=txt"])
    assert capsys.readouterr().out == as_text(v2, "") + "\n"


def test_a_log_of_another_program_has_its_epochs(tmp_path, capsys):
    first, second = zoo.get("DARTS_V1"), zoo.get("DARTS_V2")
    log = tmp_path / "log.txt"
    log.write_text(
        LOG.format(first=export_genotype(first, "darts"), second=export_genotype(second, "darts"))
    )
    for words, right in (([], second), (["--epoch=0"], first), (["--epoch=1"], second)):
        genotype.main([str(log), *words])
        assert read_genotype(json.loads(capsys.readouterr().out)) == right


def test_a_log_in_the_place_of_a_genotype_is_told_with_the_command_that_picks_one(tmp_path, capsys):
    first, second = (export_genotype(zoo.get(name), "darts") for name in ("DARTS_V1", "DARTS_V2"))
    log = tmp_path / "my log.txt"
    log.write_text(LOG.format(first=first, second=second))
    with pytest.raises(UserError, match="got the log of a search with several") as told:
        genotypes.chosen(str(log))
    inner = re.search(r'--genotype="\$\((.*)\)"', str(told.value))[1]
    words = shlex.split(inner)
    assert words[:3] == ["python", "-m", "trainers.genotype"]
    genotype.main(words[3:])
    assert genotypes.chosen(capsys.readouterr().out) == zoo.get("DARTS_V2")
    log.write_text(LOG.format(first=first, second=first))
    assert genotypes.chosen(str(log)) == zoo.get("DARTS_V1")


def test_an_epoch_or_a_directory_beside_a_genotype_is_a_mistake(finished):
    for words, told in [
        (["DARTS_V2", "--epoch=3"], "--epoch: expected the directory of a search with it"),
        ([str(finished.path), "--genotype=DARTS_V2"], "or --genotype, got both"),
        (["DARTS_V3"], r"no published genotype\. Did you mean 'DARTS_V"),
        (["DARTS_V2", "--format=bench"], "as in NAS-Bench-201, got one of the space 'darts'"),
    ]:
        with pytest.raises(UserError, match=told):
            genotype.main(words)
