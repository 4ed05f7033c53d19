"""Decoding in processes of its own: the same pixels and errors, and a crash, a stall or a bomb costs one photo."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from humanparse.config import Settings
from humanparse.decoding import Decoders, decoder, make_decode
from humanparse.decoding.child import ANSWER
from humanparse.decoding.decoder import START_S
from humanparse.decoding.nursery import WORD, Nursery, _Keeper
from humanparse.decoding.pool import PHOTOS_OF_A_LIFE
from humanparse.errors import Busy, DecodeTimeout, InputError, TooManyBytes, TooManyPixels, UnreadableImage
from tests.test_images import NAMES, example, png, save, scene


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    made = Decoders(Settings(max_pixels=2_000_000, decode_timeout_s=2))
    yield made
    made.close()


@pytest.fixture(scope="module")
def in_thread() -> Settings:
    return Settings(max_pixels=2_000_000, decode="thread")


def children() -> list[psutil.Process]:
    nurseries = [child for child in psutil.Process().children() if "humanparse.decoding.nursery" in child.cmdline()]
    return [child for nursery in nurseries for child in nursery.children()]


def idle(decoders: Decoders) -> psutil.Process:
    """The child that decodes the next photo."""
    return psutil.Process(decoders._idle[-1].pid)


@pytest.mark.parametrize("name", NAMES)
def test_the_pixels_are_those_of_decoding_here(name: str, decoders: Decoders, in_thread: Settings) -> None:
    image = decoders(example(name))
    assert np.array_equal(image, make_decode(in_thread)(example(name)))
    assert image.flags.writeable and image.flags.c_contiguous and image.flags.owndata


def test_the_errors_are_those_of_decoding_here(decoders: Decoders, in_thread: Settings) -> None:
    here = make_decode(in_thread)
    broken = [b"", b"no image", example("PNG")[:60], png(9000, 9000, 8, 2, b""), png(40_000, 2, 8, 2, b"")]
    for data in broken:
        with pytest.raises(InputError) as theirs:
            decoders(data)
        with pytest.raises(InputError) as ours:
            here(data)
        assert type(theirs.value) is type(ours.value)
        assert (theirs.value.message, theirs.value.context) == (ours.value.message, ours.value.context)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Settings(max_side=32), "33x32; a side may have 32 pixels"),
        (Settings(max_pixels=1024), "33x32, 1,056 pixels; at most 1,024"),
    ],
    ids=["side", "pixels"],
)
def test_each_limit_of_the_settings_holds_in_the_child(limits: Settings, message: str) -> None:
    pool = Decoders(limits)
    with pytest.raises(TooManyPixels, match=message):
        pool(save(Image.new("RGB", (33, 32)), "PNG"))
    assert pool(save(Image.new("RGB", (32, 32)), "PNG")).shape == (32, 32, 3)
    pool.close()


def test_a_file_of_just_the_limit_is_decoded(decoders: Decoders) -> None:
    assert decoders(example("PNG").ljust(Settings().max_bytes, b"\0")).shape == scene().shape


def test_the_byte_limit_holds_before_anything_is_sent(decoders: Decoders) -> None:
    with pytest.raises(TooManyBytes):
        decoders(bytes(Settings().max_bytes + 1))


def slow_jpeg() -> bytes:
    """A small file that takes libjpeg long: a progressive JPEG with its last scan said again and again."""
    data = save(Image.new("RGB", (1400, 1400), "grey"), "JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    return data[:scan] + data[scan:-2] * 20_000 + data[-2:]


def test_a_bomb_of_time_ends_and_the_next_photo_is_decoded(decoders: Decoders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "SLACK", 100.0)  # the processor's time ends it, not ours
    data = slow_jpeg()
    assert len(data) < 4_000_000
    began = time.monotonic()
    with pytest.raises(DecodeTimeout, match="more than 2 s"):
        decoders(data)
    assert time.monotonic() - began < 60  # a machine under load; without the limit it takes some minutes
    assert decoders(example("JPEG")).shape == scene().shape


def test_a_killed_decoder_costs_one_photo(decoders: Decoders) -> None:
    decoders(example("PNG"))
    outcome: list[Exception] = []

    def decode() -> None:
        try:
            decoders(slow_jpeg())
        except InputError as error:
            outcome.append(error)

    child = idle(decoders)
    used = child.cpu_times().user
    thread = threading.Thread(target=decode)
    thread.start()
    while child.cpu_times().user < used + 0.2:  # it is in the midst of it
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGSEGV)  # as a decoder's own mistake would
    thread.join()
    assert [type(error) for error in outcome] == [UnreadableImage]
    assert "crashed" in str(outcome[0])
    assert decoders(example("PNG")).shape == scene().shape


@pytest.mark.parametrize("size", [(1, 101), (101, 1), (33, 32), (0, 5), (5, 0), (1 << 40, 1 << 40)])
def test_a_decoder_that_a_file_has_taken_over_sends_nothing_over_the_limits(size: tuple[int, int]) -> None:
    line, childs = socket.socketpair()
    leash, nurserys = socket.socketpair()
    with line, childs, leash, nurserys:
        childs.sendall(ANSWER.pack(*size, 0))
        nurserys.sendall(WORD.pack(0))
        child = decoder.Decoder(line, leash)
        with pytest.raises(UnreadableImage, match="crashed"):
            child.decode(b"a photo", Settings(max_pixels=1050, max_side=100, decode_timeout_s=0.1))
        assert child.ended


@pytest.mark.parametrize("said", [b"no JSON", b"[]", b'{"code": 7}', b"[" * 60_000])
def test_a_decoder_that_says_what_none_of_ours_says_is_ended(said: bytes) -> None:
    line, childs = socket.socketpair()
    leash, nurserys = socket.socketpair()
    with line, childs, leash, nurserys:
        childs.sendall(ANSWER.pack(0, 0, len(said)) + said)
        nurserys.sendall(WORD.pack(0))
        child = decoder.Decoder(line, leash)
        with pytest.raises(UnreadableImage, match="crashed"):
            child.decode(b"a photo", Settings(decode_timeout_s=0.1))
        assert child.ended


def test_a_decoder_killed_while_idle_costs_nothing(decoders: Decoders) -> None:
    decoders(example("PNG"))
    child = idle(decoders)
    child.kill()
    child.wait(5)
    assert decoders(example("PNG")).shape == scene().shape


def test_a_stopped_decoder_is_given_up() -> None:
    stuck = Decoders(Settings(decode_timeout_s=0.1))
    stuck(example("PNG"))
    child = idle(stuck)
    child.suspend()
    with pytest.raises(DecodeTimeout):
        stuck(example("PNG"))
    assert not psutil.pid_exists(child.pid)
    stuck.close()


def test_memory_is_bounded_in_the_child(decoders: Decoders) -> None:
    """A PNG with a text chunk that unpacks to gigabytes, and a TIFF that lies: an error, or read without it."""
    small = Decoders(Settings(max_pixels=1024))
    small(save(Image.new("RGB", (4, 4)), "PNG"))
    child = idle(small)
    lines = Path(f"/proc/{child.pid}/limits").read_text().splitlines()
    limits = {line[:26].strip(): line[26:].split()[0] for line in lines[1:]}
    assert int(limits["Max address space"]) < 8 << 30
    assert [limits[name] for name in ("Max core file size", "Max file size", "Max open files")] == ["0", "0", "16"]
    small.close()
    packed = zlib.compress(bytes(1 << 26), 9)
    icc = png(4, 4, 8, 2, (b"\0" + bytes(12)) * 4)
    bomb = icc[:33] + _chunk(b"iCCP", b"x\0\0" + packed) + icc[33:]
    with suppress(UnreadableImage):
        assert decoders(bomb).shape == (4, 4, 3)
    assert decoders(example("PNG")).shape == scene().shape


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def test_a_child_knows_no_secret(decoders: Decoders) -> None:
    decoders(example("PNG"))
    environ = idle(decoders).environ()
    assert set(environ) <= {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX", "LC_CTYPE", "PWD"}


def test_no_more_children_than_asked_for_and_all_photos_are_decoded() -> None:
    before = len(children())
    few = Decoders(Settings(decoders=2))
    seen: list[int] = []

    def decode() -> None:
        for _ in range(5):
            few(example("JPEG"))
            seen.append(len(children()) - before)

    threads = [threading.Thread(target=decode) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 30 and max(seen) <= 2
    assert few._working == 0  # else the next first photo would wait for one that is not there
    few.close()
    assert len(children()) == before


def test_busy_where_no_decoder_comes_free() -> None:
    one = Decoders(Settings(decoders=1, queue_timeout_s=0.05, max_pixels=2_000_000, decode_timeout_s=1))

    def occupy() -> None:
        with suppress(DecodeTimeout):
            one(slow_jpeg())

    thread = threading.Thread(target=occupy)
    thread.start()
    time.sleep(0.5)
    with pytest.raises(Busy, match="decoder"):
        one(example("PNG"))
    thread.join()
    one.close()


def test_a_child_is_replaced_after_some_hundred_photos(decoders: Decoders) -> None:
    decoders(example("PNG"))
    first = idle(decoders).pid
    decoders._idle[-1].photos = PHOTOS_OF_A_LIFE - 2
    decoders(example("PNG"))
    assert idle(decoders).pid == first
    decoders(example("PNG"))
    assert not psutil.pid_exists(first)


def nursery() -> psutil.Process:
    """The process that the children of this one are forked from."""
    decoder.share_nursery()
    assert decoder._nursery is not None
    return psutil.Process(decoder._nursery.process.pid)


def test_a_nursery_that_is_gone_is_replaced_and_costs_no_photo(caplog: pytest.LogCaptureFixture) -> None:
    pool = Decoders(Settings())
    pool(example("PNG"))
    first = nursery()
    first.kill()
    first.wait(5)
    assert pool(example("PNG")).shape == scene().shape  # by the child there was, or a new one
    pool.close()
    assert pool(example("PNG")).shape == scene().shape
    assert nursery().pid != first.pid and "a new one is started" in caplog.text
    pool.close()


def test_a_child_that_is_let_go_ends_in_the_midst_of_its_work() -> None:
    """As it must where whoever ordered it was killed: the leash alone does it."""
    child = decoder.Decoder.start(Settings())
    process = psutil.Process(child.pid)
    process.suspend()  # it will not see that its line is closed
    child.leash.close()
    child.line.close()
    process.wait(5)
    assert nursery().is_running()


def test_a_process_that_is_killed_leaves_neither_nursery_nor_children() -> None:
    code = (
        "import sys, time; from humanparse.config import Settings; from humanparse.decoding import Decoders;"
        "pool = Decoders(Settings()); pool(sys.stdin.buffer.read()); print('done', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(example("PNG"))
        process.stdin.close()
        assert process.stdout.readline() == b"done\n"
        theirs = psutil.Process(process.pid).children(recursive=True)
        assert len(theirs) == 2  # the nursery and a child
        process.kill()
    assert psutil.wait_procs(theirs, timeout=10)[1] == []


def files_of(process: psutil.Process) -> int:
    """How many it has open, once it has come to rest."""
    files, before = process.num_fds(), -1
    while files != before:
        time.sleep(0.05)
        files, before = process.num_fds(), files
    return files


def test_a_nursery_that_was_replaced_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a dead process that nobody has asked about, nor our end of its line."""
    first = nursery()
    files = psutil.Process().num_fds()
    first.kill()
    while first.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    pool = Decoders(Settings())
    assert pool(example("PNG")).shape == scene().shape
    pool.close()
    assert not first.is_running() and psutil.Process().num_fds() == files
    assert "a new one is started" in caplog.text


def test_a_process_that_can_open_no_more_files_keeps_its_nursery() -> None:
    """It is Busy, not the nursery gone: else each such moment would leave one more of them."""
    first = nursery()
    files = psutil.Process().num_fds()
    pool = Decoders(Settings())
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)  # and below it none is free
    os.close(lowest)
    for room in range(4):  # of the four ends that an order takes
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + room, limits[1]))
        try:
            with pytest.raises(Busy, match="No decoder can be started"):
                pool(example("PNG"))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert psutil.Process().num_fds() == files
    assert pool(example("PNG")).shape == scene().shape
    assert nursery() == first
    pool.close()


def test_a_nursery_that_can_open_no_more_files_lives_on() -> None:
    first = nursery()
    files = files_of(first)
    limits = first.rlimit(psutil.RLIMIT_NOFILE)
    pool = Decoders(Settings())
    taken = {int(file.name) for file in Path(f"/proc/{first.pid}/fd").iterdir()}
    lowest = min(set(range(1000)) - taken)
    for room in range(2):  # of the two ends that come with an order
        first.rlimit(psutil.RLIMIT_NOFILE, (lowest + room, limits[1]))
        try:
            with pytest.raises(Busy, match="No decoder can be started"):
                pool(example("PNG"))
        finally:
            first.rlimit(psutil.RLIMIT_NOFILE, limits)
        assert files_of(first) == files
    assert pool(example("PNG")).shape == scene().shape
    assert nursery() == first
    pool.close()


def test_a_nursery_that_cannot_fork_says_so_and_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError(errno.EAGAIN, "no process can be made")

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    handler = signal.getsignal(signal.SIGCHLD)
    keeper = _Keeper(theirs)
    with ours, theirs, keeper.wait, keeper.deaths, keeper.death, subprocess.Popen(["true"]) as unused:
        try:
            monkeypatch.setattr(os, "fork", refuse)
            line, leash = Nursery(ours, unused, 0).order(1024)
            assert keeper.obey() and not keeper.leashes
        finally:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, handler)
        with line, leash:
            assert (line.recv(1), leash.recv(8)) == (b"", b"")


def test_who_is_killed_before_the_child_is_ready_leaves_none() -> None:
    first = nursery()
    children, files = first.children(), files_of(first)
    first.suspend()
    line, leash = decoder._order(1024)
    line.close()
    leash.close()
    first.resume()
    pool = Decoders(Settings())
    assert pool(example("PNG")).shape == scene().shape  # the next order, so the first has been obeyed
    pool.close()
    assert files_of(first) == files and first.children() == children


def test_an_idle_child_is_alive_whatever_its_files_are_numbered() -> None:
    """A server with many connections has numbers over 1023, which `select` knows none of."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], 2048), limits[1]))
    child = decoder.Decoder.start(Settings())
    for name in ("line", "leash"):
        with getattr(child, name) as end:
            setattr(child, name, socket.socket(fileno=fcntl.fcntl(end.fileno(), fcntl.F_DUPFD_CLOEXEC, 1500)))
    assert child.alive()
    child.kill()
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_forks_share_the_nursery() -> None:
    """Workers that gunicorn forks order their children from their master's."""
    shared = nursery().pid
    pool = Decoders(Settings())
    pool(example("PNG"))
    ours = pool._idle[-1].pid
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            fine = pool(example("PNG")).shape == scene().shape  # by a child of its own
            child = psutil.Process(pool._idle[-1].pid)
            os.write(writer, f"{child.ppid() if fine else 0} {child.pid}".encode())
        os._exit(0)
    os.waitpid(pid, 0)
    parent, theirs = map(int, os.read(reader, 32).split())
    assert parent == shared and theirs != ours
    assert pool(example("PNG")).shape == scene().shape and pool._idle[-1].pid == ours
    pool.close()
    os.close(reader)
    os.close(writer)


def test_a_machine_without_room_for_a_child_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(errno.EAGAIN, "no process can be made")

    monkeypatch.setattr(decoder, "_nursery", None)
    monkeypatch.setattr(decoder.Nursery, "start", refuse)
    with pytest.raises(Busy, match="No decoder can be started"):
        Decoders(Settings())(example("PNG"))


def test_a_lost_pool_leaves_no_process() -> None:
    before = len(children())
    pool = Decoders(Settings())
    pool(example("PNG"))
    assert len(children()) == before + 1
    del pool
    assert len(children()) == before


def test_the_largest_photo_fits_into_a_childs_memory() -> None:
    """The limit on memory must not refuse what the limit on pixels allows, in the greediest mode there is."""
    picture = Image.new("RGBA", (4000, 4000), (200, 100, 50, 128))
    stream = BytesIO()
    picture.save(stream, "TIFF", compression="tiff_lzw")
    pool = Decoders(Settings(max_pixels=16_000_000))
    assert pool(stream.getvalue()).shape == (4000, 4000, 3)
    with pytest.raises(TooManyPixels):
        pool(save(Image.new("L", (4001, 4000)), "PNG"))
    pool.close()


def test_quick_photos_share_a_child_and_a_slow_one_holds_nobody() -> None:
    decoders = Decoders(Settings(decoders=2, max_pixels=2_000_000))
    try:
        decoders(example("PNG"))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(decoders, [example("PNG")] * 40))
        (only,) = children_of(decoders)
        os.kill(only, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(decoders, example("PNG"))
            while decoders._idle:
                time.sleep(0.01)
            start = time.monotonic()
            decoders(example("PNG"))
            assert time.monotonic() - start < START_S and not slow.done()
            os.kill(only, signal.SIGCONT)
            assert slow.result() is not None
        assert len(children_of(decoders)) == 2
    finally:
        decoders.close()


def children_of(decoders: Decoders) -> list[int]:
    return [child.pid for child in decoders._idle]


def test_a_large_photo_is_turned_in_the_child(decoders: Decoders) -> None:
    """What turns pictures is loaded when one must be, within the limits that hold by then."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = scene(1000, 2000)
    data = save(Image.fromarray(stored), "PNG", exif=exif)
    assert np.array_equal(decoders(data), np.rot90(stored, -1))
