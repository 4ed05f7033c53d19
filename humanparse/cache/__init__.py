"""Answers that were made before, kept for the next who asks; shared by the workers of a service.

    parsings.py      keys, counting, and many who ask for the same at once
    packing.py       a Parsing -> a few kilobytes, and back
    pictures.py      the same of a picture that the studio made
    sqlite_blobs.py  bytes by key in one file, bounded: the default
    redis_blobs.py   bytes by key in Redis, shared by machines

Of a parsing the label map and the people map with the scores are kept, no picture, so that every
opacity, palette and format is made from them; of recognition the classes; of the studio the pictures
themselves, in which the photo can be seen. Photos are not kept: a hash stands for one. A cache that is
away, full or damaged costs time and nothing else.

Our own 100 lines on SQLite and not diskcache: its last release (5.6.3, 2023) reads pickles out of
its folder, known as CVE-2025-69872 and not mended.
"""
