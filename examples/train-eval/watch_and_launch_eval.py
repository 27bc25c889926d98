"""Launches one evaluation job for every new checkpoint. Needs no GPU.

    python3 watch_and_launch_eval.py --ckpt_dir DIR [--launcher trestle|sky]

The name of a job carries the step, so the cluster itself remembers what has been launched: after a restart of this
watcher the same launch is refused as already there, which counts as done. When the API is away it tries again.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import model

HERE = os.path.dirname(os.path.abspath(__file__))
NEEDED = ("eval.yaml", "eval.py", "model.py")
EXIT_USAGE, EXIT_NOT_FOUND, EXIT_FORBIDDEN = 2, 3, 4


class Launcher:
    """The command line that launches jobs; `run` is its whole contact with the world."""

    def __init__(self, program, prefix, say):
        self.program, self.prefix, self.say = program, prefix, say

    def job(self, step):
        return f"{self.prefix}-{step:06d}"

    def launch(self, step, checkpoint):
        """True: the job exists now. False: not known, to be tried again."""
        with tempfile.TemporaryDirectory() as staged:
            # Copies, since a mounted working directory may be made of links.
            for name in NEEDED:
                shutil.copyfile(os.path.join(HERE, name), os.path.join(staged, name))
            done = self.run(*self.command(self.job(step), os.path.join(staged, "eval.yaml"), checkpoint))
        if done.returncode == 0:
            self.say(f"launched {self.job(step)}")
            return True
        why = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
        if self.exists(step, why):
            self.say(f"{self.job(step)} is there already")
            return True
        if done.returncode in (EXIT_USAGE, EXIT_FORBIDDEN):
            raise SystemExit(f"watch_and_launch_eval.py: cannot launch evaluations: {why}")
        self.say(f"{self.job(step)} not launched, trying again: {why}")
        return False

    def command(self, name, file, checkpoint):
        environment = f"CHECKPOINT={checkpoint}"
        if self.program == "sky":
            return "sky", "jobs", "launch", "-y", "-d", "-n", name, "--env", environment, file
        return self.program, "launch", file, "--name", name, "--env", environment

    def exists(self, step, why):
        if self.program == "sky":
            return "exist" in why
        return self.run(self.program, "describe", self.job(step), "-o", "name").returncode == 0

    @staticmethod
    def run(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        except FileNotFoundError:
            raise SystemExit(f"watch_and_launch_eval.py: there is no '{command[0]}' on the PATH") from None
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, "", f"{command[0]} did not answer")


def main():
    parser = argparse.ArgumentParser(description="Launches one evaluation job for every new checkpoint.")
    parser.add_argument("--ckpt_dir", "--ckpt-dir", default=os.environ.get("TRESTLE_CHECKPOINT_DIR"))
    parser.add_argument("--launcher", default="trestle", help="trestle (default) or sky")
    parser.add_argument("--prefix", default=(os.environ.get("TRESTLE_JOB_GROUP") or "train") + "-eval", help="names are PREFIX-STEP")
    parser.add_argument("--every", type=float, default=0.5, help="seconds between looks")
    given = parser.parse_args()
    if not given.ckpt_dir:
        parser.error("--ckpt_dir is needed where TRESTLE_CHECKPOINT_DIR is not set")

    def say(text):
        print(text, flush=True)

    # A plain list: a handler that took a lock could wait for the very code it interrupts.
    stop = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.append(True))
    launcher = Launcher(given.launcher, given.prefix, say)
    settled = set()
    say(f"watching {given.ckpt_dir}")
    while not stop:
        for step, path in model.checkpoints(given.ckpt_dir):
            if stop:
                break
            scored = os.path.join(given.ckpt_dir, "evals", f"{step:06d}.json")
            if step not in settled and (os.path.exists(scored) or launcher.launch(step, os.path.basename(path))):
                settled.add(step)
        time.sleep(given.every)
    say(f"stopped; {len(settled)} checkpoints settled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
