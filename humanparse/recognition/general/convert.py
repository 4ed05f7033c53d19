"""Checkpoint -> OpenVINO's graph beside it; in a process of its own: `python -m ... FOLDER`, for torch needs memory."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from humanparse import config
from humanparse.errors import HumanParseError, RecognizerUnavailable, WeightsDamaged
from humanparse.hub import hash_file
from humanparse.recognition.general.frame import SIDE
from humanparse.recognition.general.weights import CHECKPOINT, GRAPH, NOTE, read_labels, stamp

DAMAGED: Final = 3  # exit code
SHOWN: Final = 5  # keys that do not fit


def convert_apart(folder: Path) -> None:
    """`convert` in a process of its own. Raises WeightsDamaged, RecognizerUnavailable."""
    command = [sys.executable, "-m", __name__, str(folder.resolve())]
    ended = subprocess.run(command, cwd=config.ROOT, capture_output=True, text=True, check=False)
    said = ended.stderr.strip().rpartition("\n")[2]
    if ended.returncode == DAMAGED:
        raise WeightsDamaged(said)
    if ended.returncode:
        raise RecognizerUnavailable(f"The conversion failed: {said or 'it was killed, probably for lack of memory.'}")


def convert(folder: Path) -> None:
    """Write the graph and the note of what it was made from. Raises WeightsDamaged."""
    import openvino as ov
    import torch

    network = load_network(folder)
    count, named = network.fc.out_features, len(read_labels(folder))
    if named < count:  # more is no fault: the reference never looks at them
        raise WeightsDamaged(f"{CHECKPOINT} knows {count:,} classes, the list of labels {named:,}; fetch both again.")
    model = ov.convert_model(network, example_input=torch.zeros(1, 3, SIDE, SIDE), input=[1, 3, SIDE, SIDE])
    (folder / NOTE).unlink(missing_ok=True)
    ov.save_model(model, folder / GRAPH, compress_to_fp16=True)  # 0.3 GB for 0.6; the published numbers are float32
    (folder / NOTE).write_text(json.dumps({**stamp(folder), "sha256": hash_file(folder / CHECKPOINT)}))


def load_network(folder: Path) -> Any:
    """The network with the checkpoint's weights, for inference; every key must be there, and no other.

    Raises WeightsDamaged.
    """
    import torch

    from humanparse.recognition.general.network import DEPTHS, ResNeSt

    state = _read_checkpoint(folder / CHECKPOINT)
    if "fc.weight" not in state or "conv1.0.weight" not in state:
        raise WeightsDamaged(f"{CHECKPOINT} is no ResNeSt: it has no conv1.0.weight or no fc.weight.")
    depths = tuple(_count_blocks(state, f"layer{stage}.") for stage in range(1, len(DEPTHS) + 1))
    with torch.device("meta"):
        network = ResNeSt(len(state["fc.weight"]), depths, len(state["conv1.0.weight"])).eval()
    own = {key: value for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}
    wrong = sorted(own.keys() ^ state.keys())
    wrong += [key for key in own.keys() & state.keys() if own[key].shape != state[key].shape]
    if wrong:
        raise WeightsDamaged(f"{CHECKPOINT} is another network: {len(wrong)} keys do not fit, as {wrong[:SHOWN]}.")
    network.load_state_dict(state, strict=False, assign=True)
    for key, value in network.state_dict().items():
        if value.is_meta:  # the counters, which inference does not use
            module, _, name = key.rpartition(".")
            network.get_submodule(module).register_buffer(name, torch.zeros((), dtype=torch.long))
    return network


def _count_blocks(state: dict[str, Any], prefix: str) -> int:
    return len({key.split(".")[1] for key in state if key.startswith(prefix)})


def _read_checkpoint(path: Path) -> dict[str, Any]:
    """Tensors by plain keys, as the reference reads them: `state_dict` opened, `module.` taken off."""
    import torch

    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        state = found.get("state_dict", found)
        plain = {key.removeprefix("module.").replace(".module.", "."): value for key, value in state.items()}
        return {key: value.float() for key, value in plain.items() if not key.endswith("num_batches_tracked")}
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError, AttributeError, TypeError) as exc:
        first = str(exc).partition("\n")[0] or type(exc).__name__
        raise WeightsDamaged(f"{path.name} is cut short or damaged ({first}); fetch it again.") from exc


def _main(folder: str) -> int:
    try:
        convert(Path(folder))
    except WeightsDamaged as error:
        print(error.message, file=sys.stderr)
        return DAMAGED
    except (HumanParseError, ImportError, OSError, RuntimeError) as error:
        print(str(error).replace("\n", " "), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
