//! What a record, a tape or a converter adds to music.

use std::f32::consts::TAU;

use fastrand::Rng;

use super::tracks::{RATE, Stereo};

/// What lies over a rip, levels in dBFS RMS of one channel.
#[derive(Debug, Clone, Default)]
pub struct Medium {
    /// White noise.
    pub white: Option<f32>,
    /// White noise without its highest octave, as tape has it.
    pub hiss: Option<f32>,
    /// Noise that falls by 3 dB an octave, as a groove has it.
    pub pink: Option<f32>,
    /// Rumble between 15 and 55 Hz.
    pub rumble: Option<f32>,
    /// Mains hum at 50 or 60 Hz with its harmonics.
    pub hum: Option<f32>,
    /// Crackle: impulses a second, and their greatest level.
    pub crackle: Option<(f32, f32)>,
    /// Pops a second, loud and some milliseconds long.
    pub pops: Option<f32>,
    /// The last bit flickers, as a converter to 16 bits has it.
    pub dither: bool,
    /// A constant, 1.0 being full scale.
    pub dc: f32,
    /// Gain before clipping, in dB.
    pub overdrive: Option<f32>,
    /// Both channels the same.
    pub mono: bool,
    /// Nothing but 100 to 4,500 Hz, as medium wave has it.
    pub is_narrow: bool,
}

impl Medium {
    /// What the medium does to the sound itself, before it adds any noise.
    pub fn press(&self, rip: &mut Stereo) {
        if self.mono {
            for (left, right) in rip.left.iter_mut().zip(&mut rip.right) {
                let mixed = f32::midpoint(*left, *right);
                (*left, *right) = (mixed, mixed);
            }
        }
        if let Some(overdrive) = self.overdrive {
            rip.gain(overdrive);
        }
        if self.is_narrow {
            for plane in [&mut rip.left, &mut rip.right] {
                narrow(plane);
            }
        }
    }

    /// Puts the noise of the medium over all of a rip, or over parts of it.
    pub fn lay_over(&self, rip: &mut Stereo, only: Option<&[(usize, usize)]>, rng: &mut Rng) {
        let whole = [(0, rip.frames())];
        for (from, to) in only.unwrap_or(&whole) {
            let phase = rng.f32() * TAU;
            for plane in [&mut rip.left, &mut rip.right] {
                // A mono recording's noise is heard on both sides, a stereo groove's on each its own.
                let seed = if self.mono { rng.clone() } else { rng.fork() };
                self.add_noise(&mut plane[*from..*to], seed, phase);
            }
        }
        self.impulses(rip, only.unwrap_or(&whole), rng);
        for sample in rip.left.iter_mut().chain(&mut rip.right) {
            *sample = (*sample + self.dc).clamp(-1.0, 1.0);
        }
    }

    fn add_noise(&self, plane: &mut [f32], mut rng: Rng, phase: f32) {
        let amplitude = |level: Option<f32>| level.map_or(0.0, |dbfs| 10_f32.powf(dbfs / 20.0));
        let (white, hiss, pink) = (
            amplitude(self.white),
            amplitude(self.hiss),
            amplitude(self.pink),
        );
        let (rumble, hum) = (amplitude(self.rumble), amplitude(self.hum));
        let mains = if phase < TAU / 2.0 { 50.0 } else { 60.0 } * TAU / RATE as f32;
        let mut state = Colours::default();
        for (at, sample) in plane.iter_mut().enumerate() {
            let mut sum = 0.0;
            if white > 0.0 {
                sum += white * bell(&mut rng);
            }
            if hiss > 0.0 {
                sum += hiss * state.hiss(bell(&mut rng));
            }
            if pink > 0.0 {
                sum += pink * state.pink(bell(&mut rng));
            }
            if rumble > 0.0 {
                sum += rumble * state.rumble(bell(&mut rng));
            }
            if hum > 0.0 {
                let angle = at as f32 % RATE as f32 * mains + phase;
                sum += hum
                    * (1.2 * angle.sin() + 0.6 * (2.0 * angle).sin() + 0.3 * (3.0 * angle).sin());
            }
            if self.dither {
                sum += (rng.f32() - rng.f32()) / 32_768.0;
            }
            *sample += sum;
        }
    }

    /// Crackle and pops come as a Poisson process, to one channel more than to the other.
    fn impulses(&self, rip: &mut Stereo, parts: &[(usize, usize)], rng: &mut Rng) {
        let pops = self.pops.map(|rate| (rate, -6.0, 60.0..400.0_f32));
        let crackle = self.crackle.map(|(rate, peak)| (rate, peak, 3.0..20.0));
        for (rate, peak, length) in [crackle, pops].into_iter().flatten() {
            for (from, to) in parts {
                let mut at = *from as f64;
                loop {
                    at += -f64::from(rng.f32().max(1e-9).ln()) / f64::from(rate) * f64::from(RATE);
                    if at >= *to as f64 {
                        break;
                    }
                    let peak = 10_f32.powf((peak - 20.0 * rng.f32()) / 20.0);
                    let decay = length.start + (length.end - length.start) * rng.f32();
                    let side = rng.f32();
                    let from = at as usize;
                    for step in 0..(6.0 * decay) as usize {
                        let Some(sample) = rip.left.get_mut(from + step) else {
                            break;
                        };
                        let value =
                            peak * (-(step as f32) / decay).exp() * (step as f32 * 0.9).cos();
                        *sample += value * side;
                        rip.right[from + step] += value * (1.0 - side);
                    }
                }
            }
        }
    }
}

/// Three poles at 4.5 kHz and one at 100 Hz.
fn narrow(plane: &mut [f32]) {
    let high = 1.0 - (-TAU * 4500.0 / RATE as f32).exp();
    let low = TAU * 100.0 / RATE as f32;
    let (mut smooth, mut slow) = ([0.0_f32; 3], 0.0_f32);
    for sample in plane {
        let mut value = *sample;
        for state in &mut smooth {
            *state += high * (value - *state);
            value = *state;
        }
        slow += low * (value - slow);
        *sample = value - slow;
    }
}

/// Nearly a normal distribution with a deviation of 1: of three uniform numbers each has a variance of a twelfth.
fn bell(rng: &mut Rng) -> f32 {
    2.0 * (rng.f32() + rng.f32() + rng.f32() - 1.5)
}

/// Filters that colour white noise of deviation 1 and keep its power.
#[derive(Default)]
struct Colours {
    hiss: f32,
    pink: [f32; 3],
    low: [f32; 2],
    high: f32,
}

impl Colours {
    fn hiss(&mut self, white: f32) -> f32 {
        self.hiss += 0.6 * (white - self.hiss);
        self.hiss * 1.53
    }

    /// Paul Kellet's economy filter, scaled to a deviation of 1.
    fn pink(&mut self, white: f32) -> f32 {
        let [a, b, c] = &mut self.pink;
        *a = 0.997_65 * *a + white * 0.099_046;
        *b = 0.963 * *b + white * 0.296_516_4;
        *c = 0.57 * *c + white * 1.052_691_3;
        (*a + *b + *c + white * 0.184_8) * 0.4
    }

    /// Two poles at 35 Hz, less what lies below 15 Hz; scaled to a deviation of about 1.
    fn rumble(&mut self, white: f32) -> f32 {
        let pole = TAU * 35.0 / RATE as f32;
        self.low[0] += pole * (white * 25.0 - self.low[0]);
        self.low[1] += pole * (self.low[0] - self.low[1]);
        self.high += TAU * 15.0 / RATE as f32 * (self.low[1] - self.high);
        self.low[1] - self.high
    }
}
