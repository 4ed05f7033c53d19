"""Each law broken by hand must break a test: `python -m tests.mutants`.

Every mutant is one change of a line in a copy of the sources; the tests named beside it must fail then. Compositor,
who is whose, key points, the records, the encoders and the decoder's limits. Not part of the suite: it runs pytest
some seventy times.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.test_extending import copy_sources

COMPOSITOR = "tests/test_utils.py"
GROUPING = "tests/parsers/compact/test_grouping.py"
IMAGES = "tests/test_images.py"
DECODING = "tests/test_decoding.py"
LINE = "tests/test_sister_line.py"
RECORDS = "tests/test_records.py"
ENCODING = "tests/test_encoding.py"
SIDES = "tests/parsers/compact/test_sides.py"
UPSAMPLE = "tests/parsers/compact/test_upsample.py"
POSING = "tests/parsers/compact/test_posing.py"
GATE = "tests/test_gate.py"
LIMIT_S = 600
READING = "tests/parsers/compact/test_reading.py"
DETAIL = "tests/parsers/compact/test_detail.py"
PEOPLE = "tests/parsers/m2fp/test_people.py"
SIZES = "tests/parsers/test_sizes.py"
ARCHIVES = "tests/test_archives.py"


@dataclass(frozen=True)
class Mutant:
    """One change: file, what stands there once, what instead, and the tests that must see it."""

    file: str
    before: str
    after: str
    tests: str


MUTANTS = (
    # the compositor
    Mutant("utils.py", "image, 1 - alpha, overlay, alpha", "image, alpha, overlay, 1 - alpha", COMPOSITOR),
    Mutant("utils.py", "if alpha == 0:", "if alpha == 2:", COMPOSITOR),
    Mutant("utils.py", "if not 0 <= alpha <= 1:", "if not 0 <= alpha <= 2:", COMPOSITOR),
    Mutant("utils.py", "cv2.copyTo(image, nobody, overlay)", "pass", COMPOSITOR),
    Mutant("utils.py", "key=lambda i: -areas[i]", "key=lambda i: areas[i]", COMPOSITOR),
    Mutant("utils.py", "if int(labels.max()) >= len(palette):", "if int(labels.max()) > len(palette):", COMPOSITOR),
    Mutant("utils.py", "np.logical_and(differs, people)", "differs", COMPOSITOR),
    Mutant("utils.py", "if outline and people is not None:", "if people is not None:", COMPOSITOR),
    Mutant("utils.py", "mask > 0.5 if", "mask > 0 if", COMPOSITOR),
    Mutant("utils.py", "        if ids[i]:\n", "        if True:\n", COMPOSITOR),
    Mutant("utils.py", "if int(labels.max()) >=", "if int(labels.min()) >=", COMPOSITOR),
    Mutant("utils.py", "palette=palette, alpha=alpha)", "alpha=alpha)", COMPOSITOR),
    Mutant("utils.py", 'mask.dtype.kind == "f" else mask != 0', 'mask.dtype.kind == "f" else mask > 0', COMPOSITOR),
    # who is whose
    Mutant("humanparse/parsers/compact/grouping.py", "columns + output[2]", "columns - output[2]", GROUPING),
    Mutant("humanparse/parsers/compact/grouping.py", "cells >= MIN_CELLS", "cells >= 0", GROUPING),
    Mutant("humanparse/parsers/compact/grouping.py", "(heat == highest) & ", "", GROUPING),
    Mutant("humanparse/parsers/compact/grouping.py", "mean_miss > MAX_MISS_CELLS", "mean_miss > 1e9", GROUPING),
    Mutant("humanparse/parsers/compact/grouping.py", "    _spread(closeness, kept)\n", "", GROUPING),
    Mutant("humanparse/parsers/compact/grouping.py", "somebody & ~dropped", "somebody", GROUPING),
    Mutant("humanparse/parsers/compact/grouping.py", "2 * PEAK_RADIUS + 1", "2 * PEAK_RADIUS", GROUPING),
    Mutant("humanparse/parsers/compact/grouping.py", "cells >= MIN_LONE_CELLS", "cells > MIN_LONE_CELLS", GROUPING),
    Mutant("humanparse/parsers/compact/grouping.py", "[edge]) / share[edge]", "[edge])", GROUPING),
    Mutant("humanparse/parsers/compact/grouping.py", " if kept.any() else (closeness[:0], kept)", "", GROUPING),
    Mutant("humanparse/parsers/compact/reading.py", "np.where(somebody & ~kept, NOBODY, logits)", "logits", READING),
    Mutant("humanparse/parsers/compact/reading.py", "    people[labels == 0] = 0\n", "", READING),
    Mutant("humanparse/parsers/compact/detail.py", " & (mine | (people == 0))", "", DETAIL),
    Mutant("humanparse/parsers/sizes.py", "    while ", "    if ", SIZES),
    Mutant("humanparse/parsers/m2fp/people.py", "not in (0, human)", "!= human", PEOPLE),
    Mutant("humanparse/parsers/m2fp/people.py", "shared > SAME_HUMAN *", "shared > 0 *", PEOPLE),
    Mutant("humanparse/parsers/m2fp/people.py", ">= MIN_CLAIMED *", ">= 0 *", PEOPLE),
    Mutant("humanparse/parsers/m2fp/people.py", ">= MIN_COVERED *", ">= 0 *", PEOPLE),
    Mutant("humanparse/parsers/m2fp/people.py", "if own < humans and covers[own, x] <= 0:", "if False:", PEOPLE),
    Mutant("humanparse/parsers/compact/sides.py", "logits[right][wrong], logits[left][wrong]", "0.0, 0.0", SIDES),
    Mutant("humanparse/parsers/compact/sides.py", "right if share > 0.5 else left", "left if share > 0.5 else right",
           SIDES),
    Mutant("humanparse/parsers/compact/posing.py", " & free", "", POSING),
    Mutant("humanparse/parsers/compact/posing.py", "y0 + int(row)", "int(row)", POSING),
    Mutant("humanparse/parsers/compact/posing.py", "joints[joint, y0 + row, x0 + column]", "joints[joint, row, column]",
           POSING),
    Mutant("humanparse/parsers/compact/posing.py", "y + h + REACH", "y + h", POSING),
    Mutant("humanparse/parsers/compact/upsample.py", "cv2.CMP_GT", "cv2.CMP_GE", UPSAMPLE),
    Mutant("humanparse/parsers/compact/upsample.py", "(x0 + 0.5) * across - 0.5", "x0 * across", UPSAMPLE),
    # what a Parsing says
    Mutant("humanparse/records.py", "top + y + py", "y + py", RECORDS),
    Mutant("humanparse/records.py", "(x0 + pw, y0 + ph)", "(x0 + pw - 1, y0 + ph)", RECORDS),
    Mutant("humanparse/records.py", "np.argsort(-areas, kind", "np.argsort(areas, kind", RECORDS),
    Mutant("humanparse/records.py", "if not np.array_equal(labels > 0, people > 0):", "if False:", RECORDS),
    Mutant("humanparse/records.py", "array.setflags(write=False)", "pass", RECORDS),
    Mutant("humanparse/records.py", "keypoints[n - 1]", "keypoints[0]", RECORDS),
    Mutant("humanparse/records.py", "_score(sums[i], areas[i])", "_score(areas[i], sums[i])", RECORDS),
    Mutant("humanparse/records.py", "size[1] - 1", "size[1]", RECORDS),
    # what goes out
    Mutant("humanparse/encoding.py", "filtered[0, 1:] = pixels[0]", "filtered[0, 1:] = 0", ENCODING),
    Mutant("humanparse/encoding.py", "image[max(0, top - 1) : bottom]", "image[top : bottom]", ENCODING),
    Mutant("humanparse/encoding.py", "if int(ids.max()) >= len(palette):", "if False:", ENCODING),
    # the decoder's limits
    Mutant("humanparse/images.py", "if len(data) > max_bytes:", "if False:", IMAGES),
    Mutant("humanparse/images.py", "if width * height > max_pixels:", "if False:", IMAGES),
    Mutant("humanparse/images.py", "if max(width, height) > max_side and", "if False and", IMAGES),
    Mutant("humanparse/images.py", "formats=[format.pillow_name for format in formats]", "formats=None", IMAGES),
    Mutant("humanparse/images.py", "            _refuse_compressed_tiles(picture)\n", "", IMAGES),
    Mutant("humanparse/images.py", "_turn_upright(_to_array(_to_rgb(picture)), orientation)",
           "_to_array(_to_rgb(picture))", IMAGES),
    Mutant("humanparse/apart.py", "(resource.RLIMIT_AS, _address_space() + more_bytes),", "", DECODING),
    Mutant("humanparse/decoding/child.py", "signal.setitimer(signal.ITIMER_PROF, cpu_s)", "pass", DECODING),
    Mutant("humanparse/apart.py", "env=calm,", "env=None,", DECODING),
    Mutant("humanparse/decoding/nursery.py", "os.kill(key.data, signal.SIGKILL)", "pass", DECODING),
    Mutant("humanparse/decoding/nursery.py", "if len(ends) < 2:", "if False:", DECODING),
    Mutant("humanparse/decoding/decoder.py", "except ConnectionError:", "except OSError:", DECODING),
    Mutant("humanparse/archives.py", 'member.filename.startswith("__MACOSX/")', "False", ARCHIVES),
    Mutant("humanparse/decoding/child.py", ", max_side=max_side)", ")", DECODING),
    Mutant("humanparse/decoding/decoder.py", "max(height, width) > settings.max_side or ", "", DECODING),
    Mutant("humanparse/decoding/decoder.py", "        self.photos += 1\n", "", DECODING),
    # the line
    Mutant("humanparse/studio.py", "join=not work.inside", "join=True", LINE),
    Mutant("humanparse/gate.py", "if len(self._line) >= self.length:", "if False:", GATE),
    Mutant("humanparse/gate.py", "min(until, ", "max(0, ", GATE),
    Mutant("humanparse/gate.py", " / self.places", "", GATE),
    Mutant("humanparse/gate.py", "self._line.popleft().set()", "self._line.pop().set()", GATE),
    Mutant("humanparse/gate.py", "if given:  # at the last moment, after all", "if False:", GATE),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="only mutants of files with this in their name")
    parser.add_argument("--jobs", type=int, default=2, help="at a time (%(default)s)")
    args = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if args.only in mutant.file]
    with ThreadPoolExecutor(args.jobs) as pool:
        seen = list(pool.map(is_seen, chosen))
    for mutant, was_seen in zip(chosen, seen, strict=True):
        if not was_seen:
            print(f"NOT SEEN by {mutant.tests}: {mutant.file}: {mutant.before!r} -> {mutant.after!r}")
    print(f"{sum(seen)} of {len(chosen)} broken laws were seen")
    sys.exit(not all(seen))


def is_seen(mutant: Mutant) -> bool:
    """Do the tests fail in a copy with this change?"""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        copy_sources(tree)
        path = tree / mutant.file
        text = path.read_text()
        if text.count(mutant.before) != 1:
            raise SystemExit(f"{mutant.file} has {text.count(mutant.before)} times: {mutant.before}")
        path.write_text(text.replace(mutant.before, mutant.after))
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutant.tests]
        try:
            ended = subprocess.run(command, cwd=tree, capture_output=True, timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            return True  # nobody overlooks tests that do not end
        if ended.returncode not in (0, 1):  # 1: a test failed; the rest means that nothing ran
            raise SystemExit(
                f"{mutant.tests} did not run: {ended.stdout.decode()[-1000:]}{ended.stderr.decode()[-1000:]}"
            )
        return ended.returncode == 1


if __name__ == "__main__":
    main()
