"""The facts of the data sets that are known by name: sizes, class names, mean, recipe."""

from collections.abc import Mapping
from types import MappingProxyType

from darts_tf.data.facts import DatasetFacts

# In the order of their labels.
_FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_CIFAR100_CLASSES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
    bowl boy bridge bus butterfly camel can castle caterpillar cattle
    chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
    dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
    lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
    mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
    plain plate poppy porcupine possum rabbit raccoon ray road rocket
    rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
    train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(str(label) for label in range(count))


_ALL = (
    DatasetFacts(
        name="digits",
        image_size=8,
        channels=1,
        classes=_numbers(10),
        mean=(0.30526091,),
        deviation=(0.37615756,),
        pad=1,
        flip=False,
        cutout=0,
        stem="cifar",
        policy="",
        crop="pad",
        train_images=1437,
        test_images=360,
    ),
    DatasetFacts(
        name="cifar10",
        image_size=32,
        channels=3,
        classes=(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),
        mean=(0.49139968, 0.48215827, 0.44653124),
        deviation=(0.24703233, 0.24348505, 0.26158768),
        pad=4,
        flip=True,
        cutout=16,
        stem="cifar",
        policy="cifar",
        crop="pad",
        train_images=50000,
        test_images=10000,
    ),
    DatasetFacts(
        name="cifar100",
        image_size=32,
        channels=3,
        classes=tuple(_CIFAR100_CLASSES.split()),
        mean=(0.5071, 0.4867, 0.4408),
        deviation=(0.2675, 0.2565, 0.2761),
        pad=4,
        flip=True,
        cutout=16,
        stem="cifar",
        policy="cifar",
        crop="pad",
        train_images=50000,
        test_images=10000,
    ),
    # CIFAR's recipe in proportion to the size: pad 4 and cutout 16 of 32 pixels.
    DatasetFacts(
        name="tiny_imagenet",
        image_size=64,
        channels=3,
        classes=_numbers(200),
        mean=_IMAGENET_MEAN,
        deviation=_IMAGENET_DEVIATION,
        pad=8,
        flip=True,
        cutout=32,
        stem="tiny_imagenet",
        policy="imagenet",
        crop="pad",
        train_images=100000,
        test_images=10000,
    ),
    DatasetFacts(
        name="imagenet",
        image_size=224,
        channels=3,
        classes=_numbers(1000),
        mean=_IMAGENET_MEAN,
        deviation=_IMAGENET_DEVIATION,
        pad=0,
        flip=True,
        cutout=0,
        stem="imagenet",
        policy="imagenet",
        crop="resized",
        train_images=1281167,
        test_images=50000,
    ),
    # CIFAR's recipe in proportion: pad 4 and cutout 14 of 28 pixels. Garments may be mirrored.
    DatasetFacts(
        name="fashion_mnist",
        image_size=28,
        channels=1,
        classes=_FASHION_CLASSES,
        # Computed from the 60,000 training images.
        mean=(0.28604060,),
        deviation=(0.35302424,),
        pad=4,
        flip=True,
        cutout=14,
        stem="cifar",
        policy="",
        crop="pad",
        train_images=60000,
        test_images=10000,
    ),
    # As Fashion-MNIST, but a mirrored character is no longer itself.
    DatasetFacts(
        name="mnist",
        image_size=28,
        channels=1,
        classes=_numbers(10),
        # Those of PyTorch's example for MNIST.
        mean=(0.1307,),
        deviation=(0.3081,),
        pad=4,
        flip=False,
        cutout=14,
        stem="cifar",
        policy="",
        crop="pad",
        train_images=60000,
        test_images=10000,
    ),
    DatasetFacts(
        name="kmnist",
        image_size=28,
        channels=1,
        classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        # Those in wide use for the 60,000 training images, not computed here.
        mean=(0.1918,),
        deviation=(0.3483,),
        pad=4,
        flip=False,
        cutout=14,
        stem="cifar",
        policy="",
        crop="pad",
        train_images=60000,
        test_images=10000,
    ),
    DatasetFacts(
        name="svhn_cropped",
        image_size=32,
        channels=3,
        classes=_numbers(10),
        # Those of RobustDARTS's program (Zela et al. 2020) for the 73,257 training images.
        mean=(0.4377, 0.4438, 0.4728),
        deviation=(0.1980, 0.2010, 0.1970),
        pad=4,
        flip=False,
        # DeVries and Taylor 2017, section 4.3.
        cutout=20,
        stem="cifar",
        policy="",
        crop="pad",
        train_images=73257,
        test_images=26032,
    ),
)

DATASETS: Mapping[str, DatasetFacts] = MappingProxyType({facts.name: facts for facts in _ALL})
