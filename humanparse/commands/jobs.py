"""Jobs from the command line: `submit PHOTO...` and `job ID`, to a service that runs somewhere."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from humanparse.client import ApiError, Client, ClientError, Job
from humanparse.commands.troubles import describe_trouble
from humanparse.exports import FORMATS, JSON
from humanparse.options import CHOICES

ADDRESS = "http://127.0.0.1:5000"


def define_submit(submit: argparse.ArgumentParser) -> None:
    submit.add_argument("photos", nargs="+", type=Path, metavar="PHOTO_ZIP_OR_VIDEO")
    submit.add_argument("--format", choices=CHOICES["format"], help="what is wanted (default: json)")
    submit.add_argument("--key", help="idempotency key: the same again gives the same job")
    submit.set_defaults(run=_submit)
    _add_service(submit)


def define_job(job: argparse.ArgumentParser) -> None:
    job.add_argument("id", metavar="ID")
    job.add_argument("--wait", action="store_true", help="until it has ended")
    job.add_argument("--cancel", action="store_true", help="cancel it, if it has not ended")
    job.add_argument("--out", type=Path, metavar="FOLDER", help="write the result there; waits for it")
    job.set_defaults(run=_look)
    _add_service(job)


def _add_service(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--api-key-file", type=Path, metavar="FILE", help="where your API key stands")
    parser.add_argument("--to", default=ADDRESS, metavar="ADDRESS", help=f"of the service (default: {ADDRESS})")


def _api_key(args: argparse.Namespace) -> str | None:
    """From a file: what stands in a command line, every user of the machine can read."""
    return args.api_key_file.read_text().strip() if args.api_key_file else None


def _submit(args: argparse.Namespace) -> int:
    options = {"overlay": "none"} if args.format in (None, JSON) else {"format": args.format}
    try:
        with Client(args.to, api_key=_api_key(args)) as client:
            send = client.submit if len(args.photos) == 1 else client.submit_many
            photos = args.photos[0] if len(args.photos) == 1 else args.photos
            job = send(photos, idempotency_key=args.key, **options)
    except (ClientError, OSError) as error:
        return _complain(error)
    print(job.id)
    return 0


def _look(args: argparse.Namespace) -> int:
    try:
        with Client(args.to, api_key=_api_key(args)) as client:
            job = client.cancel(args.id) if args.cancel else client.job(args.id)
            if args.wait or args.out:
                job = client.wait(job)
            print(_line(job))
            if args.out and job.state == "succeeded":
                _fetch(client, job, args.out)
    except (ClientError, OSError) as error:
        return _complain(error)
    return 1 if job.state == "failed" else 0


def _fetch(client: Client, job: Job, out: Path) -> None:
    """The result of a job, and a video's data, into a folder. Raises OSError."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{job.id}{_suffix(job)}"
    path.write_bytes(client.result_bytes(job))
    print(path)
    if job.kind == "video":
        rows = path.with_suffix(".jsonl")
        rows.write_text("".join(f"{json.dumps(row)}\n" for row in client.frames(job)))
        print(rows)


def _line(job: Job) -> str:
    words = f"{job.state}, {job.done} of {job.total} done"
    if job.failed:
        words += f", {job.failed} failed"
    if job.place:
        words += f", number {job.place} in the line"
    problem = job.raw["problem"]
    return f"{words}: {problem['detail']}" if problem else words


def _suffix(job: Job) -> str:
    if job.format == JSON:
        return ".json"
    if job.kind == "video":
        return f".{job.format}"
    return ".zip" if job.kind == "batch" else FORMATS[job.format].suffix


def _complain(error: Exception) -> int:
    said = error.detail if isinstance(error, ApiError) else describe_trouble(error)
    print(said, file=sys.stderr)
    return 1
