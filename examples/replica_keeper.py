#!/usr/bin/env python3
"""A controller of one's own in Python: keeps the wanted number of pods of every workload.

    healing:
      replicas: false
      processes: [{name: keeper, command: [python3, replica_keeper.py]}]

It does exactly what the built-in keeper does (`healing.replicas`): the run has the same
fingerprint. docs/protocol.md describes what goes over the wire.
"""

import json
import sys


def main():
    def say(message):
        print(json.dumps(message), flush=True)

    json.loads(sys.stdin.readline())["hello"]
    say({"ready": {"protocol": 1, "wakeOn": ["workloads"]}})
    workloads, pods = {}, {}
    for line in sys.stdin:  # ends when cellsim closes our input
        turn = json.loads(line)
        learn(turn["changes"], workloads, pods)
        say({"turn": turn["turn"], "do": list(missing_and_excess(workloads, pods))})


def learn(changes, workloads, pods):
    """Messages say what is, not what happened: the last one of each thing is all there is to know."""
    for workload in changes.get("workloads", []):
        workloads[workload["workload"]] = workload
    for pod in changes.get("pods", []):
        pods.setdefault(pod["pod"], {}).update(pod)
        if pod["state"] == "gone":
            del pods[pod["pod"]]


def missing_and_excess(workloads, pods):
    for number, workload in sorted(workloads.items()):
        for _ in range(workload["pods"], workload["wanted"]):
            yield {"create": {"workload": number}}
        excess = workload["pods"] - workload["wanted"]
        if excess > 0:
            own = [pod for pod in pods.values() if pod["workload"] == number]
            # Pods that wait go first, then the newest.
            own.sort(key=lambda pod: (pod["state"] != "pending", -pod["pod"]))
            for pod in own[:excess]:
                yield {"delete": {"pod": pod["pod"]}}


if __name__ == "__main__":
    main()
