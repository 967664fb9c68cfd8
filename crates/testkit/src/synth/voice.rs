//! The instruments, and the stereo sum they play into.

use super::pcm::Pcm;
use super::random::Random;
use super::wave::Table;

/// One note of a pitched instrument.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    pub(crate) start: f64,
    pub(crate) seconds: f64,
    pub(crate) hertz: f64,
    pub(crate) level: f32,
    /// 0.0 is left, 1.0 is right.
    pub(crate) pan: f32,
    /// Seconds until a third of the level is left.
    pub(crate) decay: f64,
}

/// The three waveforms of a song.
pub(crate) struct Voices {
    pub(crate) chord: Table,
    pub(crate) bass: Table,
    pub(crate) melody: Table,
}

impl Voices {
    pub(crate) fn new(random: &mut Random) -> Self {
        let mut table = |number: usize| {
            let strengths: Vec<f32> = (0..number)
                .map(|n| (0.3 + random.unit() as f32 * 0.7) / (n + 1) as f32)
                .collect();
            Table::harmonics(&strengths)
        };
        Self {
            chord: table(4),
            bass: table(5),
            melody: table(3),
        }
    }
}

/// Left and right, and how far a song has got.
pub(crate) struct Mix {
    rate: u32,
    left: Vec<f32>,
    right: Vec<f32>,
}

impl Mix {
    pub(crate) fn new(frames: usize, rate: u32) -> Self {
        Self {
            rate,
            left: vec![0.0; frames],
            right: vec![0.0; frames],
        }
    }

    /// Returns the part of both channels that a sound of this length falls on.
    fn window(&mut self, start: f64, seconds: f64) -> impl Iterator<Item = (&mut f32, &mut f32)> {
        let rate = f64::from(self.rate);
        let from = ((start * rate) as usize).min(self.left.len());
        let to = (((start + seconds) * rate) as usize).clamp(from, self.left.len());
        self.left[from..to]
            .iter_mut()
            .zip(&mut self.right[from..to])
    }

    pub(crate) fn note(&mut self, table: &Table, note: Note) {
        let rate = f64::from(self.rate);
        let step = note.hertz / rate;
        let length = note.seconds * rate;
        let attack = (0.008 * rate) as f32;
        let release = (0.03 * rate) as f32;
        let fall = 1.0 - (1.0 / (note.decay * rate)) as f32;
        let (to_left, to_right) = (note.level * (1.0 - note.pan), note.level * note.pan);
        let (mut phase, mut envelope, mut passed) = (0.0, 1.0f32, 0.0f32);
        for (left, right) in self.window(note.start, note.seconds) {
            let edge = (passed / attack)
                .min((length as f32 - passed) / release)
                .min(1.0);
            let value = table.at(phase) * envelope * edge;
            *left += value * to_left;
            *right += value * to_right;
            phase += step;
            phase -= f64::from(phase >= 1.0);
            envelope *= fall;
            passed += 1.0;
        }
    }

    /// Adds a bass drum: a sine that falls from 120 to 45 Hz.
    pub(crate) fn kick(&mut self, start: f64) {
        let sine = Table::sine();
        let rate = f64::from(self.rate);
        let slide = 1.0 - 9.0 / rate;
        let fall = 1.0 - (22.0 / rate) as f32;
        let (mut hertz, mut phase, mut level) = (120.0f64, 0.0, 0.13f32);
        for (left, right) in self.window(start, 0.25) {
            let value = sine.at(phase) * level;
            *left += value;
            *right += value;
            phase += hertz.max(45.0) / rate;
            phase -= f64::from(phase >= 1.0);
            hertz *= slide;
            level *= fall;
        }
    }

    /// Adds a burst of noise: a snare when long and loud, a cymbal when short and soft.
    pub(crate) fn hiss(&mut self, start: f64, level: f32, decay: f64, random: &mut Random) {
        let fall = 1.0 - (1.0 / (decay * f64::from(self.rate))) as f32;
        let mut level = level * 0.5;
        let mut before = 0.0;
        for (left, right) in self.window(start, decay * 4.0) {
            let now = random.noise();
            *left += (now - before * 0.6) * level;
            *right += (now - before * 0.4) * level;
            before = now;
            level *= fall;
        }
    }

    /// Fades both ends, keeps the peak below -3 dBFS and interleaves.
    pub(crate) fn finish(mut self, channels: u16) -> Pcm {
        let frames = self.left.len();
        let fade_in = f64::from(self.rate) * 0.05;
        let fade_out = (f64::from(self.rate) * 1.5).min(frames as f64 / 4.0);
        let peak = self
            .left
            .iter()
            .chain(&self.right)
            .fold(0.0f32, |peak, value| peak.max(value.abs()));
        let gain = if peak > 0.7 { 0.7 / peak } else { 1.0 };
        for (index, (left, right)) in self.left.iter_mut().zip(&mut self.right).enumerate() {
            let fade = (index as f64 / fade_in)
                .min((frames - index) as f64 / fade_out)
                .min(1.0) as f32;
            *left *= fade * gain;
            *right *= fade * gain;
        }
        let samples = match channels {
            1 => self
                .left
                .iter()
                .zip(&self.right)
                .map(|(left, right)| (left + right) * 0.5)
                .collect(),
            _ => self.interleave(channels),
        };
        Pcm {
            rate: self.rate,
            channels,
            samples,
        }
    }

    fn interleave(&self, channels: u16) -> Vec<f32> {
        let mut samples = Vec::with_capacity(self.left.len() * usize::from(channels));
        for (left, right) in self.left.iter().zip(&self.right) {
            samples
                .extend((0..channels).map(|channel| if channel % 2 == 0 { *left } else { *right }));
        }
        samples
    }
}
