#!/usr/bin/env python3
"""A controller of one's own in Python: planned maintenance, one node after another.

Each node in turn is cordoned, its pods are evicted, and after some time it takes pods again:

    healing:
      processes:
        - {name: maintenance, command: [python3, drain.py], options: {every: 3600, lasts: 600}}

Times are seconds of virtual time. docs/protocol.md describes what goes over the wire.
"""

import json
import sys

SECOND = 1_000_000  # times are whole microseconds


def main():
    def say(message):
        print(json.dumps(message), flush=True)

    options = json.loads(sys.stdin.readline())["hello"]["options"]
    every, lasts = options["every"] * SECOND, options["lasts"] * SECOND
    say({"ready": {"protocol": 1, "wakeOn": []}})
    nodes, pods = {}, {}
    turns = maintenance(nodes, pods, every, lasts)
    for line in sys.stdin:  # ends when cellsim closes our input
        turn = json.loads(line)
        for node in turn["changes"].get("nodes", []):
            nodes.setdefault(node["node"], {}).update(node)
        for pod in turn["changes"].get("pods", []):
            pods[pod["pod"]] = pod
            if pod["state"] == "gone":
                del pods[pod["pod"]]
        actions, wake_at = next(turns)
        say({"turn": turn["turn"], "do": actions, "wakeAt": wake_at})


def maintenance(nodes, pods, every, lasts):
    """What to do at each turn, and when the next one is to be: the first is at time 0."""
    begin = every
    yield [], begin
    while True:
        for number in sorted(nodes):
            if nodes[number].get("gone"):
                continue
            on_it = sorted(p for p, pod in pods.items() if pod.get("node") == number)
            evict = [{"evict": {"pod": pod, "cause": "machine-shutdown"}} for pod in on_it]
            yield [{"cordon": {"node": number}}] + evict, begin + lasts
            begin += every
            yield [{"uncordon": {"node": number}}], begin


if __name__ == "__main__":
    main()
