"""The roll-call of several workers, each a thread here, on the loopback."""

import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from darts_tf.errors import UserError
from darts_tf.runs.cluster import Cluster
from darts_tf.runs.roll_call import answer_roll, call_roll

FLAGS = ["--dataset=digits", "--seed=1"]


def clusters(workers):
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
    addresses = (f"localhost:{port}", *(f"localhost:{i}" for i in range(1, workers)))
    tasks = tuple(("worker", i) for i in range(workers))
    return [Cluster(tasks, addresses, i) for i in range(workers)]


@pytest.mark.parametrize("late", ["chief", "others"])
def test_all_start_together_with_what_the_chief_has(late):
    files = {"history.jsonl": b"{}\n", "checkpoints/a": os.urandom(300_000), "empty": b""}
    found = clusters(3)
    gate = threading.Timer(0.3, lambda: None)
    with ThreadPoolExecutor() as pool:
        answers = (
            [] if late == "others" else [pool.submit(answer_roll, c, FLAGS, 20) for c in found[1:]]
        )
        gate.start()
        gate.join()
        called = pool.submit(call_roll, found[0], FLAGS, files, 20)
        if late == "others":
            assert not called.done()
            answers = [pool.submit(answer_roll, c, FLAGS, 20) for c in found[1:]]
        assert [answer.result() for answer in answers] == [files, files]
        called.result()


def test_a_chief_alone_waits_for_nobody():
    call_roll(clusters(1)[0], FLAGS, {}, 0.1)


def test_a_worker_that_does_not_come_is_named_to_all_who_came():
    found = clusters(3)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(answer_roll, found[2], FLAGS, 20)
        with pytest.raises(UserError, match=r"0.5 s; still absent: worker 1 \(localhost:1\)\."):
            call_roll(found[0], FLAGS, {}, 0.5)
        with pytest.raises(UserError, match=r"the chief refuses: .*still absent: worker 1"):
            waiting.result()


def test_a_chief_that_does_not_come_is_named():
    chief, worker = clusters(2)
    with pytest.raises(UserError, match=rf"still absent: the chief \({chief.addresses[0]}\)"):
        answer_roll(worker, FLAGS, 0.4)


def test_a_worker_with_other_flags_is_refused_by_name():
    chief, worker = clusters(2)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(answer_roll, worker, [FLAGS[0], "--seed=2"], 20)
        with pytest.raises(UserError, match="got --seed=2 on worker 1 and --seed=1 on the chief"):
            call_roll(chief, FLAGS, {}, 20)
        with pytest.raises(UserError, match=r"the chief refuses.*--seed=2"):
            waiting.result()


def test_strangers_and_workers_that_went_away_again_do_not_count():
    chief, worker = clusters(2)
    hello = {"greeting": "darts_tf roll-call 1", "index": 1, "flags": FLAGS}
    words = [b"GET / HTTP/1.1\r\n\r\n", b"\xff\x00\n", b"[]\n", b"3\n", b"", b'{"index": 1}\n']
    words.append(json.dumps(hello).encode() + b"\n")
    with ThreadPoolExecutor() as pool:
        called = pool.submit(call_roll, chief, FLAGS, {"a": b"b"}, 20)
        for word in words:
            while True:
                try:
                    with socket.create_connection(chief.endpoint(0)) as stranger:
                        stranger.sendall(word)
                    break
                except ConnectionRefusedError:
                    continue
        assert not called.done()
        assert answer_roll(worker, FLAGS, 20) == {"a": b"b"}
        called.result()


def test_an_address_that_is_taken_is_told():
    chief, _ = clusters(2)
    with (
        socket.create_server(("", chief.endpoint(0)[1])),
        pytest.raises(UserError, match=rf"a free port .*; got {chief.addresses[0]} \(Address al"),
    ):
        call_roll(chief, FLAGS, {}, 1)
