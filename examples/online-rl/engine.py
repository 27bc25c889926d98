#!/usr/bin/env python3
"""A small engine that serves a tiny policy and takes new weights, with the routes of vLLM that Trestle uses.

It stands where `vllm serve` stands, needs no GPU and nothing beyond Python. The policy is a table: for each context (a
number) the scores of all actions; a completion is one action drawn from their softmax. Options of vLLM that it does not know
are ignored.
"""
import argparse
import json
import math
import random
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

CONTEXTS, ACTIONS = 8, 8


class Policy:
    """The table, its version, and what an update and a pause do to it."""

    def __init__(self):
        self.lock = threading.Condition()
        self.weights = [[0.0] * ACTIONS for _ in range(CONTEXTS)]
        self.version = "default"
        self.paused = self.updating = self.initialized = self.draining = False
        self.running = self.waiting = self.tokens = 0
        self.ranks = []

    def complete(self, context):
        with self.lock:
            self.waiting += 1
            self.lock.wait_for(lambda: not self.paused)
            self.waiting -= 1
            self.running += 1
            scores, version = self.weights[context % CONTEXTS], self.version
            odds = [math.exp(score) for score in scores]
            action = random.choices(range(ACTIONS), odds)[0]
            self.tokens += 1
            self.running -= 1
            self.lock.notify_all()
            return action, version

    def pause(self):
        with self.lock:
            self.paused = True
            self.lock.wait_for(lambda: self.running == 0)

    def resume(self):
        with self.lock:
            self.paused = False
            self.lock.notify_all()

    def join(self, info):
        """Connects this engine's rank to the trainer, which answers when all ranks are there."""
        for rank in self.ranks:
            rank.close()
        link = socket.create_connection((info["master_address"], info["master_port"]), timeout=60)
        lines = link.makefile("rw", encoding="utf-8", newline="\n")
        say(lines, {"rank": info["rank_offset"], "world_size": info["world_size"]})
        if not hear(lines).get("ok"):
            raise RuntimeError("the trainer refused this rank")
        self.ranks, self.initialized = [lines], True

    def start(self):
        if not self.initialized:
            raise RuntimeError("Weight transfer not configured. Call init_weight_transfer_engine first.")
        if self.updating:
            raise RuntimeError("start_weight_update called while a weight update is already active. Call finish_weight_update first.")
        self.updating = True

    def update(self):
        if not self.updating:
            raise RuntimeError("start_weight_update must be called before update_weights.")
        for lines in self.ranks:
            weights = hear(lines)["weights"]
            with self.lock:
                self.weights = weights
            say(lines, {"done": True})

    def finish(self, version):
        if not self.updating:
            raise RuntimeError("start_weight_update must be called before finish_weight_update.")
        self.updating = False
        if version is not None:
            self.version = version


def say(lines, message):
    lines.write(json.dumps(message) + "\n")
    lines.flush()


def hear(lines):
    line = lines.readline()
    if not line:
        raise RuntimeError("the trainer went away")
    return json.loads(line)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    policy = Policy()
    model = "policy"

    def do_GET(self):
        policy, route = self.policy, urlparse(self.path).path
        if route in ("/health", "/ping"):
            self.answer(200)
        elif route == "/v1/models":
            self.answer(200, {"object": "list", "data": [{"id": self.model, "object": "model"}]})
        elif route == "/version":
            self.answer(200, {"version": "0.32.0"})
        elif route == "/is_paused":
            self.answer(200, {"is_paused": policy.paused})
        elif route == "/get_world_size":
            self.answer(200, {"world_size": 1})
        elif route == "/weight_info":
            self.answer(200, {"weight_version": policy.version})
        elif route == "/metrics":
            self.text(f"vllm:num_requests_running {policy.running}\nvllm:num_requests_waiting {0 if policy.paused else policy.waiting}\nvllm:generation_tokens_total {policy.tokens}\n")
        else:
            self.answer(404, {"detail": "Not Found"})

    def do_POST(self):
        url = urlparse(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        try:
            body = json.loads(self.rfile.read(length)) if length else {}
        except ValueError:
            return self.answer(400, {"detail": "Invalid JSON format"})
        try:
            self.answer(*self.act(url.path, parse_qs(url.query), body))
        except Exception as error:  # as a server does: whatever fails is a 500
            self.answer(500, {"error": {"message": str(error), "code": 500}})

    def act(self, route, query, body):
        policy = self.policy
        if route == "/v1/completions":
            if policy.draining:
                return 503, {"error": "Service is shutting down"}
            action, version = policy.complete(int(body["prompt"]))
            return 200, {"object": "text_completion", "model": self.model, "weight_version": version, "choices": [{"index": 0, "text": str(action), "finish_reason": "length"}]}
        if route == "/pause":
            if query.get("mode", ["abort"])[0] not in ("abort", "wait", "keep"):
                return 422, {"detail": [{"msg": "Input should be 'abort', 'wait' or 'keep'"}]}
            policy.pause()
            return 200, {"status": "paused"}
        if route == "/resume":
            policy.resume()
            return 200, {"status": "resumed"}
        if route == "/init_weight_transfer_engine":
            if "init_info" not in body:
                return 400, {"detail": "Missing 'init_info' in request body"}
            policy.join(body["init_info"])
            return 200, {"message": "Weight transfer initialized"}
        if route == "/start_weight_update":
            policy.start()
            return 200, {"message": "Weight update started"}
        if route == "/update_weights":
            if "update_info" not in body:
                return 400, {"detail": "Missing 'update_info' in request body"}
            policy.update()
            return 200, {"message": "Weights updated"}
        if route == "/finish_weight_update":
            policy.finish(body.get("weight_version"))
            return 200, {"message": "Weight update finished"}
        if route == "/update_weight_version":
            policy.version = body["new_version"]
            return 200, {"success": True, "new_version": policy.version}
        if route in ("/reset_prefix_cache", "/sleep", "/wake_up"):
            return (200,)
        return 404, {"detail": "Not Found"}

    def answer(self, status, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send(status, "application/json", data)

    def text(self, page):
        self.send(200, "text/plain; version=0.0.4; charset=utf-8", page.encode())

    def send(self, status, kind, data):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    options = argparse.ArgumentParser(allow_abbrev=False)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=8000)
    options.add_argument("--served-model-name", default="policy")
    known, _ = options.parse_known_args()
    Handler.model = known.served_model_name
    server = Server((known.host, known.port), Handler)

    def end(*_):
        # What runs is short: it ends by itself, and nothing new is taken.
        Handler.policy.draining = True
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, end)
    print(f"serving {known.served_model_name} at {known.host}:{known.port}", flush=True)
    server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
