"""What FFmpeg makes of a file or an address: its streams, their codecs and rates, and the packets in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import IO, Any, Final

import av
from av.container import InputContainer
from av.stream import Disposition

from humanparse.errors import UnreadableVideo
from humanparse.video.clips import Packet

USUAL_RATE: Final = Fraction(25)


@contextmanager
def open_streams(
    file: IO[bytes] | str, reader: str | None, options: dict[str, str], timeout_s: float | None = None
) -> Iterator[InputContainer]:
    """A file, or the address of a camera or stream, opened.

    reader: FFmpeg's name of the only format to try; None tries all. Raises UnreadableVideo where none fits.
    """
    try:
        if not isinstance(file, str):
            file.seek(0)
        container: Any = av.open(file, format=reader, options=options, metadata_errors="ignore", timeout=timeout_s)
    except av.error.FileNotFoundError as exc:
        raise UnreadableVideo("There is no such file or camera.") from exc
    except (ConnectionError, TimeoutError) as exc:  # FFmpeg's own are of these, too
        raise UnreadableVideo("Nobody answers there: the address may be wrong, or the camera off.") from exc
    except (av.error.FFmpegError, ValueError, OSError) as exc:
        message = f"It cannot be read as a video ({type(exc).__name__}): damaged, cut short, or of another kind."
        raise UnreadableVideo(message) from exc
    with container:
        yield container


def moving_pictures(container: InputContainer) -> av.VideoStream:
    """The first stream of them; to FFmpeg the cover of an album is one, too. Raises UnreadableVideo."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    raise UnreadableVideo("There are no moving pictures in the file.")


def codec_name(context: av.CodecContext) -> str:
    """The codec's own name: FFmpeg's decoders may have others (libdav1d reads av1)."""
    return str(getattr(context.codec, "canonical_name", context.name))


def frame_rate(video: av.VideoStream) -> Fraction:
    """Frames a second; 25 where the file says nothing that can be."""
    rate = video.average_rate or video.guessed_rate or USUAL_RATE
    return Fraction(rate).limit_denominator(100_000) if Fraction(1, 100) <= rate <= 1000 else USUAL_RATE


def demux(container: InputContainer, streams: list[av.stream.Stream]) -> Iterator[Packet]:
    """The packets of these streams, as they come in the file; ends where it is damaged."""
    packets = container.demux(streams)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError:
            # What came before the damage is good; the flush lets the decoder's last frames out.
            for stream in streams:
                with suppress(av.error.FFmpegError):
                    yield _flush(stream)
            return
        yield packet


def _flush(stream: av.stream.Stream) -> Packet:
    packet = av.Packet()
    packet.stream = stream
    return packet
