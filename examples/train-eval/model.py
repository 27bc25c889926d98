"""The task that the example trains: a small network that tells the three arms of a spiral apart.

Everything here is a pure function of its arguments, in plain Python floats, so that two runs with the same seed end
with the same bytes, however the work was divided among ranks and however often it was interrupted.
"""
import hashlib
import json
import math
import os
import random
import re
import struct

INPUTS, HIDDEN, CLASSES = 2, 16, 3
PARAMETERS = HIDDEN * INPUTS + HIDDEN + CLASSES * HIDDEN + CLASSES
TRAIN_POINTS, HELD_OUT_POINTS = 900, 300
CHECKPOINT_NAME = re.compile(r"step-(\d{6})\.json")


def points(seed, count):
    """(x, y, arm) of `count` noisy points, arms taking turns."""
    rng = random.Random(seed)
    found = []
    for i in range(count):
        arm = i % CLASSES
        radius = 0.1 + 0.9 * rng.random()
        angle = 2.0 * math.pi * arm / CLASSES + 3.0 * radius + rng.gauss(0.0, 0.12)
        found.append((radius * math.cos(angle), radius * math.sin(angle), arm))
    return found


def train_points(seed):
    return points(seed, TRAIN_POINTS)


def held_out_points(seed):
    return points(seed + 1_000_003, HELD_OUT_POINTS)


def initial_parameters(seed):
    rng = random.Random(seed)
    first = [rng.gauss(0.0, 1.0) for _ in range(HIDDEN * INPUTS)]
    second = [rng.gauss(0.0, 1.0 / math.sqrt(HIDDEN)) for _ in range(CLASSES * HIDDEN)]
    return first + [0.0] * HIDDEN + second + [0.0] * CLASSES


def forward(p, x, y):
    """Hidden activations and class probabilities."""
    b1, w2 = HIDDEN * INPUTS, HIDDEN * INPUTS + HIDDEN
    b2 = w2 + CLASSES * HIDDEN
    hidden = [math.tanh(p[2 * j] * x + p[2 * j + 1] * y + p[b1 + j]) for j in range(HIDDEN)]
    scores = []
    for c in range(CLASSES):
        row = w2 + c * HIDDEN
        total = p[b2 + c]
        for j in range(HIDDEN):
            total += p[row + j] * hidden[j]
        scores.append(total)
    top = max(scores)
    exponentials = [math.exp(s - top) for s in scores]
    total = exponentials[0] + exponentials[1] + exponentials[2]
    return hidden, [e / total for e in exponentials]


def gradient(p, batch):
    """Sums over the batch: [loss, correct, d loss / d p...]."""
    b1, w2 = HIDDEN * INPUTS, HIDDEN * INPUTS + HIDDEN
    b2 = w2 + CLASSES * HIDDEN
    loss, correct, g = 0.0, 0.0, [0.0] * PARAMETERS
    for x, y, arm in batch:
        hidden, chances = forward(p, x, y)
        loss -= math.log(max(chances[arm], 1e-300))
        correct += 1.0 if chances[arm] == max(chances) else 0.0
        back = [0.0] * HIDDEN
        for c in range(CLASSES):
            error = chances[c] - (1.0 if c == arm else 0.0)
            row = w2 + c * HIDDEN
            g[b2 + c] += error
            for j in range(HIDDEN):
                g[row + j] += error * hidden[j]
                back[j] += error * p[row + j]
        for j in range(HIDDEN):
            slope = back[j] * (1.0 - hidden[j] * hidden[j])
            g[2 * j] += slope * x
            g[2 * j + 1] += slope * y
            g[b1 + j] += slope
    return [loss, correct] + g


def shard(data, seed, step, batch, shards, index):
    """The part `index` of `shards` of the batch of this step; no state, so a resumed run takes up where it left."""
    chosen = random.Random(seed * 1_000_033 + step).sample(range(len(data)), batch)
    return [data[i] for i in chosen[index::shards]]


class Adam:
    """Adam (Kingma & Ba 2015). The state is two lists; the step number is the caller's."""

    def __init__(self, rate, first=None, second=None):
        self.rate = rate
        self.first = first or [0.0] * PARAMETERS
        self.second = second or [0.0] * PARAMETERS

    def update(self, p, g, step):
        c1, c2 = 1.0 - 0.9 ** step, 1.0 - 0.999 ** step
        for i in range(PARAMETERS):
            self.first[i] = 0.9 * self.first[i] + 0.1 * g[i]
            self.second[i] = 0.999 * self.second[i] + 0.001 * g[i] * g[i]
            p[i] -= self.rate * (self.first[i] / c1) / (math.sqrt(self.second[i] / c2) + 1e-8)


def digest(parameters):
    """SHA-256 of the parameters as little-endian doubles: the name of a model."""
    return hashlib.sha256(struct.pack(f"<{len(parameters)}d", *parameters)).hexdigest()


def write_whole(path, content):
    """Writes under a temporary name, then renames: a reader sees the whole file or none."""
    directory = os.path.dirname(path) or "."
    os.makedirs(directory, exist_ok=True)
    temporary = os.path.join(directory, f".{os.path.basename(path)}.{os.getpid()}.tmp")
    data = (json.dumps(content, sort_keys=True) + "\n").encode()
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def save_checkpoint(directory, step, config, parameters, optimiser):
    body = {"step": step, "config": config, "parameters": parameters, "first": optimiser.first, "second": optimiser.second}
    path = os.path.join(directory, f"step-{step:06d}.json")
    write_whole(path, {"sha256": checksum(body), "body": body})
    return path


def checksum(body):
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def load_checkpoint(path):
    """The body; ValueError when the file is not what was written."""
    with open(path, encoding="utf-8") as file:
        try:
            content = json.load(file)
            body = content["body"]
            whole = content["sha256"] == checksum(body) and len(body["parameters"]) == PARAMETERS
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is not a checkpoint: {error}") from error
    if not whole:
        raise ValueError(f"{path} is damaged: its checksum does not match")
    return body


def checkpoints(directory):
    """(step, path) of every checkpoint, oldest first."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    found = [(int(match.group(1)), os.path.join(directory, name)) for name in names if (match := CHECKPOINT_NAME.fullmatch(name))]
    return sorted(found)


def newest_checkpoint(directory, say):
    """The newest one that is whole, or None."""
    for _, path in reversed(checkpoints(directory)):
        try:
            return load_checkpoint(path)
        except (ValueError, OSError) as error:
            say(f"passing over {error}")
    return None
