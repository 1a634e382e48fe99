"""Build the reference workbooks and their manifest from the specs of examples/.

    python tests/build_workbooks.py [FOLDER]

FOLDER is workbooks/ unless given. The manifest says of each workbook: its spec, the
network, visits, columns, formulas, the SHA-256 of its bytes, and the mean losses of the
first and the last epoch. test_workbooks.py rebuilds them all and compares cell by cell.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from pathlib import Path
from typing import Any

import sheetnet
from sheetnet.problem import load_problem
from sheetnet.spec import load_spec

ROOT = Path(__file__).parent.parent
EXAMPLES, WORKBOOKS = ROOT / "examples", ROOT / "workbooks"
MANIFEST = "manifest.json"


def build(source: Path, folder: Path) -> dict[str, Any]:
    """Export one spec into a folder; return its entry of the manifest."""
    spec = load_spec(source)
    path = folder / f"{source.stem}.xlsx"
    done = sheetnet.export(spec, path)
    return {
        "spec": f"{source.parent.name}/{source.name}",
        "network": load_problem(spec).network.label,
        "visits": done.visits,
        "columns": done.columns,
        "formulas": done.formulas,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "first_epoch_loss": _number(done.first_loss),
        "last_epoch_loss": _number(done.last_loss),
    }


def _number(value: float) -> float | None:
    """JSON has no nan: a run that diverges has none as its loss."""
    return value if math.isfinite(value) else None


def build_all(folder: Path) -> dict[str, Any]:
    """Build every example; workbooks that no longer have a spec are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = sorted(EXAMPLES.glob("*.toml"))
    manifest = {f"{source.stem}.xlsx": build(source, folder) for source in sources}
    for old in folder.glob("*.xlsx"):
        if old.name not in manifest:
            old.unlink()
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return manifest


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else WORKBOOKS
    for name, entry in build_all(target).items():
        print(f"{target / name}: {entry['visits']:,} visits × {entry['columns']} columns")
