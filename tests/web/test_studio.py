"""POST /api/stylize: one picture, several, and what is refused."""

from __future__ import annotations

import io
import zipfile
from io import BytesIO

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient

from humanparse.effects import ART, EFFECTS
from tests.web.test_api import check_problem


def send(client: FlaskClient, photo: bytes, query: str, **headers: str):  # type: ignore[no-untyped-def]
    return client.post(f"/api/stylize?{query}", data=photo, content_type="image/jpeg", headers=headers)


@pytest.mark.parametrize(("query", "type"), [("", "jpeg"), ("&format=png", "png"), ("&image_format=webp", "webp")])
def test_one_effect_is_a_picture(client: FlaskClient, photo: bytes, query: str, type: str) -> None:
    answer = send(client, photo, f"effect=oil{query}")
    assert answer.content_type == f"image/{type}"
    assert cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)
    assert answer.headers["Humanparse-Coverage"] == "1.0"
    assert "oil;dur=" in answer.headers["Server-Timing"]


def test_accept_chooses(client: FlaskClient, photo: bytes) -> None:
    assert send(client, photo, "effect=grey", Accept="image/png").content_type == "image/png"
    assert send(client, photo, "effect=grey", Accept="application/json").get_json()["status"] == "success"
    assert send(client, photo, "effect=grey", Accept="*/*").content_type == "image/jpeg"
    assert send(client, photo, "effect=grey", Accept="audio/mpeg").status_code == 406


def test_several_are_json_or_a_zip(client: FlaskClient, photo: bytes) -> None:
    body = send(client, photo, "effect=all").get_json()
    assert [row["effect"] for row in body["pictures"]] == list(ART)
    assert body["image"] == {"width": 64, "height": 48}
    assert list(body["timing_ms"])[-1] == "total"
    with zipfile.ZipFile(io.BytesIO(send(client, photo, "effect=all&format=zip&image_format=png").data)) as archive:
        assert archive.namelist() == [f"{name}.png" for name in ART]
    refused = send(client, photo, "effect=all&format=png")
    assert (refused.status_code, refused.get_json()["code"]) == (422, "invalid_option")


def test_lists_have_commas_or_are_said_again(client: FlaskClient, photo: bytes) -> None:
    rest = "format=json&feather=0"
    once, again = "effect=grey,invert&only=skin,background", "effect=grey&effect=invert&only=skin&only=background"
    pictures = [send(client, photo, f"{query}&{rest}").get_json()["pictures"] for query in (once, again)]
    assert [row["effect"] for row in pictures[0]] == ["grey", "invert"]
    assert pictures[0] == pictures[1]


def test_parts_come_in_every_form_of_request(client: FlaskClient, photo: bytes) -> None:
    form = {
        "image": (BytesIO(photo), "x.jpg"),
        "effect": "invert",
        "only": "background",
        "format": "png",
        "feather": "0",
    }
    posted = client.post("/api/stylize", data=form)
    queried = send(client, photo, "effect=invert&only=background&format=png&feather=0")
    assert posted.data == queried.data
    assert 0.3 < float(posted.headers["Humanparse-Coverage"]) < 0.6


@pytest.mark.parametrize(
    "query", ["", "effect=magic", "effect=oil&size=0", "effect=oil&only=nose", "effect=oil&people=9", "effect=oil&x=1"]
)
def test_what_is_refused_says_what_is_allowed_and_the_next_works(client: FlaskClient, photo: bytes, query: str) -> None:
    refused = send(client, photo, query)
    assert (refused.status_code, refused.content_type) == (422, "application/problem+json")
    assert refused.get_json()["code"] == "invalid_option"
    assert send(client, photo, "effect=oil").status_code == 200


def test_a_missing_effect_is_called_missing(client: FlaskClient, photo: bytes) -> None:
    detail = check_problem(send(client, photo, ""), 422, "invalid_option")["detail"]
    assert detail.startswith("effect is missing; choose from pencil, ")


def test_the_effects_are_listed(client: FlaskClient) -> None:
    body = client.get("/api/effects").get_json()
    assert [row["name"] for row in body["effects"]] == list(EFFECTS)
    assert body["parts"][:2] == ["background", "person"]
    assert body["effects"][2]["parameters"][0]["name"] == "size"
