"""Detectors: what they learn, what they answer, and that the file that is served says the same."""

import io
import json
from typing import Any

import numpy as np
import pytest
import torch
from conftest import PublishedJob
from PIL import Image, ImageDraw
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from darkroom_trainer.contract import Box, Line
from darkroom_trainer.detection.answers import Seen, seen_in
from darkroom_trainer.detection.average_precision import quality_of
from darkroom_trainer.detection.boxes import augment_boxes, moved_target, targets_of
from darkroom_trainer.export import Session
from darkroom_trainer.job import run_job

CLASSES = ["bright", "dark"]
WIDE, HIGH = 96, 72


def scene(number: int) -> tuple[bytes, list[dict[str, Any]]]:
    """A grey picture with a bright and a dark square; every fourth has none."""
    random = np.random.default_rng(number)
    pixels = np.full((HIGH, WIDE, 3), 128, np.uint8) + random.integers(0, 8, (HIGH, WIDE, 1), np.uint8)
    boxes = []
    for name, light, left in [("bright", 240, 0), ("dark", 10, WIDE // 2)] if number % 4 else []:
        side = int(random.integers(28, 44))
        x, y = int(random.integers(0, WIDE // 2 - side)) + left, int(random.integers(0, HIGH - side))
        pixels[y : y + side, x : x + side] = light
        boxes.append({"class": name, "x": x, "y": y, "width": side, "height": side})
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue(), boxes


@pytest.fixture
def scenes(published: PublishedJob) -> PublishedJob:
    published.lines.clear()
    for number in range(1, 17):
        picture, boxes = scene(number)
        published.add(picture, "train" if number <= 12 else "validation", boxes=boxes)
    return published


def publish(scenes: PublishedJob, **parameters: Any) -> None:
    image = {"width": 64, "height": 64, "channels": 3, "fit": "letterbox"}
    small = {"backbone": "test_efficientnet", "batchSize": 4, "epochs": 2, "width": 64, **parameters}
    trainer = {"name": "pytorch-detector", "parameters": small}
    scenes.publish(task="detection", classes=CLASSES, image=image, trainer=trainer)


@pytest.mark.parametrize("architecture", ["fcos", "retinanet", "ssdlite"])
def test_a_detector_leaves_a_file_that_says_what_it_kept(scenes: PublishedJob, architecture: str) -> None:
    publish(scenes, architecture=architecture)
    code = run_job()
    assert code == 0, scenes.reports[-1]
    session = Session(scenes.output("model.onnx"), 1)
    boxes, scores = session.run(np.random.default_rng(1).random((3, 3, 64, 64)) * 255)
    assert boxes.shape == (3, boxes.shape[1], 4)
    assert scores.shape == (3, boxes.shape[1], 2)
    assert 0 <= scores.min() <= scores.max() <= 1
    assert float(session.metadata["nms_iou"]) == 0.6
    threshold = float(session.metadata["score_threshold"])
    kept = json.loads(scenes.output("smoke.json"))
    assert [answer["md5"] for answer in kept] == [line["md5"] for line in scenes.lines[12:]]
    assert all(box["score"] >= threshold for answer in kept for box in answer["boxes"])
    assert {"validation.ap50", "validation.ap"} <= set(json.loads(scenes.output("metrics.json"))["final"])


SHAPES = {"disc": (220, 60, 50), "square": (50, 120, 220), "triangle": (60, 180, 80)}


def shapes(number: int) -> tuple[bytes, list[dict[str, Any]]]:
    """One shape of 24 to 60 pixels in each of some quarters of a noisy picture."""
    random = np.random.default_rng(number)
    picture = Image.fromarray(random.integers(140, 170, (128, 128, 3), np.uint8))
    draw, boxes = ImageDraw.Draw(picture), []
    for left, top in [(0, 0), (64, 0), (0, 64), (64, 64)][number % 4 :]:
        name, side = list(SHAPES)[int(random.integers(0, 3))], int(random.integers(24, 61))
        x, y = (place + int(random.integers(0, 65 - side)) for place in (left, top))
        right, bottom = x + side - 1, y + side - 1
        if name == "disc":
            draw.ellipse([x, y, right, bottom], fill=SHAPES[name])
        elif name == "square":
            draw.rectangle([x, y, right, bottom], fill=SHAPES[name])
        else:
            draw.polygon([(x, bottom), (right, bottom), (x + side // 2, y)], fill=SHAPES[name])
        boxes.append({"class": name, "x": x, "y": y, "width": side, "height": side})
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue(), boxes


def test_a_detector_finds_what_it_was_taught(published: PublishedJob) -> None:
    published.lines.clear()
    for number in range(44):
        picture, boxes = shapes(number)
        published.add(picture, "train" if number < 32 else "validation", boxes=boxes)
    image = {"width": 128, "height": 128, "channels": 3, "fit": "letterbox"}
    parameters = {"batchSize": 4, "epochs": 4, "width": 64}
    trainer = {"name": "pytorch-detector", "parameters": parameters}
    published.publish(task="detection", classes=list(SHAPES), image=image, trainer=trainer)
    assert run_job() == 0, published.reports[-1]
    assert json.loads(published.output("metrics.json"))["final"]["validation.ap50"] >= 0.5
    # and so does the file that is served, with the threshold that it tells
    wanted = {line["md5"]: line["boxes"] for line in published.lines}
    answered = json.loads(published.output("smoke.json"))
    found = [any(is_same(box, seen) for seen in answer["boxes"]) for answer in answered for box in wanted[answer["md5"]]]
    assert sum(found) >= len(found) / 2


def is_same(box: dict[str, Any], seen: dict[str, Any]) -> bool:
    off = max(abs(box[key] - seen[key]) for key in ("x", "y", "width", "height"))
    return bool(box["class"] == seen["class"] and off <= box["width"] / 4)


def test_a_box_of_an_unknown_class_is_told(scenes: PublishedJob) -> None:
    scenes.lines[0]["boxes"] = [{"class": "blue", "x": 0, "y": 0, "width": 5, "height": 5}]
    publish(scenes)
    assert run_job() == 1
    assert "a box of the class blue" in scenes.reports[-1]["reason"]


def test_boxes_are_in_pixels_of_the_input_and_crowds_are_no_objects() -> None:
    boxes = [Box(label="a", x=10, y=20, width=30, height=40), Box(label="a", x=0, y=0, width=9, height=9, crowd=True)]
    line = Line(url="http://x", md5="0" * 32, split="train", boxes=boxes)
    target = targets_of(line, {"a": 0}, (0.5, 0.25))
    assert target["boxes"].tolist() == [[5, 5, 20, 15]]


def test_a_box_moves_as_its_pixels_do() -> None:
    pixels = torch.full((8, 3, 40, 60), 20.0)
    pixels[:, :, 10:20, 15:30] = 200
    target = {"boxes": torch.tensor([[15.0, 10, 30, 20]]), "labels": torch.tensor([0])}
    changed, moved = augment_boxes(pixels, [target] * 8, "strong", torch.Generator().manual_seed(5))
    compared = 0
    for picture, objects in zip(changed, moved, strict=True):
        if len(objects["boxes"]) == 0:
            continue
        dark, light = picture[0].min(), picture[0].max()
        rows, columns = torch.nonzero(picture[0] > (dark + light * 2) / 3, as_tuple=True)
        found = torch.tensor([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        compared += 1
        torch.testing.assert_close(found.float(), objects["boxes"][0], rtol=0, atol=1.6)
    assert compared >= 4


def test_an_object_that_leaves_the_picture_is_left_out() -> None:
    target = {"boxes": torch.tensor([[0.0, 0, 10, 10], [40, 40, 60, 60]]), "labels": torch.tensor([0, 1])}
    moved = moved_target(target, (0.5, 0.5), (0.5, 0.5), (100, 100))
    assert moved["labels"].tolist() == []
    same = moved_target(target, (1, 1), (0, 0), (100, 100))
    torch.testing.assert_close(same["boxes"], target["boxes"])


def test_what_is_outside_of_the_picture_is_not_seen() -> None:
    boxes = torch.tensor([[-5.0, -5, 10, 10], [70, 0, 90, 9], [0, 0, 10, 10]])
    scores = torch.tensor([[0.9, 0.1], [0.8, 0.8], [0.3, 0.7]])
    seen = seen_in(boxes, scores, (64, 32), 0.2, 0.6)
    assert seen.boxes.tolist() == [[0, 0, 10, 10], [0, 0, 10, 10]]
    assert seen.labels.tolist() == [0, 1]
    assert len(seen_in(boxes, scores, (64, 32), 0.2, 1).labels) == 3


def test_average_precision_is_that_of_coco(capsys: pytest.CaptureFixture[str]) -> None:
    random = torch.Generator().manual_seed(2)
    seen, wanted = [], []
    for _ in range(12):
        count = int(torch.randint(0, 6, (1,), generator=random))
        corner = torch.rand(count, 2, generator=random) * 60
        boxes = torch.cat([corner, corner + 5 + torch.rand(count, 2, generator=random) * 40], dim=1)
        labels = torch.randint(0, 2, (count,), generator=random)
        wanted.append({"boxes": boxes, "labels": labels})
        near = torch.cat([boxes + torch.randn(count, 4, generator=random) * 2, boxes[:2] + 3])
        scores = torch.rand(len(near), generator=random).sort(descending=True).values
        seen.append(Seen(near, torch.cat([labels, labels[:2]]), scores))
    quality = quality_of(seen, wanted, 2)
    stats = coco_stats(seen, wanted)
    capsys.readouterr()
    assert quality.ap == pytest.approx(stats[0], abs=1e-6)
    assert quality.ap50 == pytest.approx(stats[1], abs=1e-6)
    assert 0 < quality.threshold < 1


def coco_stats(seen: list[Seen], wanted: list[dict[str, torch.Tensor]]) -> Any:
    def sized(boxes: torch.Tensor) -> list[list[float]]:
        return torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1).tolist()

    truth: dict[str, Any] = {"images": [{"id": at} for at in range(len(wanted))], "categories": [{"id": 0}, {"id": 1}]}
    truth["annotations"] = [
        {"image_id": at, "category_id": int(label), "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for at, target in enumerate(wanted)
        for box, label in zip(sized(target["boxes"]), target["labels"], strict=True)
    ]
    for number, annotation in enumerate(truth["annotations"], start=1):
        annotation["id"] = number
    coco = COCO()
    coco.dataset = truth
    coco.createIndex()
    found = coco.loadRes(
        [
            {"image_id": at, "category_id": int(label), "bbox": box, "score": float(score)}
            for at, one in enumerate(seen)
            for box, label, score in zip(sized(one.boxes), one.labels, one.scores, strict=True)
        ]
    )
    evaluation = COCOeval(coco, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats
