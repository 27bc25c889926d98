"""Data-parallel training in plain Python: ranks find each other by the launch contract and all-reduce gradients.

    python3 train.py --ckpt_dir DIR [--steps N] [--ckpt_every K] [--step_time SECONDS] [--seed S]

The batch of a step is cut into a fixed number of shards, dealt out to the ranks, and their gradients are added up in
shard order. So the final model depends on the seed alone: not on the number of ranks, nor on being killed and resumed.
Exit codes: 0 trained, 2 wrong arguments or a checkpoint of another run, 75 a peer was lost, 143 stopped by TERM.
"""
import argparse
import os
import signal
import sys
import time

import model
from peers import Peers, PeerLost, Place

EXIT_USAGE, EXIT_PEER_LOST, EXIT_TERMINATED = 2, 75, 143


class Terminated(Exception):
    """TERM came."""


def arguments():
    parser = argparse.ArgumentParser(description="Trains a small model on every rank of the job.")
    parser.add_argument("--ckpt_dir", "--ckpt-dir", default=os.environ.get("TRESTLE_CHECKPOINT_DIR"), help="default: $TRESTLE_CHECKPOINT_DIR")
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--ckpt_every", "--ckpt-every", type=int, default=20)
    parser.add_argument("--step_time", "--step-time", type=float, default=0.0, help="seconds that a step takes at least")
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--shards", type=int, default=8, help="pieces of a batch; at least one for each rank")
    parser.add_argument("--rate", type=float, default=0.03)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    if not given.ckpt_dir:
        parser.error("--ckpt_dir is needed where TRESTLE_CHECKPOINT_DIR is not set")
    if min(given.steps, given.ckpt_every, given.batch, given.shards) < 1 or not given.shards <= given.batch <= model.TRAIN_POINTS:
        parser.error(f"needs steps, ckpt_every, shards >= 1 and shards <= batch <= {model.TRAIN_POINTS}")
    return given


class Training:
    """One rank's copy of the run. Every rank holds the same parameters after every step."""

    def __init__(self, given, place, say):
        self.given, self.place, self.say = given, place, say
        self.config = {"seed": given.seed, "batch": given.batch, "shards": given.shards, "rate": given.rate}
        self.data = model.train_points(given.seed)
        self.step, self.saved = 0, -1
        self.parameters = model.initial_parameters(given.seed)
        self.optimiser = model.Adam(given.rate)
        self.stopping = self.stepping = False

    def resume(self, peers):
        """Rank 0 reads the newest checkpoint; the others have it from rank 0, so that all start alike."""
        body = model.newest_checkpoint(self.given.ckpt_dir, self.say) if self.place.rank == 0 else None
        body = peers.broadcast(body)
        if body is None:
            self.say("starting from step 0")
            return
        if body["config"] != self.config:
            raise SystemExit(f"train.py: the checkpoints in {self.given.ckpt_dir} are of another run ({body['config']}); name another --ckpt_dir")
        self.step = self.saved = body["step"]
        self.parameters, self.optimiser = body["parameters"], model.Adam(self.given.rate, body["first"], body["second"])
        self.say(f"resuming from step {self.step}")

    def run(self, peers):
        self.stepping = True
        began, seen = time.monotonic(), 0
        while self.step < self.given.steps:
            if self.stopping:
                raise Terminated
            started = time.monotonic()
            loss, correct = self.one_step(peers)
            seen += self.given.batch
            if self.place.rank == 0 and self.step % self.given.ckpt_every == 0:
                self.save()
            pause = self.given.step_time - (time.monotonic() - started)
            if pause > 0:
                time.sleep(pause)
            if self.place.rank == 0 and (self.step % 10 == 0 or self.step == self.given.steps):
                self.say(f"step {self.step}/{self.given.steps} loss {loss:.4f} accuracy {correct:.3f} "
                         f"{seen / (time.monotonic() - began):.0f} samples/s")

    def one_step(self, peers):
        shards, world = self.given.shards, self.place.world
        width = 2 + model.PARAMETERS
        mine = []
        for index in range(self.place.rank, shards, world):
            mine += model.gradient(self.parameters, model.shard(self.data, self.given.seed, self.step, self.given.batch, shards, index))
        # All ranks send frames of one length; the ranks past the remainder fill up with a shard of zeros.
        mine += [0.0] * (-(-shards // world) * width - len(mine))
        everyone = peers.all_gather(mine) if world > 1 else [mine]
        total = [0.0] * width
        for index in range(shards):
            part = everyone[index % world]
            at = index // world * width
            for i in range(width):
                total[i] += part[at + i]
        self.step += 1
        self.optimiser.update(self.parameters, [value / self.given.batch for value in total[2:]], self.step)
        return total[0] / self.given.batch, total[1] / self.given.batch

    def save(self):
        if self.saved != self.step:
            path = model.save_checkpoint(self.given.ckpt_dir, self.step, self.config, self.parameters, self.optimiser)
            self.saved = self.step
            self.say(f"checkpoint {path}")

    def finish(self):
        digest = model.digest(self.parameters)
        if self.place.rank == 0:
            self.save()
            model.write_whole(os.path.join(self.given.ckpt_dir, "final.json"), {"step": self.step, "sha256": digest, "parameters": self.parameters})
        self.say(f"done: {self.step} steps, final model {digest}")


def main():
    given = arguments()
    place = Place()
    training = Training(given, place, lambda text: print(f"[{place.rank}] {text}", flush=True))

    def stop(_signal, _frame):
        if training.stopping:
            return
        training.stopping = True
        # Rank 0 ends its step and saves; for the others, and before the first step, there is nothing to keep.
        if place.rank != 0 or not training.stepping:
            raise Terminated

    signal.signal(signal.SIGTERM, stop)
    try:
        peers = Peers(place)
        training.resume(peers)
        training.run(peers)
        training.finish()
        return 0
    except Terminated:
        return stopped(training)
    except PeerLost as lost:
        if training.stopping:
            return stopped(training)
        print(f"[{place.rank}] {lost}; leaving at step {training.step} so that the job can be restarted", file=sys.stderr, flush=True)
        return EXIT_PEER_LOST


def stopped(training):
    if training.place.rank == 0 and training.stepping and training.step > 0:
        training.save()
    training.say(f"stopped by TERM at step {training.step}")
    return EXIT_TERMINATED


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        print(f"train.py: {error}", file=sys.stderr)
        sys.exit(EXIT_USAGE)
    except SystemExit as wrong:
        if isinstance(wrong.code, str):
            print(wrong.code, file=sys.stderr)
            sys.exit(EXIT_USAGE)
        raise
