"""What a run is about to do, in words."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.report import figures
from tinysearch.report.data import in_short, memory
from tinysearch.results.objective import title_of
from tinysearch.results.record import ACCURACY
from tinysearch.search.run import SearchRun
from tinysearch.search.settings import RunSettings
from tinysearch.space.survey import survey
from tinysearch.training.augmentation import BY_SIZE, same_but_augmentation
from tinysearch.training.recipe import RECIPES

# Random members of the space that are drawn to tell how many fit.
DRAWS = 500
# So many of the runs that a search learns from are named.
NAMED = 5


def outline(run: SearchRun, workers: int) -> list[tuple[str, str]]:
    """Return titles and words.

    Args:
        run: Has not begun, or is about to go on.
        workers: How many candidates are trained at a time.
    """
    settings, dataset = run.settings, run.dataset
    found = survey(settings.budget, space=run.space, draws=DRAWS, samples=0)
    count = len(run.baselines)
    before = f"{count} hand-designed baseline{'' if count == 1 else 's'}, then " if count else ""
    without = f" (without {', '.join(run.skipped_baselines)}: over the limits)" if run.skipped_baselines else ""
    done = run.history.done
    resumed = f", {done} of {max(done, run.planned)} trained already" if done else ""
    at_a_time = f", {workers} in parallel" if workers > 1 else ""
    designed = len(run.proposer.initial_candidates) - len(settings.initial_candidates)
    what = "the best known network and ready-made designs" if run.proposer.warm_start_trials else "ready-made designs"
    designs = f", the first {min(designed, settings.trials)} {what}" if designed and settings.trials else ""
    tuned = ", with its settings searched too" if settings.tune_recipe else ""
    wanted = "" if settings.objective == ACCURACY else f"; objective {title_of(settings.objective)}"
    chosen = f", augmentation {settings.augmentation['chosen']}" if settings.augmentation else ""
    if settings.augments_by_size:
        chosen += f" ({_steps()})"
    need = memory(dataset, workers)
    return [
        ("run", f"{run.name} in {run.store.path}{resumed}"),
        ("data", in_short(dataset)),
        ("budget", ", ".join(settings.budget.limits)),
        *([("front", f"the best below each of {_listed(settings.budgets)} parameters")] if settings.budgets else []),
        ("space", f"{_share(found.share)} of random networks fit; the smallest has {found.smallest:,} parameters"),
        (
            "search",
            f"{before}{settings.trials} trials by {settings.strategy}{designs}, seed {settings.seed}{without}{wanted}",
        ),
        *([("warm start", _learnt(run))] if settings.warm_start_trials else []),
        (
            "training",
            f"{figures.epochs(settings.recipe.epochs)} each, recipe {_recipe(settings)}{chosen}{tuned}{at_a_time}",
        ),
        *([] if need is None else [("memory", need)]),
    ]


def _listed(budgets: Sequence[int]) -> str:
    return ", ".join(f"{budget:,}" for budget in budgets)


def _learnt(run: SearchRun) -> str:
    """Return what the search learns from, in words."""
    names = [one.run for one in run.settings.warm_start_trials]
    listed = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    count = len(run.proposer.warm_start_trials)
    return f"{count:,} training{'' if count == 1 else 's'} of {listed} on the same data are known (--cold ignores them)"


def _steps() -> str:
    """Return below which sizes networks are augmented how much."""
    return ", ".join(f"{name} below {bound:,} parameters" for bound, _, name in BY_SIZE)


def _recipe(settings: RunSettings) -> str:
    """Return the name of the recipe, its augmentation aside if that was chosen for the run."""
    if not settings.augmentation:
        return settings.recipe.name
    names = (name for name, known in RECIPES.items() if same_but_augmentation(settings.recipe, known))
    return next(names, settings.recipe.name)


def _share(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"
