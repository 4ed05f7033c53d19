"""Getting M2FP's weights: from ModelScope, or from a folder that is already there.

Nothing is used before it is whole: a download grows in FOLDER.part, where a later call goes on;
what is complete is checked and converted in FOLDER.new, and only then becomes FOLDER.
"""

from __future__ import annotations

import errno
import logging
import shutil
from pathlib import Path
from typing import Final

from humanparse.errors import FetchFailed, HubUnreachable, NoSpace, WeightsDamaged
from humanparse.parsers.m2fp import configuration
from humanparse.parsers.m2fp.configuration import read_configuration
from humanparse.parsers.m2fp.runtime import converted
from humanparse.parsers.m2fp.weights import CHECKPOINT, missing_from

MODELS: Final = (  # the same one under its present and its older name
    "iic/cv_resnet101_image-multiple-human-parsing",
    "damo/cv_resnet101_image-multiple-human-parsing",
)
REVISION: Final = "v1.0.1"
DOWNLOAD_BYTES: Final = 720_000_000
CONVERTED_BYTES: Final = 270_000_000
FILES: Final = (configuration.FILE, CHECKPOINT)
NOTICE: Final = (
    f"M2FP (Mask2Former-Parsing, ResNet-101), {MODELS[0]}, revision {REVISION}, from ModelScope.\n"
    f"Download: about {DOWNLOAD_BYTES / 1e6:.0f} MB; with its converted form about "
    f"{(DOWNLOAD_BYTES + CONVERTED_BYTES) / 1e9:.1f} GB of disk.\n"
    "Licence of the weights: CC BY-NC 4.0, for NON-COMMERCIAL use only. The compact parser has no such limit.\n"
)

log = logging.getLogger(__name__)


def fetch(folder: Path, source: Path | None = None, endpoint: str | None = None) -> None:
    """Make `folder` a usable model folder, or leave it as it was.

    source: a folder with the model's files instead of the network. endpoint: another hub's address.
    Raises HubUnreachable, NoSpace, WeightsDamaged, ParserUnavailable or FetchFailed.
    """
    ready = folder.with_name(folder.name + ".new")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(ready, ignore_errors=True)
        if source is None:
            part = folder.with_name(folder.name + ".part")
            _download(part, endpoint)
            ready.mkdir()
            for name in FILES:
                (part / name).replace(ready / name)
        else:
            part = None
            _copy(source, ready)
        read_configuration(ready)
        converted(ready)
        shutil.rmtree(folder, ignore_errors=True)
        ready.replace(folder)
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as exc:
        raise _disk_trouble(exc, folder) from exc
    finally:
        shutil.rmtree(ready, ignore_errors=True)


def _copy(source: Path, ready: Path) -> None:
    missing = missing_from(source)
    if missing is not None:
        raise FetchFailed(f"{source} has no {missing}; it must hold {' and '.join(FILES)}.")
    _check_space(ready.parent, sum((source / name).stat().st_size for name in FILES) + CONVERTED_BYTES)
    ready.mkdir()
    for name in FILES:
        shutil.copyfile(source / name, ready / name)


def _download(part: Path, endpoint: str | None) -> None:
    """The model's two files into `part`, going on with what is there; ModelScope's client checks their SHA-256."""
    have = sum(path.stat().st_size for path in part.rglob("*") if path.is_file()) if part.exists() else 0
    _check_space(part.parent, DOWNLOAD_BYTES + CONVERTED_BYTES - have)
    from modelscope.hub.snapshot_download import snapshot_download
    from modelscope_hub.errors import FileIntegrityError, HubError, NetworkError
    from requests.exceptions import HTTPError, RequestException

    for model in MODELS:
        try:
            snapshot_download(
                model,
                revision=REVISION,
                local_dir=str(part),
                allow_patterns=list(FILES),
                max_workers=1,
                endpoint=endpoint,
            )
            break
        except HTTPError as exc:  # what the client makes of a model that is not there, or not for everybody
            if model == MODELS[-1]:
                raise FetchFailed(f"ModelScope no longer gives {MODELS[0]} at revision {REVISION}.") from exc
        except FileIntegrityError as exc:
            raise WeightsDamaged(f"The download arrived damaged ({exc}); run the command again.") from exc
        except (NetworkError, ConnectionError, RequestException) as exc:
            raise HubUnreachable(
                "ModelScope cannot be reached. Run the command again with a network (it goes on where it was), "
                "or bring the files from elsewhere: `python -m humanparse fetch m2fp --from DIR`."
            ) from exc
        except HubError as exc:
            raise FetchFailed(f"ModelScope refused: {exc}; run the command again, it goes on where it was.") from exc
    missing = missing_from(part)
    if missing is not None:
        raise FetchFailed(f"ModelScope's model has no {missing}; is {REVISION} still the one?")


def _check_space(where: Path, needed: int) -> None:
    free = shutil.disk_usage(where).free
    if free < needed:
        raise NoSpace(f"{where} has {free / 1e9:.1f} GB free; about {needed / 1e9:.1f} GB are needed.", needed=needed)


def _disk_trouble(exc: OSError, folder: Path) -> FetchFailed:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(f"The disk of {folder.parent} is full; make room and run the command again.")
    return FetchFailed(f"{exc.filename or folder} cannot be written or read: {exc.strerror or exc}.")
