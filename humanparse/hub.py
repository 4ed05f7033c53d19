"""Getting a model's files: from ModelScope, or from a folder that is already there.

Nothing is used before it is whole: a download grows in FOLDER.part, where a later call goes on;
what is complete is checked and converted in FOLDER.new, and only then becomes FOLDER.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from humanparse.errors import FetchFailed, HubUnreachable, NoSpace, WeightsDamaged

BLOCK: Final = 1 << 20  # bytes of a file that are read at a time


@dataclass(frozen=True)
class HubModel:
    """A model of the hub: `command` fetches it; its names there, newest first; the files that are wanted of it.

    download_bytes, converted_bytes: about how much disk the files and what `prepare` makes of them take.
    """

    command: str
    names: tuple[str, ...]
    revision: str
    files: tuple[str, ...]
    download_bytes: int
    converted_bytes: int

    @property
    def sizes(self) -> str:
        """What it takes, as people are told before they fetch it."""
        whole = (self.download_bytes + self.converted_bytes) / 1e9
        return (
            f"Download: about {self.download_bytes / 1e6:.0f} MB; with its converted form about {whole:.1f} GB of disk."
        )


def fetch_model(
    model: HubModel, folder: Path, prepare: Callable[[Path], object], source: Path | None, endpoint: str | None
) -> None:
    """Make `folder` a usable model folder, or leave it as it was.

    prepare: checks and converts the files in the folder it is given. source: a folder with the
    files instead of the network. endpoint: another hub's address. Raises HubUnreachable, NoSpace,
    FetchFailed, and what `prepare` raises.
    """
    ready = folder.with_name(folder.name + ".new")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(ready, ignore_errors=True)
        part = folder.with_name(folder.name + ".part")
        if source is None:
            _download(model, part, endpoint)
            ready.mkdir()
            for name in model.files:
                (part / name).replace(ready / name)
        else:
            _copy(model, source, ready)
        prepare(ready)
        shutil.rmtree(folder, ignore_errors=True)
        ready.replace(folder)
        if source is None:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as exc:
        raise _disk_trouble(exc, folder) from exc
    except ModuleNotFoundError as exc:  # modelscope, or torch for the conversion
        message = f"This is a slim installation, without {exc.name}: `pip install -r requirements.txt`, and again."
        raise FetchFailed(message) from exc
    finally:
        shutil.rmtree(ready, ignore_errors=True)


def missing_from(folder: Path, files: tuple[str, ...]) -> str | None:
    """The first file that is not there, or None where the folder looks complete. Reads nothing."""
    return next((name for name in files if not (folder / name).is_file()), None)


def hash_file(path: Path) -> str:
    """The file's SHA-256, in hexadecimal digits. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _copy(model: HubModel, source: Path, ready: Path) -> None:
    missing = missing_from(source, model.files)
    if missing is not None:
        raise FetchFailed(f"{source} has no {missing}; it must hold {' and '.join(model.files)}.")
    _check_space(ready.parent, sum((source / name).stat().st_size for name in model.files) + model.converted_bytes)
    ready.mkdir()
    for name in model.files:
        shutil.copyfile(source / name, ready / name)


def _download(model: HubModel, part: Path, endpoint: str | None) -> None:
    """The model's files into `part`, going on with what is there; ModelScope's client checks their SHA-256."""
    have = sum(path.stat().st_size for path in part.rglob("*") if path.is_file()) if part.exists() else 0
    _check_space(part.parent, model.download_bytes + model.converted_bytes - have)
    from modelscope.hub.snapshot_download import snapshot_download
    from modelscope_hub.errors import FileIntegrityError, HubError, NetworkError
    from requests.exceptions import HTTPError, RequestException

    for name in model.names:
        try:
            snapshot_download(
                name,
                revision=model.revision,
                local_dir=str(part),
                allow_patterns=list(model.files),
                max_workers=1,
                endpoint=endpoint,
            )
            break
        except HTTPError as exc:  # what the client makes of a model that is not there, or not for everybody
            if name == model.names[-1]:
                raise FetchFailed(f"ModelScope no longer gives {model.names[0]} at revision {model.revision}.") from exc
        except FileIntegrityError as exc:
            raise WeightsDamaged(f"The download arrived damaged ({exc}); run the command again.") from exc
        except (NetworkError, ConnectionError, RequestException) as exc:
            raise HubUnreachable(
                "ModelScope cannot be reached. Run the command again with a network (it goes on where it was), "
                f"or bring {' and '.join(model.files)} from elsewhere: "
                f"`python -m humanparse fetch {model.command} --from DIR`."
            ) from exc
        except HubError as exc:
            raise FetchFailed(f"ModelScope refused: {exc}; run the command again, it goes on where it was.") from exc
    missing = missing_from(part, model.files)
    if missing is not None:
        raise FetchFailed(f"ModelScope's model has no {missing}; is {model.revision} still the one?")


def _check_space(where: Path, needed: int) -> None:
    free = shutil.disk_usage(where).free
    if free < needed:
        raise NoSpace(f"{where} has {free / 1e9:.1f} GB free; about {needed / 1e9:.1f} GB are needed.", needed=needed)


def _disk_trouble(exc: OSError, folder: Path) -> FetchFailed:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(f"The disk of {folder.parent} is full; make room and run the command again.")
    return FetchFailed(f"{exc.filename or folder} cannot be written or read: {exc.strerror or exc}.")
