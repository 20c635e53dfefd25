"""One candidate of a study, with its network."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from tinysearch.errors import RunError

if TYPE_CHECKING:
    import keras

    from tinysearch.data.dataset import Dataset
    from tinysearch.deploy.deployment import Deployment
    from tinysearch.deploy.targets import Dtype
    from tinysearch.results.record import Record
    from tinysearch.results.standing import Standing
    from tinysearch.space.architecture import Architecture
    from tinysearch.space.budget import Budget
    from tinysearch.space.task import Task


@dataclasses.dataclass(frozen=True, slots=True)
class _Origin:
    """Where a result comes from, as ``deploy`` needs it.

    Args:
        dataset: Data of its study.
        folder: Folder of its run.
        store: Path of the store; None for one in memory.
        records: All records of the candidate in the run.
        budget: Limits of its run; None for none.
        verbose: Whether the study prints what it does.
    """

    dataset: Dataset
    folder: Path
    store: Path | None
    records: tuple[Record, ...]
    budget: Budget | None
    verbose: bool


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Result:
    """One trained candidate.

    Args:
        record: The measurement, with everything needed to repeat it.
        task: Image shape and number of classes it was trained for.
        model_path: Path of the trained model, which is kept for the best few candidates of a run and for evaluated
            ones.
        val_accuracy: Validation accuracy of the last epoch, a fraction; the mean over folds if it was revalidated.
        revalidations: Validation accuracies on other folds; empty if the candidate was not revalidated.
        test_accuracies: Test accuracies of the retrainings on all training images, as fractions, one per seed in
            ascending order of the seeds; empty if the candidate was not evaluated.
        training: The training that produced the network of ``load``, ``deploy`` and ``model_path``: that on all
            training images with the lowest ``seed``, or else that of the search. Its ``test_accuracy`` is the score of
            exactly this network; None if it was not scored on the test images.
    """

    record: Record
    task: Task
    model_path: Path
    val_accuracy: float | None = None
    revalidations: tuple[float, ...] = ()
    test_accuracies: tuple[float, ...] = ()
    training: Record | None = None
    _origin: _Origin | None = dataclasses.field(default=None, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        standing: Standing[Record],
        dataset: Dataset,
        folder: Path,
        store: Path | None,
        budget: Budget | None = None,
        *,
        verbose: bool = False,
    ) -> Result:
        """Return the result of a candidate.

        Args:
            standing: The candidate with its records and its rank in its run.
            dataset: Data that it was trained on.
            folder: Folder of its run.
            store: Path of the store; None for one in memory.
            budget: The limits of its run; None for none.
            verbose: Whether ``deploy`` prints a summary.
        """
        from tinysearch.results.artifacts import handed_out, kept_model, saved

        record = standing.first
        training, path = handed_out((one, kept_model(folder, one)) for one in standing.trainings) or (record, None)
        # The store has them in the order in which they finished.
        trainings = sorted(standing.trainings, key=lambda one: one.seed)
        again = [one for one in standing.validated if one.purpose == "revalidation" and one.val_accuracy is not None]
        return cls(
            record,
            dataset.task,
            path or saved(folder, training),
            standing.val_accuracy,
            tuple(one.val_accuracy or 0.0 for one in again),
            tuple(one.test_accuracy for one in trainings if one.test_accuracy is not None),
            training,
            _Origin(dataset, folder, store, tuple(standing.trainings), budget, verbose),
        )

    def __repr__(self) -> str:
        """Show the name, parameters and accuracies of the candidate."""
        figures = "" if self.val_accuracy is None else f", validation accuracy {self.val_accuracy:.4f}"
        if self.test_accuracies:
            seeds = len(self.test_accuracies)
            figures += (
                f", test accuracy {sum(self.test_accuracies) / seeds:.4f} ({seeds} seed{'' if seeds == 1 else 's'})"
            )
        return f"<Result {self.record.name}: {self.params:,} params{figures}>"

    def __reduce__(self) -> tuple[type[Result], tuple[object, ...]]:
        """Pickle the public fields, without the images of the study."""
        shown = [field.name for field in dataclasses.fields(self) if field.repr]
        return type(self), tuple(getattr(self, name) for name in shown)

    @property
    def key(self) -> str:
        """Key of the candidate."""
        return self.record.key

    @property
    def architecture(self) -> Architecture:
        """The network as a value."""
        return self.record.architecture

    @property
    def params(self) -> int:
        """Total parameters, moving statistics included."""
        return self.record.cost.params

    def build(self) -> keras.Model:
        """Build the untrained network, for pixels that the caller has scaled, with the input shape of ``task``.

        Keras draws its weights, as always, from Python's global generator, which ``keras.utils.set_random_seed`` seeds:
        two calls make different weights.

        Raises:
            WorkError: if Keras cannot be loaded.
        """
        from tinysearch.runtime.backend import load_keras
        from tinysearch.training.recipe import Recipe

        load_keras()
        from tinysearch.space.keras_builder import build

        return build(self.architecture, self.task, norm_momentum=Recipe.from_dict(self.record.recipe).norm_momentum)

    def load(self) -> keras.Model:
        """Load the trained network, which takes raw pixels: that of ``training``, which ``deploy`` exports too.

        Raises:
            RunError: if the model was not kept, because it was not among the best few of its run.
            CandidateError: if the file of the model cannot be read.
            WorkError: if Keras cannot be loaded.
        """
        from tinysearch.runtime.backend import load_model

        if not self.model_path.exists():
            raise RunError(f"the trained model of {self.record.key} was not kept at {self.model_path}; train it again")
        return load_model(self.model_path)

    def deploy(
        self,
        target: str,
        folder: Path | str,
        *,
        dtype: Dtype | None = None,
        scaling: bool = True,
        vectors: int | None = None,
    ) -> Deployment:
        """Export the trained network for a device, compare it with Keras, and store a record of the deployment.

        Unless the study is silent (``verbose=0``), this prints the comparison, and whether the network is within the
        limits.

        Args:
            target: ``"c"``, ``"tflite"`` (LiteRT), ``"onnx"`` or ``"saved_model"``.
            folder: Folder to write to; it is created if needed.
            dtype: ``"int8"``, the default, or ``"float32"``, for C and LiteRT; the others are float32.
            scaling: Whether the network includes the scaling of raw pixels; if not, the caller has to scale them.
            vectors: Number of test images with known results to write next to C code, 50 by default; they use flash
                if they are run on a device.

        Returns:
            The files and measurements; ``fits`` says whether the network is within the limits of the run, ``fit``
            by how much. If the model was not kept, it is trained again first.

        Raises:
            InputError: if the target is unknown or does not support an argument, or the folder cannot be written.
            RunError: if the result belongs to no study, as after unpickling.
            WorkError: if a required package is missing, or a check fails.
        """
        import warnings

        from tinysearch.deploy.deployment import deploy_candidate
        from tinysearch.deploy.summary import in_short
        from tinysearch.errors import TinySearchWarning
        from tinysearch.report.display import show
        from tinysearch.results.artifacts import kept_model

        if self._origin is None:
            raise RunError(f"{self.key} belongs to no study; open the study that has trained it, with tinysearch.open")
        origin = self._origin
        done = deploy_candidate(
            self.record.name,
            origin.records,
            [kept_model(origin.folder, one) for one in origin.records],
            target,
            folder,
            origin.dataset,
            dtype=dtype,
            scaling=scaling,
            vectors=vectors,
            budgets={} if origin.budget is None else {self.record.run: origin.budget},
            store=origin.store,
            tell=lambda text: warnings.warn(text, TinySearchWarning, stacklevel=2),
        )
        if origin.verbose:
            show(in_short(done))
        return done
