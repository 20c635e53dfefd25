"""Write the reference results that come with tinysearch from a store, and the table of docs/results.md from them.

::

    python tools/reference.py STORE RUN...           # writes records and models, then the table of docs/results.md
    python tools/reference.py STORE RUN... --add     # adds those runs to the ones that are there
    python tools/reference.py                        # the table of docs/results.md alone

Records are written to ``results/reference/records.jsonl``. For each evaluated candidate of a search, the model of the
lowest seed is written to the same folder: compressed, without its training configuration, and with the date of its
record, so that the same store gives the same files. Earlier results are replaced, unless ``--add`` is given.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from tinysearch.report.text import to_markdown
from tinysearch.results.archive import REFERENCE, read, write
from tinysearch.results.artifacts import saved
from tinysearch.results.leaderboard import rank
from tinysearch.results.record import Record
from tinysearch.results.store import Store

RESULTS = Path(__file__).parents[1] / "docs" / "results.md"
BEGIN, END = "<!-- tinysearch leaderboard --reference --tested --sort params --format markdown -->\n", "<!-- end -->\n"
MOST_BYTES = 100_000
# Arguments that Keras 3.15 has and Keras 3.7 does not have, with their default values.
NEWER = {"input_axes": None, "output_axes": None, "quantization_config": None}
NEWER |= {"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99}


def table() -> str:
    """Return the table of docs/results.md, as ``tinysearch leaderboard`` prints it."""
    with read(REFERENCE) as store:
        splits = {run.name: run.split for run in store.runs()}
        return to_markdown(rank(store.summaries(), sort="params", tested=True, splits=splits))


def update_page() -> None:
    """Replace the table between its markers in docs/results.md."""
    before, rest = RESULTS.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END, 1)[1]
    RESULTS.write_text(f"{before}{BEGIN}{table()}{END}{after}", encoding="utf-8")


def add_models(store: Store, records: list[Record], *, keep: bool = False) -> None:
    """Write the model of each evaluated candidate of a search.

    Args:
        store: Store of the records.
        records: Records of the candidates.
        keep: Whether to keep existing models, those of other candidates included.
    """
    import keras

    from tinysearch.runtime.backend import load_keras

    load_keras()
    import tinysearch.training.trainer  # noqa: F401 - models of earlier versions name its classes

    wanted: dict[str, Record] = {}
    for record in sorted(records, key=lambda one: one.seed):
        if record.purpose == "evaluation" and record.origin == "search" and not record.failed:
            wanted.setdefault(record.key, record)
    there = {old.stem: old for old in REFERENCE.parent.glob("*.keras")}
    gone = [] if keep else [old for key, old in there.items() if key not in wanted]
    if keep:
        wanted = {key: record for key, record in wanted.items() if key not in there}
    for record in wanted.values():
        path = saved(store.folder_of(record.run), record)
        model = keras.saving.load_model(path, compile=False)
        packed = REFERENCE.parent / f"{record.key}.keras"
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "model.keras"
            model.save(plain)
            with zipfile.ZipFile(plain) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
                for item in source.infolist():
                    content = source.read(item)
                    if item.filename == "metadata.json":
                        content = json.dumps(json.loads(content) | {"date_saved": record.created_at}).encode()
                    if item.filename == "config.json":
                        content = json.dumps(for_earlier_keras(json.loads(content))).encode()
                    target.writestr(zipfile.ZipInfo(item.filename), content, zipfile.ZIP_DEFLATED, 9)
        keras.saving.load_model(packed)
        size = packed.stat().st_size
        print(f"{packed.name}: {size:,} bytes")
        if size > MOST_BYTES:
            raise SystemExit(f"{packed} is larger than {MOST_BYTES:,} bytes")
    for old in gone:
        old.unlink()


def for_earlier_keras(config: Any) -> Any:
    """Return a model's configuration without default values of arguments that earlier versions of Keras do not know.

    Keras 3.13 and later do not support Python 3.10, and earlier versions reject unknown arguments.
    """
    if isinstance(config, dict):
        kept = {key: value for key, value in config.items() if key not in NEWER or value != NEWER[key]}
        return {key: for_earlier_keras(value) for key, value in kept.items()}
    return [for_earlier_keras(one) for one in config] if isinstance(config, list) else config


def main() -> None:
    """Write the reference results, if a store is given, and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, nargs="?")
    parser.add_argument("runs", nargs="*", metavar="RUN")
    parser.add_argument("--add", action="store_true", help="add to the existing results")
    given = parser.parse_args()
    if given.add and given.store is None:
        parser.error("--add wants a store to add runs from")
    if given.store is not None:
        with Store(given.store) as store:
            names = given.runs or [run.name for run in store.runs()]
            records = [record for name in names for record in store.records(name)]
            if given.add:
                with read(REFERENCE) as whole:
                    whole.add([store.run(name) for name in names], records)
                    every = [run.name for run in whole.runs()]
                    print(f"{write(whole, every, REFERENCE)} records of {len(every)} runs")
            else:
                print(f"{write(store, names, REFERENCE)} records of {len(names)} runs")
            add_models(store, records, keep=given.add)
    update_page()


if __name__ == "__main__":
    main()
