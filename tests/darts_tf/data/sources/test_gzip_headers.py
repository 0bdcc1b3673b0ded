"""Gzip archives whose headers were stripped are read as the published ones."""

import gzip
import io
from dataclasses import replace
from pathlib import Path

import numpy as np

from darts_tf.data.sources.gzip_headers import restored
from darts_tf.data.sources.origins import ORIGINS


def _packed(path: Path, contents: bytes, *, name: str, time: int) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=buffer, mtime=time) as file:
        file.write(contents)
    path.write_bytes(buffer.getvalue())
    return buffer.getvalue()


def test_a_stripped_header_is_restored_to_the_byte(tmp_path: Path, seed: int):
    origin = ORIGINS["fashion_mnist"]
    random = np.random.default_rng(seed)
    contents = {name: random.bytes(1000) for name in origin.archives}
    published = tmp_path / "published"
    published.mkdir()
    for name, time in zip(origin.archives, origin.packed, strict=True):
        whole = _packed(published / name, contents[name], name=name.removesuffix(".gz"), time=time)
        stripped = _packed(tmp_path / name, contents[name], name="", time=0)
        assert stripped != whole

    folder = restored(origin, tmp_path, tmp_path / "copies")

    assert folder == tmp_path / "copies"
    for name in origin.archives:
        assert (folder / name).read_bytes() == (published / name).read_bytes()


def test_whole_headers_and_unknown_times_are_left_alone(tmp_path: Path):
    origin = ORIGINS["fashion_mnist"]
    for name in origin.archives:
        _packed(tmp_path / name, b"", name=name.removesuffix(".gz"), time=1)
    assert restored(origin, tmp_path, tmp_path / "copies") == tmp_path
    _packed(tmp_path / origin.archives[0], b"", name="", time=0)
    assert restored(replace(origin, packed=()), tmp_path, tmp_path / "copies") == tmp_path
    assert not (tmp_path / "copies").exists()


def test_one_stripped_archive_beside_whole_ones_leaves_them_as_they_are(tmp_path: Path):
    origin = ORIGINS["fashion_mnist"]
    first, *others = origin.archives
    _packed(tmp_path / first, b"contents", name="", time=0)
    before = [_packed(tmp_path / name, b"", name="other", time=1) for name in others[:2]]

    folder = restored(origin, tmp_path, tmp_path / "copies")

    assert gzip.decompress((folder / first).read_bytes()) == b"contents"
    assert [(folder / name).read_bytes() for name in others[:2]] == before
    assert not (folder / others[2]).exists()
