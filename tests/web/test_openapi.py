"""The OpenAPI document: sound, complete, and true of every answer of the served app."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import Case
from schemathesis.core import NotSet

from app import create_app
from humanparse.client import Client
from humanparse.config import Settings
from humanparse.exports import FORMATS
from humanparse.keys import KeyFile
from humanparse.options import CHOICES, INCLUDES, OPTIONS
from humanparse.pipeline import Pipeline
from humanparse.web.errors import STATUS
from humanparse.web.media_types import ZIP_TYPES
from humanparse.web.openapi import make_document
from humanparse.web.operations import JSON_SHAPES
from tests.band_parser import BandParser
from tests.video.films import walk, write_film
from tests.web.visits import BROWSER, read_page

DOCUMENT = make_document(Settings())
USUAL_EXAMPLES = 50
EXAMPLES = int(os.environ.get("EXAMPLES", USUAL_EXAMPLES))  # EXAMPLES=500: a long look, at others every time
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]


def test_the_document_is_sound_and_served(client: FlaskClient) -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    response = client.get("/openapi.json")
    assert response.content_type == "application/json"
    assert response.get_json() == json.loads(json.dumps(DOCUMENT))


def test_every_route_for_programs_is_in_it_and_no_other(app: Flask) -> None:
    served = {
        (rule.rule.replace("<id>", "{id}"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.split(".")[0] in ("api", "batch", "jobs", "results", "recognition", "studio")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == set(OPERATIONS)


def test_an_option_that_must_be_there_is_marked_so(client: FlaskClient, photo: bytes) -> None:
    """Where there is no photo to send, all options stand in the query: the document can say which must."""
    id = client.post("/api/results", data=photo, content_type="image/jpeg").get_json()["id"]
    for question, options in (("recognize", {}), ("stylize", {"effect": "grey"})):
        described = DOCUMENT["paths"][f"/api/results/{{id}}/{question}"]["post"]["parameters"]
        marked = {option["name"] for option in described if option["in"] == "query" and option.get("required")}
        assert marked == set(options)
        assert client.post(f"/api/results/{id}/{question}", query_string=options).status_code == 200
        for name in options:
            assert client.post(f"/api/results/{id}/{question}").get_json()["option"] == name


def test_it_says_what_the_tables_say() -> None:
    parse = DOCUMENT["paths"]["/api/parse"]["post"]
    parameters = {parameter["name"]: parameter["schema"] for parameter in parse["parameters"]}
    assert list(parameters) == list(OPTIONS)
    for name, allowed in CHOICES.items():
        assert parameters[name]["enum"] == list(allowed)
    assert parameters["include"]["items"]["enum"] == list(INCLUDES)
    assert {format.media_type for format in FORMATS.values()} <= set(parse["responses"]["200"]["content"])
    assert set(JSON_SHAPES) == {name for name, format in FORMATS.items() if format.media_type == "application/json"}
    text = json.dumps(parse["responses"])
    for error, status in STATUS.items():
        assert error.code in text or status in (404, 409, 499)


def test_options_have_one_place_because_generated_clients_fill_defaults_into_every_place() -> None:
    for path in ("/api/parse", "/api/parse/batch", "/api/jobs"):
        for body in DOCUMENT["paths"][path]["post"]["requestBody"]["content"].values():
            assert not set(body["schema"].get("properties", {})) & set(OPTIONS)


def test_defaults_and_limits_are_the_settings() -> None:
    document = make_document(Settings(alpha=0.25, batch_files=7, max_bytes=123_456))
    parameters = document["paths"]["/api/parse"]["post"]["parameters"]
    assert {p["name"]: p["schema"].get("default") for p in parameters}["alpha"] == 0.25
    assert "123,456" in json.dumps(document)
    assert "7 photos" in json.dumps(document)


def test_the_page_shows_every_operation_option_format_code_and_shape(client: FlaskClient) -> None:
    page = read_page(client.get("/docs", headers=BROWSER))
    text = page.all("main")[0].text
    for path, method in OPERATIONS:
        assert f"{method.upper()} {path}" in text
    words = set(text.replace(",", " ").split())
    assert {*OPTIONS, *FORMATS, *DOCUMENT["components"]["schemas"]} <= words
    assert {error.code for error in STATUS} - {"client_gone"} <= words
    ids = {element.attributes.get("id") for element in page.elements}
    links = {element.attributes["href"][1:] for element in page.all("a") if element.attributes["href"][0] == "#"}
    assert links <= ids


def test_the_page_says_what_must_be_there(client: FlaskClient) -> None:
    page = read_page(client.get("/docs", headers=BROWSER))
    (section,) = page.all("section", id="stylizeResult")
    rows = {row.text.split()[0]: row.text for row in page.all("tr") if section in row.ancestors}
    assert [name for name, text in rows.items() if " required " in text] == ["id", "effect"]
    (section,) = page.all("section", id="parse")
    (body,) = [text.text for text in page.all("p") if section in text.ancestors and "Body:" in text.text]
    assert body.count("required") == body.count("image required") == 2  # of the form, and of the JSON


def test_the_page_begins_with_a_request_and_with_where_everything_stands(settings: Settings, tmp_path: Path) -> None:
    KeyFile(tmp_path / "keys.json").add("ada")
    for keys in (Path(), tmp_path / "keys.json"):
        pipeline = Pipeline(settings, lambda *_: BandParser())
        own = create_app(replace(settings, keys_file=keys), pipeline).test_client()
        if keys.name:
            own.post("/enter", data={"key": KeyFile(keys).add("grace")})
        page = read_page(own.get("/docs", headers=BROWSER))
        (first,) = page.all("pre")
        address = "http://localhost/api/parse"
        key = "-H 'Authorization: Bearer YOUR_KEY' " if keys.name else ""
        assert first.text == f"curl -F image=@photo.jpg {key}{address}"
        assert ("X-API-Key" in page.all("main")[0].text) is bool(keys.name)
        (contents,) = page.all("ul", **{"class": "contents"})
        links = [link.attributes["href"] for link in page.all("a") if contents in link.ancestors]
        operations = [o["operationId"] for methods in DOCUMENT["paths"].values() for o in methods.values()]
        assert links == [f"#{name}" for name in (*operations, "formats", "errors", "classes", "schemas")]
        assert "multipart/form-data ( image required" in page.all("main")[0].text  # how the field is called


@schemathesis.serializer("image/*", "video/*", *ZIP_TYPES)
def send_bytes(ctx: Any, value: Any) -> bytes:
    del ctx
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_film(tmp_path_factory.mktemp("film") / "a.mp4", walk(2)).read_bytes()


@pytest.fixture(scope="module")
def api(address: str) -> Any:
    return schemathesis.openapi.from_url(f"{address}/openapi.json")


def no_fault_of_the_server(context: Any, response: Any, case: Case) -> bool | None:
    """Like schemathesis's own, but that M2FP's weights are not here is true, and said as the document says."""
    if response.status_code == 503 and response.json()["code"] == "parser_unavailable":
        assert case.query and case.query["parser"] == "m2fp"
        return None
    if response.status_code == 503 and response.json()["code"] == "recognizer_unavailable":
        assert case.query and case.query["recognizer"] == "general"
        return None
    result: bool | None = schemathesis.checks.not_a_server_error(context, response, case)
    return result


CHECKS = [
    no_fault_of_the_server,
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_schema_conformance,
]


def takes_body(methods: dict[str, Any]) -> bool:
    return "requestBody" in methods.get("post", {})


CASES = [(*operation, "positive") for operation in OPERATIONS]
CASES += [(path, "post", "negative") for path, methods in DOCUMENT["paths"].items() if takes_body(methods)]


@pytest.mark.parametrize(("path", "method", "mode"), CASES)
def test_every_answer_is_one_that_the_document_promises(
    api: Any, photo: bytes, film: bytes, path: str, method: str, mode: str
) -> None:
    strategy = api[path][method.upper()].as_strategy(generation_mode=schemathesis.GenerationMode(mode))
    statuses = set()
    sent = film if path.endswith("/data") else photo
    known = ""
    if "{id}" in path:
        known = keep(api, photo) if path.startswith("/api/results") else submit_and_wait(api, sent)

    @given(case=strategy, real=st.booleans())
    @examples(
        max_examples=EXAMPLES,
        derandomize=EXAMPLES == USUAL_EXAMPLES,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Case, real: bool) -> None:
        if real and mode == "positive":
            put_photo(case, photo)
        if real and "id" in case.path_parameters:
            case.path_parameters["id"] = known
        if real and path.endswith("/stylize") and mode == "positive":  # an effect takes only its own parameters
            case.query = {"effect": "grey", **{k: v for k, v in (case.query or {}).items() if k == "format"}}
        statuses.add(case.call_and_validate(checks=CHECKS, timeout=120).status_code)

    check()
    assert statuses & {200, 201, 202, 204} if mode == "positive" else (422 in statuses)


def keep(api: Any, photo: bytes) -> str:
    """The id of a kept result."""
    case = api["/api/results"]["POST"].Case(body=photo, media_type="image/*")
    return str(case.call().json()["id"])


def submit_and_wait(api: Any, photo: bytes) -> str:
    """The id of a job that has ended."""
    with Client(api.get_base_url()) as client:
        job = client.submit(photo)
        client.wait(job)
        return job.id


def put_photo(case: Case, photo: bytes) -> None:
    """A real photo in place of random bytes, so that options get as far as the answer."""
    if isinstance(case.body, NotSet):
        return
    if isinstance(case.body, dict):
        image: Any = b64encode(photo).decode() if case.media_type == "application/json" else photo
        case.body["image"] = [image] if isinstance(case.body.get("image"), list) else image
    else:
        case.body = photo


def test_every_format_answers_as_the_document_promises(api: Any, photo: bytes) -> None:
    operation = api["/api/parse"]["POST"]
    for name in CHOICES["format"]:
        query = {"format": name, "include": ",".join(INCLUDES)}
        case = operation.Case(body=photo, media_type="image/*", query=query)
        assert case.call_and_validate(checks=CHECKS, timeout=120).status_code == 200, name
