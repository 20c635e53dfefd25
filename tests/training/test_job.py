"""Jobs are plain values that other processes, and other versions, read."""

from __future__ import annotations

import json

from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import DataReference, Job, Resources
from tinysearch.training.recipe import Recipe

JOB = Job(
    Candidate(Architecture((Conv(4),), Head("average")), Recipe()),
    seed=1,
    data=DataReference("pixels", "labels", "0", (28, 28, 1), 10, 255.0),
    resources=Resources(threads=2, memory_bytes=10**9),
    floor=(2, 0.5),
)


def test_a_job_is_the_same_after_a_round_trip() -> None:
    assert Job.from_dict(json.loads(json.dumps(JOB.to_dict()))) == JOB


def test_a_job_of_an_earlier_version_whose_resources_have_gpus_can_be_read() -> None:
    plain = JOB.to_dict()
    plain["resources"]["gpus"] = 0.5
    assert Job.from_dict(plain) == JOB
