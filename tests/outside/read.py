"""Other people's programs read what the running service answers: `make outside`, in a virtual environment of its own.

    python tests/outside/read.py http://127.0.0.1:5000 PHOTO

They are too heavy, or at odds with our own requirements, for the test suite; there, smaller readers
stand for them. Each check says what it read, or raises.
"""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Maps = tuple[np.ndarray, np.ndarray]


class Service:
    """The running service, asked with the standard library alone."""

    def __init__(self, address: str, photo: Path) -> None:
        self.address, self.photo = address.rstrip("/"), photo
        self.names = [row["name"] for row in json.loads(self.get("/api/labels"))["labels"]]

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.address + path, timeout=120) as answer:
            return bytes(answer.read())

    def parse(self, format: str, **query: str) -> bytes:
        words = "&".join(f"{name}={value}" for name, value in {"format": format, **query}.items())
        request = urllib.request.Request(
            f"{self.address}/api/parse?{words}", self.photo.read_bytes(), {"Content-Type": "application/octet-stream"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return bytes(answer.read())

    def maps(self) -> Maps:
        """(labels, people), (H, W) uint8 each, from the PNGs."""
        pictures = (Image.open(io.BytesIO(self.parse(name))) for name in ("label_map", "people_map"))
        return tuple(np.asarray(picture) for picture in pictures)  # type: ignore[return-value]


def read_coco(service: Service) -> str:
    """pycocotools loads the data set, and its masks are the maps."""
    from pycocotools.coco import COCO

    labels, people = service.maps()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(service.parse("coco"))
        file.flush()
        coco = COCO(file.name)
    seen, whose = np.zeros_like(labels), np.zeros_like(people)
    for annotation in coco.loadAnns(coco.getAnnIds()):
        mask = coco.annToMask(annotation) == 1
        seen[mask], whose[mask] = annotation["category_id"], annotation["person_id"]
        assert mask.sum() == annotation["area"]
    assert np.array_equal(seen, labels) and np.array_equal(whose, people)
    return f"{len(coco.anns)} annotations"


def read_labelstudio(service: Service) -> str:
    """Label Studio's own decoder gives the label map back, and its converter makes PNGs of the same."""
    from label_studio_sdk.converter import Converter, brush
    from label_studio_sdk.converter.converter import Format

    labels, _ = service.maps()
    (task,) = json.loads(service.parse("labelstudio"))
    regions = task["predictions"][0]["result"]
    seen = np.zeros_like(labels)
    for region in regions:
        rgba = np.reshape(brush.decode_rle(region["value"]["rle"]), (*labels.shape, 4))
        seen[rgba[..., 3] == 255] = service.names.index(region["value"]["brushlabels"][0])
    assert np.array_equal(seen, labels)
    choices = "".join(f'<Label value="{name}"/>' for name in service.names[1:])
    config = f"""<View><Image name="image" value="$image"/>
        <BrushLabels name="tag" toName="image">{choices}</BrushLabels></View>"""
    with tempfile.TemporaryDirectory() as folder:
        # As it is exported once somebody has accepted the prediction.
        accepted = {"id": 1, "data": task["data"], "annotations": [{"id": 1, "completed_by": 1, "result": regions}]}
        tasks = Path(folder) / "tasks.json"
        tasks.write_text(json.dumps([accepted]))
        out = Path(folder) / "out"
        out.mkdir()
        converter = Converter(config, folder, download_resources=False)
        converter.convert(str(tasks), str(out), Format.BRUSH_TO_PNG, is_dir=False)
        made = {path.stem: np.asarray(Image.open(path)) for path in out.rglob("*.png")}
    for name in {service.names[number] for number in np.unique(labels)} - {service.names[0]}:
        mask = np.any([picture > 0 for stem, picture in made.items() if f"-tag-{name}-" in stem], axis=0)
        assert np.array_equal(mask, labels == service.names.index(name)), name
    return f"{len(regions)} regions; {len(made)} masks by its converter"


def read_huggingface(service: Service) -> str:
    """huggingface_hub's client takes the service for one of its own."""
    from huggingface_hub import InferenceClient

    labels, _ = service.maps()
    client = InferenceClient(model=f"{service.address}/api/parse?format=huggingface")
    elements = client.image_segmentation(service.photo.read_bytes())
    seen = np.zeros_like(labels)
    for element in elements:
        seen[np.asarray(element.mask) > 0] = service.names.index(element.label)
    assert np.array_equal(seen, labels)
    return f"{len(elements)} segments"


def read_transformers(service: Service) -> str:
    """A processor of transformers takes photo and label map for training, and the ids are what they were."""
    from transformers import SegformerImageProcessor

    picture = Image.open(io.BytesIO(service.parse("label_map")))
    processor = SegformerImageProcessor(do_resize=False, do_reduce_labels=False)
    given = processor(images=Image.open(service.photo).convert("RGB"), segmentation_maps=picture, return_tensors="np")
    assert np.array_equal(np.asarray(given["labels"][0]), service.maps()[0])
    return f"labels of {picture.width}x{picture.height}"


def read_models(service: Service) -> str:
    """Types that datamodel-code-generator makes of the document take every JSON that is answered."""
    document = json.loads(service.get("/openapi.json"))
    command = (
        "datamodel-codegen --input-file-type openapi --output-model-type pydantic_v2.BaseModel --formatters builtin"
    )
    models = generate([*command.split(), "--output", "models.py"], document, "models")
    shapes = {"json": models.Parsing, "coco": models.CocoDataset, "huggingface": models.Segments,
              "labelstudio": models.LabelStudioTasks}  # fmt: skip
    for format, shape in shapes.items():
        shape.model_validate_json(service.parse(format))
    everything = service.parse("json", include="label_map,people_map,masks,rle,polygons,keypoints")
    parsing = models.Parsing.model_validate_json(everything)
    assert parsing.num_persons == len(parsing.people) > 0
    models.Classes.model_validate_json(service.get("/api/labels"))
    models.Parsers.model_validate_json(service.get("/api/parsers"))
    models.Effects.model_validate_json(service.get("/api/effects"))
    return f"{len(document['components']['schemas'])} shapes"


def read_client(service: Service) -> str:
    """A client that openapi-python-client makes of the document parses the photo, alone, with another, and as a job."""
    document = json.loads(service.get("/openapi.json"))
    made = generate(["openapi-python-client", "generate", "--meta", "none", "--output-path", "made"], document, "made")
    models, types = importlib.import_module("made.models"), importlib.import_module("made.types")
    parsing, jobs = (importlib.import_module(f"made.api.{name}") for name in ("parsing", "jobs"))
    for package, modules in ((parsing, ("parse", "parse_batch")), (jobs, ("submit_job", "look", "job_result"))):
        for name in modules:
            importlib.import_module(f"{package.__name__}.{name}")
    client = importlib.import_module("made.client").Client(base_url=service.address, timeout=120)

    def photo() -> Any:
        return types.File(payload=io.BytesIO(service.photo.read_bytes()), file_name=service.photo.name)

    direct = parsing.parse.sync(
        client=client, body=models.ParseFilesBody(image=photo()), include=[models.ParseIncludeItem.RLE]
    )
    assert type(direct).__name__ == "Parsing" and direct.people[0].parts[0].rle.counts
    body = models.ParseBatchFilesBody(image=[photo(), types.File(io.BytesIO(b"no photo"), "no.jpg"), photo()])
    batch = parsing.parse_batch.sync(client=client, body=body)
    assert (batch.succeeded, batch.failed, batch.results[1].problem.code) == (2, 1, "unsupported_format")
    bad = models.ParseFilesBody(image=types.File(io.BytesIO(b"no photo"), "no.jpg"))
    refused = parsing.parse.sync(client=client, body=bad)
    assert type(refused).__name__ == "Problem" and refused.code == "unsupported_format"
    job = jobs.submit_job.sync(client=client, body=models.SubmitJobFilesBody(image=[photo()]))
    while job.state.value in ("queued", "running"):
        time.sleep(0.1)
        job = jobs.look.sync(job.id, client=client)
    later = jobs.job_result.sync(job.id, client=client)
    assert [person.area for person in later.people] == [person.area for person in direct.people]
    del made
    return f"{len(direct.people)} people, by form, batch and job"


def generate(command: list[str], document: dict[str, Any], module: str) -> Any:
    """What a generator, installed beside this Python, makes of the document; imported."""
    folder = tempfile.mkdtemp()
    (Path(folder) / "openapi.json").write_text(json.dumps(document))
    where = ["--input", "openapi.json"] if "datamodel" in command[0] else ["--path", "openapi.json"]
    program = str(Path(sys.executable).parent / command[0])
    subprocess.run([program, *command[1:], *where], cwd=folder, check=True, capture_output=True)
    sys.path.insert(0, folder)
    return importlib.import_module(module)


def main() -> None:
    """All of them; the first that fails ends it."""
    service = Service(sys.argv[1], Path(sys.argv[2]))
    checks: list[Callable[[Service], str]] = [
        read_coco, read_labelstudio, read_huggingface, read_transformers, read_models, read_client,
    ]  # fmt: skip
    for check in checks:
        print(f"{check.__name__.removeprefix('read_')}: {check(service)}", flush=True)


if __name__ == "__main__":
    main()
