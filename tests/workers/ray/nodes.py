"""Starts nodes of a Ray cluster on this machine, prints what there is to know of them, and ends with standard input.

A node is a process of its own, as it is on a machine of its own; it has as many CPUs as it is told to have.
"""

from __future__ import annotations

import json
import sys

# What Ray takes a minute to believe is believed soon: that a node, or the head, is gone.
HASTY = {"health_check_initial_delay_ms": 1_000, "health_check_period_ms": 500, "health_check_failure_threshold": 4}


def pids(node: object) -> dict[str, int]:
    processes = node.all_processes  # type: ignore[attr-defined]
    return {kind: found[0].process.pid for kind, found in processes.items() if found}


def main() -> None:
    # Where tests are collected, Ray stays unloaded.
    from ray.cluster_utils import Cluster

    count, cpus = int(sys.argv[1]), int(sys.argv[2])
    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": HASTY}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=cpus) for _ in range(count)]
    found = {"address": cluster.address, "head": pids(cluster.head_node), "nodes": [pids(node) for node in nodes]}
    sys.stdout.write(f"{json.dumps(found)}\n")
    sys.stdout.flush()
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main()
