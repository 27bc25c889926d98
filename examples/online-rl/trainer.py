#!/usr/bin/env python3
"""Trains a tiny policy by REINFORCE on what the engines sample, and sends each new version of the weights to them.

To this trainer the replicas are one vLLM server: it asks $TRESTLE_POLICY_URL for completions and speaks vLLM's weight routes at
$TRESTLE_POLICY_WEIGHTS_URL. The weights travel over TCP, from here (rank 0) to every replica; with vLLM they would travel over
NCCL, and nothing else here would change.

The task: for each context one action is right. The reward of a sample is 1 when it was drawn, else 0.
"""
import json
import math
import os
import random
import socket
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlparse

URL = os.environ["TRESTLE_POLICY_URL"].rstrip("/")
WEIGHTS_URL = os.environ["TRESTLE_POLICY_WEIGHTS_URL"].rstrip("/")
MODEL = os.environ.get("TRESTLE_POLICY_MODEL", "policy")
STEPS = int(os.environ.get("STEPS", "25"))
SAMPLES = int(os.environ.get("SAMPLES", "96"))
CONTEXTS, ACTIONS, RATE = 8, 8, 6.0


def right(context):
    return (3 * context + 1) % ACTIONS


def ask(url, body=None, timeout=300):
    """One request; an error's text is what the server says."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method="GET" if body is None else "POST")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            text = answer.read()
            return json.loads(text) if text else {}
    except urllib.error.HTTPError as error:
        raise Refused(error.code, error.read().decode(errors="replace")) from None


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status} {text}")
        self.status = status


def wait_for_replicas():
    """Until the gateway says that all replicas are there."""
    while True:
        try:
            ask(f"{WEIGHTS_URL}/health")
            return
        except (Refused, OSError):
            time.sleep(1)


class Group:
    """This trainer, rank 0, and one rank of every replica."""

    def __init__(self):
        self.listener = socket.create_server(("0.0.0.0", 0), backlog=256)
        self.ranks = []

    def join(self):
        """Makes the group anew; the gateway gives each replica its ranks."""
        for lines in self.ranks:
            lines.close()
        self.ranks = []
        world = 1 + ask(f"{WEIGHTS_URL}/get_world_size")["world_size"]
        init = {"master_address": own_address(), "master_port": self.listener.getsockname()[1], "rank_offset": 1, "world_size": world}
        with ThreadPoolExecutor(1) as aside:
            asked = aside.submit(ask, f"{WEIGHTS_URL}/init_weight_transfer_engine", {"init_info": init})
            self.listener.settimeout(60)
            while len(self.ranks) < world - 1:
                if asked.done():
                    asked.result()  # tells what was wrong
                    break
                self.accept()
            for lines in self.ranks:
                say(lines, {"ok": True})
            asked.result()
        print(f"joined {world - 1} ranks", flush=True)

    def accept(self):
        self.listener.settimeout(0.5)
        try:
            link, _ = self.listener.accept()
        except socket.timeout:
            return
        link.settimeout(60)
        lines = link.makefile("rw", encoding="utf-8", newline="\n")
        hear(lines)
        self.ranks.append(lines)

    def push(self, weights, version):
        """One update on all replicas. The gateway pauses and resumes them."""
        ask(f"{WEIGHTS_URL}/start_weight_update", {})
        with ThreadPoolExecutor(1) as aside:
            update = {"names": ["scores"], "dtype_names": ["float64"], "shapes": [[CONTEXTS, ACTIONS]]}
            asked = aside.submit(ask, f"{WEIGHTS_URL}/update_weights", {"update_info": update})
            for lines in self.ranks:
                send(lines, weights)
            asked.result()
        ask(f"{WEIGHTS_URL}/finish_weight_update", {"weight_version": version})


def say(lines, message):
    lines.write(json.dumps(message) + "\n")
    lines.flush()


def hear(lines):
    return json.loads(lines.readline() or "{}")


def send(lines, weights):
    try:
        say(lines, {"weights": weights})
        hear(lines)
    except (OSError, ValueError):
        pass  # a replica that died: the gateway says what that means


def own_address():
    """The address that replicas reach this pod at: the one that it reaches the gateway from."""
    to = urlparse(WEIGHTS_URL)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((to.hostname, to.port or 80))
        return probe.getsockname()[0]


def sample(context):
    """One completion; a service that is between two replicas is asked again."""
    for _ in range(60):
        try:
            return int(ask(f"{URL}/v1/completions", {"model": MODEL, "prompt": str(context), "max_tokens": 1})["choices"][0]["text"])
        except Refused as refused:
            if refused.status not in (502, 503):
                raise
            time.sleep(1)
        except OSError:  # the gateway is being replaced
            time.sleep(1)
    raise SystemExit("no replica has answered for a minute")


def learn(weights, samples):
    """REINFORCE with the mean as the baseline; gives the mean reward."""
    rewards = [1.0 if action == right(context) else 0.0 for context, action in samples]
    mean = sum(rewards) / len(rewards)
    gradient = [[0.0] * ACTIONS for _ in range(CONTEXTS)]
    for (context, action), reward in zip(samples, rewards):
        odds = [math.exp(score) for score in weights[context]]
        total = sum(odds)
        for other in range(ACTIONS):
            gradient[context][other] += (reward - mean) * ((other == action) - odds[other] / total)
    for context in range(CONTEXTS):
        for action in range(ACTIONS):
            weights[context][action] += RATE * gradient[context][action] * CONTEXTS / len(samples)
    return mean


def main():
    random.seed(7)
    wait_for_replicas()
    group, weights = Group(), [[0.0] * ACTIONS for _ in range(CONTEXTS)]
    group.join()
    with ThreadPoolExecutor(8) as asking:
        for step in range(1, STEPS + 1):
            contexts = [n % CONTEXTS for n in range(SAMPLES)]
            reward = learn(weights, list(zip(contexts, asking.map(sample, contexts))))
            print(f"step {step} reward {reward:.3f}", flush=True)
            while True:
                try:
                    group.push(weights, f"step-{step}")
                    break
                except (Refused, OSError, ValueError) as refused:
                    # 409: a replica came, went or was restarted. 503: one was lost just now. No answer: the gateway is being replaced.
                    if isinstance(refused, Refused) and refused.status not in (409, 500, 502, 503):
                        raise
                    print(f"joining anew: {refused}", flush=True)
                    wait_for_replicas()
                    try:
                        group.join()
                    except (Refused, OSError, ValueError) as again:
                        print(f"not yet: {again}", flush=True)
                        time.sleep(1)


if __name__ == "__main__":
    main()
