"""A client of the service for other programs, in one file that may be copied: it needs httpx and nothing else.

    with Client("http://127.0.0.1:5000") as client:
        result = client.parse("photo.jpg")
        for person in result.people:
            print(person.id, [part.name for part in person.parts])

`AsyncClient` has the same methods, awaited. Errors:

    ClientError
    ├── ApiError        the service answered with a problem: code, status, detail, retry_after_s
    ├── Unreachable     no answer: no connection, or none in time
    └── NotYet          a job has not ended in the time that `wait` was given
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

import httpx

TIMEOUT_S: Final = 120.0  # a service held to one thread may take this long for a large photo behind others
RETRIES: Final = 3
LONGEST_WAIT_S: Final = 30.0
FIRST_PAUSE_S: Final = 0.1  # between two looks at a job
LONGEST_PAUSE_S: Final = 5.0

Photo = str | Path | bytes | IO[bytes]
"""A path, the file's bytes, or a file that is open for reading bytes."""


class ClientError(Exception):
    """Base of the errors of this module."""


class Unreachable(ClientError):
    """The service did not answer: no connection, or not in time."""


class NotYet(ClientError):
    """The job has not ended in the time that `wait` was given; it goes on."""


class ApiError(ClientError):
    """The service said no. Compare `code`, show `detail`; `problem` is the whole problem+json."""

    def __init__(self, status: int, code: str, detail: str, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(status, code, detail, problem)
        self.status, self.code, self.detail = status, code, detail
        self.problem = dict(problem or {})

    @property
    def retry_after_s(self) -> int | None:
        """Seconds after which to ask again, where the service says so."""
        return self.problem.get("retry_after_s")

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.detail}"


@dataclass(frozen=True)
class Part:
    """One class on one person; box is x0, y0, x1, y1 in pixels. mask (PNG), rle, polygons: if included."""

    id: int
    name: str
    score: float
    area: int
    box: tuple[int, int, int, int]
    mask: bytes | None = None
    rle: dict[str, Any] | None = None
    polygons: list[list[int]] | None = None


@dataclass(frozen=True)
class Person:
    """One person: number in the people map, score, area in pixels, box, parts by class id.

    keypoints: 17 of (x, y, score) in COCO's order if included and known to the parser, else none.
    """

    id: int
    score: float
    area: int
    box: tuple[int, int, int, int]
    parts: tuple[Part, ...]
    keypoints: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True)
class Result:
    """One parsed photo. overlay is None with overlay="none", the maps (PNG) unless included; raw is the whole JSON."""

    width: int
    height: int
    parser: str
    parser_version: str
    people: tuple[Person, ...]
    parts_detected: tuple[str, ...]
    timing_ms: dict[str, float]
    overlay: bytes | None
    label_map: bytes | None
    people_map: bytes | None
    raw: dict[str, Any] = field(repr=False)

    @property
    def num_persons(self) -> int:
        return len(self.people)


@dataclass(frozen=True)
class Item:
    """One photo of `parse_many`: its result, or the error that it alone met."""

    index: int
    file: str
    result: Result | None
    error: ApiError | None


@dataclass(frozen=True)
class Label:
    """One class: id, English and Chinese name, RGB colour, id of the other side."""

    id: int
    name: str
    name_zh: str
    colour: tuple[int, int, int]
    twin: int | None


@dataclass(frozen=True)
class Prediction:
    """One thing that a photo may show: id, English and Chinese name, probability from 0 to 1."""

    class_id: int
    label: str
    label_zh: str
    probability: float


@dataclass(frozen=True)
class Kept:
    """A result that the service keeps for a while, under an id that nobody can guess.

    address: of its page, from the service's own on. files: names that `kept_file` takes.
    result: without overlay and maps, which are among the files, and with key points.
    """

    id: str
    address: str
    expires_at: str
    files: tuple[str, ...]
    result: Result


@dataclass(frozen=True)
class Job:
    """Work that the service has accepted. state: queued, running, succeeded, failed or cancelled."""

    id: str
    state: str
    kind: str
    format: str
    done: int
    failed: int
    total: int
    place: int | None
    expires_at: str | None
    raw: dict[str, Any] = field(repr=False)

    @property
    def ended(self) -> bool:
        return self.state in ("succeeded", "failed", "cancelled")


class Client:
    """A connection to the service at `address`. Use it in a `with`, or `close` it.

    timeout_s: longest wait for each answer. retries: how often to ask again when the service is
    busy (503 with Retry-After), each time after as long as it says, but not more than 30 s; the same
    where it is asked too often (429), but not if the wait is longer than that.
    api_key: for a service that asks for one.
    """

    def __init__(
        self, address: str, *, timeout_s: float = TIMEOUT_S, retries: int = RETRIES, api_key: str | None = None
    ) -> None:
        self._http = httpx.Client(base_url=address, timeout=timeout_s, headers=_headers(api_key))
        self._retries = retries

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def parse(self, photo: Photo, **options: Any) -> Result:
        """The people in a photo. Options as the API has them: parser, alpha, include=["rle"], overlay="none"..."""
        return _read_result(self._send(_parse_request([photo], options)).json())

    def parse_as(self, format: str, photo: Photo, **options: Any) -> bytes:
        """The answer in another format, as a file's bytes: "coco", "label_map", "webp"..."""
        return self._send(_parse_request([photo], {**options, "format": format})).content

    def parse_many(self, photos: Iterable[Photo], **options: Any) -> list[Item]:
        """Several photos, or zips of them, in one request, in order; one that fails fails alone."""
        return _read_items(self._send(_parse_request(photos, options, batch=True)).json())

    def submit(self, photo: Photo, *, idempotency_key: str | None = None, **options: Any) -> Job:
        """Hand a photo in as a job, and come back for it; options as for `parse`, `format` and `callback_url` too.

        idempotency_key: of a job that may have been handed in before; else each call makes a job, and one only.
        """
        return _read_job(self._send(_job_request([photo], options, idempotency_key)).json())

    def submit_many(self, photos: Iterable[Photo], *, idempotency_key: str | None = None, **options: Any) -> Job:
        """The same for several photos, or zips of them."""
        return _read_job(self._send(_job_request(photos, options, idempotency_key, "batch")).json())

    def submit_video(self, video: Photo, *, idempotency_key: str | None = None, **options: Any) -> Job:
        """The same for a video; options also every, fps, max_side, numbers, sound, and format ("mp4" or "webm")."""
        return _read_job(self._send(_job_request([video], options, idempotency_key, "video")).json())

    def job(self, job: Job | str) -> Job:
        """How a job, or the job of this id, stands now."""
        return _read_job(self._send(_Request("GET", _path_of(job))).json())

    def wait(self, job: Job | str, timeout_s: float | None = None) -> Job:
        """The job once it has ended, however it did. Raises NotYet after `timeout_s`."""
        for pause_s in _pauses(timeout_s):
            found = self.job(job)
            if found.ended:
                return found
            time.sleep(pause_s)
        raise NotYet(f"The job is {found.state}.")

    def result(self, job: Job | str) -> Result | list[Item] | list[Prediction] | bytes:
        """What an ended job came to: as `parse` and `parse_many` give it, or a file's bytes for another format.

        Raises ApiError where it failed, was cancelled or has not ended.
        """
        job = job if isinstance(job, Job) else self.job(job)
        return _read_job_result(job, self.result_bytes(job))

    def result_bytes(self, job: Job | str) -> bytes:
        """The same as the service sends it: JSON, a zip, or one photo's file."""
        return self._send(_Request("GET", f"{_path_of(job)}/result")).content

    def frames(self, job: Job | str) -> list[dict[str, Any]]:
        """What was seen in a video, frame by frame, as the service tells it; people's ids last from frame to frame."""
        return _read_rows(self._send(_Request("GET", f"{_path_of(job)}/data")).content)

    def cancel(self, job: Job | str) -> Job:
        """Cancel a job that has not ended: at once, or after the photo at hand."""
        return _read_job(self._send(_Request("POST", f"{_path_of(job)}/cancel")).json())

    def forget(self, job: Job | str) -> None:
        """Cancel a job, or remove one that has ended with its result."""
        self._send(_Request("DELETE", _path_of(job)))

    def keep(self, photo: Photo, **options: Any) -> Kept:
        """Parse a photo and keep the result on the service; options: parser, detail, alpha, outline, palette."""
        return _read_kept(self._send(_post_request("results", photo, options)).json())

    def kept(self, kept: Kept | str) -> Kept:
        """A kept result, or that of this id, as long as it is there; ApiError "result_expired" after."""
        return _read_kept(self._send(_Request("GET", _kept_path(kept))).json())

    def kept_file(self, kept: Kept | str, file: str) -> bytes:
        """One of its files: "overlay.png", "labels.png", "everything.zip" ..., or "person-1.png", a cut-out."""
        return self._send(_Request("GET", f"{_kept_path(kept, '/results')}/{quote(file, safe='')}")).content

    def forget_kept(self, kept: Kept | str) -> None:
        """Forget a kept result now, photo and all."""
        self._send(_Request("DELETE", _kept_path(kept)))

    def recognize(self, photo: Photo, **options: Any) -> list[Prediction]:
        """What the photo shows as a whole, most likely first. Options as the API has them: top_k, recognizer."""
        return _read_predictions(self._send(_post_request("recognize", photo, options)).json())

    def submit_recognize(self, photo: Photo, *, idempotency_key: str | None = None, **options: Any) -> Job:
        """The same as a job: `wait` for it, and `result` gives the predictions."""
        request = _post_request("recognize_async", photo, options, idempotency_key or uuid.uuid4().hex)
        return self.job(self._send(request).json()["task_id"])

    def stylize(self, photo: Photo, effect: str, **options: Any) -> bytes:
        """The photo with an effect: a picture, or with several effects a zip.

        Options as the API has them; `except` is a word of Python, so it is `except_` here.
        """
        return self._send(_stylize_request(photo, effect, options)).content

    def effects(self) -> list[dict[str, Any]]:
        """What `stylize` can do: name, title, help and parameters of each effect, as the API has them."""
        return list(self._send(_Request("GET", "/api/effects")).json()["effects"])

    def labels(self) -> list[Label]:
        """The classes, by id."""
        return _read_labels(self._send(_Request("GET", "/api/labels")).json())

    def parsers(self) -> dict[str, str | None]:
        """The parsers by name; None for one that can run there, else what it lacks."""
        return _read_parsers(self._send(_Request("GET", "/api/parsers")).json())

    def ready(self) -> bool:
        """Can the service take a photo now?"""
        return _is_ready(self._ask(_Request("GET", "/readyz")))

    def _send(self, request: _Request) -> httpx.Response:
        for waited in range(self._retries + 1):
            response = self._ask(request)
            wait_s = _wait_s(response)
            if wait_s is None or waited == self._retries:
                break
            time.sleep(wait_s)
        return _checked(response)

    def _ask(self, request: _Request) -> httpx.Response:
        try:
            return self._http.request(**vars(request))
        except httpx.TransportError as exc:
            raise _unreachable(exc) from exc


def _headers(api_key: str | None) -> dict[str, str]:
    return {"Accept": "*/*", **({"Authorization": f"Bearer {api_key}"} if api_key else {})}


class AsyncClient:
    """`Client` for asyncio: the same methods, awaited; use it in an `async with`."""

    def __init__(
        self, address: str, *, timeout_s: float = TIMEOUT_S, retries: int = RETRIES, api_key: str | None = None
    ) -> None:
        self._http = httpx.AsyncClient(base_url=address, timeout=timeout_s, headers=_headers(api_key))
        self._retries = retries

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def parse(self, photo: Photo, **options: Any) -> Result:
        return _read_result((await self._send(_parse_request([photo], options))).json())

    async def parse_as(self, format: str, photo: Photo, **options: Any) -> bytes:
        return (await self._send(_parse_request([photo], {**options, "format": format}))).content

    async def parse_many(self, photos: Iterable[Photo], **options: Any) -> list[Item]:
        return _read_items((await self._send(_parse_request(photos, options, batch=True))).json())

    async def submit(self, photo: Photo, *, idempotency_key: str | None = None, **options: Any) -> Job:
        return _read_job((await self._send(_job_request([photo], options, idempotency_key))).json())

    async def submit_many(self, photos: Iterable[Photo], *, idempotency_key: str | None = None, **options: Any) -> Job:
        return _read_job((await self._send(_job_request(photos, options, idempotency_key, "batch"))).json())

    async def submit_video(self, video: Photo, *, idempotency_key: str | None = None, **options: Any) -> Job:
        return _read_job((await self._send(_job_request([video], options, idempotency_key, "video"))).json())

    async def job(self, job: Job | str) -> Job:
        return _read_job((await self._send(_Request("GET", _path_of(job)))).json())

    async def wait(self, job: Job | str, timeout_s: float | None = None) -> Job:
        for pause_s in _pauses(timeout_s):
            found = await self.job(job)
            if found.ended:
                return found
            await asyncio.sleep(pause_s)
        raise NotYet(f"The job is {found.state}.")

    async def result(self, job: Job | str) -> Result | list[Item] | list[Prediction] | bytes:
        job = job if isinstance(job, Job) else await self.job(job)
        return _read_job_result(job, await self.result_bytes(job))

    async def result_bytes(self, job: Job | str) -> bytes:
        return (await self._send(_Request("GET", f"{_path_of(job)}/result"))).content

    async def frames(self, job: Job | str) -> list[dict[str, Any]]:
        return _read_rows((await self._send(_Request("GET", f"{_path_of(job)}/data"))).content)

    async def cancel(self, job: Job | str) -> Job:
        return _read_job((await self._send(_Request("POST", f"{_path_of(job)}/cancel"))).json())

    async def forget(self, job: Job | str) -> None:
        await self._send(_Request("DELETE", _path_of(job)))

    async def keep(self, photo: Photo, **options: Any) -> Kept:
        return _read_kept((await self._send(_post_request("results", photo, options))).json())

    async def kept(self, kept: Kept | str) -> Kept:
        return _read_kept((await self._send(_Request("GET", _kept_path(kept)))).json())

    async def kept_file(self, kept: Kept | str, file: str) -> bytes:
        return (await self._send(_Request("GET", f"{_kept_path(kept, '/results')}/{quote(file, safe='')}"))).content

    async def forget_kept(self, kept: Kept | str) -> None:
        await self._send(_Request("DELETE", _kept_path(kept)))

    async def recognize(self, photo: Photo, **options: Any) -> list[Prediction]:
        return _read_predictions((await self._send(_post_request("recognize", photo, options))).json())

    async def submit_recognize(self, photo: Photo, *, idempotency_key: str | None = None, **options: Any) -> Job:
        request = _post_request("recognize_async", photo, options, idempotency_key or uuid.uuid4().hex)
        return await self.job((await self._send(request)).json()["task_id"])

    async def stylize(self, photo: Photo, effect: str, **options: Any) -> bytes:
        return (await self._send(_stylize_request(photo, effect, options))).content

    async def effects(self) -> list[dict[str, Any]]:
        return list((await self._send(_Request("GET", "/api/effects"))).json()["effects"])

    async def labels(self) -> list[Label]:
        return _read_labels((await self._send(_Request("GET", "/api/labels"))).json())

    async def parsers(self) -> dict[str, str | None]:
        return _read_parsers((await self._send(_Request("GET", "/api/parsers"))).json())

    async def ready(self) -> bool:
        return _is_ready(await self._ask(_Request("GET", "/readyz")))

    async def _send(self, request: _Request) -> httpx.Response:
        for waited in range(self._retries + 1):
            response = await self._ask(request)
            wait_s = _wait_s(response)
            if wait_s is None or waited == self._retries:
                break
            await asyncio.sleep(wait_s)
        return _checked(response)

    async def _ask(self, request: _Request) -> httpx.Response:
        try:
            return await self._http.request(**vars(request))
        except httpx.TransportError as exc:
            raise _unreachable(exc) from exc


@dataclass(frozen=True)
class _Request:
    """What to ask. Files are bytes, so that a request can be sent again."""

    method: str
    url: str
    params: dict[str, str] | None = None
    files: list[tuple[str, tuple[str, bytes]]] | None = None
    headers: dict[str, str] | None = None


def _parse_request(photos: Iterable[Photo], options: Mapping[str, Any], batch: bool = False) -> _Request:
    files = [("image", _read_photo(photo)) for photo in photos]
    return _Request("POST", "/api/parse/batch" if batch else "/api/parse", _params(options), files)


def _job_request(photos: Iterable[Photo], options: Mapping[str, Any], key: str | None, kind: str = "parse") -> _Request:
    """A zip given as one photo is several photos, so `kind` is left to the service there."""
    files = [("video" if kind == "video" else "image", _read_photo(photo)) for photo in photos]
    params = _params({**options, "kind": None if kind == "parse" else kind})
    return _Request("POST", "/api/jobs", params, files, {"Idempotency-Key": key or uuid.uuid4().hex})


def _post_request(service: str, photo: Photo, options: Mapping[str, Any], key: str | None = None) -> _Request:
    headers = {"Idempotency-Key": key} if key else None
    return _Request("POST", f"/api/{service}", _params(options), [("image", _read_photo(photo))], headers)


def _stylize_request(photo: Photo, effect: str, options: Mapping[str, Any]) -> _Request:
    given = {name.removesuffix("_"): value for name, value in options.items()}
    several = "," in effect or effect == "all"
    return _post_request("stylize", photo, {"format": "zip" if several else None, **given, "effect": effect})


def _params(options: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in options.items() if value is not None}


def _path_of(job: Job | str) -> str:
    return f"/api/jobs/{quote(job.id if isinstance(job, Job) else job, safe='')}"


def _kept_path(kept: Kept | str, folder: str = "/api/results") -> str:
    return f"{folder}/{quote(kept.id if isinstance(kept, Kept) else kept, safe='')}"


def _pauses(timeout_s: float | None) -> Iterator[float]:
    """Seconds between looks at a job, longer and longer, until the time is over."""
    end, pause_s = None if timeout_s is None else time.monotonic() + timeout_s, FIRST_PAUSE_S
    yield pause_s
    while end is None or time.monotonic() < end:
        pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)
        yield pause_s


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(_text, value)) if isinstance(value, (list, tuple, set, frozenset)) else str(value)


def _read_photo(photo: Photo) -> tuple[str, bytes]:
    """File name and bytes."""
    if isinstance(photo, bytes):
        return "image", photo
    if isinstance(photo, (str, Path)):
        return Path(photo).name, Path(photo).read_bytes()
    return Path(str(getattr(photo, "name", "image"))).name, photo.read()


def _wait_s(response: httpx.Response) -> float | None:
    """How long to wait before asking again; None where that is of no use."""
    after = response.headers.get("Retry-After", "")
    if response.status_code not in (429, 503) or not after.isdigit():
        return None
    if response.status_code == 429 and float(after) > LONGEST_WAIT_S:  # the hour's or the day's share is spent
        return None
    return min(float(after), LONGEST_WAIT_S)


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    raise _error_of(response)


def _error_of(response: httpx.Response) -> ApiError:
    try:
        return _read_problem(response.json())
    except (ValueError, KeyError, TypeError):  # a proxy's own page
        return ApiError(response.status_code, "http_error", response.reason_phrase)


def _read_problem(problem: dict[str, Any]) -> ApiError:
    return ApiError(problem["status"], problem["code"], problem["detail"], problem)


def _unreachable(exc: httpx.TransportError) -> Unreachable:
    if isinstance(exc, httpx.UnsupportedProtocol):
        return Unreachable("The service's address must begin with http:// or https://, like http://127.0.0.1:5000.")
    where = f"{exc.request.url.scheme}://{exc.request.url.netloc.decode()}"
    return Unreachable(f"{where} does not answer ({exc or type(exc).__name__}). Does the service run there?")


def _is_ready(response: httpx.Response) -> bool:
    return response.status_code == 200


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)


def _read_result(answer: dict[str, Any]) -> Result:
    return Result(
        width=answer["image"]["width"],
        height=answer["image"]["height"],
        parser=answer["parser"]["name"],
        parser_version=answer["parser"]["version"],
        people=tuple(_read_person(person) for person in answer["people"]),
        parts_detected=tuple(answer["parts_detected"]),
        timing_ms=answer["timing_ms"],
        overlay=_bytes(answer.get("result_image")),
        label_map=_bytes(answer.get("label_map")),
        people_map=_bytes(answer.get("people_map")),
        raw=answer,
    )


def _read_person(person: dict[str, Any]) -> Person:
    parts = tuple(_read_part(part) for part in person["parts"])
    keypoints = tuple(tuple(point) for point in person.get("keypoints", ()))
    return Person(person["id"], person["score"], person["area"], tuple(person["box"]), parts, keypoints)


def _read_part(part: dict[str, Any]) -> Part:
    return Part(
        id=part["id"],
        name=part["name"],
        score=part["score"],
        area=part["area"],
        box=tuple(part["box"]),
        mask=_bytes(part.get("mask")),
        rle=part.get("rle"),
        polygons=part.get("polygons"),
    )


def _read_items(answer: dict[str, Any]) -> list[Item]:
    return [_read_item(row) for row in answer["results"]]


def _read_item(row: dict[str, Any]) -> Item:
    failed = row["status"] == "error"
    result = None if failed else _read_result(row)
    return Item(row["index"], row["file"], result, _read_problem(row["problem"]) if failed else None)


def _read_kept(answer: dict[str, Any]) -> Kept:
    return Kept(answer["id"], answer["address"], answer["expires_at"], tuple(answer["files"]), _read_result(answer))


def _read_job(answer: dict[str, Any]) -> Job:
    own = {name: answer[name] for name in ("id", "state", "kind", "format", "place", "expires_at")}
    return Job(**own, **answer["progress"], raw=answer)


def _read_predictions(answer: dict[str, Any]) -> list[Prediction]:
    return [Prediction(**row) for row in answer["predictions"]]


def _read_job_result(job: Job, data: bytes) -> Result | list[Item] | list[Prediction] | bytes:
    if job.format != "json":
        return data
    if job.kind == "recognize":
        return _read_predictions(json.loads(data))
    return _read_items(json.loads(data)) if job.kind == "batch" else _read_result(json.loads(data))


def _read_rows(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def _read_labels(answer: dict[str, Any]) -> list[Label]:
    return [Label(**{**row, "colour": tuple(row["colour"])}) for row in answer["labels"]]


def _read_parsers(answer: dict[str, Any]) -> dict[str, str | None]:
    return {row["name"]: row["missing"] for row in answer["parsers"]}
