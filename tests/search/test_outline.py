"""What a run says of itself before it begins."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tinysearch.baselines.models import architectures
from tinysearch.search.outline import outline
from tinysearch.space.budget import Budget
from tinysearch.space.devices import device
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import recipe

WIDTH = 120 - len("warm start") - 2


def plan(runner: Any, *, test_images: int | None = 10_000, name: str = "run", **settings: Any) -> dict[str, str]:
    runner.dataset = dataclasses.replace(runner.dataset, test_images=test_images)
    with runner.prepare(name, **{"trials": 20, "folds": 4, "evaluate": 3, **settings}) as run:
        return dict(outline(run, 2))


def test_it_says_how_large_the_space_is_and_how_much_of_it_fits(runner: Any) -> None:
    said = plan(runner)["space"]
    assert said.startswith("about 10^")
    assert "of random ones within the budget" in said


def test_it_says_what_follows_the_search_and_why(runner: Any) -> None:
    said = plan(runner)
    assert said["then"] == (
        "up to 10 more trainings of the leaders on up to 3 other folds of 10, because one score is partly luck"
    )
    assert (
        said["test"]
        == "the winner, trained 3 times on all 40 images, is scored on 10,000 test images unseen until then"
    )
    assert said["layers"].startswith("c12 is a convolution to 12 channels, ")
    assert max(len(said[title]) for title in ("space", "layers", "then", "test")) <= WIDTH


def test_of_data_with_its_own_validation_part_other_seeds_are_said(runner: Any) -> None:
    given = {"split": {"kind": "given", "held": 4}}
    said = plan(runner, trials=4, data=given)["then"]
    assert said.startswith("up to 2 more trainings of the leaders with other seeds,")


@pytest.mark.parametrize(
    ("trials", "designs", "said"),
    [
        (1, 5, "1 trial by evolution, which is a predefined network, seed 0"),
        (2, 1, "2 trials by evolution, of which the first is a predefined network, seed 0"),
        (2, 5, "2 trials by evolution, which are predefined networks, seed 0"),
        (20, 5, "20 trials by evolution, of which the first 5 are predefined networks, seed 0"),
        (1, 0, "1 trial by evolution, seed 0"),
    ],
)
def test_trials_and_designs_are_counted_in_the_singular_too(runner: Any, trials: int, designs: int, said: str) -> None:
    assert plan(runner, trials=trials, designs=designs, baselines=False)["search"] == said


def test_candidates_that_were_given_are_no_designs(runner: Any) -> None:
    given = tuple(Candidate(model, recipe("default")) for model in architectures().values())
    said = plan(runner, trials=20, designs=2, initial_candidates=given, baselines=False)["search"]
    assert "of which the first 5 are given networks and predefined networks" in said
    said = plan(runner, trials=1, name="one", designs=2, initial_candidates=given, baselines=False)["search"]
    assert said.startswith("1 trial by evolution, which is a given network")


def test_too_few_trials_for_a_revalidation_are_said(runner: Any) -> None:
    said = plan(runner, trials=3)["then"]
    assert said == "no revalidation of the leaders on other folds, which needs 4 trials or more"


@pytest.mark.parametrize(("settings", "missing"), [({"folds": 1}, "then"), ({"evaluate": 0}, "test")])
def test_what_is_not_done_is_not_said(runner: Any, settings: dict[str, Any], missing: str) -> None:
    assert missing not in plan(runner, **settings)


def test_data_without_a_test_part_is_said_before_the_run(runner: Any) -> None:
    assert plan(runner, test_images=0)["test"] == "the data has no test part, so no network is evaluated"
    assert "test" not in plan(runner, test_images=0, name="other", evaluate=0)


def test_test_images_that_nobody_has_counted_are_not_counted_by_the_search(runner: Any) -> None:
    # They cannot be read here.
    assert "is scored on the test images" in plan(runner, test_images=None, evaluate=1)["test"]


def test_of_several_budgets_each_has_a_winner(runner: Any) -> None:
    said = plan(runner, strategy="pareto", budgets=(1_000, 10_000))
    assert said["front"] == "the best below each of 1,000, 10,000 parameters"
    assert said["test"].startswith("each winner, trained 3 times")


def test_a_device_without_room_for_an_image_beside_the_network_is_said(runner: Any) -> None:
    chip = device("arduino-uno")
    limits = {"flash_bytes": chip.max_flash, "peak_activation_bytes": chip.max_ram}
    said = plan(runner, budget=Budget(1_000, **limits, device="arduino-uno"))["image"]
    assert said.startswith("a buffer of 784 bytes may not fit into the RAM of arduino-uno, 2,048 bytes, next to")
    assert "image" not in plan(runner, name="larger", budget=Budget(1_000, peak_activation_bytes=60_000))
