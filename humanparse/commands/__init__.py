"""The commands of the command line, a module each; one is imported when it is asked for, not before."""

from __future__ import annotations

from typing import Final

COMMANDS: Final = {
    # name: (module, what --help says); the module's `define_NAME` adds arguments and sets `run`, which returns the exit
    # code; of a HumanParseError that it raises people are told the message, and the code is 2
    "parse": ("parse", "photos in, overlays and label maps out"),
    "video": ("video", "a video in, the same with its people coloured out"),
    "recognize": ("recognize", "what is in photos as a whole, most likely first"),
    "stylize": ("stylize", "artistic effects on photos, whole or part by part"),
    "fetch": ("fetch", "get weights that are not in the repository"),
    "submit": ("jobs", "hand photos, or a video, in as a job of a service; prints its id"),
    "job": ("jobs", "look at a job, wait for it, cancel it, fetch its result"),
    "doctor": ("doctor", "what this machine can do, what is broken, what to set"),
    "keys": ("keys", "API keys: add NAME (prints the key, once), list, remove NAME"),
    "purge": ("purge", "delete every result, job, upload and cached parsing, now"),
    "requests": ("requests", "the request log as CSV"),
}
