"""Real replicas on a real Redis, and a proxy that loses answers."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, TypeVar

import httpx
import pytest

OPERATOR = "the-key-of-the-operator"
KEY = "the-key-of-the-tests"
PROGRAM = os.environ.get("LEASEHOLD_BINARY", "target/debug/leasehold")
CONTAINERS = {"wine": 4, "linux": 1}

# A variable that is no setting is refused.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("LEASEHOLD_")}

T = TypeVar("T")


def eventually(what: str, condition: Callable[[], T], patience: float = 15.0) -> T:
    """Waits until a condition holds, and gives what it gave."""
    deadline = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        time.sleep(0.02)


def configuration() -> str:
    lines, port = [], 5900
    lines += ["[[api_key]]", 'name = "tests"', 'owner = "tests"', 'role = "client"']
    lines += [f'hash = "sha256:{hashlib.sha256(KEY.encode()).hexdigest()}"']
    for target_type in CONTAINERS:
        lines += [f"[types.{target_type}.probe]", 'kind = "none"']
    lines += ["[[provider]]", 'name = "farm"', 'kind = "static"']
    for target_type, count in CONTAINERS.items():
        for number in range(1, count + 1):
            port += 1
            lines += ["[[provider.container]]", f'name = "{target_type}-{number}"', f'type = "{target_type}"']
            lines += ['host = "127.0.0.1"', f"ports = {{ vnc = {port} }}"]
    return "\n".join(lines) + "\n"


class Replica:
    """One `leasehold serve`, killed with its test."""

    def __init__(self, folder: Path, number: int, redis: Path, **settings: str) -> None:
        self.log = folder / f"replica-{number}-{time.monotonic_ns()}.log"
        self._environment = {
            **ENVIRONMENT,
            "LEASEHOLD_CONFIG": str(folder / "leasehold.toml"),
            "LEASEHOLD_REDIS__URL": f"redis+unix://{redis}",
            "LEASEHOLD_LISTEN": "127.0.0.1:0",
            "LEASEHOLD_DRAIN": "0s",
            "LEASEHOLD_API_KEY": OPERATOR,
            "LEASEHOLD_LEASE_TOKENS__KEYS": json.dumps(["a-secret-of-the-tests-which-is-long-enough"]),
            **settings,
        }
        self._start()

    def _start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve"], env=self._environment, stderr=log, stdout=subprocess.DEVNULL
            )
        self.url = f"http://{eventually('the replica listens', self._address)}"

    def _address(self) -> Optional[str]:
        assert self.process.poll() is None, self.log.read_text()
        for line in reversed(self.log.read_text().splitlines()):
            event = json.loads(line)
            if event.get("message") == "listening":
                return str(event["address"])
        return None

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Farm:
    """A Redis, two replicas, and what an operator may do."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._redis = folder / "redis.sock"
        self._start_redis()
        self.replicas: List[Replica] = []
        try:
            (folder / "leasehold.toml").write_text(configuration())
            environment = {**ENVIRONMENT, "LEASEHOLD_REDIS__URL": f"redis+unix://{self._redis}"}
            subprocess.run(
                [PROGRAM, "init", "--config", str(folder / "leasehold.toml")],
                env=environment,
                check=True,
                capture_output=True,
            )
            self.start()
            self.start()
            eventually("the containers are found", lambda: self.available() == sum(CONTAINERS.values()))
        except BaseException:
            self.end()
            raise

    def _start_redis(self) -> None:
        arguments = ["--port", "0", "--unixsocket", str(self._redis), "--save", "", "--appendonly", "no"]
        self._server = subprocess.Popen(
            ["redis-server", *arguments, "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually("Redis listens", self._redis.exists)

    def lose_everything(self) -> None:
        """Redis comes back empty, and no replica remembers anything: they begin anew at their addresses."""
        addresses = [replica.url[len("http://") :] for replica in self.replicas]
        for replica in self.replicas:
            replica.kill()
        self._server.kill()
        self._server.wait()
        self._redis.unlink(missing_ok=True)
        self._start_redis()
        self.replicas = []
        for address in addresses:
            self.start(LEASEHOLD_LISTEN=address)

    @property
    def urls(self) -> List[str]:
        return [replica.url for replica in self.replicas]

    def start(self, **settings: str) -> Replica:
        replica = Replica(self._folder, len(self.replicas), self._redis, **settings)
        self.replicas.append(replica)
        return replica

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """By an operator, through whichever replica lives."""
        live = next(replica for replica in self.replicas if replica.process.poll() is None)
        with httpx.Client(trust_env=False, headers={"X-API-Key": OPERATOR}) as client:
            answer = client.request(method, live.url + path, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def available(self, target_type: Optional[str] = None) -> int:
        status = self.ask("GET", "/containers/status")
        return int((status["by_type"][target_type] if target_type else status)["available"])

    def sessions(self, state: str) -> List[Any]:
        return list(self.ask("GET", "/sessions", params={"state": state}))

    def end_session(self, session_id: str) -> None:
        self.ask("DELETE", f"/sessions/{session_id}")

    def clean(self) -> None:
        """Nothing may be left over from a test; what is shows a leak."""
        eventually("no session is left", lambda: not self.sessions("ready") and not self.sessions("queued"))

    def end(self) -> None:
        for replica in self.replicas:
            replica.kill()
        self._server.kill()
        self._server.wait()


@pytest.fixture(scope="session")
def shared_farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    assert shutil.which("redis-server"), "redis-server is needed"
    farm = Farm(tmp_path_factory.mktemp("farm"))
    yield farm
    farm.end()


@pytest.fixture
def farm(shared_farm: Farm) -> Iterator[Farm]:
    """One that no test breaks."""
    yield shared_farm
    shared_farm.clean()


@pytest.fixture
def own_farm(tmp_path: Path) -> Iterator[Farm]:
    """One that a test may break."""
    farm = Farm(tmp_path)
    yield farm
    for replica in farm.replicas:
        if replica.process.poll() is None:
            replica.signal(signal.SIGCONT)
    farm.clean()
    farm.end()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises also where the tests run in a shell's background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Proxy:
    """Passes requests on to a replica. The answers that `lose` is true of are lost after the replica gave them."""

    def __init__(self, url: str) -> None:
        host, _, port = url[len("http://") :].partition(":")
        self.lose: Callable[[bytes], bool] = lambda request: False
        self.requests: List[bytes] = []
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection((host, int(port))) as server:
                    proxy.serve(self.request, server)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def serve(self, client: socket.socket, server: socket.socket) -> None:
        """Request by request: httpx sends none before the last one's answer."""
        while True:
            request = client.recv(1 << 16)
            if not request:
                return
            while b"\r\n\r\n" not in request or len(request) < _length(request):
                request += client.recv(1 << 16)
            self.requests.append(request)
            lost = self.lose(request)
            server.sendall(request)
            answer = server.recv(1 << 16)
            while answer and (b"\r\n\r\n" not in answer or len(answer) < _length(answer)):
                answer += server.recv(1 << 16)
            if lost or not answer:
                return
            client.sendall(answer)

    def of(self, start: str) -> List[bytes]:
        """Requests that begin so."""
        return [request for request in self.requests if request.startswith(start.encode())]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _length(message: bytes) -> int:
    head, _, _ = message.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return len(head) + 4 + (int(lengths[0]) if lengths else 0)


@pytest.fixture
def proxy(farm: Farm) -> Iterator[Proxy]:
    proxy = Proxy(farm.replicas[0].url)
    yield proxy
    proxy.close()
