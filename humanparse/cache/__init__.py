"""Parsings that were made before, kept for the next who asks; shared by the workers of a service.

    parsings.py      keys, counting, and many who ask for the same at once
    packing.py       a Parsing -> a few kilobytes, and back
    sqlite_blobs.py  bytes by key in one file, bounded: the default
    redis_blobs.py   bytes by key in Redis, shared by machines

What is kept is the label map and the people map with the scores, not a picture, so that every
opacity, palette and format is made from it. Nothing of the photo is kept but a hash. A cache that
is away, full or damaged costs time and nothing else.

Our own 100 lines on SQLite and not diskcache: its last release (5.6.3, 2023) reads pickles out of
its folder, known as CVE-2025-69872 and not mended.
"""
