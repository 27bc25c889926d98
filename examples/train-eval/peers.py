"""All-reduce among the ranks of a job, over TCP.

A star: every rank sends its numbers to rank 0, which sends everything back to all. Each rank then adds up by itself, in
one fixed order, so all have the same bits. A frame is a kind (1 byte), a length (4 bytes, big endian) and the payload.
"""
import json
import os
import socket
import struct
import time

HELLO, STATE, PARTS, SUM = 1, 2, 3, 4
HEADER = struct.Struct(">BI")
LARGEST_FRAME = 64 << 20


class PeerLost(Exception):
    """Another rank is gone, or never came."""


class Place:
    """Where this process stands in its job: rank, world, addresses. Read from the launch contract."""

    def __init__(self, environment=os.environ):
        def read(name, default):
            return environment.get(f"TRESTLE_{name}") or environment.get(f"SKYPILOT_{name}") or default

        self.rank = int(read("NODE_RANK", "0"))
        self.ips = [ip for ip in read("NODE_IPS", "127.0.0.1").split("\n") if ip]
        self.world = int(read("NUM_NODES", str(len(self.ips))))
        self.head = environment.get("TRESTLE_HEAD_ADDR") or environment.get("MASTER_ADDR") or self.ips[0]
        self.port = int(environment.get("TRESTLE_HEAD_PORT") or environment.get("MASTER_PORT") or "29500")
        # Ranks of two attempts never talk to each other.
        self.run = f"{read('TASK_ID', '')}/{environment.get('TRESTLE_ATTEMPT', '')}"
        if len(self.ips) != self.world or not 0 <= self.rank < self.world:
            raise ValueError(f"rank {self.rank} of {self.world} nodes with {len(self.ips)} addresses: the environment is not whole")


class Peers:
    """Connections between the ranks. All calls are collective: every rank makes them in the same order."""

    def __init__(self, place, join_timeout=120.0, peer_timeout=60.0):
        self.place, self.peer_timeout = place, peer_timeout
        self.links = {}
        if place.world > 1:
            deadline = time.monotonic() + join_timeout
            if place.rank == 0:
                self._gather(deadline)
            else:
                self._join(deadline)

    def _gather(self, deadline):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.place.ips[0], self.place.port))
        listener.listen(self.place.world)
        with listener:
            while len(self.links) < self.place.world - 1:
                listener.settimeout(max(0.01, deadline - time.monotonic()))
                try:
                    link, address = listener.accept()
                except TimeoutError:
                    missing = sorted(set(range(1, self.place.world)) - set(self.links))
                    raise PeerLost(f"rank {', '.join(map(str, missing))} did not join in time") from None
                self._welcome(link, address)

    def _welcome(self, link, address):
        """A stranger is turned away, whatever it says; only the ranks of this run are let in."""
        link.settimeout(5.0)
        try:
            hello = json.loads(self._receive(link, "a newcomer", HELLO))
            rank = hello["rank"]
            if hello["run"] != self.place.run or hello["world"] != self.place.world or not 0 < rank < self.place.world:
                raise ValueError("not of this run")
        except (PeerLost, ValueError, KeyError, TypeError):
            print(f"[0] turned away a connection from {address[0]}", flush=True)
            link.close()
            return
        self._tune(link)
        self.links[rank] = link

    def _join(self, deadline):
        own = self.place.ips[self.place.rank]
        while True:
            try:
                link = socket.create_connection((self.place.head, self.place.port), timeout=5.0, source_address=(own, 0))
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise PeerLost(f"rank 0 at {self.place.head}:{self.place.port} does not answer: {error}") from None
                time.sleep(0.1)
        self._tune(link)
        self.links[0] = link
        hello = {"rank": self.place.rank, "world": self.place.world, "run": self.place.run}
        self._send(0, HELLO, json.dumps(hello).encode())

    def _tune(self, link):
        link.settimeout(self.peer_timeout)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def broadcast(self, content):
        """What rank 0 has, on every rank."""
        if self.place.rank == 0:
            data = json.dumps(content).encode()
            for rank in self.links:
                self._send(rank, STATE, data)
            return content
        return json.loads(self._receive(self.links[0], "rank 0", STATE))

    def all_gather(self, numbers):
        """The numbers of every rank, in rank order: a list of lists of equal length."""
        mine = struct.pack(f"<{len(numbers)}d", *numbers)
        if self.place.rank == 0:
            parts = [mine] + [self._receive(self.links[rank], f"rank {rank}", PARTS) for rank in range(1, self.place.world)]
            if any(len(part) != len(mine) for part in parts):
                raise PeerLost("the ranks are not in the same step")
            everything = b"".join(parts)
            for rank in self.links:
                self._send(rank, SUM, everything)
        else:
            self._send(0, PARTS, mine)
            everything = self._receive(self.links[0], "rank 0", SUM)
        size = len(mine)
        return [list(struct.unpack(f"<{len(numbers)}d", everything[at:at + size])) for at in range(0, len(everything), size)]

    def close(self):
        for link in self.links.values():
            link.close()

    def _send(self, rank, kind, payload):
        try:
            self.links[rank].sendall(HEADER.pack(kind, len(payload)) + payload)
        except OSError as error:
            raise PeerLost(f"lost rank {rank}: {error.strerror or error}") from None

    def _receive(self, link, who, kind):
        got, length = HEADER.unpack(self._exactly(link, who, HEADER.size))
        if got != kind or length > LARGEST_FRAME:
            raise PeerLost(f"{who} sent something else than expected")
        return self._exactly(link, who, length)

    @staticmethod
    def _exactly(link, who, count):
        data = bytearray()
        while len(data) < count:
            try:
                more = link.recv(count - len(data))
            except TimeoutError:
                raise PeerLost(f"{who} has been silent for too long") from None
            except OSError as error:
                raise PeerLost(f"lost {who}: {error.strerror or error}") from None
            if not more:
                raise PeerLost(f"lost {who}: it closed the connection")
            data += more
        return bytes(data)
