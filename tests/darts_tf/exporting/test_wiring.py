"""Wiring: who reads whom, from models written by hand."""

import keras

from darts_tf.exporting.wiring import is_linear, wiring


def test_sources_and_readers_are_those_of_the_model():
    images = keras.Input((8, 8, 2), name="images")
    first = keras.layers.Conv2D(2, 1, name="first")(images)
    second = keras.layers.Conv2D(2, 1, name="second")(first)
    total = keras.layers.Add(name="total")([first, second, first])
    sources, readers = wiring(keras.Model(images, [total, second]))
    assert sources == {
        "images": [],
        "first": ["images"],
        "second": ["first"],
        "total": ["first", "second", "first"],
    }
    assert readers == {"images": 1, "first": 3, "second": 2, "total": 1}


def test_a_model_that_is_not_functional_has_no_wiring():
    model = keras.Sequential([keras.Input((8, 8, 2)), keras.layers.Flatten()])
    assert wiring(model) == ({}, {})


def test_a_convolution_is_linear_without_an_activation_only():
    assert is_linear(keras.layers.Conv2D(2, 1))
    assert is_linear(keras.layers.DepthwiseConv2D(3))
    assert not is_linear(keras.layers.Conv2D(2, 1, activation="relu"))
    assert not is_linear(keras.layers.Dense(2))
