"""Deploy networks as int8 C code, and write the table of docs/devices.md from the measurements.

::

    python tools/devices.py FOLDER --data MNIST.npz    # deploys what FOLDER does not have yet, writes the table
    python tools/devices.py FOLDER --only baseline:conv --models MODELS

The networks are the best below each budget of the reference results, whose models come with tinysearch, and the three
hand-designed baselines. These are read from MODELS/baseline-conv.keras and so on; missing ones are trained with their
documented recipe and saved there.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tinysearch.baselines.models import BASELINES, PREFIX, baseline
from tinysearch.data.loading import load
from tinysearch.deploy import Trained, deploy
from tinysearch.results.archive import REFERENCE, open_to_read
from tinysearch.runtime.backend import load_keras

PAGE = Path(__file__).parents[1] / "docs" / "devices.md"
BEGIN, END = "<!-- python tools/devices.py -->\n", "<!-- end -->\n"
# The best networks of version 0.1.0 below 1,000, 2,000, 3,000, 5,000, 8,000 and 10,000 parameters.
WINNERS = ("48d3c065b0ca", "7d81a0ff414f", "bcb3e7624e88", "2b43060483d2", "48d8a25e596e", "9490c166ab23")
HEADINGS = (
    *("network", "params", "Keras", "LiteRT int8", "C int8", "LiteRT file", "RAM", "flash M0+", "measured", "flash M4"),
    *("measured", "instructions M0+", "M4"),
)


def trained(name: str, models: Path, dataset: Any) -> Trained:
    """Return a network with its trained model; train and save a baseline whose model is missing."""
    import keras

    from tinysearch.deploy.again import trained_again
    from tinysearch.training.candidate import Candidate
    from tinysearch.training.recipe import recipe

    if not name.startswith(PREFIX):
        with open_to_read(REFERENCE) as store:
            record = store.find(name)[-1]
        model = keras.saving.load_model(REFERENCE.with_name(f"{record.key}.keras"))
        return Trained(record.key, record.architecture, model, {"key": record.key, "seed": 0})
    architecture = baseline(name).architecture
    kept = models / f"{name.replace(':', '-')}.keras"
    if kept.exists():
        return Trained(name, architecture, keras.saving.load_model(kept), {"seed": 0})
    model = trained_again(Candidate(architecture, recipe("documented")), dataset)
    model.save(kept)
    return Trained(name, architecture, model, {"seed": 0})


def row(record: dict[str, Any]) -> str:
    """Return the table row of a deployment."""
    accuracy, sizes, predicted = record["accuracy"], record["sizes"], record["predicted"]
    small, large = sizes["cortex-m0plus -Os"], sizes["cortex-m4 -Os"]
    cells = [
        f"`{record['candidate']['name']}`",
        f"{record['params']:,}",
        *(f"{100 * accuracy[name]:.2f} %" for name in ("Keras", "LiteRT int8", "C int8")),
        f"{record['litert_bytes']:,}",
        f"{predicted['cortex-m0plus']['ram']:,}" + ("" if predicted["cortex-m0plus"]["ram"] == small["ram"] else " !"),
        f"{predicted['cortex-m0plus']['flash']:,}",
        f"{small['flash']:,}",
        f"{predicted['cortex-m4']['flash']:,}",
        f"{large['flash']:,}",
        *(f"{record['instructions'][f'{name} -O2'] / 1e6:.1f} M" for name in ("cortex-m0plus", "cortex-m4")),
    ]
    return f"| {' | '.join(cells)} |"


def table(folder: Path) -> str:
    """Return the table of all deployments in a folder."""
    records = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*/deployment.json")]
    records.sort(key=lambda one: int(one["params"]))
    lines = [f"| {' | '.join(HEADINGS)} |", f"| --- | {' | '.join(['---:'] * (len(HEADINGS) - 1))} |"]
    return "\n".join([*lines, *map(row, records)]) + "\n"


def main() -> None:
    """Deploy the networks, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, help="an .npz file with MNIST; by default it is found as by tinysearch")
    parser.add_argument("--models", type=Path, default=Path(), help="a folder with trained baselines")
    parser.add_argument("--only", help="deploy this network and leave the page as it is")
    given = parser.parse_args()
    load_keras()
    dataset = load("mnist", given.data)
    names = (given.only,) if given.only else (*WINNERS, *(PREFIX + name for name in BASELINES))
    for name in names:
        place = given.folder / name.replace(":", "-")
        if not (place / "deployment.json").exists():
            deploy(trained(name, given.models, dataset), "c", place, dataset)
    if given.only:
        print(table(given.folder))
        return
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{table(given.folder)}{END}{rest.split(END, 1)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
