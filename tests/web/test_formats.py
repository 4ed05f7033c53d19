"""The answer's format: by `format=`, by `Accept`, JSON for everybody else."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from flask.testing import FlaskClient
from huggingface_hub import InferenceClient
from numpy.typing import NDArray
from PIL import Image
from werkzeug.test import TestResponse

from humanparse.exports import FORMATS
from humanparse.labels import PALETTES
from humanparse.options import CHOICES
from tests.web.test_api import check_problem, post_form, without_timing
from tests.web.visits import BROWSER


def post(client: FlaskClient, photo: bytes, accept: str | None = None, query: str = "") -> TestResponse:
    headers = {} if accept is None else {"Accept": accept}
    return client.post(f"/api/parse{query}", data=photo, content_type="image/jpeg", headers=headers)


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_comes_with_its_type_and_a_safe_name(client: FlaskClient, photo: bytes, name: str) -> None:
    response = post_form(client, photo, query=f"?format={name}")
    assert response.status_code == 200, response.text
    assert response.mimetype == FORMATS[name].media_type
    assert response.headers["Content-Disposition"] == f"inline; filename=parsing{FORMATS[name].suffix}"
    assert "total;dur=" in response.headers["Server-Timing"]
    assert "Accept" in response.vary


def test_json_is_what_it_was(client: FlaskClient, photo: bytes) -> None:
    assert without_timing(post(client, photo)) == without_timing(post(client, photo, query="?format=json"))
    assert "Content-Disposition" not in post(client, photo).headers


ACCEPTED = {
    None: "application/json",
    "": "application/json",
    "*/*": "application/json",
    "*": "application/json",
    "application/*": "application/json",
    "application/json; charset=utf-8": "application/json",
    "application/json, text/plain, */*": "application/json",  # axios
    "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2": "application/json",  # Java's HttpURLConnection
    BROWSER["Accept"]: "application/json",
    "text/html,application/xhtml+xml,image/avif,image/webp,image/apng,*/*;q=0.8": "application/json",
    "image/png": "image/png",
    "image/*": "image/png",
    "IMAGE/JPEG": "image/jpeg",
    "image/webp, image/png;q=0.9": "image/webp",
    "application/json;q=0.5, image/jpeg": "image/jpeg",
}


@pytest.mark.parametrize("accept", ACCEPTED)
def test_accept_chooses_between_json_and_overlays(client: FlaskClient, photo: bytes, accept: str | None) -> None:
    response = post(client, photo, accept)
    assert response.status_code == 200, response.text
    assert response.mimetype == ACCEPTED[accept]


@pytest.mark.parametrize("accept", ["text/plain", "image/gif", "application/xml", "nonsense", "application/json;q=0"])
def test_what_nobody_answers_is_406_and_says_what_is(client: FlaskClient, photo: bytes, accept: str) -> None:
    body = check_problem(post(client, photo, accept), 406, "not_acceptable")
    assert body["allowed"] == ["application/json", "image/png", "image/jpeg", "image/webp"]


def test_the_option_wins_over_the_header(client: FlaskClient, photo: bytes) -> None:
    assert post(client, photo, "image/png", "?format=yolo").mimetype == "text/plain"
    assert post(client, photo, "text/plain", "?format=json").mimetype == "application/json"


def test_the_overlay_in_the_json_can_be_smaller_or_left_out(client: FlaskClient, photo: bytes) -> None:
    bodies = {name: without_timing(post(client, photo, query=f"?overlay={name}")) for name in CHOICES["overlay"]}
    assert bodies["none"]["result_image"] is None
    for name in ("png", "jpeg", "webp"):
        data = b64decode(bodies[name].pop("result_image"))
        assert Image.open(BytesIO(data)).get_format_mimetype() == FORMATS[name].media_type
        assert data == post(client, photo, query=f"?format={name}").data
    assert bodies["png"] == bodies["jpeg"] == bodies["webp"]


def test_the_palette_colours_overlay_and_label_map(client: FlaskClient, photo: bytes) -> None:
    body = without_timing(post(client, photo, query="?palette=voc&alpha=1&outline=no&include=label_map"))
    overlay = np.asarray(Image.open(BytesIO(b64decode(body["result_image"]))))
    label_map = Image.open(BytesIO(b64decode(body["label_map"])))
    labels = np.asarray(label_map)
    assert np.array_equal(overlay[labels > 0], PALETTES["voc"][labels[labels > 0]])
    assert np.array_equal(np.asarray(label_map.convert("RGB"))[labels > 0], overlay[labels > 0])


def test_the_clients_file_name_is_in_the_files_that_need_it_without_its_path(client: FlaskClient, photo: bytes) -> None:
    response = post_form(client, photo, query="?format=coco")  # ../../etc/My Holiday.jpg
    assert response.get_json()["images"][0]["file_name"] == "My Holiday.jpg"
    assert "Holiday" not in str(response.headers)


def test_hugging_faces_own_client_reads_the_service(address: str, astronaut: NDArray[np.uint8]) -> None:
    stream = BytesIO()
    Image.fromarray(astronaut).save(stream, "JPEG")
    elements = InferenceClient(model=f"{address}/api/parse?format=huggingface").image_segmentation(stream.getvalue())
    assert {"Face", "Hair"} <= {element.label for element in elements}
    assert all(element.mask.size == (512, 512) for element in elements)  # type: ignore[attr-defined]
