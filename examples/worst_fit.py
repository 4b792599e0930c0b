#!/usr/bin/env python3
"""A scheduler of one's own in Python: worst fit, by priority, without preemption.

    cellsim run scenarios/quick-start.yaml --set duration=3h --set measure.warmup=1h \\
        --set "scheduler.architecture={name: process, options: {command: [python3, ../examples/worst_fit.py]}}"

It decides exactly as the built-in policy `worst-fit` does with `queue: priority`: the run has the
same fingerprint. docs/protocol.md describes what goes over the wire.
"""

import json
import sys

CPU, MEMORY, GPU = 0, 1, 4  # positions in every list of amounts, as the hello has them


class WorstFit:
    def __init__(self, hello):
        self.nodes = {}      # number -> what we were told of the node, merged
        self.pods = {}       # number -> the same for pods
        self.templates = {}  # number -> the same for templates
        self.waiting = {}    # pods that wait: number -> None, longest first (dicts keep the order)
        self.largest = [0] * len(hello["resources"])  # the largest limit that any node ever had
        self.held = {}       # (workload, node) -> pods there that have to be apart

    # Messages say what is, not what happened: to know the cell is to keep the last of each.

    def learn(self, changes):
        for template in changes.get("templates", []):
            self.templates[template["template"]] = template
            template["allowed"] = None if template["nodes"] == "all" else set(template["nodes"])
        for node in changes.get("nodes", []):
            self.learn_node(node)
        for pod in changes.get("pods", []):
            self.learn_pod(pod)

    def learn_node(self, node):
        number = node["node"]
        if node.get("gone"):
            del self.nodes[number]
            return
        known = self.nodes.setdefault(number, {})
        known.update(node)
        if "limit" in node:
            self.largest = [max(pair) for pair in zip(self.largest, node["limit"])]

    def learn_pod(self, pod):
        number = pod["pod"]
        known = self.pods.setdefault(number, {})
        self.hold(known, -1)
        known.pop("node", None)
        known.update(pod)
        self.hold(known, +1)
        self.waiting.pop(number, None)
        if pod["state"] == "pending":
            self.waiting[number] = None
        elif pod["state"] == "gone":
            del self.pods[number]

    def hold(self, pod, count):
        """Counts a pod that is bound and has to be apart from its like, or stops counting it."""
        if "node" in pod and self.templates[pod["template"]]["onePerNode"]:
            key = (pod["workload"], pod["node"])
            self.held[key] = self.held.get(key, 0) + count

    # Deciding.

    def decide(self):
        decisions = []
        # No node has more free than this: most of those that wait need not be looked at closely.
        most = [max(amounts) for amounts in zip(*(node["free"] for node in self.nodes.values()))]
        by_priority = lambda number: -self.templates[self.pods[number]["template"]]["priority"]
        for number in sorted(self.waiting, key=by_priority):  # sorting keeps the order of equals
            pod = self.pods[number]
            if any(ask > free for ask, free in zip(pod["requests"], most)):
                continue
            node = self.best_node(pod)
            if node is not None:
                decisions.append({"bind": {"pod": number, "node": node["node"]}})
                self.bind(pod, node)
        return decisions

    def best_node(self, pod):
        # max() returns the first of several that are equally good: the lowest number.
        fitting = [self.nodes[n] for n in sorted(self.nodes) if self.fits(pod, self.nodes[n])]
        return max(fitting, key=lambda node: self.score(pod, node), default=None)

    def fits(self, pod, node):
        template = self.templates[pod["template"]]
        if not node["ready"] or template["allowed"] is not None and node["node"] not in template["allowed"]:
            return False
        # Tiers with a narrower overcommit have to leave some of the node to the others.
        reserve = node.get("reserve", {}).get(template["tier"], [0] * len(node["free"]))
        if any(ask + keep > free for ask, keep, free in zip(pod["requests"], reserve, node["free"])):
            return False
        if "gpu" in pod:
            roomy = [free for free in node.get("gpuFree", []) if free >= pod["gpu"]["milli"]]
            if len(roomy) < pod["gpu"]["devices"]:
                return False
        return not (template["onePerNode"] and self.held.get((pod["workload"], node["node"])))

    def score(self, pod, node):
        """What is left, each resource relative to the largest node, in whole numbers."""
        left = [free - ask for free, ask in zip(node["free"], pod["requests"])]
        counted = [CPU, MEMORY] + ([GPU] if pod["requests"][GPU] else [])
        return sum(2**60 // self.largest[r] * left[r] for r in counted if self.largest[r])

    def bind(self, pod, node):
        """What our own decision changes at once; the next turn tells what became of it."""
        node["free"] = [free - ask for free, ask in zip(node["free"], pod["requests"])]
        if "gpu" in pod:  # the fullest devices that will do
            for _ in range(pod["gpu"]["devices"]):
                fitting = [f for f in node["gpuFree"] if f >= pod["gpu"]["milli"]]
                node["gpuFree"][node["gpuFree"].index(min(fitting))] -= pod["gpu"]["milli"]
        pod["node"] = node["node"]
        self.hold(pod, +1)
        del self.waiting[pod["pod"]]


def main():
    def say(message):
        print(json.dumps(message), flush=True)

    hello = json.loads(sys.stdin.readline())["hello"]
    policy = WorstFit(hello)
    say({"ready": {"protocol": 1}})
    for line in sys.stdin:  # ends when cellsim closes our input
        turn = json.loads(line)
        policy.learn(turn["changes"])
        say({"turn": turn["turn"], "do": policy.decide()})


if __name__ == "__main__":
    main()
