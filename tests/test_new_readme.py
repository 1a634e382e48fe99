"""What the README says of trained models, run as it stands there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import run

import sheetnet

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, word: str) -> str:
    blocks = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    (found,) = (text for text in blocks if word in text)
    return str(found)


def test_trained_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", "examples")
    script = block("py", "joblib.dump")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = block("console", "--from-sklearn").splitlines()
    assert len(lines) == 2
    for line in lines:
        command = shlex.split(line.removeprefix("$ sheetnet "))
        result = run(*command)
        assert (result.exit_code, result.stderr) == (0, ""), line
        train = sheetnet.train(sheetnet.load_spec(command[1]).override(epochs=2))
        assert np.isfinite(train.epoch_losses).all()
