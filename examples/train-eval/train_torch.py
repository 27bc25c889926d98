"""The same idea with PyTorch: `torchrun train_torch.py`, on one node or many.

torchrun takes what it needs from the PET_* variables of the launch contract, so the command has no flags. Gradients are
averaged over gloo (CPU) in one flat all-reduce: DistributedDataParallel would do, but it regroups gradients after its
first step, which rounds differently after a resume, and here the final model must not tell. A checkpoint is written every k steps under a temporary name and
renamed; a restarted job resumes from the newest and ends with the same model. Exit code 75 when a peer is lost.

PyTorch 1.13 of Debian 12 runs on Python 3.11 only with PET_REDIRECTS and PET_TEE set (its launcher reads its own default
wrongly there); GLOO_SOCKET_IFNAME names the interface that the nodes share. See examples/trestle/torchrun.yaml.
"""
import argparse
import hashlib
import json
import os
import re
import sys
import time

import torch
import torch.distributed as dist

import model

NAME = re.compile(r"step-(\d{6})\.pt")
EXIT_PEER_LOST = 75


def build(seed):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3))


def newest(directory):
    """The newest checkpoint that can be read, or None."""
    names = sorted(name for name in os.listdir(directory) if NAME.fullmatch(name))
    for name in reversed(names):
        try:
            return torch.load(os.path.join(directory, name))
        except (RuntimeError, EOFError, OSError) as error:
            print(f"passing over {name}: {error}", flush=True)
    return None


def save(path, content):
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)


def digest(network):
    whole = hashlib.sha256()
    for parameter in network.parameters():
        whole.update(parameter.detach().numpy().tobytes())
    return whole.hexdigest()


def average_gradients(network, world):
    if world == 1:
        return
    gradients = [parameter.grad for parameter in network.parameters()]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)
    at = 0
    for gradient in gradients:
        gradient.copy_((flat[at:at + gradient.numel()] / world).view_as(gradient))
        at += gradient.numel()


def train(given, rank, world):
    held = torch.tensor([point[:2] for point in model.train_points(given.seed)])
    arms = torch.tensor([point[2] for point in model.train_points(given.seed)])
    network = build(given.seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.03)
    first = 0
    # All read before any writes: every rank takes the same checkpoint.
    saved = newest(given.ckpt_dir)
    if world > 1:
        dist.barrier()
    if saved is not None:
        network.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        first = saved["step"]
    print(f"[{rank}] {'resuming' if first else 'starting'} from step {first}", flush=True)
    for step in range(first + 1, given.steps + 1):
        started = time.monotonic()
        chosen = torch.randperm(len(held), generator=torch.Generator().manual_seed(given.seed * 1_000_033 + step))[:96][rank::world]
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(held[chosen]), arms[chosen])
        loss.backward()
        average_gradients(network, world)
        optimiser.step()
        if rank == 0 and (step % given.ckpt_every == 0 or step == given.steps):
            save(os.path.join(given.ckpt_dir, f"step-{step:06d}.pt"),
                 {"step": step, "model": network.state_dict(), "optimiser": optimiser.state_dict()})
        if step % 10 == 0 or step == given.steps:
            print(f"[{rank}] step {step}/{given.steps} loss {loss.item():.4f}", flush=True)
        time.sleep(max(0.0, given.step_time - (time.monotonic() - started)))
    if rank == 0:
        model.write_whole(os.path.join(given.ckpt_dir, "final.json"), {"step": given.steps, "sha256": digest(network)})
    print(f"[{rank}] done: final model {digest(network)}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ckpt_dir", default=os.environ.get("TRESTLE_CHECKPOINT_DIR", "checkpoints"))
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--ckpt_every", type=int, default=20)
    parser.add_argument("--step_time", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    os.makedirs(given.ckpt_dir, exist_ok=True)
    torch.set_num_threads(1)
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1:
        dist.init_process_group("gloo")
    try:
        train(given, rank, world)
    except RuntimeError as error:
        # gloo has no kind of its own for a lost peer: it names the connection in the message.
        if not re.search(r"connection|reset|peer|timed out", str(error), re.IGNORECASE):
            raise
        print(f"[{rank}] a peer was lost: {json.dumps(str(error).splitlines()[0])}", file=sys.stderr, flush=True)
        sys.exit(EXIT_PEER_LOST)


if __name__ == "__main__":
    main()
