"""Where torch is not installed: clustersim works, and whoever asks for torch is told what to install."""

import subprocess
import sys
from typing import Any

import pytest

import clustersim as cs


@pytest.mark.parametrize("ask", [lambda: cs.TorchProblem(None, [[1.0], [2.0]], [0, 1]), lambda: cs.vgg11(classes=10)])
def test_asking_for_torch_where_it_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch, ask: Any) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # an import then fails as if it were not installed
    with pytest.raises(cs.ConfigurationError) as caught:
        ask()
    assert str(caught.value) == "torch is not installed; run pip install 'clustersim[torch]'"


def test_an_installation_that_cannot_be_loaded_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libgpu.so: cannot open shared object file')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with pytest.raises(cs.ConfigurationError, match=r"cannot be loaded \(libgpu\.so.*install it again"):
        cs.vgg11()


def test_importing_clustersim_does_not_load_torch() -> None:
    code = "import sys, clustersim as cs; print(cs.TorchProblem.__name__, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout == "TorchProblem False\n"
