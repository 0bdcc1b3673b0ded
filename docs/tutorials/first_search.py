"""
# A first search: the digits in three minutes

This notebook searches for a cell on the 1,797 handwritten digits that come with scikit-learn, looks at how the search went and where the two
criteria of DARTS+ would have stopped it, trains the network of the cell that was found, and exports it. It needs no GPU: on two free CPU cores it
takes about three minutes. Images of 8x8 pixels say nothing about which method is better; they show how everything works.

## Install

Where darts_tf is installed already, this does nothing. On Colab, first upload the wheel that `python -m build` makes (`dist/darts_tf-*.whl`) into the
files of the session; without one, pip looks for a released package.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

if importlib.util.find_spec("darts_tf") is None:
    wheels = [str(wheel) for wheel in Path().glob("darts_tf-*.whl")]
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *(f"{wheel}[report]" for wheel in wheels or ["darts_tf"])], check=True)

"""
## The images

A data set is found by its name. `facts` has what is known of it; the training images will be divided into a half for the weights and a half
for the architecture parameters, the alphas.
"""

import darts_tf

digits = darts_tf.datasets.load("digits", data_dir="data")
print(digits.facts.train_images, "training images,", digits.facts.test_images, "test images")
print("classes:", " ".join(digits.facts.classes))

"""
## Search

Every setting of a search has a name, a default and bounds. The defaults are the paper's for CIFAR-10; a search on the digits is smaller, and has larger
learning rates because an epoch has only three steps. `stable_ranks=1` says that Criterion 1\\* looks at the best convolution of each edge, which is all
that the cell will use.

`criterion="none"` lets the search run to its last epoch, so that we can see where either criterion would have stopped it. Run this cell again and it says that
the run is finished; interrupt it, and it goes on from its last checkpoint.
"""

SEARCH_EPOCHS = 40

config = darts_tf.SearchConfig(
    dataset="digits",
    data_dir="data",
    layers=3,
    init_channels=8,
    batch_size=240,
    epochs=SEARCH_EPOCHS,
    learning_rate=0.1,
    arch_learning_rate=0.01,
    stable_ranks=1,
)
result = darts_tf.search(config, "runs/first_search", criterion="none")
print(result.reason)

"""
## What happened

The result has a record for each epoch, with losses, alphas, the cell that would be derived, and what the criteria count: the skip-connects of each
cell, and for each edge the number of epochs without a change in its ranking.
"""

for record in result.records[:: max(1, SEARCH_EPOCHS // 8)]:
    print(
        f"epoch {record.epoch:2}: validation accuracy {100 * record.valid_accuracy:5.1f} %, "
        f"skip-connects in the normal cell: {record.skip_connects['normal']}, "
        f"epochs with stable rankings: {min(record.stable_epochs['normal'])}"
    )

"""
The same as a page: the cells of each epoch, the curves of every edge, and each criterion's stop. A run writes it beside its other files.
"""


class Page:
    """Shows a file of HTML in a notebook."""

    def __init__(self, path):
        self.path = Path(path)

    def __repr__(self):
        return f"{self.path} is to be opened in a browser, where it cannot be shown here"

    def _repr_html_(self):
        import html

        page = html.escape(self.path.read_text(encoding="utf-8"))
        return f'<iframe srcdoc="{page}" width="100%" height="700" style="border: 0"></iframe>'


Page("runs/first_search/report.html")

"""
## Where the criteria stop

A criterion is a function of the records so far. It returns the reason to stop, or None. So it can be asked afterwards:

- **Criterion 1** stops when a cell has two or more skip-connects.
- **Criterion 1\\*** stops when no ranking has changed for some epochs: the paper says ten, here it is five.

A criterion that is never met leaves the last epoch. On the digits Criterion 1 is often met in the first epoch, when the weights are still untrained, or never.
"""


def first_stop(criterion, records):
    """The number of the first epoch in which a criterion is met, and why."""
    for count in range(1, len(records) + 1):
        reason = criterion(records[:count])
        if reason:
            return records[count - 1].epoch, reason
    return records[-1].epoch, "never met: the last epoch"


for criterion in (darts_tf.criteria.SkipConnects(at=2), darts_tf.criteria.StableRanking(epochs=5)):
    epoch, reason = first_stop(criterion, result.records)
    print(f"{criterion.name}: epoch {epoch}, {reason}")

"""
We go on with the cell of Criterion 1\\*. An edge is an operation between two nodes; nodes 0 and 1 are the outputs of the two cells before. The
picture calls these c(k-2) and c(k-1), and counts the nodes behind them from 0.
"""

from darts_tf.report.pictures.drawing import Look, picture

chosen = result.records[epoch].genotype
for cell in ("normal", "reduce"):
    print(cell)
    for operation, source, target in chosen.edges(cell):
        print(f"    {source} -> {target}  {operation}")


class Picture:
    """Shows a picture in a notebook."""

    def __init__(self, content):
        self.content = content

    def _repr_png_(self):
        return self.content


Picture(picture(chosen, "png", dpi=100, look=Look(solid=True)))

"""
## Train

The network is built from the cells, five of them here, and trained from scratch on all training images. The test images are read once, at the end.
"""

TRAINING_EPOCHS = 30

training = darts_tf.TrainingConfig(
    dataset="digits",
    data_dir="data",
    layers=5,
    init_channels=16,
    batch_size=64,
    epochs=TRAINING_EPOCHS,
    learning_rate=0.05,
    drop_path=0.1,
    cutout=0,
)
trained = darts_tf.train(training, chosen, "runs/first_network")
print(f"test error: {trained.result['top1_error_percent']:.2f} %")
print(f"weights: {trained.result['parameters']:,}")

"""
How good is that? Train a cell that nobody searched for, on the same terms, before you believe in a search:
`darts_tf.train(training, darts_tf.random_genotype(...), "runs/random_network")`.

## Export

The model is stock Keras layers from pixels to probabilities, so that `runs/first_network/model.keras` loads with Keras alone. A SavedModel needs not even that:
it takes pixels and answers with class names.
"""

import tensorflow as tf

darts_tf.export_saved_model(trained.model, "serving/first_network", result=trained.result)

versions = sorted(Path("serving/first_network").iterdir())
served = tf.saved_model.load(str(versions[-1]))
images = tf.constant(digits.test.images[:10], tf.float32)
answers = served.signatures["serving_default"](pixels=images)
print("answers:", " ".join(label.decode() for label in answers["label"].numpy()))
print("labels: ", " ".join(str(label) for label in digits.test.labels[:10]))

"""
## Next

- The same from the command line, and what to change when a search stops too early or never: [the tutorial](../tutorial.md).
- Your own images: `darts_tf.search(config, "runs/mine", data=(images, labels))`, or a folder: [data sets](../data.md).
- Another method, `method="pc_darts"`, or another space, `space="nas_bench_201"`: [methods](../methods.md), [spaces](../spaces.md).
"""
