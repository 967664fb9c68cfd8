//! A small piece of pop music: chords, bass, melody and drums, all decided by a seed.

use super::pcm::{Pcm, sample_count};
use super::random::Random;
use super::voice::{Mix, Note, Voices};
use super::wave::hertz;

const MAJOR: [i32; 7] = [0, 2, 4, 5, 7, 9, 11];
const MINOR: [i32; 7] = [0, 2, 3, 5, 7, 8, 10];
/// Chord progressions as steps of the scale, one chord a bar.
const PROGRESSIONS: [[usize; 4]; 8] = [
    [0, 4, 5, 3],
    [0, 5, 3, 4],
    [5, 3, 0, 4],
    [0, 3, 1, 4],
    [0, 2, 3, 4],
    [1, 4, 0, 5],
    [0, 6, 5, 4],
    [3, 0, 4, 5],
];

/// What to play; the same values give the same samples on every machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Song {
    /// Decides key, mode, tempo, chords, melody and rhythm.
    pub seed: u64,
    /// Length, with a fade of 50 ms at the start and up to 1.5 s at the end.
    pub seconds: f64,
    /// Frames per second.
    pub rate: u32,
    /// 1, or 2 with the instruments spread from left to right; more repeat the two.
    pub channels: u16,
}

impl Song {
    /// Describes a song; nothing is computed yet.
    pub fn new(seed: u64, seconds: f64, rate: u32, channels: u16) -> Self {
        Self {
            seed,
            seconds,
            rate,
            channels,
        }
    }

    /// Plays the song; the peak stays below -3 dBFS.
    pub fn render(&self) -> Pcm {
        let mut random = Random::new(self.seed);
        let mut mix = Mix::new(sample_count(self.seconds, self.rate, 1), self.rate);
        let score = Score::write(&mut random);
        let voices = Voices::new(&mut random);
        let beat = 60.0 / score.tempo;
        let bars = (self.seconds / (beat * 4.0)).ceil() as usize;
        for bar in 0..bars {
            let start = bar as f64 * beat * 4.0;
            score.play_chord(&mut mix, &voices, bar, start, beat);
            score.play_bass(&mut mix, &voices, bar, start, beat);
            score.play_melody(&mut mix, &voices, bar, start, beat, &mut random);
            play_drums(&mut mix, &score, start, beat, &mut random);
        }
        mix.finish(self.channels)
    }
}

/// What the instruments share.
struct Score {
    tempo: f64,
    key: i32,
    scale: [i32; 7],
    verse: [usize; 4],
    chorus: [usize; 4],
    busy: u64,
    swing: f64,
}

impl Score {
    fn write(random: &mut Random) -> Self {
        Self {
            tempo: 76.0 + random.below(70) as f64,
            key: 48 + random.below(12) as i32,
            scale: *random.pick(&[MAJOR, MINOR]),
            verse: *random.pick(&PROGRESSIONS),
            chorus: *random.pick(&PROGRESSIONS),
            busy: 45 + random.below(45),
            swing: random.below(3) as f64 * 0.06,
        }
    }

    /// Returns the MIDI key of a step of the scale, in any octave.
    fn key_of(&self, step: usize) -> i32 {
        self.key + self.scale[step % 7] + 12 * (step / 7) as i32
    }

    /// Returns the step of the scale that the bar's chord stands on: two verses, one chorus.
    fn root(&self, bar: usize) -> usize {
        let part = if bar % 12 < 8 {
            &self.verse
        } else {
            &self.chorus
        };
        part[bar % 4]
    }

    fn play_chord(&self, mix: &mut Mix, voices: &Voices, bar: usize, start: f64, beat: f64) {
        for (index, step) in [0, 2, 4].into_iter().enumerate() {
            let note = Note {
                start,
                seconds: beat * 3.9,
                hertz: hertz(self.key_of(self.root(bar) + step) + 12 * i32::from(index == 0)),
                level: 0.075,
                pan: 0.25 + 0.25 * index as f32,
                decay: 1.6,
            };
            mix.note(&voices.chord, note);
        }
    }

    fn play_bass(&self, mix: &mut Mix, voices: &Voices, bar: usize, start: f64, beat: f64) {
        let root = self.key_of(self.root(bar)) - 12;
        for (at, interval) in [(0.0, 0), (1.5, 0), (2.0, 7), (3.0, 0)] {
            let note = Note {
                start: start + at * beat,
                seconds: beat * 0.8,
                hertz: hertz(root + interval),
                level: 0.16,
                pan: 0.5,
                decay: 0.6,
            };
            mix.note(&voices.bass, note);
        }
    }

    fn play_melody(
        &self,
        mix: &mut Mix,
        voices: &Voices,
        bar: usize,
        start: f64,
        beat: f64,
        random: &mut Random,
    ) {
        let mut step = self.root(bar) + 7 + *random.pick(&[0, 2, 4]);
        for eighth in 0..8 {
            if random.below(100) >= self.busy {
                continue;
            }
            let late = if eighth % 2 == 1 { self.swing } else { 0.0 };
            let note = Note {
                start: start + (f64::from(eighth) / 2.0 + late) * beat,
                seconds: beat * (0.45 + random.unit() * 0.5),
                hertz: hertz(self.key_of(step)),
                level: 0.13,
                pan: 0.62,
                decay: 0.5,
            };
            mix.note(&voices.melody, note);
            step = (step + random.below(5) as usize)
                .saturating_sub(2)
                .clamp(5, 15);
        }
    }
}

fn play_drums(mix: &mut Mix, score: &Score, start: f64, beat: f64, random: &mut Random) {
    for quarter in 0..4 {
        let at = start + f64::from(quarter) * beat;
        if quarter % 2 == 0 {
            mix.kick(at);
        } else {
            mix.hiss(at, 0.06, 0.06, random);
        }
        mix.hiss(at, 0.015, 0.015, random);
        mix.hiss(at + beat * (0.5 + score.swing), 0.02, 0.02, random);
    }
}
