"""Times the reference's own pipeline on photo files, one JSON line each: `python -m reference.bench_worker PHOTO ...`.

Runs in the old environment and never touches the network. A run is what the pipeline's user waits for, decoding of the
file included. Peak memory is the process's so far: for a figure of one photo alone give one photo a process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the reference pipeline; one JSON line a photo on stdout.")
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--weights", type=Path, required=True, help="model folder, as random_weights writes it")
    parser.add_argument("--runs", type=int, default=3, help="timed runs a photo, after --warm-up (default 3)")
    parser.add_argument("--warm-up", type=int, default=0, help="runs before that are not timed (default 0)")
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0 leaves the choice to it (default)")
    arguments = parser.parse_args()
    if not (arguments.weights / "configuration.json").is_file():
        parser.error(f"{arguments.weights} is no model folder; write one: python -m reference.random_weights FOLDER")

    with contextlib.redirect_stdout(sys.stderr):  # stdout is for the results
        import torch
        from modelscope.pipelines.cv.image_human_parsing_pipeline import ImageHumanParsingPipeline
        from PIL import Image

        if arguments.threads:
            torch.set_num_threads(arguments.threads)
        start = time.perf_counter()
        pipeline = ImageHumanParsingPipeline(model=str(arguments.weights), device="cpu")
        load_s = time.perf_counter() - start

    for photo in arguments.photos:
        with Image.open(photo) as image:
            width, height = image.size
        seconds = []
        with contextlib.redirect_stdout(sys.stderr):
            for run in range(arguments.warm_up + arguments.runs):
                start = time.perf_counter()
                answer = pipeline(str(photo))
                if run >= arguments.warm_up:
                    seconds.append(round(time.perf_counter() - start, 4))
                instances = len(answer["masks"])
                del answer
        line = {
            "photo": photo.name,
            "width": width,
            "height": height,
            "seconds": seconds,
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,  # Linux counts in KiB
            "load_seconds": round(load_s, 3),
            "threads": torch.get_num_threads(),
            "instances": instances,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
