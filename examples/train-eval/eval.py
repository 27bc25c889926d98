"""Scores one checkpoint on held-out data: python3 eval.py --ckpt FILE --out DIR.

Writes DIR/<step>.json by rename. Exit codes: 0 scored, 1 the checkpoint is missing or damaged.
"""
import argparse
import os
import sys

import model


def main():
    parser = argparse.ArgumentParser(description="Scores one checkpoint on held-out data.")
    parser.add_argument("--ckpt", required=True)
    parser.add_argument("--out", required=True)
    given = parser.parse_args()
    try:
        body = model.load_checkpoint(given.ckpt)
    except (ValueError, OSError) as error:
        print(f"eval.py: {error}", file=sys.stderr)
        return 1
    held_out = model.held_out_points(body["config"]["seed"])
    sums = model.gradient(body["parameters"], held_out)
    loss, score = sums[0] / len(held_out), sums[1] / len(held_out)
    result = {"step": body["step"], "score": score, "loss": loss, "model": model.digest(body["parameters"])}
    model.write_whole(os.path.join(given.out, f"{body['step']:06d}.json"), result)
    print(f"step {body['step']}: score {score:.4f}, loss {loss:.4f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
