"""Which video files are taken from strangers, by their content, and which are written. Knows bytes and names only.

FFmpeg reads hundreds of formats, some of which fetch what they name (playlists, concatenations):
the few that people's cameras, telephones and programs write are enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from humanparse.errors import TypeMismatch

HEAD: Final = 1024  # bytes that `recognise` wants to see; a transport stream's packets have 188
STREAM_PACKET: Final = 188


@dataclass(frozen=True)
class Container:
    """A file format: our name, FFmpeg's name of its reader, and the media types that it may be declared as."""

    name: str
    reader: str
    media_types: tuple[str, ...]


MP4: Final = Container("MP4", "mov", ("video/mp4", "video/quicktime", "video/x-m4v", "video/3gpp", "video/3gpp2"))
MATROSKA: Final = Container("Matroska", "matroska", ("video/webm", "video/x-matroska", "video/matroska"))
AVI: Final = Container("AVI", "avi", ("video/x-msvideo", "video/avi", "video/vnd.avi", "video/msvideo"))
MPEG_TS: Final = Container("MPEG-TS", "mpegts", ("video/mp2t",))
CONTAINERS: Final = (MP4, MATROSKA, AVI, MPEG_TS)
MEDIA_TYPES: Final = tuple(kind for container in CONTAINERS for kind in container.media_types)

FORMATS: Final = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""Suffix of a file -> FFmpeg's name of its format."""
ANSWERS: Final = {"mp4": "video/mp4", "webm": "video/webm"}
"""The formats that a service answers with, and their media types."""

VIDEO_CODECS: Final = (
    "h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "mjpeg", "prores", "h263",
)  # fmt: skip
"""Codecs of pictures, by FFmpeg's names. `h263` is what old telephones made."""

AUDIO_CODECS: Final = (
    "aac", "mp3", "mp2", "ac3", "eac3", "opus", "vorbis", "flac", "alac", "amr_nb", "amr_wb",
    "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_u8", "pcm_mulaw", "pcm_alaw",
)  # fmt: skip
"""Codecs of sound; the sound of a film with another one is left out."""

OTHER_NAMES: Final = (
    "libdav1d", "libvpx", "libvpx-vp9", "mp3float", "mp2float", "libopus", "amrnb", "amrwb",
    "libopencore_amrnb", "libopencore_amrwb",
)  # fmt: skip
"""What FFmpeg calls its decoders of some of these codecs."""

DECODERS: Final = (*VIDEO_CODECS, *AUDIO_CODECS, *OTHER_NAMES)
"""Those that may see a stranger's bytes, while the file is looked at too."""

STILLS: Final = (
    b"avif",
    b"avis",
    b"mif1",
    b"msf1",
    b"heic",
    b"heix",
    b"heim",
    b"heis",
    b"hevc",
    b"hevx",
    b"hevm",
    b"hevs",
)
"""Brands of photos in the same boxes as MP4: those of `image_formats.py`."""
OLD_BOXES: Final = (b"moov", b"mdat", b"wide", b"free", b"skip")  # QuickTime before it had `ftyp`


def recognise(head: bytes) -> Container | None:
    """The container of a file that begins with these bytes, HEAD of them or all; None where we know none."""
    if head[4:8] == b"ftyp":
        return None if head[8:12] in STILLS else MP4
    if head[4:8] in OLD_BOXES:
        return MP4
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return MATROSKA
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return AVI
    starts = range(0, len(head), STREAM_PACKET)
    if len(starts) > 2 and all(head[start] == 0x47 for start in starts):
        return MPEG_TS
    return None


def check_declared(container: Container, media_type: str) -> None:
    """Raises TypeMismatch where the sender says it is another kind of file than it is, as photos do.

    No claim at all (application/octet-stream, video/*, none) is no contradiction.
    """
    if media_type in ("", "application/octet-stream", "video/*", *container.media_types):
        return
    name, right = container.name, container.media_types[0]
    message = f"The file is declared as {media_type[:100]}, but it is {name}; send it as {right}, or undeclared."
    raise TypeMismatch(message, declared=media_type[:100], found=right, allowed=list(container.media_types))


def names() -> str:
    """The containers for a message."""
    return f"{', '.join(container.name for container in CONTAINERS[:-1])} and {CONTAINERS[-1].name}"
