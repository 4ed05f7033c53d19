"""Videos: a file, a camera or a stream in; the same with its people coloured out, and what was seen as data.

    containers.py  which files are taken from strangers, and how they are recognised
    clips.py       what is said of a video and its frames
    options.py     which frames are taken, and how large
    streams.py     what FFmpeg makes of a file: streams, codecs, rates, packets
    source.py      a file -> upright RGB frames with their times, and packets of sound
    live.py        a camera or a stream -> the same, for as long as it lasts
    tracking.py    whose mask is whose from frame to frame; knows no video
    camera.py      how far the camera has turned, for tracking
    drawing.py     people's numbers on the picture
    sound.py       packets of sound, copied or encoded anew
    sink.py        frames and sound -> a file that plays
    conversion.py  all of it at once: decode, parse and encode, each in a thread, bounded queues between
    process.py     source and sink of a stranger's video in a process of its own
    child.py       that process
    line.py        what the two say to each other

PyAV (FFmpeg) does what is said about files; parsing is done by whoever calls.
"""
