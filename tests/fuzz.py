"""Fuzzing by hand: `python -m tests.fuzz --minutes 60`. Two targets in turn, until the time is over.

    decode    damaged images through the decoders, processes of their own
    request   damaged bodies, headers and queries through the whole app, over a parser that needs no network

Whatever is not an InputError, or a status below 500, or a truthful 503, is a finding: the input is kept in
`fuzz-findings/`, and the exit code is 1. A decoder that crashes costs its file and is counted, not a finding.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any, Final

from flask.testing import FlaskClient
from werkzeug.exceptions import ClientDisconnected

from app import create_app
from humanparse.config import Settings
from humanparse.decoding import Decode, Decoders
from humanparse.errors import InputError
from humanparse.pipeline import Pipeline
from tests.band_parser import BandParser
from tests.damage import WAYS, seeds

PATHS: Final = ("/api/parse", "/api/parse/batch", "/api/jobs", "/upload")
TYPES: Final = (
    "multipart/form-data; boundary=x", "application/json", "image/jpeg", "application/octet-stream", "application/zip",
    "", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "application/json; charset=utf-16",
    "image/", "multipart/mixed; boundary=x", "application/x-www-form-urlencoded", "\x80\xff", "a/b; " * 200,
)  # fmt: skip
NAMES: Final = ("parser", "alpha", "outline", "detail", "palette", "include", "overlay", "format", "kind", "url",
                "callback_url", "image", "x" * 2000, "\0", "alpha[]", "__proto__")  # fmt: skip
VALUES: Final = ("", "0", "1", "-1", "nan", "1e999", "true", "json", "coco", "none", "auto", "compact", "[]", "{}",
                 "\0", "é" * 300, "../../etc/passwd", "9" * 5000, "rle,rle,masks", "' OR 1=1", "{{7*7}}")  # fmt: skip


def hurt(data: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    found = bytearray(data)
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        found = chance.choice(list(WAYS.values()))(found, chance, others)
    return bytes(found)


def decode_once(decode: Decode, chance: random.Random, files: list[bytes]) -> tuple[str, bytes]:
    """(what became of it, the input)."""
    data = hurt(chance.choice(files), chance, files)
    try:
        image = decode(data)
    except InputError as error:
        return ("crash" if "crashed" in error.message else error.code), data
    assert image.ndim == 3 and image.shape[2] == 3 and image.size > 0
    return "read", data


def request_once(client: FlaskClient, chance: random.Random, files: list[bytes]) -> tuple[str, bytes]:
    """(status, body); the rest of the request is in the body's place in a finding."""
    body = hurt(_body(chance, files), chance, files)
    query = {chance.choice(NAMES): chance.choice(VALUES) for _ in range(chance.choice((0, 0, 1, 2)))}
    headers = [("Content-Type", chance.choice(TYPES))] if chance.random() < 0.9 else []
    for name, values in (("Accept", ("image/png", "*", "text/html", "x/y;q=z", ",,,")), ("Idempotency-Key", VALUES)):
        if chance.random() < 0.2:
            headers.append((name, chance.choice(values).replace("\0", "")))
    path = chance.choice(PATHS)
    told = repr((path, query, headers)).encode() + b"\n" + body
    try:
        answer = client.post(path, data=body, query_string=query, headers=headers, buffered=True)
    except ClientDisconnected:
        return "disconnected", told
    except UnicodeError:  # a header that no server would pass on
        return "no request", told
    if answer.status_code == 503:
        assert "Retry-After" in answer.headers, answer.text
    else:
        assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        text = answer.text
        assert "Traceback" not in text and "/humanparse/" not in text, text
    return str(answer.status_code), told


def _body(chance: random.Random, files: list[bytes]) -> bytes:
    photo = chance.choice(files)
    kind = chance.randrange(4)
    if kind == 0:
        return photo
    if kind == 1:
        return json.dumps(_thing(chance, photo, 3)).encode()
    if kind == 2:
        return b"[" * chance.choice((10, 5000, 200_000)) + b"1" + b"]" * 5
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\nContent-Type: %s\r\n\r\n%s\r\n'
        % (
            chance.choice(NAMES).encode(),
            chance.choice((b"", b'; filename="a.jpg"', b'; filename="../\xff\\.zip"')),
            chance.choice(TYPES).encode("utf-8", "replace"),
            chance.choice((photo, chance.choice(VALUES).encode())),
        )
        for _ in range(chance.choice((1, 2, 5, 1200)) if chance.random() < 0.1 else 2)
    )
    return parts + b"--x--\r\n"


def _thing(chance: random.Random, photo: bytes, depth: int) -> Any:
    """Some JSON; often an object that is nearly a request."""
    kind = chance.randrange(6)
    if kind <= 2 and depth:
        text = b64encode(photo).decode()
        images = (text, f"data:image/jpeg;base64,{text}", "data:", text[:-1], "", None, 7, [text])
        more = {chance.choice(NAMES): _thing(chance, photo, depth - 1) for _ in range(chance.randrange(3))}
        return {"image": chance.choice(images), **more}
    if kind == 3 and depth:
        return [_thing(chance, photo, depth - 1) for _ in range(chance.randrange(4))]
    return chance.choice((*VALUES, None, True, 0, -1, 1e308, 10**400, [], {}))


def fuzz(minutes: float, seed: int, findings: Path) -> tuple[Counter[str], int]:
    """How often each outcome was, and how many findings."""
    chance, counts, found = random.Random(seed), Counter[str](), 0
    files = [data for _, data in seeds()]
    decode = Decoders(Settings(max_pixels=4_000_000, decode_timeout_s=5))
    with tempfile.TemporaryDirectory() as folder:
        folders = {name: Path(folder) / name for name in ("results_dir", "jobs_dir", "cache_dir")}
        settings = Settings(**folders, max_pixels=200_000, max_bytes=300_000, batch_bytes=600_000, jobs_bytes=1 << 22)
        pipeline = Pipeline(settings, lambda name, own: BandParser(own))
        app = create_app(settings, pipeline)
        client, end = app.test_client(), time.monotonic() + minutes * 60
        while time.monotonic() < end:
            for target, once in (("decode", lambda: decode_once(decode, chance, files)),
                                 ("request", lambda: request_once(client, chance, files))):  # fmt: skip
                state = chance.getstate()
                try:
                    outcome, _ = once()
                    counts[f"{target} {outcome}"] += 1
                except Exception as error:
                    found += 1
                    chance.setstate(state)
                    findings.mkdir(parents=True, exist_ok=True)
                    (findings / f"{target}-{seed}-{found}.txt").write_text(f"{error!r}\n{state}")
                    print(f"FINDING {target}: {error!r}"[:600], file=sys.stderr)
                    chance.random()  # else the same again
        app.extensions["humanparse"].jobs.runner.stop()
    decode.close()
    pipeline.close()
    return counts, found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    args = parser.parse_args(arguments)
    counts, found = fuzz(args.minutes, args.seed, args.findings)
    print(f"seed {args.seed}: {sum(counts.values())} inputs, {found} findings")
    for outcome, count in counts.most_common():
        print(f"  {count:7}  {outcome}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
