#!/usr/bin/env python3
"""Hears a source on the workers of a Dask cluster.

usage: hear.py SOURCE RECORDS [--scheduler ADDRESS | --workers N]

Without a scheduler, N processes of this machine are the cluster. Every worker needs `accession` on its path and sees the
same SOURCE and RECORDS: folders that all of them mount, or s3://bucket/prefix.
"""
import argparse
import os
import pathlib
import subprocess
import tempfile

from distributed import Client, LocalCluster, as_completed


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
    words = argparse.ArgumentParser(description="Hears a source on the workers of a Dask cluster.")
    words.add_argument("source")
    words.add_argument("records")
    words.add_argument("--scheduler", help="address of a cluster that runs already")
    words.add_argument("--workers", type=int, default=os.cpu_count())
    said = words.parse_args()
    cluster = said.scheduler or LocalCluster(
        n_workers=said.workers, threads_per_worker=1, dashboard_address=None
    )
    with Client(cluster) as client, tempfile.TemporaryDirectory() as lists:
        workers = len(client.scheduler_info()["workers"]) or said.workers
        # Ten lists a worker: one that is slow, or gone, leaves little to the others.
        plan = ["accession", "music", "plan", "--source", said.source, "--out", lists]
        subprocess.run([*plan, "--shards", str(10 * workers)], check=True)
        shards = [path.read_bytes() for path in sorted(pathlib.Path(lists).iterdir())]
        shards = [shard for shard in shards if shard]
        futures = client.map(
            hear, shards, source=said.source, records=said.records, retries=10, pure=False
        )
        for done, future in enumerate(as_completed(futures), 1):
            future.result()
            print(f"{done} of {len(shards)} lists heard", flush=True)
    finish = ["accession", "music", "hear", "--quiet", "--source", said.source]
    finish += ["--out", said.records, "--finish", "-"]
    subprocess.run(finish, stdin=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main()
