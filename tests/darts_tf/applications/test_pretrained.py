"""Weights that come with the package: they answer as their cards say, exported ones too."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from darts_tf import applications, data
from darts_tf.errors import UserError
from darts_tf.exporting.saved_model import export_saved_model
from darts_tf.networks.complexity import multiply_adds, parameters
from darts_tf.spaces import zoo
from darts_tf.spaces.genotype import Genotype

FOLDER = Path(applications.__file__).with_name("pretrained")
NETWORKS = {
    (application, name): file
    for application in map(applications.__dict__.get, applications.__all__)
    if isinstance(application, applications.Application)
    for name, file in application.pretrained.items()
}
each = pytest.mark.parametrize(
    ("application", "weights", "file"),
    [(*key, file) for key, file in NETWORKS.items()],
    ids=[name for _, name in NETWORKS],
)


def card(file):
    return json.loads((FOLDER / file).with_suffix(".json").read_text(encoding="utf-8"))


def test_every_file_belongs_to_an_application_and_is_small():
    files = {path.name for path in FOLDER.iterdir()}
    assert files == {*NETWORKS.values(), *(Path(file).stem + ".json" for file in NETWORKS.values())}
    assert all((FOLDER / file).stat().st_size < 500_000 for file in files)


@each
def test_the_card_is_that_of_the_network(application, weights, file):
    told, model = card(file), application(weights=weights)
    assert zoo.get(application.genotype) == Genotype.from_dict(told["genotype"])
    assert (parameters(model), multiply_adds(model)) == (told["parameters"], told["multiply_adds"])
    errors = told["top1_error_percent"]
    assert errors["mean"] == pytest.approx(np.mean(errors["each"]))
    assert errors["deviation"] == pytest.approx(np.std(errors["each"], ddof=1))
    assert len(errors["each"]) == len(told["seeds"]) >= 3


@pytest.mark.parametrize("how", ["keras", "SavedModel"])
def test_the_digits_are_recognized_as_the_card_says(how, tmp_path):
    model = applications.DartsPlusDigits(weights="digits")
    test = data.load("digits").test
    pixels = test.images.astype(np.float32)
    if how == "keras":
        scores = model.predict(pixels, verbose=0)
    else:
        folder = export_saved_model(model, tmp_path)
        served = tf.saved_model.load(str(folder)).signatures["serving_default"]
        [scores] = [
            answer for name, answer in served(tf.constant(pixels)).items() if name == "scores"
        ]
    wrong = np.mean(np.argmax(scores, 1) != test.labels)
    assert 100 * wrong == pytest.approx(card("digits.keras")["top1_error_percent"]["each"][0])


def test_another_name_is_told_with_those_that_there_are():
    with pytest.raises(UserError, match=r"expected None, 'digits' or the model\.keras"):
        applications.DartsPlusDigits(weights="imagenet")
