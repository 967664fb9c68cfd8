#!/usr/bin/env python3
"""Writes golden.json: what ffmpeg and fpcalc say about each file below music/."""
import hashlib
import json
import pathlib
import subprocess


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def fpcalc(*options):
    """fpcalc 1.5.1 says "End of file" and exits with 3 for every file shorter than -length; the print is whole."""
    done = subprocess.run(["fpcalc", "-json", "-length", "120", *options], capture_output=True, text=True)
    ended = done.returncode == 3 and done.stderr.strip() == "ERROR: Error decoding audio frame (End of file)"
    if done.returncode != 0 and not ended:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def facts(path):
    probe = json.loads(output("ffprobe", "-v", "error", "-select_streams", "a:0", "-show_streams", "-of", "json", path))
    stream = probe["streams"][0]
    channels = int(stream["channels"])
    decoded = output("ffmpeg", "-v", "error", "-i", path, "-map", "0:a:0", "-f", "f32le", "-")
    raw = fpcalc("-raw", path)
    compressed = fpcalc(path)
    return {
        "path": str(path.relative_to("music")),
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "codec": stream["codec_name"],
        "sample_rate": int(stream["sample_rate"]),
        "channels": channels,
        "frames": len(decoded) // 4 // channels,
        "fpcalc_duration": raw["duration"],
        "fingerprint": compressed["fingerprint"],
        "fingerprint_raw": raw["fingerprint"],
    }


def main():
    files = sorted(path for path in pathlib.Path("music").rglob("*") if path.is_file())
    tools = {
        "ffmpeg": output("ffmpeg", "-version").decode().split()[2],
        "fpcalc": output("fpcalc", "-version").decode().strip(),
    }
    lines = ",\n".join("  " + json.dumps(facts(path), ensure_ascii=False) for path in files)
    print('{"tools": ' + json.dumps(tools) + ',\n "files": [\n' + lines + "\n ]}")


main()
