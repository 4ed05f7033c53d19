"""Writes the golden files from the reference implementation: `python -m reference.goldens`, in the old environment.

reference/README.md names every array. Inputs are not stored: seeded and scenes build them on both sides.
"""

from __future__ import annotations

import argparse
import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from modelscope.models.cv.image_human_parsing import M2FP
from modelscope.models.cv.image_instance_segmentation.maskdino_swin import ImageList
from modelscope.pipelines.cv.image_human_parsing_pipeline import ImageHumanParsingPipeline
from PIL import Image

from reference import random_weights, scenes, seeded

HERE = Path(__file__).parent
FOLDER = HERE.parent / "tests" / "parsers" / "m2fp" / "golden"
SEED = 0  # of the small network's weights

# name -> (height, width) of a photo that goes to the small network as it is: none a multiple of 32
NETWORK_PHOTOS = {"wide": (53, 90), "tall": (95, 50)}
PIPELINE_PHOTO = (48, 64)
# photos whose way to the network's input is recorded; seed is the place in the list
PREPROCESS_SIZES = (
    (427, 640),
    (1080, 1920),
    (1920, 1080),
    (333, 2000),  # the longer side decides
    (20, 30),
    (256, 257),  # 642.5: rounded up, where Python's round would go down
    (500, 1042),  # 640 x 1333.76: just beyond the longest
    (640, 640),
)


def build(configuration: dict[str, Any], seed: int | None = None) -> M2FP:
    """The reference's network for a configuration in ModelScope's form; with a seed, its weights are seeded.weights."""
    model = copy.deepcopy(configuration["model"])  # the constructor takes entries out of it
    del model["type"], model["pretrained"]
    network = M2FP(".", **model).eval()
    if seed is not None:
        state = seeded.weights(shapes(network), seed)
        network.load_state_dict({key: torch.from_numpy(array) for key, array in state.items()}, strict=True)
    return network


def shapes(network: M2FP) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def keys() -> dict[str, np.ndarray]:
    """Keys and shapes of the published network's state dict."""
    table = shapes(build(json.loads((HERE / "full.json").read_text())))
    padded = np.zeros((len(table), 4), dtype=np.int32)
    for row, shape in zip(padded, table.values(), strict=True):
        row[: len(shape)] = shape
    return {
        "keys": np.array(list(table)),
        "shapes": padded,
        "dimensions": np.array([len(shape) for shape in table.values()], dtype=np.uint8),
    }


def network_outputs(network: M2FP) -> dict[str, np.ndarray]:
    """Every stage of the small network for two photos."""
    arrays = {}
    predictor = network.sem_seg_head.predictor
    for seed, (name, size) in enumerate(NETWORK_PHOTOS.items()):
        image = torch.from_numpy(seeded.photo(*size, seed)).permute(2, 0, 1).float()
        margins, blocked = [], []
        head = predictor.forward_prediction_heads

        def watch(output, mask_features, attn_mask_target_size, head=head, margins=margins, blocked=blocked):
            answer = head(output, mask_features, attn_mask_target_size)
            resized = torch.nn.functional.interpolate(
                answer[1], size=attn_mask_target_size, mode="bilinear", align_corners=False
            )
            margins.append(float(resized.abs().min()))
            blocked.append(int((resized < 0).flatten(2).all(-1).sum()))
            return answer

        predictor.forward_prediction_heads = watch
        with torch.no_grad():
            images = ImageList.from_tensors([(image - network.pixel_mean) / network.pixel_std], 32)
            features = network.backbone(images.tensor)
            mask_features, _, levels = network.sem_seg_head.pixel_decoder.forward_features(features)
            outputs = predictor(levels, mask_features)
        predictor.forward_prediction_heads = head
        print(f"network {name}: attention masks no closer to zero than {min(margins):.2g}, rows all blocked {blocked}")
        stages = dict(features)
        stages.update({f"level{i}": level for i, level in enumerate(levels)})
        stages.update(mask_features=mask_features)
        every = [*outputs["aux_outputs"], outputs]
        stages.update(logits=torch.cat([one["pred_logits"] for one in every]))
        stages.update(masks=torch.cat([one["pred_masks"] for one in every]))
        for key, value in stages.items():
            value = value if key in ("logits", "masks") else value[0]
            arrays[f"{name}_{key}"] = value.numpy().astype(np.float32)
            print(f"  {key} {tuple(value.shape)} mean {float(value.mean()):.3f} std {float(value.std()):.3f}")
    state = seeded.weights(shapes(network), SEED)
    arrays["weights_sha256"] = np.array(seeded.checksum(*(state[key] for key in sorted(state))))
    return arrays


def instances(found: list[dict[str, Any]], size: tuple[int, int]) -> dict[str, np.ndarray]:
    """A list of the reference's instances as arrays, the surest first (its own order is nobody's promise)."""
    found = sorted(found, key=lambda one: -one["score"])
    masks = np.zeros((len(found), *size), dtype=np.float32)
    for mask, one in zip(masks, found, strict=True):
        mask[:] = one["mask"].numpy()
    return {
        "labels": np.array([one["category_id"] for one in found], dtype=np.uint8),
        "scores": np.array([one["score"] for one in found], dtype=np.float32),
        "masks": np.packbits((masks > 0).reshape(len(found), size[0] * size[1]), axis=1),
        "logits": masks[:, ::16, ::16],
        "margin": np.array(np.abs(masks).min() if len(found) else np.inf, dtype=np.float32),
    }


def postprocessed(network: M2FP) -> dict[str, np.ndarray]:
    """What the reference makes of each scene."""
    arrays = {}
    for name, make in scenes.SCENES.items():
        scene = make()
        network.num_queries = len(scene.logits)
        answer = network.postprocess(
            {
                "outputs": {
                    "pred_logits": torch.from_numpy(scene.logits)[None],
                    "pred_masks": torch.from_numpy(scene.masks)[None],
                },
                "batched_inputs": [{"height": scene.original[0], "width": scene.original[1]}],
                "images": ImageList(torch.zeros(1, 3, *scene.padded), [scene.network]),
            }
        )["eval_result"][0]["parsing"]
        for kind in ("part", "human"):
            found = instances(answer[f"{kind}_outputs"], scene.original)
            arrays.update({f"{name}_{kind}_{key}": value for key, value in found.items()})
            scores = " ".join(
                f"{label}:{score:.2f}" for label, score in zip(found["labels"], found["scores"], strict=True)
            )
            print(f"scene {name}: {kind} {len(found['labels'])} margin {found['margin']:.2g} | {scores}")
        semantic = answer["semantic_outputs"].numpy()
        arrays[f"{name}_semantic_labels"] = semantic.argmax(0).astype(np.uint8)
        arrays[f"{name}_semantic_grid"] = semantic[:, ::16, ::16]
        arrays[f"{name}_input_sha256"] = np.array(seeded.checksum(scene.logits, scene.masks))
    return arrays


def piped(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The whole pipeline over the model folder: its answer for a small photo, and its preprocessing of many."""
    pipeline = ImageHumanParsingPipeline(model=str(folder), device="cpu")
    answer = pipeline(Image.fromarray(seeded.photo(*PIPELINE_PHOTO, 0)))
    order = np.argsort([-score for score in answer["scores"]], kind="stable")
    masks = np.array([answer["masks"][i] for i in order]).reshape(len(order), -1)
    print(
        "pipeline:",
        [(answer["labels"][i], round(answer["scores"][i], 3), int(answer["masks"][i].sum())) for i in order],
    )
    result = {
        "labels": np.array([pipeline.model.classes.index(answer["labels"][i]) for i in order], dtype=np.uint8),
        "scores": np.array([answer["scores"][i] for i in order], dtype=np.float32),
        "masks": np.packbits(masks > 0, axis=1),
    }
    inputs: dict[str, np.ndarray] = {}
    for seed, (height, width) in enumerate(PREPROCESS_SIZES):
        photo = seeded.photo(height, width, seed)
        tensor = pipeline.preprocess(Image.fromarray(photo))["batched_inputs"][0]["image"].numpy()
        image = tensor.transpose(1, 2, 0).astype(np.uint8)
        assert (image.transpose(2, 0, 1) == tensor).all(), "the network's input is not whole numbers"
        name = f"{height}x{width}"
        inputs[f"{name}_shape"] = np.array(image.shape[:2], dtype=np.int32)
        inputs[f"{name}_rows"] = image[[0, image.shape[0] // 3, image.shape[0] - 1]]
        inputs[f"{name}_sha256"] = np.array(seeded.checksum(image))
        inputs[f"{name}_photo_sha256"] = np.array(seeded.checksum(photo))
        print(f"preprocess {name} -> {image.shape[:2]}")
    return result, inputs


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the golden files from the reference implementation.")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)  # sums in one order

    configuration = json.loads((HERE / "small.json").read_text())
    network = build(configuration, SEED)
    files = {"keys": keys(), "network": network_outputs(network), "postprocess": postprocessed(network)}
    with tempfile.TemporaryDirectory() as model_folder:
        random_weights.write(Path(model_folder), configuration, shapes(network), SEED)
        files["pipeline"], files["preprocess"] = piped(Path(model_folder))
    for name, arrays in files.items():
        path = folder / f"{name}.npz"
        np.savez_compressed(path, **arrays)
        print(f"{path.name}: {len(arrays)} arrays, {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
