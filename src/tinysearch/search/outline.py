"""What a run is about to do, in words."""

from __future__ import annotations

from tinysearch.report import figures
from tinysearch.report.data import in_short, memory
from tinysearch.results.objective import title_of
from tinysearch.results.record import ACCURACY
from tinysearch.search.run import SearchRun
from tinysearch.space.survey import survey


def outline(run: SearchRun, workers: int) -> list[tuple[str, str]]:
    """Return titles and words.

    Args:
        run: Has not begun, or is about to go on.
        workers: How many candidates are trained at a time.
    """
    settings, dataset = run.settings, run.dataset
    found = survey(settings.budget, space=run.space, draws=500, samples=0)
    count = len(run.baselines)
    before = f"{count} hand-designed baseline{'' if count == 1 else 's'}, then " if count else ""
    without = f" (without {', '.join(run.skipped_baselines)}: over the limits)" if run.skipped_baselines else ""
    done = run.history.done
    resumed = f", {done} of {run.planned} trained already" if done else ""
    at_a_time = f", {workers} in parallel" if workers > 1 else ""
    tuned = ", with its settings searched too" if settings.tune_recipe else ""
    wanted = "" if settings.objective == ACCURACY else f"; objective {title_of(settings.objective)}"
    chosen = f", augmentation {settings.augmentation['chosen']}" if settings.augmentation else ""
    need = memory(dataset, workers)
    return [
        ("run", f"{run.name} in {run.store.path}{resumed}"),
        ("data", in_short(dataset)),
        ("budget", ", ".join(settings.budget.limits)),
        (
            "space",
            f"{_share(found.share)} of random networks fit; the smallest has {found.smallest:,} parameters",
        ),
        ("search", f"{before}{settings.trials} trials by {settings.strategy}, seed {settings.seed}{without}{wanted}"),
        (
            "training",
            f"{figures.epochs(settings.recipe.epochs)} each, recipe {settings.recipe.name}{chosen}{tuned}{at_a_time}",
        ),
        *([] if need is None else [("memory", need)]),
    ]


def _share(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"
