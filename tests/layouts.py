"""Small random data sets in the file layouts of the real ones.

The real builders prepare them; only the checksums of the archives are others.
"""

import contextlib
import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import scipy.io
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.image_classification import mnist as mnist_builders

from darts_tf import data
from darts_tf.data.sources.origins import MANUAL, ORIGINS

CIFAR_BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")


def prepare(name: str, folder: Path, seed: int = 0) -> Path:
    """Creates a prepared data set.

    Args:
        name: A key of `DATASETS`, all but `digits`.
        folder: The `data_dir`; it may contain other data sets.
        seed: Random seed of the pixels.

    Returns:
        The folder. It holds 30 training and 6 test images of CIFAR-10, 40 and 10 of CIFAR-100, of
        SVHN and of MNIST's family, 200 and 20 of Tiny-ImageNet, 24 and 10 of ImageNet.
    """
    random = np.random.default_rng(seed)
    match name:
        case "cifar10" | "cifar100":
            write = cifar10 if name == "cifar10" else cifar100
            _prepare_cifar(name, folder, write(folder / MANUAL, random))
        case "mnist" | "fashion_mnist" | "kmnist" | "svhn_cropped":
            write = svhn if name == "svhn_cropped" else idx
            with trusted(name, write(folder / MANUAL / name, random)):
                data.load(name, str(folder))
        case "tiny_imagenet" | "imagenet":
            write = tiny_imagenet if name == "tiny_imagenet" else imagenet
            write(folder / MANUAL, random)
            data.load(name, str(folder))
        case _:
            raise ValueError(name)
    return folder


@contextlib.contextmanager
def trusted(name: str, folder: Path) -> Iterator[None]:
    """Has a builder take the archives in a folder for the published ones, whatever their number."""
    builder = tfds.builder(ORIGINS[name].builder)
    infos = {
        url: tfds.download.checksums.compute_url_info(folder / info.filename)
        for url, info in builder.url_infos.items()
        if (folder / info.filename).exists()
    }
    with (
        mock.patch.object(tfds.core.DatasetBuilder, "url_infos", infos),
        mock.patch.object(mnist_builders, "_TRAIN_EXAMPLES", 40),
        mock.patch.object(mnist_builders, "_TEST_EXAMPLES", 10),
    ):
        yield


def idx(folder: Path, random: np.random.Generator, train: int = 40, test: int = 10) -> Path:
    """Writes the four files of MNIST, which its successors share; returns their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("t10k", test)):
        images = random.integers(0, 256, (count, 28, 28), np.uint8)
        labels = random.permutation(np.arange(count) % 10).astype(np.uint8)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(
                f">{array.ndim}I", *array.shape
            )
            with gzip.open(folder / f"{part}-{kind}-ubyte.gz", "wb") as file:
                file.write(head + array.tobytes())
    return folder


def svhn(folder: Path, random: np.random.Generator, train: int = 40, test: int = 10) -> Path:
    """Writes the files of SVHN's cropped digits, where 10 stands for 0; returns their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("test", test), ("extra", 3)):
        images = random.integers(0, 256, (32, 32, 3, count), np.uint8)
        labels = random.permutation(1 + np.arange(count) % 10).astype(np.uint8)[:, None]
        scipy.io.savemat(folder / f"{part}_32x32.mat", {"X": images, "y": labels})
    return folder


def unpack(archive: Path, folder: Path) -> Path:
    """Unpacks a tar archive, and returns the folder."""
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):  # not yet in Python 3.11.2, which is Debian 12's
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(folder)
    return folder


def _prepare_cifar(name: str, folder: Path, archive: Path) -> None:
    def extract(manager: object, url: str) -> Path:
        assert url.endswith(f"/{archive.name}")
        return unpack(archive, folder / "downloads" / "extracted")

    with mock.patch.object(tfds.download.DownloadManager, "download_and_extract", extract):
        tfds.builder(name, data_dir=folder).download_and_prepare()


def cifar10(folder: Path, random: np.random.Generator, images: int = 6) -> Path:
    """Writes the archive of CIFAR-10, with a given number of images in each of its six files.

    Returns:
        The archive. A record is a label, then all red pixels row by row, all green, all blue.
    """
    files = {"batches.meta.txt": _lines(data.DATASETS["cifar10"].classes)}
    for name in CIFAR_BATCHES:
        files[f"{name}.bin"] = _records(random, images, [10])
    return _tar_gz(folder / ORIGINS["cifar10"].archives[0], "cifar-10-batches-bin", files)


def cifar100(folder: Path, random: np.random.Generator, train: int = 40, test: int = 10) -> Path:
    """Writes the archive of CIFAR-100, whose records begin with a coarse and a fine label."""
    files = {
        "coarse_label_names.txt": _lines(f"coarse_{number:02}" for number in range(20)),
        "fine_label_names.txt": _lines(data.DATASETS["cifar100"].classes),
        "train.bin": _records(random, train, [20, 100]),
        "test.bin": _records(random, test, [20, 100]),
    }
    return _tar_gz(folder / ORIGINS["cifar100"].archives[0], "cifar-100-binary", files)


def tiny_imagenet(
    folder: Path, random: np.random.Generator, train: int = 1, validation: int = 20
) -> Path:
    """Writes the zip of Tiny-ImageNet: 200 classes, `train` images each, `validation` in total."""
    top = "tiny-imagenet-200"
    wnids = _wnids(200)
    boxes = "0\t0\t63\t63"
    files = {
        f"{top}/wnids.txt": _lines(wnids),
        f"{top}/words.txt": _lines(
            f"{wnid}\tthing {number}, stuff" for number, wnid in enumerate(_wnids(300))
        ),
        f"{top}/test/images/test_0.JPEG": jpeg(random, 64, 64),
    }
    for wnid in wnids:
        names = [f"{wnid}_{number}.JPEG" for number in range(train)]
        files |= {f"{top}/train/{wnid}/images/{name}": jpeg(random, 64, 64) for name in names}
        files[f"{top}/train/{wnid}/{wnid}_boxes.txt"] = _lines(f"{name}\t{boxes}" for name in names)
    names = [f"val_{number}.JPEG" for number in range(validation)]
    files |= {f"{top}/val/images/{name}": jpeg(random, 64, 64) for name in names}
    files[f"{top}/val/val_annotations.txt"] = _lines(
        f"{name}\t{wnids[random.integers(200)]}\t{boxes}" for name in names
    )
    path = folder / ORIGINS["tiny_imagenet"].archives[0]
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for part in ("train", "val", "test"):
            archive.mkdir(f"{top}/{part}")
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def imagenet(
    folder: Path,
    random: np.random.Generator,
    classes: int = 6,
    train: int = 4,
    validation: int = 10,
) -> Path:
    """Writes the tars of ImageNet: some classes, `train` images each, `validation` in total.

    Returns:
        The folder of both archives.
    """
    folder.mkdir(parents=True, exist_ok=True)
    train_tar, valid_tar = (folder / name for name in ORIGINS["imagenet"].archives)
    with tarfile.open(train_tar, "w") as outer:
        for wnid in imagenet_wnids()[:: 1000 // classes][:classes]:
            inner = io.BytesIO()
            with tarfile.open(fileobj=inner, mode="w") as tar:
                for number in range(train):
                    _add(tar, f"{wnid}_{number}.JPEG", _photograph(random))
            _add(outer, f"{wnid}.tar", inner.getvalue())
    with tarfile.open(valid_tar, "w") as tar:
        for number in range(1, 1 + validation):
            _add(tar, f"ILSVRC2012_val_{number:08}.JPEG", _photograph(random))
    return folder


def imagenet_wnids() -> list[str]:
    """Returns the class names (WordNet ids) of ImageNet in the order of their labels."""
    return tfds.core.tfds_path("datasets/imagenet2012/labels.txt").read_text().split()


def jpeg(random: np.random.Generator, height: int, width: int, channels: int = 3) -> bytes:
    """Returns a JPEG of a few random patches of color."""
    patches = random.integers(0, 256, (4, 4, channels), np.uint8)
    image = np.kron(patches, np.ones((-(-height // 4), -(-width // 4), 1), np.uint8))
    return tf.io.encode_jpeg(image[:height, :width], quality=95).numpy()


def _photograph(random: np.random.Generator) -> bytes:
    return jpeg(random, *random.integers(60, 120, 2))


def _wnids(count: int) -> list[str]:
    return [f"n{1443537 + 97 * number:08}" for number in range(count)]


def _lines(lines: Iterator[str] | tuple[str, ...] | list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _records(random: np.random.Generator, images: int, classes: list[int]) -> bytes:
    records = random.integers(0, 256, (images, len(classes) + 3072), np.uint8)
    records[:, : len(classes)] %= np.array(classes, np.uint8)
    return records.tobytes()


def _tar_gz(path: Path, top: str, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            _add(tar, f"{top}/{name}", content)
    return path


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
