"""Files as they come: turned, odd, uneven in time, cut short, or no videos at all."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from humanparse.encoding import encode_png
from humanparse.errors import HumanParseError, TooManyPixels, UnreadableVideo, UnsupportedFormat, VideoTooLong
from humanparse.video.clips import Clip, Frame, Limits
from humanparse.video.containers import AVI, MATROSKA, MP4, MPEG_TS, Container, check_declared, recognise
from humanparse.video.options import Selection, VideoOptions
from humanparse.video.source import open_video, square_size
from tests.video.films import RATE, SIZE, packets_of, walk, write_film

FREE = Limits()


def read(
    path: Path | BytesIO, limits: Limits = FREE, reader: str | None = None, **options: Any
) -> tuple[Clip, list[Frame]]:
    given = str(path) if isinstance(path, Path) else path
    with open_video(given, VideoOptions(**options), limits, reader) as source:
        return source.clip, [item for item in source.items() if isinstance(item, Frame)]


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [("a.mp4", "libx264", MP4), ("a.mov", "mpeg4", MP4), ("a.webm", "libvpx-vp9", MATROSKA),
     ("a.mkv", "libx264", MATROSKA), ("b.webm", "libvpx", MATROSKA),
     ("a.avi", "mjpeg", AVI), ("a.ts", "mpeg2video", MPEG_TS)],
)  # fmt: skip
def test_every_container_that_is_taken_is_recognised_and_read(
    tmp_path: Path, name: str, codec: str, container: Container
) -> None:
    drawn = walk()
    path = write_film(tmp_path / name, drawn, codec=codec) if name[-2:] != "ts" else write_mpeg(tmp_path / name)
    data = path.read_bytes()
    assert recognise(data[:1024]) is container
    clip, frames = read(BytesIO(data), reader=container.reader)
    assert (clip.frames, len(frames)) == (12, 12)
    assert frames[0].image.shape == drawn[0].shape
    assert [frame.time_s for frame in frames] == pytest.approx(
        [t / (25 if name[-2:] == "ts" else RATE) for t in range(12)], abs=0.002
    )
    off = np.abs(frames[5].image.astype(int) - drawn[5]).mean()
    assert off < 8


def write_mpeg(path: Path) -> Path:
    """MPEG-2 has no rate of 10."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg2video", rate=25)
        stream.height, stream.width = SIZE
        stream.bit_rate = 4_000_000
        for image in walk():
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("rotation", [90, 180, 270, -90])
def test_frames_come_out_upright(tmp_path: Path, rotation: int) -> None:
    drawn = walk(3)
    _, frames = read(write_film(tmp_path / "turned.mp4", drawn, rotation=rotation))
    upright = np.rot90(drawn[0], rotation // 90)
    assert frames[0].image.shape == upright.shape
    assert np.abs(frames[0].image.astype(int) - upright).mean() < 8


def test_times_are_the_files_own_though_they_are_uneven_and_begin_late(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.5, 0.51, 2.0]
    for name in ("a.mp4", "a.mkv"):
        clip, frames = read(write_film(tmp_path / name, walk(5), times=times, offset_s=0.4))
        assert [frame.time_s for frame in frames] == pytest.approx(times, abs=0.002)
        assert [frame.ticks * clip.time_base for frame in frames] == pytest.approx(times, abs=0.002)
        assert clip.duration_s == pytest.approx(2.0, abs=0.002)


def test_odd_sides_and_pixels_that_are_not_square(tmp_path: Path) -> None:
    frames = read(write_film(tmp_path / "odd.mp4", [np.zeros((61, 33, 3), np.uint8)] * 2))[1]
    assert frames[0].image.shape == (61, 33, 3)
    wide = write_film(tmp_path / "wide.mp4", walk(2), pixel=Fraction(4, 3))
    assert read(wide)[1][0].image.shape == (120, 267, 3)
    assert read(wide, max_side=100)[1][0].image.shape == (45, 100, 3)
    assert square_size(100, 50, Fraction(1, 2), None) == (100, 100)
    assert square_size(100, 50, Fraction(0), 64) == (64, 32)


def test_some_frames_only_and_their_number_is_known_before(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", walk(12))
    for options, wanted in (
        ({"every": 5}, [0, 0.5, 1.0]),
        ({"fps": 5.0}, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ({"every": 2, "fps": 3.0}, [0, 0.4, 0.8, 1.0]),
    ):
        clip, frames = read(path, **options)
        assert [frame.time_s for frame in frames] == pytest.approx(wanted, abs=0.002), options
        assert clip.frames == len(wanted)


@pytest.mark.parametrize(("of", "wanted"), [(30.0, 25.0), (60.0, 24.0), (25.0, 30.0), (29.97, 10.0)])
def test_fps_gives_the_rate_that_was_asked_for_on_average(of: float, wanted: float) -> None:
    chosen = Selection(VideoOptions(fps=wanted))
    taken = sum(chosen.takes(t / of) for t in range(int(of * 20)))
    assert taken == pytest.approx(min(of, wanted) * 20, abs=2)


def damaged(tmp_path: Path, kind: str) -> bytes:
    good = write_film(tmp_path / "good.mp4", walk(30)).read_bytes()
    match kind:
        case "nothing":
            return b""
        case "text":
            return b"no video" * 400
        case "photo":
            return encode_png(walk(1)[0])
        case "cut short":
            return good[: len(good) // 2]
        case "a header alone":
            return good[:40]
        case "sound alone":
            return sound_alone(tmp_path).read_bytes()
    raise AssertionError(kind)


def sound_alone(tmp_path: Path) -> Path:
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return tmp_path / "sound.mp4"


@pytest.mark.parametrize("kind", ["nothing", "text", "photo", "cut short", "a header alone", "sound alone"])
def test_what_is_no_video_is_said_to_be_none(tmp_path: Path, kind: str) -> None:
    data = damaged(tmp_path, kind)
    assert (recognise(data[:1024]) is MP4) == (kind in ("cut short", "a header alone", "sound alone"))
    with pytest.raises(UnreadableVideo):
        read(BytesIO(data), reader=MP4.reader)


def test_a_file_cut_short_behind_its_index_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, *SIZE, 3), np.uint8)
    path = write_film(tmp_path / "a.mp4", list(noise))
    with av.open(str(path)) as old, av.open(str(tmp_path / "fast.mp4"), "w", options={"movflags": "faststart"}) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    data = (tmp_path / "fast.mp4").read_bytes()
    clip, frames = read(BytesIO(data[: len(data) * 2 // 3]), reader="mov")
    assert clip.cut_short
    assert clip.declared == 30
    assert 5 < len(frames) < 25


def test_pieces_that_are_damaged_are_left_out_and_counted(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.webm", walk(20), codec="libvpx")
    data, piece = path.read_bytes(), packets_of(path, "video")[10][1]
    assert data.count(piece) == 1
    broken = BytesIO(data.replace(piece, b"\xff" * len(piece)))
    with open_video(broken, VideoOptions(), Limits(), "matroska") as source:
        frames = list(source.items())
    assert 15 <= len(frames) <= 19
    assert source.damaged >= 1


def test_limits_are_held_before_and_while_it_is_decoded(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", walk(12))
    for limits, error in (
        (Limits(pixels=200 * 119), TooManyPixels),
        (Limits(frames=11), VideoTooLong),
        (Limits(duration_s=1.0), VideoTooLong),
    ):
        with pytest.raises(error) as caught:
            read(path, limits)
        assert caught.value.context["limit"] in (200 * 119, 11, 1.0)
    assert len(read(path, Limits(200 * 120, 12, 1.1))[1]) == 12


def test_a_film_of_days_in_three_frames_is_seen_through(tmp_path: Path) -> None:
    path = write_film(tmp_path / "long.mkv", walk(3), times=[0, 1, 500_000])
    with pytest.raises(VideoTooLong, match="longer than 900 s"):
        read(path, Limits(duration_s=900))


def test_a_frame_that_is_larger_than_the_header_says_is_refused(tmp_path: Path) -> None:
    """MJPEG carries its own size: the file says 64x48, the picture within is 2000x1500."""
    path = write_film(tmp_path / "a.avi", [np.zeros((48, 64, 3), np.uint8)] * 2, codec="mjpeg")
    with open_video(str(path), VideoOptions(), Limits(pixels=64 * 48), "avi") as source:
        assert len(list(source.items())) == 2
    large = cv2.imencode(".jpg", np.zeros((1500, 2000, 3), np.uint8))[1].tobytes()
    with av.open(str(tmp_path / "bomb.avi"), "w") as container:
        stream: Any = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        container.start_encoding()
        for index in range(3):
            packet = av.Packet(large)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, index, index, Fraction(1, 10)
            container.mux(packet)
    with pytest.raises(HumanParseError) as caught:
        read(tmp_path / "bomb.avi", Limits(pixels=64 * 48), "avi")
    assert isinstance(caught.value, (TooManyPixels, UnreadableVideo))


def test_codecs_that_nobody_films_with_are_refused_where_strangers_send_them(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", walk(2), codec="ffv1")
    with pytest.raises(UnsupportedFormat, match="ffv1"):
        read(path, reader="matroska")
    assert len(read(path)[1]) == 2


def test_sound_in_a_rare_codec_is_left_out_of_what_strangers_send(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", walk(3), audio="pcm_f32le")
    assert read(path)[0].audio == "pcm_f32le"
    clip, frames = read(path, reader="matroska")
    assert (clip.audio, len(frames)) == (None, 3)
    for codec in ("aac", "libopus", "libmp3lame"):
        assert read(write_film(tmp_path / "b.mkv", walk(3), audio=codec), reader="matroska")[0].audio is not None


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    good = write_film(tmp_path / "good.ts", walk(3), codec="libx264")
    playlist = f"#EXTM3U\n#EXTINF:1,\nfile://{good}\n#EXT-X-ENDLIST\n".encode()
    assert recognise(playlist) is None
    with pytest.raises(UnreadableVideo):
        read(BytesIO(playlist), reader="mpegts")


def test_what_is_declared_must_be_so() -> None:
    for kind in ("", "application/octet-stream", "video/mp4", "video/quicktime"):
        check_declared(MP4, kind)
    for kind in ("video/webm", "image/jpeg", "video/x-msvideo"):
        with pytest.raises(UnsupportedFormat, match="declared"):
            check_declared(MP4, kind)
    assert recognise(b"\0\0\0\x20ftypheic" + b"\0" * 1000) is None
