"""The pages of recognition and of the studio without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient

from app import create_app
from humanparse.cache.parsings import open_cache
from humanparse.config import Settings
from humanparse.effects import ART, EFFECTS
from humanparse.effects.selection import GROUPS
from humanparse.pipeline import Pipeline
from humanparse.web.sister_pages import GROUP_WORDS
from tests.band_parser import BandParser
from tests.colour_recognizer import ColourRecognizer
from tests.web.visits import BROWSER, read_page


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    cache = open_cache(settings)
    app = create_app(settings, Pipeline(settings, lambda *_: BandParser(), cache, lambda *_: ColourRecognizer()))
    yield app.test_client()
    app.extensions["humanparse"].jobs.runner.stop()


def send(client: FlaskClient, path: str, photo: bytes, **fields: str):  # type: ignore[no-untyped-def]
    return client.post(path, data={**fields, "image": (BytesIO(photo), "x.jpg")}, headers=BROWSER)


def test_recognition_answers_on_its_page_and_keeps_nothing(
    client: FlaskClient, photo: bytes, settings: Settings
) -> None:
    page = read_page(send(client, "/recognize", photo, top_k="2"))
    rows = [element for element in page.all("meter") if "aria-label" in element.attributes]
    assert len(rows) == 2
    assert "红" in page.all("main")[0].text or "绿" in page.all("main")[0].text
    assert not settings.results_dir.exists()


def test_a_name_in_the_pages_own_language_comes_first(client: FlaskClient, photo: bytes) -> None:
    for tag in ("en", "zh-CN"):
        client.set_cookie("language", tag[:2])
        page = read_page(send(client, "/recognize", photo, top_k="1"))
        shown, to_fill_in = page.all("span", **{"class": "guess-name"})
        for name in (shown, to_fill_in):
            assert next(span.attributes["lang"] for span in page.all("span") if name in span.ancestors) == tag
        assert "绿" in shown.text or "红" in shown.text


def test_the_pictures_of_the_studio_get_an_address(client: FlaskClient, photo: bytes) -> None:
    answer = send(client, "/studio", photo, effect="all", only="", people="")
    assert answer.status_code == 303
    page = read_page(client.get(answer.headers["Location"], headers=BROWSER))
    sources = [image.attributes["src"] for image in page.all("img") if "/studio/" in image.attributes.get("src", "")]
    assert [Path(source).stem for source in sources] == [*ART, "photo"]
    for source in sources:
        shown = client.get(source)
        assert shown.content_type == "image/jpeg"
        assert cv2.imdecode(np.frombuffer(shown.data, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)
    saved = client.get(f"{sources[0]}?download=1")
    assert saved.headers["Content-Disposition"] == "attachment; filename=pencil.jpg"


def test_the_form_decodes_its_photo_once(client: FlaskClient, photo: bytes) -> None:
    pipeline = client.application.extensions["humanparse"].pipeline
    decoded, decode = [], pipeline.decode
    pipeline.decode = lambda data: (decoded.append(data), decode(data))[1]
    for effect in ("grey", "grey,invert", "grey"):  # new, partly in the cache, all of it
        assert send(client, "/studio", photo, effect=effect).status_code == 303
    assert decoded == [photo] * 3


def test_pictures_are_what_their_names_say(client: FlaskClient, photo: bytes) -> None:
    """Forms of our pages do not ask for another type; whoever does so by hand gets what the page can show."""
    where = send(client, "/studio", photo, effect="grey", image_format="png").headers["Location"]
    assert client.get(f"{where}/grey.jpg").data.startswith(b"\xff\xd8\xff")


def test_parts_reach_the_picture(client: FlaskClient, photo: bytes) -> None:
    where = send(client, "/studio", photo, effect="invert", only="background").headers["Location"]
    before, after = (
        cv2.imdecode(np.frombuffer(client.get(f"{where}/{name}.jpg").data, np.uint8), cv2.IMREAD_COLOR).astype(int)
        for name in ("photo", "invert")
    )
    assert np.abs(before[:, 12:20] - after[:, 12:20]).mean() < 8  # a person
    assert np.abs(255 - before[:, :4] - after[:, :4]).mean() < 8


def test_every_effect_and_part_can_be_chosen(client: FlaskClient) -> None:
    page = read_page(client.get("/studio", headers=BROWSER))
    values = {option.attributes["value"] for option in page.all("option")}
    assert {*EFFECTS, *GROUPS, "all", "Left-arm"} <= values
    assert list(GROUP_WORDS) == list(GROUPS)


@pytest.mark.parametrize("path", ["/studio", "/results/"])
def test_every_parameter_can_be_told_and_reaches_the_picture(client: FlaskClient, photo: bytes, path: str) -> None:
    if path == "/results/":
        path = f"{send(client, '/upload', photo).headers['Location']}/studio"
        form = read_page(client.get(path.removesuffix("/studio"), headers=BROWSER))
    else:
        form = read_page(client.get(path, headers=BROWSER))
    fields = {field.attributes["name"]: field.attributes for field in form.all("input", type="number")}
    assert set(fields) == {"feather", *(f"{name}.{p.name}" for name, e in EFFECTS.items() for p in e.parameters)}
    assert (fields["oil.size"]["min"], fields["oil.size"]["max"], fields["oil.size"]["step"]) == ("1", "20", "1")

    def paint(**own: str) -> np.ndarray:  # type: ignore[type-arg]
        empty = dict.fromkeys(fields, "")
        data = {**empty, "effect": "posterize", **own}
        sent = {"image": (BytesIO(photo), "x.jpg")} if path == "/studio" else {}
        answer = client.post(path, data={**data, **sent}, headers=BROWSER)
        assert answer.status_code == 303, answer.text
        picture = client.get(f"{answer.headers['Location']}/posterize.jpg").data
        return cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)

    usual = paint()
    assert not np.array_equal(paint(**{"posterize.levels": "2"}), usual)
    assert np.array_equal(paint(**{"cartoon.levels": "3"}), usual)  # of an effect that was not chosen


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"effect": "oil", "oil.size": "99"}, "from 1 to 20"),
        ({"effect": "all", "oil.size": "9"}, "for one effect"),
        ({"effect": "oil", "nose.size": "9"}, "no option"),
    ],
)
def test_a_wrong_parameter_is_told(client: FlaskClient, photo: bytes, fields: dict[str, str], words: str) -> None:
    assert words in read_page(send(client, "/studio", photo, **fields), 422).all("main")[0].text


@pytest.mark.parametrize("path", ["/studio/AAAAAAAAAAAAAAAAAAAAAA", "/studio/AAAAAAAAAAAAAAAAAAAAAA/oil.jpg"])
def test_what_is_not_there_is_404(client: FlaskClient, path: str) -> None:
    read_page(client.get(path, headers=BROWSER), 404)


def test_other_files_of_results_are_not_shown(client: FlaskClient, photo: bytes) -> None:
    where = send(client, "/studio", photo, effect="grey").headers["Location"]
    assert client.get(f"{where}/oil.jpg").status_code == 404
    assert client.get(f"{where}/..%2f..%2fsecret").status_code == 404
    assert client.get(where.replace("studio", "results"), headers=BROWSER).status_code == 404


@pytest.mark.parametrize(("path", "fields"), [("/studio", {"only": "nose"}), ("/recognize", {"top_k": "0"})])
def test_what_is_refused_is_told_on_a_page(
    client: FlaskClient, photo: bytes, path: str, fields: dict[str, str]
) -> None:
    page = read_page(send(client, path, photo, **fields), 422)
    assert "must be" in page.all("main")[0].text or "may have" in page.all("main")[0].text
