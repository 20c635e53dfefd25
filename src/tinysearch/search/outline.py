"""Summary of a run before it starts, in words."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.data.dataset import Dataset
from tinysearch.report import figures
from tinysearch.report.data import in_short, memory
from tinysearch.results.objective import title_of
from tinysearch.results.record import ACCURACY
from tinysearch.search.begun import begun_before
from tinysearch.search.racing import FEWEST
from tinysearch.search.run import SearchRun
from tinysearch.search.settings import RunSettings
from tinysearch.search.workload import most_revalidations
from tinysearch.space.budget import Budget
from tinysearch.space.devices import STACK
from tinysearch.space.notation import SHORT_LEGEND
from tinysearch.space.survey import Survey, survey
from tinysearch.training.augmentation import SHARES_BY_SIZE, same_but_augmentation
from tinysearch.training.recipe import RECIPES

# Number of random members of the space that are drawn to estimate which share fits the budget.
DRAWS = 500
# Maximum number of names shown of the runs that a search learns from.
NAMED = 5


def outline(run: SearchRun, workers: int) -> list[tuple[str, str]]:
    """Return the rows of the summary, each a title and a text.

    Args:
        run: Run that has not begun, or is about to be resumed.
        workers: Number of candidates that are trained at a time.
    """
    settings, dataset = run.settings, run.dataset
    found = survey(settings.budget, space=run.space, draws=DRAWS, samples=0)
    count = len(run.baselines)
    before = f"{figures.counted(count, 'hand-designed baseline')}, then " if count else ""
    without = _without(run.skipped_baselines)
    trials, done = figures.counted(settings.trials, "trial"), run.history.done
    resumed = f", {done} of {max(done, run.planned)} trained already" if done else ""
    at_a_time = f", {workers} in parallel" if workers > 1 else ""
    learnt = {one.architecture for one in run.proposer.warm_start_trials}
    first = run.proposer.initial_candidates[: settings.trials]
    given = min(len(settings.initial_candidates), len(first))
    known = sum(one.architecture in learnt for one in first[given:])
    designs = _designs(given, known, len(first) - given - known, settings.trials)
    tuned = ", with its settings searched too" if settings.tune_recipe else ""
    wanted = "" if settings.objective == ACCURACY else f"; objective {title_of(settings.objective)}"
    chosen = f", augmentation {settings.augmentation['chosen']}" if settings.augmentation else ""
    if settings.augments_by_size:
        chosen += f" ({_steps()})"
    need = memory(dataset, workers)
    no_room = _image_without_room(settings.budget, dataset)
    begun = None if run.resumed else begun_before(run)
    return [
        ("run", f"{run.name} in {run.store.path}{resumed}"),
        ("data", in_short(dataset)),
        ("budget", ", ".join(settings.budget.limits)),
        *([("front", f"the best below each of {_listed(settings.budgets)} parameters")] if settings.budgets else []),
        ("space", _space(found)),
        ("layers", SHORT_LEGEND),
        (
            "search",
            f"{before}{trials} by {settings.strategy}{designs}, seed {settings.seed}{without}{wanted}",
        ),
        *([("warm start", _learnt(run))] if settings.warm_start_trials else []),
        (
            "training",
            f"{figures.epochs(settings.recipe.epochs)} each, recipe {_recipe(settings)}{chosen}{tuned}{at_a_time}",
        ),
        *_after(settings, dataset),
        *([] if need is None else [("memory", need)]),
        *([] if no_room is None else [("image", no_room)]),
        *([] if begun is None else [("note", begun)]),
    ]


def _image_without_room(budget: Budget, dataset: Dataset) -> str | None:
    """Return a warning if a device may have no room for an image next to the largest allowed network, else None."""
    device = budget.of_device
    image = dataset.task.image_bytes
    if device is None or device.max_ram + image + STACK <= device.ram:
        return None
    return (
        f"a buffer of {image:,} bytes may not fit into the RAM of {device.name}, {device.ram:,} bytes, next to a "
        f"network of up to {device.max_ram:,}: then write images to model_input(), or give a smaller `max_ram=`"
    )


def idle(run: SearchRun, workers: int) -> str | None:
    """Return a note if the lag leaves workers idle, else None."""
    settings = run.settings
    if settings.schedule == "async" or workers <= settings.lag:
        return None
    return (
        f"at most {settings.lag} of {workers} workers are busy at a time, because a trial is proposed from the results "
        f"of all but the latest {settings.lag} trials: give a larger `lag=`, or `schedule='async'`"
    )


def _without(baselines: Sequence[str]) -> str:
    """Return a clause that names the omitted baselines and the reason.

    >>> _without(["baseline:conv", "baseline:separable"])
    ' (without the baselines conv and separable, which are over the limits)'
    """
    if not baselines:
        return ""
    names = [one.removeprefix("baseline:") for one in baselines]
    listed = " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
    which = "baselines" if len(names) > 1 else "baseline"
    return f" (without the {which} {listed}, which {'are' if len(names) > 1 else 'is'} over the limits)"


def _designs(given: int, known: int, ready: int, trials: int) -> str:
    """Return a clause that describes the first trials, which the strategy does not propose.

    Args:
        given: Number of them that the user gave.
        known: Number of them that are networks of other runs.
        ready: Number of them that are predefined networks.
        trials: Number of trials.

    >>> _designs(0, 0, 5, 20), _designs(0, 0, 1, 1)
    (', of which the first 5 are predefined networks', ', which is a predefined network')
    >>> _designs(0, 1, 1, 2)
    ', which are the best known network and a predefined network'
    """
    parts = [
        one if number == 1 else more
        for number, one, more in (
            (given, "a given network", "given networks"),
            (known, "the best known network", "the best known networks"),
            (ready, "a predefined network", "predefined networks"),
        )
        if number
    ]
    first = given + known + ready
    if not parts:
        return ""
    which = "which" if first == trials else "of which the first" + (f" {first}" if first > 1 else "")
    listed = " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)
    return f", {which} {'is' if first == 1 else 'are'} {listed}"


def _space(found: Survey) -> str:
    """Return a description of the size of the space and the share of it within the budget."""
    return (
        f"{figures.magnitude(found.size)} networks, {_share(found.share)} of random ones within the budget; the "
        f"smallest has {found.smallest:,} parameters"
    )


def _after(settings: RunSettings, dataset: Dataset) -> list[tuple[str, str]]:
    """Return the rows on the stages after the search, with the reasons for them."""
    rows = []
    most = most_revalidations(settings)
    if settings.rounds and not most:
        many = f"{2 * FEWEST} trials or more"
        rows.append(("then", f"no revalidation of the leaders on other folds, which needs {many}"))
    elif settings.rounds:
        split, others = settings.split, settings.rounds
        folds = f"up to {others} other folds" if others > 1 else "1 other fold"
        how = "with other seeds" if split.kind == "given" else f"on {folds} of {split.folds}"
        rows.append(("then", f"up to {most} more trainings of the leaders {how}, because one score is partly luck"))
    if settings.evaluate and dataset.test_images != 0:
        many = "the" if dataset.test_images is None else f"{dataset.test_images:,}"
        seeds = {1: "once", 2: "twice"}.get(settings.evaluate, f"{settings.evaluate} times")
        who = "each winner" if settings.budgets else "the winner"
        trained = f"trained {seeds} on all {len(dataset.train):,} images"
        rows.append(("test", f"{who}, {trained}, is scored on {many} test images unseen until then"))
    elif settings.evaluate:
        rows.append(("test", "the data has no test part, so no network is evaluated"))
    return rows


def _listed(budgets: Sequence[int]) -> str:
    return ", ".join(f"{budget:,}" for budget in budgets)


def _learnt(run: SearchRun) -> str:
    """Return a description of the runs that the search learns from."""
    names = [one.run for one in run.settings.warm_start_trials]
    listed = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    count = len(run.proposer.warm_start_trials)
    them = "it" if count == 1 else "them"
    return f"{figures.counted(count, 'training')} of {listed} on the same data; `cold=True` ignores {them}"


def _steps() -> str:
    """Return a description of the augmentation levels by network size."""
    return ", ".join(f"{name} below {bound:,} parameters" for bound, _, name in SHARES_BY_SIZE)


def _recipe(settings: RunSettings) -> str:
    """Return the name of the recipe, ignoring its augmentation if that was chosen for the run."""
    if not settings.augmentation:
        return settings.recipe.name
    names = (name for name, known in RECIPES.items() if same_but_augmentation(settings.recipe, known))
    return next(names, settings.recipe.name)


def _share(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"
