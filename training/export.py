"""Checkpoint -> the file that the service reads: `python -m training.export --run FOLDER --out FILE`.

Convolution weights in half precision, everything else in float32, keys as in `training.network`.
The checksum is written beside it. The file is also where the next training starts (`training.train --start FILE`).
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from humanparse.labels import NAMES
from humanparse.layers import RANGE
from training.network import TEACHING, CompactNetwork


def exported_state(network: nn.Module) -> dict[str, Tensor]:
    """The network's state as it is stored."""
    state = {}
    for key, value in network.state_dict().items():
        if key.endswith("num_batches_tracked") or key.startswith(TEACHING):
            continue
        kind = torch.float16 if value.dim() == 4 else torch.float32
        state[key] = value.detach().to(kind).contiguous(memory_format=torch.contiguous_format)
    return state


def make_rarer(network: CompactNetwork, name: str, less: float) -> None:
    """Take `less` from the logit of the class of that name, everywhere."""
    with torch.no_grad():
        network.parts.out.bias[NAMES.index(name)] -= less  # type: ignore[index]


def load_exported(network: nn.Module, path: Path, new: tuple[str, ...] = ()) -> None:
    """Fill `network` from an exported file; every key must be there and no other.

    Keys that begin with one of `new` may be missing: they keep what they have, as a head does that
    is younger than the file; so do those of heads that only teach. The ranges that `training.calibrate` adds are not
    the network's.
    """
    stored = {key: value.float() for key, value in load_file(path).items() if not key.startswith(RANGE)}
    own = network.state_dict()
    counters = {key for key in own if key.endswith("num_batches_tracked")}
    missing, unexpected = sorted(own.keys() - counters - stored.keys()), sorted(stored.keys() - own.keys())
    missing = [key for key in missing if not key.startswith((*TEACHING, *new))]
    if missing or unexpected:
        raise ValueError(f"{path}: missing {missing}, unexpected {unexpected}")
    network.load_state_dict(stored, strict=False)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of a training run")
    parser.add_argument("--out", type=Path, required=True, help="file to write, compact.safetensors")
    parser.add_argument(
        "--rarer",
        default="",
        metavar="CLASS=LOGIT",
        help="a class that training shows more often than the world does: so much less for its logit",
    )
    args = parser.parse_args(arguments)
    network = CompactNetwork()
    saved = torch.load(args.run / "last.pt", weights_only=True)
    network.load_state_dict(saved["average"])
    if args.rarer:
        name, _, less = args.rarer.partition("=")
        make_rarer(network, name, float(less))
    save_file(exported_state(network), args.out, metadata={"step": str(saved["step"])})
    digest = hashlib.sha256(args.out.read_bytes()).hexdigest()
    args.out.with_suffix(".sha256").write_text(f"{digest}  {args.out.name}\n")
    print(f"{digest}  {args.out}  {args.out.stat().st_size} bytes, step {saved['step']}")


if __name__ == "__main__":
    main()
