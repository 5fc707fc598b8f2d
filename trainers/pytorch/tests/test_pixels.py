"""The golden vectors of docs/preprocessing.md."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darkroom_trainer.contract import ImageShape
from darkroom_trainer.pixels import read_pixels

GOLDEN = Path(__file__).parents[3] / "test/fixtures/preprocessing"
VECTORS = json.loads((GOLDEN / "vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["tensor"]))
def test_a_picture_is_what_it_is_in_serving(vector: dict[str, Any]) -> None:
    shape = ImageShape.model_validate(vector["image"])
    expected = np.fromfile(GOLDEN / vector["tensor"], dtype="<f4")
    made = read_pixels((GOLDEN / vector["picture"]).read_bytes(), shape).values
    assert made.shape == (shape.channels, shape.height, shape.width)
    np.testing.assert_allclose(made.ravel(), expected, rtol=0, atol=1e-6)
