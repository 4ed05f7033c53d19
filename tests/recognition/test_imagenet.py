"""The 1000 classes: none missing, none twice, Chinese in Chinese; and what some of them are."""

from __future__ import annotations

import re

import pytest

from humanparse.recognition.imagenet import FILE, read_labels

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
MIXED = {"福特T型车"}  # Model T


def test_all_1000_are_there_once_in_both_languages() -> None:
    labels = read_labels()
    assert len(labels) == len({label.name for label in labels}) == len({label.name_zh for label in labels}) == 1000
    rows = FILE.read_text("utf-8").splitlines()[1:]
    assert [int(row.split("\t")[0]) for row in rows] == list(range(1000))
    assert all(row.count("\t") == 2 for row in rows)


def test_chinese_names_are_chinese() -> None:
    odd = [label.name_zh for label in read_labels() if not HAN.fullmatch(label.name_zh)]
    assert set(odd) == MIXED
    assert all(2 <= len(label.name_zh) <= 11 or len(label.name_zh) == 1 for label in read_labels())


@pytest.mark.parametrize(
    ("class_id", "name", "name_zh"),
    [
        (0, "tench", "丁鱥"),
        (134, "crane bird", "鹤"),
        (207, "golden retriever", "金毛寻回犬"),
        (264, "Cardigan", "卡迪根威尔士柯基犬"),
        (285, "Egyptian cat", "埃及猫"),
        (388, "giant panda", "大熊猫"),
        (458, "brass", "铜牌"),
        (474, "cardigan", "开襟毛衣"),
        (517, "crane", "起重机"),
        (605, "iPod", "苹果音乐播放器"),
        (657, "missile", "导弹"),
        (714, "pick", "拨片"),
        (744, "projectile", "抛射弹"),
        (920, "traffic light", "红绿灯"),
        (963, "pizza", "披萨"),
        (999, "toilet tissue", "卫生纸"),
    ],
)
def test_classes_that_are_easily_mixed_up(class_id: int, name: str, name_zh: str) -> None:
    assert read_labels()[class_id] == (name, name_zh)
