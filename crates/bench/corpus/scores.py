#!/usr/bin/env python3
"""Writes scores of the package music21 as MIDI, with a list of their tempos and keys for `bench tempo --annotations`.

    pip install music21 mido
    python3 scores.py OUT haydn mozart essenFolksong ...

Scores are the collections of music21's corpus; Bach's chorales are refused, since others measure with them. A tempo is
drawn by a fixed seed. A score is taken if its signature, its own word and music21's analysis agree on a key. What is
longer than 75 s keeps its beginning and its end.
"""

import csv
import glob
import os
import random
import re
import sys

import mido
from music21 import converter, corpus, key, meter

ENSEMBLES = [[0], [19], [48], [40, 40, 41, 42], [73, 68, 71, 70], [56, 56, 60, 57], [52], [6], [24], [11], [21], [16]]
LONGEST = 75.0
SHORTEST = 35.0


def beat_of(time):
    """Quarters of a beat, for the metres whose beat nobody disputes."""
    if time.denominator == 4 and time.numerator in (2, 3, 4):
        return 1.0
    if time.denominator == 2 and time.numerator in (2, 3, 4):
        return 2.0
    if time.denominator == 8 and time.numerator in (3, 6, 9, 12):
        return 1.5
    return None


def key_of(score):
    """Tonic and mode, where everything agrees on them."""
    signatures = list(score.recurse().getElementsByClass(key.KeySignature))
    if not signatures:
        return None
    found = score.analyze("key")
    if found.mode not in ("major", "minor") or found.sharps != signatures[0].sharps:
        return None
    said = signatures[0]
    if isinstance(said, key.Key) and (said.tonic.pitchClass, said.mode) != (found.tonic.pitchClass, found.mode):
        return None
    return found.tonic.pitchClass, found.mode


def notes_of(score):
    """Start and length in quarters, pitch and part of every note."""
    parts = list(score.parts) if hasattr(score, "parts") and len(score.parts) else [score]
    notes = []
    for number, part in enumerate(parts):
        for note in part.stripTies().flatten().notes:
            if not note.duration.isGrace:
                for pitch in note.pitches:
                    notes.append((float(note.offset), float(note.quarterLength), pitch.midi, number))
    return notes, len(parts)


def abridged(notes, bar, quarters):
    """The first two thirds from the beginning, the rest from the end, cut at bars."""
    end = max(start + length for start, length, _, _ in notes)
    if end <= quarters:
        return notes
    head = int(quarters * 0.65 / bar) * bar
    tail = (int(end / bar) - int(quarters * 0.35 / bar)) * bar
    first = [note for note in notes if note[0] < head]
    last = [(start - tail + head, *rest) for start, *rest in notes if start >= tail]
    return first + last


def write(path, notes, parts, bar, beat, bpm, shift, ensemble, rng):
    """One track of MIDI; bars and beats are stressed a little."""
    ticks = 480
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=int(60e6 / (bpm * beat)))])
    for part in range(min(parts, 9)):
        track.append(mido.Message("program_change", program=ensemble[part % len(ensemble)], channel=part))
    end = max(start + length for start, length, _, _ in notes)
    whole = -(-end // bar) * bar
    rounds = int(SHORTEST / (end * 60 / (bpm * beat))) + 1
    events = []
    for turn in range(rounds):
        for start, length, pitch, part in notes:
            stress = 12 if start % bar < 1e-3 else 5 if start % beat < 1e-3 else 0
            velocity = min(127, 70 + stress + rng.randint(-8, 8))
            at = start + turn * whole
            events.append((round(at * ticks), 1, pitch + shift, velocity, part % 9))
            events.append((round((at + length * 0.9) * ticks), 0, pitch + shift, 0, part % 9))
    now = 0
    for at, _, pitch, velocity, channel in sorted(events):
        if 0 <= pitch < 128:
            track.append(mido.Message("note_on", note=pitch, velocity=velocity, channel=channel, time=at - now))
            now = at
    mido.MidiFile(ticks_per_beat=ticks, tracks=[track]).save(path)


def scores_of(collection, rng):
    """Every score of a collection; of a book of tunes, four."""
    folder = os.path.join(os.path.dirname(corpus.__file__), collection)
    for path in sorted(glob.glob(f"{folder}/**/*", recursive=True)):
        if path.rsplit(".", 1)[-1] not in ("mxl", "xml", "krn", "abc", "musicxml"):
            continue
        tunes = [None]
        if path.endswith(".abc"):
            with open(path, errors="replace") as text:
                numbers = [int(number) for number in re.findall(r"^X: *(\d+)", text.read(), re.M)]
            tunes = rng.sample(numbers, min(len(numbers), 4))
        for tune in tunes:
            try:
                yield f"{os.path.basename(path)}-{tune or 0}", converter.parse(path, number=tune)
            except Exception as error:  # music21 does not read all of its own corpus.
                print(f"{path}: {error}", file=sys.stderr)


def main():
    """Writes every score of the collections that are named."""
    out, *collections = sys.argv[1:]
    if "bach" in collections:
        sys.exit("Bach's chorales are kept aside for checking")
    os.makedirs(out, exist_ok=True)
    rng = random.Random(11)
    with open(os.path.join(out, "truth.csv"), "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["path", "bpm", "key", "style"])
        for collection in collections:
            for name, score in scores_of(collection, rng):
                times = {time.ratioString: time for time in score.recurse().getElementsByClass(meter.TimeSignature)}
                beat = beat_of(next(iter(times.values()))) if len(times) == 1 else None
                known = key_of(score) if beat else None
                if not known:
                    continue
                notes, parts = notes_of(score)
                if len(notes) < 40:
                    continue
                bar = next(iter(times.values())).barDuration.quarterLength
                bpm, shift = round(rng.uniform(60, 140), 1), rng.randint(-5, 6)
                notes = abridged(notes, bar, LONGEST * bpm * beat / 60)
                path = f"{collection}-{name}.mid".replace(" ", "_").replace(",", "_")
                write(os.path.join(out, path), notes, parts, bar, beat, bpm, shift, rng.choice(ENSEMBLES), rng)
                tonic = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"][(known[0] + shift) % 12]
                rows.writerow([path, bpm, f"{tonic} {known[1]}", collection])


if __name__ == "__main__":
    main()
