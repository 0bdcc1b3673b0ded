"""The Kubernetes example: each pod knows who it is, and the program knows its command."""

import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from darts_tf.command_line.parsing import parse
from darts_tf.config import SearchConfig
from darts_tf.runs.cluster import cluster_of
from tests.trainers.programs import python
from trainers import presets

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "kubernetes"

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="there is no tree here")


@pytest.fixture
def parts():
    documents = yaml.safe_load_all((FOLDER / "job.yaml").read_text(encoding="utf-8"))
    return {document["kind"]: document for document in documents}


def test_each_pod_joins_the_same_search_with_an_index_of_its_own(parts, tmp_path):
    spec = parts["Job"]["spec"]
    pod = spec["template"]["spec"]
    [container] = pod["containers"]
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    (tmp_path / "python").write_text('#!/bin/bash\nprintf "%s\\n" "$TF_CONFIG" "$*"\n')
    (tmp_path / "python").chmod(0o755)
    name, service = parts["Job"]["metadata"]["name"], parts["Service"]
    assert spec["completions"] == spec["parallelism"]
    for index in range(spec["completions"]):
        told = subprocess.run(
            [*container["command"], *container["args"]],
            env=environment
            | {"JOB_COMPLETION_INDEX": str(index), "PATH": f"{tmp_path}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        config, _ = parse(
            shlex.split(told[1])[2:],
            SearchConfig,
            "",
            extra={"run_dir": ""},
            presets=presets.folder("search"),
        )
        cluster = cluster_of(config.strategy, {"TF_CONFIG": told[0]})
        assert cluster.index == index
        assert cluster.addresses == tuple(
            f"{name}-{i}.{pod['subdomain']}:{service['spec']['ports'][0]['port']}"
            for i in range(spec["completions"])
        )
    assert service["metadata"]["name"] == pod["subdomain"]
    assert service["spec"]["selector"] == {"job-name": name}


def test_what_is_mounted_is_there(parts):
    pod = parts["Job"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
    claim = volumes["runs"]["persistentVolumeClaim"]["claimName"]
    assert claim == parts["PersistentVolumeClaim"]["metadata"]["name"]


def test_the_image_has_what_the_command_needs(tmp_path):
    lines = (FOLDER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = {line.split()[1] for line in lines if line.startswith("COPY")}
    tree = FOLDER.parents[1]
    for name in copied:
        (tmp_path / name).symlink_to(tree / name)
    ended = python("-m", "trainers.search", "--help", cwd=tmp_path)
    assert ended.returncode == 0
    assert {"requirements.txt", "darts_tf", "trainers", "export"} == copied
