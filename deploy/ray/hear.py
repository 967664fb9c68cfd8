#!/usr/bin/env python3
"""Hears a source on a Ray cluster.

usage: hear.py SOURCE RECORDS [--address ADDRESS | --workers N]

Without an address, N processes of this machine are the cluster. Every node needs `accession` on its path and sees the
same SOURCE and RECORDS: folders that all of them mount, or s3://bucket/prefix.
"""
import argparse
import os
import pathlib
import subprocess
import tempfile

import ray


@ray.remote(num_cpus=1, max_retries=10, retry_exceptions=True)
def hear(paths, source, records):
    """Hears a list of files; a worker that dies leaves records, and another goes on after them."""
    command = ["accession", "music", "hear", "--quiet", "--jobs", "1"]
    command += ["--source", source, "--out", records, "-"]
    ended = subprocess.run(command, input=paths, capture_output=True)
    # 1 says that some files could not be heard: their records say why, and again would not help.
    if ended.returncode not in (0, 1):
        raise RuntimeError(ended.stderr.decode(errors="replace"))
    return ended.returncode


def main():
    words = argparse.ArgumentParser(description="Hears a source on a Ray cluster.")
    words.add_argument("source")
    words.add_argument("records")
    words.add_argument("--address", help="address of a cluster that runs already")
    words.add_argument("--workers", type=int, default=os.cpu_count())
    said = words.parse_args()
    if said.address:
        ray.init(address=said.address)
    else:
        ray.init(num_cpus=said.workers, include_dashboard=False)
    with tempfile.TemporaryDirectory() as lists:
        workers = int(ray.cluster_resources().get("CPU", said.workers))
        # Ten lists a worker: one that is slow, or gone, leaves little to the others.
        plan = ["accession", "music", "plan", "--source", said.source, "--out", lists]
        subprocess.run([*plan, "--shards", str(10 * workers)], check=True)
        shards = [path.read_bytes() for path in sorted(pathlib.Path(lists).iterdir())]
        waiting = [hear.remote(shard, said.source, said.records) for shard in shards if shard]
        count = len(waiting)
        while waiting:
            done, waiting = ray.wait(waiting)
            ray.get(done)
            print(f"{count - len(waiting)} of {count} lists heard", flush=True)
    finish = ["accession", "music", "hear", "--quiet", "--source", said.source]
    finish += ["--out", said.records, "--finish", "-"]
    subprocess.run(finish, stdin=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main()
