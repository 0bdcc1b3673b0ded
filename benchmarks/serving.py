"""Throughput and latency of a served export: `python -m benchmarks.serving [--requests=10200]`.

Requests per second and latencies with 1, 8 and 64 clients on the loopback interface, for both
signatures, one image per request; the network is that of `inference_1`, untrained (see
`benchmarks.timing.works`). Every response is compared with the output of the model. Meanwhile
another client sends malformed requests: `refused` is their number, each of which got an error.

The server is `benchmarks.prediction.server`, in Python, not TensorFlow Serving.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import children, table
from benchmarks.command_line import Parser, positive, prepare_output, require_serving
from benchmarks.timing.data import pixels
from benchmarks.timing.works import WORKS, Sizes
from darts_tf.command_line.program import run
from darts_tf.errors import UserError

COLUMNS = (
    "signature",
    "clients",
    "requests",
    "errors",
    "refused",
    "requests_s",
    "median_ms",
    "p99_ms",
)
CLIENTS = (1, 8, 64)
NAME = "network"
_IMAGES = 32


def measure(folder: Path, requests: int) -> Iterator[dict[str, str]]:
    """Serves an export and yields a row of `COLUMNS` for each signature and number of clients.

    Args:
        folder: Folder of the served model, with one version.
        requests: Total number of valid requests.

    Raises:
        UserError: If a valid request got no correct response, or a malformed one no error.
    """
    from benchmarks.prediction.clients import ask

    asked, bad = questions(folder)
    runs = [(signature, clients) for signature in asked for clients in CLIENTS]
    with serving(folder) as address:
        for signature in asked:  # the first request of each is slower
            ask(address, 1, asked[signature], [])
        for signature, clients in runs:
            number = -(-requests // len(runs))
            given = [asked[signature][i % _IMAGES] for i in range(number)]
            outcome = ask(address, clients, given, bad)
            if outcome.errors or outcome.accepted:
                raise UserError(
                    f"{signature}, {clients} clients: {outcome.errors} of {number} valid requests "
                    f"got no correct response, {outcome.accepted} malformed ones no error"
                )
            median, high = np.percentile(outcome.latencies, (50, 99))
            yield {
                "signature": signature,
                "clients": str(clients),
                "requests": str(number),
                "errors": str(outcome.errors),
                "refused": str(outcome.refused),
                "requests_s": f"{number / outcome.seconds:.4g}",
                "median_ms": table.seconds(1000 * median),
                "p99_ms": table.seconds(1000 * high),
            }


def questions(folder: Path) -> tuple[dict[str, list[Any]], list[Any]]:
    """Returns valid requests for each signature of an export, and malformed ones.

    Args:
        folder: Folder of the served model, with one version.
    """
    import tensorflow as tf

    from benchmarks.prediction.clients import Question, predict_request

    model = tf.saved_model.load(folder / "1")
    signatures = model.signatures
    size = signatures["serving_default"].structured_input_signature[1]["pixels"].shape[1]
    images = pixels(Sizes(batch=_IMAGES, image_size=size))
    asked: dict[str, list[Any]] = {"serving_default": [], "serving_bytes": []}
    for image in images:
        png = tf.io.encode_png(image.astype(np.uint8)).numpy()
        for signature, name, value in (
            ("serving_default", "pixels", image[np.newaxis]),
            ("serving_bytes", "image_bytes", [png]),
        ):
            scores = signatures[signature](**{name: tf.constant(value)})["scores"].numpy()
            request = predict_request(NAME, signature, **{name: value})
            asked[signature].append(Question(request, scores))
    first = images[:1]
    bad = [
        predict_request(NAME, "serving_bytes", image_bytes=[b"neither a JPEG nor a PNG"]),
        predict_request(NAME, "serving_bytes", image_bytes=[png, png[: len(png) // 2]]),
        predict_request(NAME, "serving_bytes", image_bytes=[[png]]),
        predict_request(NAME, "serving_default", pixels=first[:, 1:]),
        predict_request(NAME, "serving_default", pixels=first.astype(np.int32)),
        predict_request(NAME, "serving_default", image_bytes=[png]),
        predict_request(NAME, "serving_default"),
        predict_request(NAME, "serving_nothing", pixels=first),
        predict_request("another", "serving_default", pixels=first),
    ]
    return asked, bad


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serves a folder in a separate process and yields the address of the server."""
    words = children.command("prediction.server", str(folder))
    with subprocess.Popen(
        words,
        env=children.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        if process.stdout is None or not (port := process.stdout.readline().strip()):
            raise UserError(f"the server did not start: {' '.join(words[1:])}")
        yield f"127.0.0.1:{port}"
        process.communicate()  # closes the standard input, which stops the server


def main(arguments: Sequence[str]) -> None:
    """Measures, writes the CSV file and prints the table.

    Args:
        arguments: The command line without the program's name.

    Raises:
        UserError: If an argument is invalid, or a response is wrong.
    """
    parser = Parser("benchmarks.serving", __doc__)
    parser.add_argument(
        "--requests", type=positive, default=10_200, help="valid requests (default: %(default)s)"
    )
    parser.add_results("serving")
    parser.add_tiny()
    options = parser.parse_args(arguments)
    require_serving()
    prepare_output(options.output)
    work = WORKS["inference_1"]
    sizes = replace((work.tiny() if options.tiny else work).sizes, batch=1)
    from benchmarks.ours.exporting import export_untrained

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / NAME
        export_untrained(sizes, os.fspath(directory))
        for row in measure(directory, options.requests):
            rows.append(row)
            table.write(options.output, COLUMNS, rows)
    print(table.markdown(COLUMNS, rows))


if __name__ == "__main__":
    sys.exit(run("serving", main))
