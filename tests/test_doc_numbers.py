"""Numbers and lists in the documents that the code makes are the code's."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from typing import Final

import pytest

import app
from benchmarks.codebase import measure
from humanparse import (
    gate,
    image_formats,
    images,
    kept,
    keypoints,
    outbound,
    pipeline,
    records,
    request_log,
    storage,
    tasks,
    workers,
)
from humanparse.client import LONGEST_WAIT_S, RETRIES
from humanparse.commands import COMMANDS
from humanparse.commands.video import INTERRUPTED
from humanparse.config import SHORTEST_TOKEN, Settings
from humanparse.decoding import pool
from humanparse.effects.contract import USUAL_SIDE
from humanparse.effects.tiles import SIDE
from humanparse.errors import StorageError
from humanparse.jobs import callbacks, caretaker, files, runner, worker
from humanparse.jobs.records import KINDS, STATES, TRIES
from humanparse.labels import CLASSES
from humanparse.options import CHOICES
from humanparse.parsers.compact import detail, frame, weights
from humanparse.parsers.sizes import MAX_FINE_PIXELS
from humanparse.recognition.imagenet import read_labels
from humanparse.recognition.options import MOST, RecognizeOptions
from humanparse.video import containers, conversion, live, process, tracking
from humanparse.video.options import VIDEO_OPTIONS
from humanparse.web import access, orders, patience, results
from humanparse.web.errors import HTTP_CODES, STATUS
from humanparse.web.gunicorn_worker import HEAD_S
from humanparse.web.schemas import ANSWER_KEYS
from tests.test_doc_names import ROOT

OWN: Final = Settings()
PLAN: Final = workers.plan(OWN, workers=1)
WORDS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MEBI, GIBI, MINUTE, HOUR, DAY = 1 << 20, 1 << 30, 60, 3600, 86_400


def said(seconds: float, unit: int = 1) -> str:
    return f"{seconds / unit:g}"


WAITS: Final = f"{said(callbacks.WAITS_S[0])} s, " + ", ".join(said(s, MINUTE) for s in callbacks.WAITS_S[1:])
ALONE: Final = pipeline.ON_DECK + 1
SENTENCES: Final = [
    # document, and what stands in it; a number of a setting is its default
    ("api.md", f"up to {OWN.max_bytes // MEBI} MiB and {OWN.max_pixels // 10**6} million pixels"),
    ("api.md", f"no side over {OWN.max_side:,} pixels, and {said(OWN.decode_timeout_s)} seconds of a processor"),
    ("api.md", image_formats.format_names().replace("GIF", "GIF (first frame)")),
    ("api.md", f"| `alpha` | 0 to 1 | {OWN.alpha} |"),
    *(("api.md", f"| `{name}` | {', '.join(f'`{value}`' for value in values)} | `{values[0]}` |")
      for name, values in CHOICES.items() if name not in ("format", "parser")),
    ("api.md", f"{WORDS[detail.MAX_LOOKS]} largest of them at most"),
    ("api.md", f"the {len(CLASSES)} classes"),
    ("api.md", f"A score below {keypoints.MIN_SCORE} means"),
    ("api.md", f"Limits: {OWN.batch_files} photos, {OWN.batch_bytes // MEBI} MiB in the request, "
               f"{OWN.batch_unpacked_bytes // MEBI} MiB unpacked"),
    ("api.md", f"(a header, 1 to {orders.LONGEST_KEY} characters)"),
    ("api.md", f"tried again after {WAITS.replace(f', {said(callbacks.WAITS_S[-1], MINUTE)}', '')} and "
               f"{said(callbacks.WAITS_S[-1], MINUTE)} minutes"),
    ("api.md", f"more than {OWN.slowest_bytes_s // 1024} KiB/s after its first {said(patience.GRACE_S)} seconds"),
    ("client.md", f"at most {WORDS[RETRIES]} times and {said(LONGEST_WAIT_S)} seconds each"),
    ("security.md", f"{OWN.max_bytes // MEBI} MiB a file, {OWN.max_pixels // 10**6} million pixels, "
                    f"{OWN.max_side:,} pixels a side"),
    ("security.md", f"{said(OWN.decode_timeout_s)} seconds of a processor for decoding"),
    ("security.md", ", ".join(one.name for one in image_formats.FORMATS) + ", chosen by the file's first bytes"),
    ("security.md", f"but for {WORDS[len(images._HARMLESS)]} of Pillow's"),
    ("security.md", f"readers of {WORDS[len(containers.CONTAINERS)]} containers"),
    ("security.md", f"One line in front of the parser, {OWN.queue_length} long in each worker"),
    ("security.md", f"{WORDS[ALONE]} photos at most are decoded or parsed at a time in each worker, and "
                    f"{WORDS[app.FILES_AT_ONCE]} more for files"),
    ("security.md", f"Nobody waits longer than {said(OWN.queue_timeout_s)} s (503)"),
    ("security.md", f"every {WORDS[int(results.SILENCE_S)]} seconds something goes over its line"),
    ("security.md", f"asking the socket, {WORDS[round(1 / gate.CHECK_S)]} times a second"),
    ("security.md", f"less than {OWN.slowest_bytes_s // 1024} KiB/s after {said(patience.GRACE_S)} s are ended"),
    ("security.md", f"heads of requests after {said(HEAD_S)} s"),
    ("security.md", f"threads ({PLAN.request_threads} in each worker)"),
    ("security.md", f"A Celery worker goes on with its job for {said(tasks.FINISH_S)} s"),
    ("security.md", f"holds {access.COOKIE_AGE_S // DAY} days"),
    ("security.md", f"size and time ({said(OWN.fetch_timeout_s)} s) are limited"),
    ("security.md", f"an hour, {OWN.results_bytes // MEBI} MiB in all, or until *Remove it now*"),
    ("security.md", f"a day after it ended, {OWN.jobs_bytes // GIBI} GiB in all"),
    ("security.md", f"an hour, {OWN.cache_bytes // MEBI} MiB in all"),
    ("security.md", f"`Retry-After` is {StorageError('').retry_after_s} s"),
    ("settings.md", f"The token that those readers send, {SHORTEST_TOKEN} characters or more."),
    ("jobs.md", f"(`HUMANPARSE_JOB_LEASE_S`, {said(OWN.job_lease_s)} s) that the worker renews while it lives, "
                f"{WORDS[worker.BEATS]} times in each"),
    ("jobs.md", f"After {WORDS[TRIES]} dead workers a job fails"),
    ("jobs.md", f"goes on with the job at hand for {said(tasks.FINISH_S)} s"),
    ("jobs.md", "each try has {0} s to connect and {0} s for the rest, ".format(said(callbacks.TIMEOUT_S))
                + f"{WORDS[len(callbacks.WAITS_S) + 1]} tries in all"),
    ("video.md", f"with at most {WORDS[conversion.QUEUE]} frames between two of them"),
    ("video.md", f"(after {', '.join(map(said, live.WAITS_S))} s)"),
    ("video.md", f"the exit code is then {INTERRUPTED}"),
    ("video.md", f"remembered for {said(tracking.KEEP_S)} seconds"),
    ("video.md", f"a frame has at most {records.MAX_PEOPLE} people"),
    ("video.md", f"says nothing for {WORDS[int(process.SILENCE_S // MINUTE)]} minutes"),
    ("memory.md", f"replaced after {pool.PHOTOS_OF_A_LIFE} photos"),
    ("memory.md", f"{WORDS[OWN.decoders]} for each worker at most"),
    ("memory.md", f"run in tiles of {SIDE} with a margin"),
    ("recognition.md", f"the most likely of {len(read_labels())} things"),
    ("recognition.md", f"`top_k` (1 to {MOST}, default {RecognizeOptions.top_k})"),
    ("studio.md", f"`HUMANPARSE_STYLIZE_PIXELS` ({OWN.stylize_pixels // 10**6} million)"),
    ("studio.md", f"are for a shorter side of {USUAL_SIDE} and grow"),
    ("m2fp.md", f"Photos over {MAX_FINE_PIXELS // 10**6} megapixels"),
    ("deployment.md", f"results {OWN.results_bytes // MEBI} MiB, jobs {OWN.jobs_bytes // GIBI} GiB of uploads"),
    ("deployment.md", f"cache {OWN.cache_bytes // MEBI} MiB"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sentence"), SENTENCES)
def test_a_limit_stands_as_the_code_has_it(name: str, sentence: str) -> None:
    assert sentence in " ".join((ROOT / "docs" / name).read_text().split())


def test_spans_that_are_told_in_words() -> None:
    """An hour, a day, half a minute: where one of these changes, so do security.md, jobs.md and others."""
    assert OWN.result_age_s == OWN.cache_age_s == files.ORPHAN_AGE_S == tasks.VISIBILITY_S == HOUR
    assert OWN.job_age_s == DAY
    assert caretaker.EXPIRE_EVERY_S == storage.LOOK_S == 30
    assert storage.OVER == 50  # a fiftieth
    assert request_log.TRIM_S == 10
    assert runner.STOP_S == 20
    assert 2 * detail.MAX_SIDE < frame.LONG_SIDE  # small: less than about half of the longer side
    assert outbound.LONGEST_URL == 2048


def test_videos_have_every_option_suffix_scheme_and_codec() -> None:
    text = (ROOT / "docs" / "video.md").read_text()
    for name, meaning in VIDEO_OPTIONS.items():
        assert f"| `{name}` | {meaning} |" in text
    for suffix in containers.FORMATS:
        assert f"`{suffix}`" in text
    for scheme in live.SCHEMES:
        assert f"`{scheme}`" in text
    for codec in containers.VIDEO_CODECS:
        name = {"mpeg2video": "MPEG-2", "mpeg4": "MPEG-4", "prores": "ProRes", "hevc": "HEVC"}.get(codec, codec.upper())
        assert re.search(rf"\b{name.replace('H26', 'H.26')}\b", text), codec
    for answer in containers.ANSWERS:
        assert f"`{answer}`" in text


def test_the_table_of_errors_has_every_code_under_its_status_and_no_other() -> None:
    table = (ROOT / "docs" / "api.md").read_text().split("## Errors")[1].split("\n## ")[0]
    told = {
        (int(row[0]), code)
        for row in re.findall(r"^\| (\d{3}) \| (.*?) \|", table, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", row[1])
    }
    known = {(status, cls.code) for cls, status in STATUS.items()} | {(s, c) for s, c in HTTP_CODES.items()}
    known |= {(500, "internal")}
    assert told <= known
    assert {(status, code) for status, code in known - told if status != 500} == set()


def test_a_readme_counts_classes_and_things_as_they_are() -> None:
    for name in ("README.md", "README.zh.md"):
        text = (ROOT / name).read_text()
        assert f"{len(CLASSES)} " in text
        assert f"{len(read_labels())} " in text


def test_the_model_card_describes_the_file() -> None:
    card = (weights.FOLDER / "MODEL_CARD.md").read_text()
    tensors = weights.read_weights()
    learned = [tensor for name, tensor in tensors.items() if name.endswith((".weight", ".bias"))]
    millions = sum(tensor.size for tensor in learned) / 1e6
    assert f"A network of {millions:.1f} million parameters" in card
    assert f", {weights.FILE.stat().st_size / 1e6:.1f} MB," in card
    assert f"{len(keypoints.KEYPOINT_NAMES)} key points" in card
    assert f"longer side {frame.LONG_SIDE}" in card


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_time_in_a_readme_is_that_of_the_benchmark(name: str) -> None:
    """As the table of docs/performance.md has it, to within 5 ms."""
    table = (ROOT / "docs" / "performance.md").read_text()
    measured = int(re.search(r"^\| all CPU features \| (\d+) \|", table, re.MULTILINE)[1])  # type: ignore[index]
    shown = int(re.search(r"640x480.*?(\d+) (?:ms|毫秒)", (ROOT / name).read_text(), re.DOTALL)[1])  # type: ignore[index]
    assert abs(shown - measured) <= 5


def test_the_answers_keys_are_told() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    table = text.split("\nThe answer:\n")[1].split("\n\n")[0]
    told = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert told == list(ANSWER_KEYS)


def test_jobs_and_results_have_every_state_kind_and_file() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    states = re.search(r"^\| `state` \| (.*) \|$", text, re.MULTILINE)[1]  # type: ignore[index]
    assert re.findall(r"`(\w+)`", states) == list(STATES)
    kinds = re.search(r"^\| `kind` \| (.*) \|$", text, re.MULTILINE)[1]  # type: ignore[index]
    assert set(re.findall(r"`(\w+)`:", kinds)) == set(KINDS)
    results = text.split("## Results")[1].split("## Errors")[0]
    for name in (*kept.STORED, *kept.MADE):
        assert f"`{name}`" in results


def test_the_sizes_beside_other_codebases_are_ours() -> None:
    """They move with every commit, so to within a tenth: `python -m benchmarks.codebase` prints the column anew."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    for title, value in measure([ROOT / "humanparse", ROOT / "app.py", ROOT / "utils.py"], ROOT / "tests").items():
        shown = re.search(rf"^\| {re.escape(title)} \| ([^|]*) \|", text, re.MULTILINE)
        assert shown, title
        if title in ("files", "lines of code", "median file, all lines", "longest file", "typed functions"):
            numbers = [float(number.split()[0]) for number in (shown[1], value)]
            assert numbers[0] == pytest.approx(numbers[1], rel=0.1), title


def test_every_command_has_its_row_and_options() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(COMMANDS)
    for name, (module, help) in COMMANDS.items():
        parser = argparse.ArgumentParser()
        getattr(import_module(f"humanparse.commands.{module}"), f"define_{name}")(parser)
        options = [f"`{action.option_strings[0]}`" for action in parser._actions[1:] if action.option_strings]
        assert f"| `{name}` | {help} | {', '.join(options) or 'none'} |" in text


def test_gunicorn_ends_when_the_document_says() -> None:
    graceful = re.search(r"^graceful_timeout = (\d+)$", (ROOT / "gunicorn.conf.py").read_text(), re.MULTILINE)
    assert graceful
    assert f"then the process ends ({graceful[1]} s)" in " ".join((ROOT / "docs" / "security.md").read_text().split())


def test_deployment_says_what_the_files_say() -> None:
    text = " ".join((ROOT / "docs" / "deployment.md").read_text().split())
    nginx = (ROOT / "deploy" / "nginx" / "humanparse.conf").read_text()
    rate = re.search(r"zone=humanparse_sent:\w+ rate=(\d+)r/s", nginx)[1]  # type: ignore[index]
    burst = re.search(r"zone=humanparse_sent burst=(\d+)", nginx)[1]  # type: ignore[index]
    assert f"{rate} posts a second of each address, {burst} at once" in text
    timeout = re.search(r"proxy_read_timeout (\d+)s", nginx)[1]  # type: ignore[index]
    assert f"waits for {WORDS[int(timeout) // MINUTE]} minutes" in (ROOT / "docs" / "security.md").read_text()
    web = (ROOT / "deploy" / "kubernetes" / "web.yaml").read_text()
    low, high = (re.search(rf"{name}Replicas: (\d+)", web)[1] for name in ("min", "max"))  # type: ignore[index]
    assert f"between {low} and {high}" in text
    user = re.findall(r"^USER (\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1]
    assert f"user {user}," in text
    memory = re.search(r"--maxmemory, (\d+)mb, --maxmemory-policy, ([\w-]+)", (ROOT / "compose.yaml").read_text())
    assert memory
    assert f"in {memory[1]} MB" in text
    assert f"(`{memory[2]}`)" in text
    largest = re.search(r"client_max_body_size (\d+)m;", nginx)[1]  # type: ignore[index]
    assert OWN.video_bytes < int(largest) * MEBI
