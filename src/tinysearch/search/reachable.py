"""Check that a search can succeed: its space must contain a network within its limits."""

from __future__ import annotations

import math

import numpy as np

from tinysearch.errors import BudgetError
from tinysearch.search.given import LIMITS
from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.budget import Budget
from tinysearch.space.cost import Cost
from tinysearch.space.footprint import MOST

DRAWS = 300


def check_reachable(problem: Problem) -> None:
    """Raise an error if no network of the space is within the limits.

    Apart from the bound on parameters this is checked with ``DRAWS`` random networks at their narrowest.

    Raises:
        BudgetError: if none is within the limits; the message names the limits that the closest network exceeds, and
            values of them that it would keep.
    """
    space, budget = problem.space, problem.budget
    smallest = space.smallest()
    # If only flash was limited, its bytes are also the bound on parameters, which the user has not given.
    of_flash = budget.params == budget.flash_bytes
    if smallest.params >= budget.params and not of_flash:
        raise BudgetError(
            f"no architecture of the search space is below the budget of {budget.params:,} parameters: the smallest "
            f"one has {smallest.params:,}; the budget must be above that"
        )
    if not budget.limited and not problem.constraints:
        return
    if max(space.task.input_shape) > MOST and {"flash_bytes", "peak_activation_bytes"} & budget.limited:
        raise BudgetError(
            f"limits on flash and RAM apply to the C code, which supports images of up to {MOST:,} rows or columns; "
            f"these have {max(space.task.input_shape):,}: make the images smaller or the series shorter"
        )
    image = math.prod(space.task.input_shape)
    if budget.peak_activation_bytes is not None and image > budget.peak_activation_bytes:
        raise BudgetError(
            f"an image of {'x'.join(map(str, space.task.input_shape))} alone takes {image:,} bytes of RAM, more than "
            f"the limit of {budget.peak_activation_bytes:,}; make the images smaller, with "
            f"`reading=Reading(size=...)` for pictures, or raise `max_ram=`"
        )
    rng = np.random.default_rng(0)
    costs: list[Cost] = []
    for _ in range(DRAWS):
        narrow = space.scaled_below(space.sample(rng), 0)
        found = space.cost(narrow)
        if found is not None:
            if problem.check(narrow, found).accepted:
                return
            costs.append(found)
    closest = min(costs, key=budget.excess)
    broken = [one for one in budget.broken(closest) if not (of_flash and one.reason == "params")]
    if not broken:
        raise BudgetError(
            f"the constraints reject all of {DRAWS:,} random networks, including any within the limits; relax them"
        )
    said = " and ".join(one.message for one in broken)
    raise BudgetError(
        f"none of {DRAWS:,} random networks is within the limits, not even at its narrowest; of the closest one, "
        f"{said}; raise {' and '.join(_raised(budget, closest, str(one.reason)) for one in broken)}"
    )


def _raised(budget: Budget, closest: Cost, field: str) -> str:
    """Return the name of a limit, with the smallest value that the closest network keeps if it is known."""
    name = next(option for option, field_of in {**LIMITS, "budget": "params"}.items() if field_of == field)
    least = budget.least(closest, field)
    unit = "parameters" if field == "params" else "MACs" if field == "macs" else "bytes"
    return f"`{name}=`" if least is None else f"`{name}=` to at least {least:,} {unit}"
