"""Options: one check for query, form, JSON and command line."""

from dataclasses import fields

import pytest

from humanparse.config import Settings
from humanparse.errors import InvalidOption
from humanparse.options import CHOICES, INCLUDES, OPTIONS, ParseOptions

SETTINGS = Settings(alpha=0.4)


def read(**given: object) -> ParseOptions:
    return ParseOptions.from_strings(given, SETTINGS)


def test_nothing_given_means_the_settings() -> None:
    assert read() == ParseOptions(parser="auto", alpha=0.4, outline=True, detail=True, include=frozenset())
    assert (read().palette, read().overlay, read().format) == ("humanparse", "png", None)


def test_the_table_names_the_options() -> None:
    assert list(OPTIONS) == [item.name for item in fields(ParseOptions)]
    assert set(CHOICES) <= set(OPTIONS)


def test_text_and_json_values_mean_the_same() -> None:
    text = read(alpha="0.25", outline="false", include="rle, masks", parser="compact")
    assert text == read(alpha=0.25, outline=False, include=["masks", "rle"], parser="compact")
    assert text.include == {"rle", "masks"}


@pytest.mark.parametrize("value", [0, 1, "0", "1.0", 0.5])
def test_alpha_takes_its_whole_range(value: object) -> None:
    assert read(alpha=value).alpha == float(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [-0.01, 1.01, "nan", "inf", "much", "", None, True, [0.5], 10**400])
def test_alpha_outside_is_refused(value: object) -> None:
    with pytest.raises(InvalidOption, match="from 0 to 1") as caught:
        read(alpha=value)
    assert caught.value.context["option"] == "alpha"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"detail": "some"}, "true or false"),
        ({"parser": "magic"}, "compact"),
        ({"parser": None}, "auto"),
        ({"include": "everything"}, "label_map"),
        ({"include": 5}, "list of names"),
        ({"include": ["rle", 5]}, "list of names"),
        ({"outline": "perhaps"}, "true or false"),
        ({"palette": "rainbow"}, "cihp"),
        ({"overlay": "coco"}, "webp"),
        ({"format": "pdf"}, "labelstudio"),
        ({"format": ["coco"]}, "labelstudio"),
        ({"alhpa": "0.5"}, "alpha"),
    ],
)
def test_a_refusal_says_what_is_allowed(given: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidOption, match=named):
        read(**given)


@pytest.mark.parametrize("name", INCLUDES)
def test_every_include_is_accepted(name: str) -> None:
    assert read(include=name).include == {name}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in CHOICES.items() for value in values])
def test_every_choice_is_accepted(name: str, value: str) -> None:
    assert getattr(read(**{name: value}), name) == value
