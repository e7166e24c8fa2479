"""CIFAR-10's loader on tiny stand-ins for its files, whose every byte is known."""

import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest

from clustersim import datasets
from clustersim.datasets import cifar
from clustersim.errors import ConfigurationError

FILES = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
EACH = 4


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar, "_IMAGES", EACH)


def pixel(file: int, image: int, channel: int, line: int, column: int) -> int:
    """What the stand-ins have there; different everywhere near."""
    return (101 * file + 59 * image + 83 * channel + 7 * line + column) % 256


def label(file: int, image: int) -> int:
    return (3 * file + image) % 10


def write(folder: Path) -> Path:
    """Files as their description says: for each image a label, then the red, the green and the blue pixels by lines."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(FILES):
        content = bytearray()
        for image in range(EACH):
            content.append(label(number, image))
            for channel in range(3):
                for line in range(32):
                    content.extend(pixel(number, image, channel, line, column) for column in range(32))
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("inside", [".", "cifar-10-batches-bin"])
def test_every_pixel_and_label_is_where_it_belongs(tmp_path: Path, inside: str) -> None:
    write(tmp_path / inside)
    for folder in (tmp_path, str(tmp_path)):
        data = datasets.cifar10(folder)
        assert data.X.shape == (5 * EACH, 3072)
        assert data.test_X.shape == (EACH, 3072)
        assert data.y.tolist() == [label(file, image) for file in range(5) for image in range(EACH)]
        assert data.test_y.tolist() == [label(5, image) for image in range(EACH)]
        planes = np.vstack([data.X, data.test_X]).reshape(6, EACH, 3, 32, 32)
        for where in np.ndindex(6, EACH, 3, 32, 32):
            if where[3] in (0, 13, 31):
                assert planes[where] == pixel(*where) / 255.0


def test_it_is_a_data_set_like_the_others(tmp_path: Path) -> None:
    data = datasets.cifar10(write(tmp_path))
    assert (data.X.dtype, data.y.dtype) == (np.float64, np.int64)
    assert (data.X.min(), data.X.max()) == (0.0, 1.0)
    assert data.X.flags.c_contiguous
    assert repr(data) == "Dataset('cifar10', 20 + 4 test rows, 3072 features)"
    with pytest.raises(ValueError, match="read-only"):
        data.X[0] = 0
    assert "Krizhevsky" in data.source


def test_a_missing_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere.*no such folder.*cifar-10-binary\.tar\.gz"):
        datasets.cifar10(tmp_path / "nowhere")
    archive = tmp_path / "cifar-10-binary.tar.gz"
    archive.write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"no such folder.*unpack it"):
        datasets.cifar10(archive)
    (write(tmp_path) / "data_batch_4.bin").unlink()
    with pytest.raises(ConfigurationError, match=r"data_batch_4\.bin is missing"):
        datasets.cifar10(tmp_path)


@pytest.mark.parametrize("size", [0, EACH * 3073 - 1, EACH * 3073 + 1, (EACH - 1) * 3073, EACH * 3072])
def test_a_file_of_the_wrong_size_is_refused(tmp_path: Path, size: int) -> None:
    (write(tmp_path) / "data_batch_2.bin").write_bytes(bytes(size))
    with pytest.raises(ConfigurationError, match=rf"data_batch_2\.bin: expected 12,292 bytes.*got {size:,}"):
        datasets.cifar10(tmp_path)


def test_the_official_size_is_that_of_ten_thousand_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(ConfigurationError, match="expected 30,730,000 bytes, 10,000 images"):
        datasets.cifar10(write(tmp_path))


def test_labels_beyond_nine_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path) / "test_batch.bin"
    content = bytearray(file.read_bytes())
    content[2 * 3073] = 10
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"test_batch\.bin.*from 0 to 9, got 10 at image 2"):
        datasets.cifar10(tmp_path)


class Trap:
    """What a pickle can do to whoever reads it."""

    def __reduce__(self) -> Any:
        return (Path.touch, (Path("sprung"),))


@pytest.mark.parametrize("inside", [".", "cifar-10-batches-py"])
def test_the_pickled_version_is_refused_and_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / inside
    folder.mkdir(exist_ok=True)
    for name in ("data_batch_1", "test_batch", "batches.meta"):
        (folder / name).write_bytes(pickle.dumps(Trap()))
    for place in {tmp_path, folder}:
        with pytest.raises(ConfigurationError, match=r"python version.*unpickling runs.*cifar-10-binary\.tar\.gz"):
            datasets.cifar10(place)
    assert not Path("sprung").exists()


def test_binary_files_serve_even_beside_pickled_ones(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "batches.meta").write_bytes(pickle.dumps(Trap()))
    assert len(datasets.cifar10(tmp_path).y) == 5 * EACH


def fake_openml(monkeypatch: pytest.MonkeyPatch, fetch: Any) -> None:
    module = ModuleType("sklearn.datasets")
    vars(module)["fetch_openml"] = fetch
    monkeypatch.setitem(sys.modules, "sklearn", ModuleType("sklearn"))
    monkeypatch.setitem(sys.modules, "sklearn.datasets", module)


def test_without_folder_the_first_five_sixths_of_openml_are_for_training(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    pixels = np.arange(6 * EACH * 3072).reshape(-1, 3072) % 251

    def fetch(name: str, **options: Any) -> Any:
        asked.append((name, options))
        return pixels, np.array([str(i % 10) for i in range(6 * EACH)], dtype=object)

    fake_openml(monkeypatch, fetch)
    data = datasets.cifar10()
    assert asked == [("CIFAR_10", {"version": 1, "return_X_y": True, "as_frame": False})]
    np.testing.assert_array_equal(data.X, pixels[: 5 * EACH] / 255.0)
    np.testing.assert_array_equal(data.test_X, pixels[5 * EACH :] / 255.0)
    assert data.y.tolist() == [i % 10 for i in range(5 * EACH)]
    assert data.test_y.tolist() == [i % 10 for i in range(5 * EACH, 6 * EACH)]
    assert "OpenML" in data.source


def test_what_openml_serves_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_openml(monkeypatch, lambda *_, **__: (np.zeros((6 * EACH, 3071)), np.zeros(6 * EACH)))
    with pytest.raises(ConfigurationError, match=r"expected \(24, 3072\) pixels from OpenML, got \(24, 3071\)"):
        datasets.cifar10()
    fake_openml(monkeypatch, lambda *_, **__: (np.zeros((6 * EACH, 3072)), np.array(["-1"] * 24, dtype=object)))
    with pytest.raises(ConfigurationError, match="OpenML's CIFAR_10: expected labels from 0 to 9, got -1"):
        datasets.cifar10()


def test_without_connection_the_error_says_what_to_get(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise URLError("name resolution failed")

    fake_openml(monkeypatch, offline)
    with pytest.raises(ConfigurationError, match=r"name resolution failed.*cifar-10-binary\.tar\.gz"):
        datasets.cifar10()
