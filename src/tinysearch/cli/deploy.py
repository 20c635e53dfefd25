"""``deploy``: a trained network in the form that a device takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinysearch.cli import options
from tinysearch.cli.paths import path
from tinysearch.cli.reporting import reported, stderr, stdout
from tinysearch.cli.signals import terminations

if TYPE_CHECKING:
    from tinysearch.cli.candidates import Found
    from tinysearch.data.dataset import Dataset
    from tinysearch.deploy.trained import Trained


@reported
def deploy(
    candidate: options.Candidate,
    to: Annotated[str, typer.Option("--to", metavar="TARGET", help="c, tflite (LiteRT), onnx or saved_model.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", parser=path, metavar="DIR", help="The folder that the files go to.")
    ],
    dtype: Annotated[str, typer.Option(metavar="TYPE", help="int8 or float32, for c and tflite.")] = "int8",
    without_scaling: Annotated[
        bool, typer.Option("--without-scaling", help="Leave the scaling of raw pixels to whoever uses the network.")
    ] = False,
    dataset: options.Dataset = "auto",
    data: options.Data = None,
    reference: options.Reference = False,
    store: options.StoreOrArchive = None,
) -> None:
    """Write a trained network in the form that a device takes, and compare it with Keras.

    C is compiled and run on this machine, and on emulated microcontrollers where their tools are installed. A network
    whose model was not kept is trained again.

    Example: tinysearch deploy 231495f5d1eb --reference --to c -o out
    """
    from tinysearch.cli.candidates import find
    from tinysearch.data.loading import load
    from tinysearch.deploy.deployment import check_target
    from tinysearch.deploy.deployment import deploy as deploy_network
    from tinysearch.deploy.summary import summary

    check_target(to, dtype)
    found = find(candidate, options.to_read(store, reference))
    with terminations():
        images = load(dataset, data)
        trained = _trained(found, images)
        done = deploy_network(
            trained,
            to,
            output,
            images,
            dtype="float32" if dtype == "float32" else "int8",
            scaling=not without_scaling,
        )
    stdout().print(summary(done))


def _trained(found: Found, images: Dataset) -> Trained:
    """Return the network with the model that was kept, else train it again."""
    from tinysearch.runtime.backend import load_keras

    load_keras()
    import keras

    from tinysearch.deploy.again import trained_again
    from tinysearch.deploy.trained import Trained
    from tinysearch.errors import CandidateError
    from tinysearch.training.candidate import Candidate
    from tinysearch.training.recipe import Recipe

    kept = [(record, model) for record, model in zip(found.records, found.models, strict=True) if model is not None]
    # One that was trained on all training images is to be preferred.
    kept.sort(key=lambda one: one[0].purpose != "evaluation")
    if kept:
        record, model = kept[0]
        origin = {"run": record.run, "key": record.key, "seed": record.seed, "purpose": record.purpose}
        record_images = record.fingerprint
        network = keras.saving.load_model(model)
    elif found.records:
        record = next((one for one in found.records if not one.failed), found.records[-1])
        record_images = record.fingerprint
        origin = {"run": record.run, "key": record.key, "seed": record.seed, "purpose": "trained again"}
    else:
        raise CandidateError(
            f"{found.name} has not been trained in this store, so there is nothing to deploy; train it first, as "
            f"'tinysearch run' and 'tinysearch reproduce' do, or name one of 'tinysearch leaderboard'"
        )
    if record_images != images.fingerprint:
        raise CandidateError(
            f"{found.name} was trained on {record.dataset} with fingerprint {record_images}, the dataset given is "
            f"{images.name} with {images.fingerprint}; give the data it was trained on with --data or --dataset"
        )
    if not kept:
        stderr().print(
            f"note: the model of {found.name} was not kept; it is trained again, with seed {record.seed}",
            style="bold yellow",
            soft_wrap=True,
        )
        network = trained_again(Candidate(record.architecture, Recipe.from_dict(record.recipe)), images, record.seed)
    return Trained(found.name, record.architecture, network, origin)
