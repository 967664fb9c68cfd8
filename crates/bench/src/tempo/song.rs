//! Songs of which tempo and key are known, for they are made here.

use crate::cuts::tracks::Split;

use super::midi::{DRUMS, Note, file};
use super::styles::Style;
use super::{Key, Truth};

/// A made song.
#[derive(Debug)]
pub struct Song {
    style: &'static Style,
    bpm: f64,
    key: Key,
    programs: Vec<(u8, u8)>,
    notes: Vec<Note>,
}

/// The shortest and the longest song in seconds.
const SECONDS: (f64, f64) = (45.0, 75.0);

/// One song in so many changes its key for its third quarter; the key of the rest is the true one.
const MODULATES: u32 = 6;

/// One song in so many is faded or cut within its chords instead of coming to an end.
const ENDLESS: u32 = 3;

const BASS: u8 = 0;
const CHORDS: u8 = 1;
const MELODY: u8 = 2;

const MAJOR: [i32; 7] = [0, 2, 4, 5, 7, 9, 11];
const MINOR: [i32; 7] = [0, 2, 3, 5, 7, 8, 10];

/// Chords of loops, as degrees of the scale; a line for each split, of songs in major and in minor.
const LOOPS: [[&[&[usize]]; 2]; 3] = [
    [
        &[
            &[0, 4, 5, 3],
            &[0, 3, 4, 0],
            &[0, 5, 1, 4],
            &[0, 0, 3, 3, 0, 0, 4, 0],
        ],
        &[&[0, 5, 2, 6], &[0, 3, 4, 0], &[0, 6, 5, 4]],
    ],
    [
        &[&[5, 3, 0, 4], &[0, 3, 0, 4], &[1, 4, 0, 5], &[0, 2, 3, 4]],
        &[&[0, 3, 0, 4], &[0, 2, 6, 3], &[0, 5, 3, 4]],
    ],
    [
        &[
            &[0, 5, 3, 4],
            &[0, 4, 3, 3],
            &[0, 3, 1, 4],
            &[0, 1, 4, 0, 5, 1, 4, 0],
        ],
        &[&[0, 0, 3, 0, 4, 0], &[5, 6, 0, 0], &[0, 4, 5, 3]],
    ],
];

/// Where a chord of a hymn goes, by its degree.
const FOLLOWING: [&[usize]; 7] = [
    &[3, 4, 5, 1, 4, 3],
    &[4, 4, 6],
    &[5, 3],
    &[4, 0, 1, 4],
    &[0, 0, 5, 0],
    &[1, 3, 4, 2],
    &[0, 0],
];

impl Song {
    /// The song of a style that a seed stands for.
    pub fn make(style: &'static Style, split: Split, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let (slowest, fastest) = style.bpm;
        let bpm = slowest * (fastest / slowest).powf(random.f64());
        let key = Key {
            tonic: random.u8(0..12),
            minor: random.u8(0..5) < 2,
        };
        let one_of =
            |programs: &[u8], random: &mut fastrand::Rng| programs[random.usize(..programs.len())];
        let mut programs = Vec::new();
        for (channel, choice) in [BASS, CHORDS, MELODY].into_iter().zip(style.programs) {
            programs.push((channel, one_of(choice, &mut random)));
        }
        if style.bars == 0 {
            // Four voices are sung by one choir, or played on one organ.
            programs = programs
                .iter()
                .map(|(channel, _)| (*channel, programs[0].1))
                .collect();
        }
        let mut player = Player {
            style,
            split: split as usize,
            key,
            random,
            beats: Vec::new(),
            notes: Vec::new(),
            place: 72,
        };
        player.play(bpm);
        Self {
            style,
            bpm,
            key,
            programs,
            notes: player.notes,
        }
    }

    /// What is known of it.
    pub fn truth(&self) -> Truth {
        Truth {
            bpm: Some(self.bpm),
            key: Some(self.key),
            style: self.style.name.to_owned(),
        }
    }

    /// As a MIDI file, so many semitones higher.
    pub fn midi(&self, semitones: i32) -> Vec<u8> {
        let shifted = |note: &Note| {
            let mut note = *note;
            if note.channel != DRUMS {
                note.pitch = (i32::from(note.pitch) + semitones).clamp(0, 127) as u8;
            }
            note
        };
        let notes: Vec<Note> = self.notes.iter().map(shifted).collect();
        file(&self.programs, &notes)
    }
}

struct Player {
    style: &'static Style,
    split: usize,
    key: Key,
    random: fastrand::Rng,
    /// When each beat is, in seconds.
    beats: Vec<f64>,
    notes: Vec<Note>,
    /// Where the melody is.
    place: i32,
}

impl Player {
    fn play(&mut self, bpm: f64) {
        let seconds = SECONDS.0 + (SECONDS.1 - SECONDS.0) * self.random.f64();
        let per_bar = self.style.beats;
        let bars = ((seconds * bpm / 60.0) as usize / per_bar).max(8);
        self.keep_time(bpm, bars * per_bar + per_bar);
        let ends = !self.random.u32(..).is_multiple_of(ENDLESS);
        let modulates = self.random.u32(..).is_multiple_of(MODULATES);
        let away = self.random.i32(1..=2);
        let progression = LOOPS[self.split][usize::from(self.key.minor)];
        let progression = progression[self.random.usize(..progression.len())];
        let mut degree = 0;
        for bar in 0..bars {
            let shift = if modulates && (bars / 2..bars * 3 / 4).contains(&bar) {
                away
            } else {
                0
            };
            let last = ends && bar + 1 == bars;
            if self.style.bars == 0 {
                degree = self.hymn(bar, degree, last);
                continue;
            }
            let chord = if last {
                0
            } else {
                progression[bar / self.style.bars % progression.len()]
            };
            self.bar(bar, chord, shift);
        }
    }

    /// Lays the beats; the tempo wanders around its mean like a slow wave.
    fn keep_time(&mut self, bpm: f64, beats: usize) {
        let phase = self.random.f64() * std::f64::consts::TAU;
        let mut now = 0.2;
        for beat in 0..beats {
            self.beats.push(now);
            let wave = (phase + beat as f64 * std::f64::consts::TAU / 24.0).sin();
            now += 60.0 / bpm * (1.0 + self.style.drift * wave);
        }
    }

    /// When a sixteenth of a bar is, in seconds.
    fn when(&self, bar: usize, step: usize) -> f64 {
        let beat = bar * self.style.beats + step / 4;
        let last = self.beats.len() - 1;
        let here = self.beats[beat.min(last)];
        let length = match self.beats.get(beat + 1) {
            Some(next) => next - here,
            None => here - self.beats[last - 1],
        };
        let late = if step % 4 == 2 {
            self.style.swing / 2.0
        } else {
            0.0
        };
        here + length * ((step % 4) as f64 / 4.0 + late)
    }

    fn bar(&mut self, bar: usize, degree: usize, shift: i32) {
        let steps = self.style.beats * 4;
        for (instrument, pattern) in self.style.drums[self.split] {
            for (step, sign) in pattern.bytes().enumerate() {
                let velocity = match sign {
                    b'x' => 100,
                    b'o' => 55,
                    _ => continue,
                };
                self.strike(bar, step, step + 1, *instrument, DRUMS, velocity);
            }
        }
        let [root, third, fifth] = self.triad(degree, shift);
        let bass = self.style.bass[self.split].as_bytes();
        for (step, sign) in bass.iter().enumerate() {
            let low = 36 + root.rem_euclid(12);
            let pitch = match sign {
                b'1' => low,
                b'5' => low + fifth - root,
                b'8' => low + 12,
                _ => continue,
            };
            let next = next_hit(bass, step);
            self.strike(bar, step, next, pitch as u8, BASS, 95);
        }
        let chords = self.style.chords[self.split].as_bytes();
        for step in (0..chords.len()).filter(|step| chords[*step] == b'x') {
            let next = next_hit(chords, step);
            for tone in [root, third, fifth] {
                self.strike(
                    bar,
                    step,
                    next,
                    (54 + (tone - 6).rem_euclid(12)) as u8,
                    CHORDS,
                    75,
                );
            }
        }
        let mut step = 0;
        while step < steps {
            let length = [2, 2, 4, 4, 6][self.random.usize(..5)].min(steps - step);
            let heavy = step.is_multiple_of(8);
            if self.random.f64() < self.style.melody || (heavy && self.random.bool()) {
                let pitch = self.sing([root, third, fifth], shift, heavy);
                self.strike(bar, step, step + length, pitch, MELODY, 92);
            }
            step += length;
        }
    }

    /// Four voices, a chord a beat; every fourth bar ends in a cadence. Returns the last chord.
    fn hymn(&mut self, bar: usize, mut degree: usize, last: bool) -> usize {
        for beat in 0..self.style.beats {
            let cadence = bar % 4 == 3 || last;
            let half = !last && bar % 8 == 3;
            degree = match (cadence, beat) {
                (true, 1) => 3,
                (true, 2) => 4,
                (true, 3) if half => 4,
                (true, 3) => 0,
                _ => {
                    let following = FOLLOWING[degree];
                    following[self.random.usize(..following.len())]
                }
            };
            let chord = self.triad(degree, 0);
            let [root, third, fifth] = chord;
            let step = beat * 4;
            let inverted = !cadence && self.random.u8(..4) == 0;
            let low = if inverted { third } else { root };
            self.strike(
                bar,
                step,
                step + 4,
                (43 + (low - 7).rem_euclid(12)) as u8,
                BASS,
                85,
            );
            for (above, tone) in [(50, fifth), (55, third)] {
                let pitch = above + (tone - above).rem_euclid(12);
                self.strike(bar, step, step + 4, pitch as u8, CHORDS, 80);
            }
            let pitch = self.sing(chord, 0, true);
            let passing = !cadence && self.random.u8(..4) == 0;
            self.strike(
                bar,
                step,
                step + if passing { 2 } else { 4 },
                pitch,
                MELODY,
                88,
            );
            if passing {
                let pitch = self.sing(chord, 0, false);
                self.strike(bar, step + 2, step + 4, pitch, MELODY, 84);
            }
        }
        degree
    }

    /// Moves the melody a little, on to a tone of the chord where it has weight.
    fn sing(&mut self, chord: [i32; 3], shift: i32, on_chord: bool) -> u8 {
        let tonic = i32::from(self.key.tonic) + shift;
        self.place = (self.place + self.random.i32(-4..=4)).clamp(62, 84);
        let scale = if self.key.minor { MINOR } else { MAJOR };
        let fits = |pitch: i32| {
            let allowed: &[i32] = if on_chord { &chord } else { &scale };
            let from = if on_chord { 0 } else { tonic };
            allowed
                .iter()
                .any(|tone| (tone + from - pitch).rem_euclid(12) == 0)
        };
        let nearest = (0..7).flat_map(|off| [self.place - off, self.place + off]);
        self.place = nearest
            .into_iter()
            .find(|pitch| fits(*pitch))
            .unwrap_or(self.place);
        self.place as u8
    }

    /// Root, third and fifth of a degree; the fifth degree of a minor key is major.
    fn triad(&self, degree: usize, shift: i32) -> [i32; 3] {
        let scale = if self.key.minor { MINOR } else { MAJOR };
        let tone = |steps: usize| {
            let octaves = (steps / 7) as i32;
            i32::from(self.key.tonic) + shift + scale[steps % 7] + 12 * octaves
        };
        let mut chord = [tone(degree), tone(degree + 2), tone(degree + 4)];
        if self.key.minor && degree == 4 {
            chord[1] = chord[0] + 4;
        }
        chord
    }

    fn strike(&mut self, bar: usize, from: usize, to: usize, pitch: u8, channel: u8, loud: i32) {
        // Nobody plays to the millisecond, nor evenly.
        let late = (self.random.f64() - 0.5) * 0.012;
        let accent = if from == 0 { 10 } else { 0 };
        let start = self.when(bar, from) + late;
        self.notes.push(Note {
            start,
            seconds: (self.when(bar, to) - start).max(0.03) * 0.95,
            pitch,
            velocity: (loud + accent + self.random.i32(-8..=8)).clamp(1, 127) as u8,
            channel,
        });
    }
}

/// Where the next hit of a pattern is, or its end.
fn next_hit(pattern: &[u8], step: usize) -> usize {
    let rest = &pattern[step + 1..];
    let next = rest.iter().position(|sign| *sign != b'.');
    next.map_or(pattern.len(), |offset| step + 1 + offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tempo::styles::STYLES;

    #[test]
    fn patterns_are_bars_and_splits_share_none() {
        for style in &STYLES {
            let steps = style.beats * 4;
            for split in 0..3 {
                let drums = style.drums[split].iter().map(|(_, pattern)| *pattern);
                for pattern in drums.chain([style.bass[split], style.chords[split]]) {
                    assert_eq!(pattern.len(), steps, "{}: {pattern}", style.name);
                }
            }
            for (one, other) in [(0, 1), (0, 2), (1, 2)] {
                let drums = style.drums;
                assert!(
                    drums[one].is_empty() || drums[one] != drums[other],
                    "{}",
                    style.name
                );
            }
        }
    }

    #[test]
    fn a_song_has_its_tempo_and_the_notes_of_its_key() {
        for style in &STYLES {
            let song = Song::make(style, Split::Training, 5);
            let (slowest, fastest) = style.bpm;
            assert!((slowest..=fastest).contains(&song.bpm));
            let scale = if song.key.minor { MINOR } else { MAJOR };
            let sung = song.notes.iter().filter(|note| note.channel == MELODY);
            let inside = sung.clone().filter(|note| {
                let above = (i32::from(note.pitch) - i32::from(song.key.tonic)).rem_euclid(12);
                scale.contains(&above)
            });
            let (inside, all) = (inside.count(), sung.count());
            assert!(
                all > 20 && inside * 3 >= all * 2,
                "{}: {inside} of {all}",
                style.name
            );
            let end = song.notes.iter().map(|note| note.start).fold(0.0, f64::max);
            assert!((35.0..85.0).contains(&end), "{}: {end} s", style.name);
        }
    }
}
