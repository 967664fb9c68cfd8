//! The A-weighting of IEC 61672-1 and the K-weighting of ITU-R BS.1770-4, side by side.
//!
//! Both are cascades of second-order sections. A sample of such a filter waits for the one before it, so four filters
//! run at once, each in a lane of one vector register where the processor has such.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use crate::vector::{Loop, widest};

/// Sections of each cascade; K has two, and one that lets everything pass.
const SECTIONS: usize = 3;

/// Filters that run at once: of two channels their K-weighting, of their mix and their side the A-weighting.
pub(super) const LANES: usize = 4;

/// A second-order section; `a[0]` is 1 and left out.
#[derive(Debug, Clone, Copy)]
struct Section {
    b: [f64; 3],
    a: [f64; 2],
}

const PASS: Section = Section {
    b: [1.0, 0.0, 0.0],
    a: [0.0, 0.0],
};

/// What a lane does to its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    A,
    K,
}

/// A coefficient, or what is remembered, of every lane.
type Lanes = [f64; LANES];

/// What a section does at every sample, for every lane. Its first tap is 1: [`Weighting::gains`] has what it was.
#[derive(Debug, Clone, Copy)]
struct Taps {
    /// What the input adds to what is remembered, less what it takes away by way of the output: the output itself is then
    /// on nobody's way to the next sample, which has to wait for two operations instead of three.
    input: [Lanes; 2],
    remembered: [Lanes; 2],
}

/// Four weightings of four signals.
#[derive(Debug)]
pub(super) struct Weighting {
    taps: [Taps; SECTIONS],
    state: [[Lanes; 2]; SECTIONS],
    /// What the energy of each lane is multiplied by at the end, where the gains of its sections belong.
    gains: Lanes,
}

impl Weighting {
    pub(super) fn new(sample_rate: u32, kinds: [Kind; LANES]) -> Self {
        let rate = f64::from(sample_rate);
        let cascades = kinds.map(|kind| match kind {
            Kind::A => a_weighting(rate),
            Kind::K => k_weighting(rate),
        });
        let lanes = |at: usize, pick: &dyn Fn(&Section) -> f64| {
            cascades.map(|sections| pick(&sections[at]))
        };
        Self {
            taps: std::array::from_fn(|at| Taps {
                input: [0, 1].map(|tap| {
                    lanes(at, &|section| {
                        section.b[tap + 1] / section.b[0] - section.a[tap]
                    })
                }),
                remembered: [0, 1].map(|tap| lanes(at, &|section| section.a[tap])),
            }),
            state: [[[0.0; LANES]; 2]; SECTIONS],
            gains: cascades.map(|sections| {
                let gain: f64 = sections.iter().map(|section| section.b[0]).product();
                gain * gain
            }),
        }
    }

    /// The energy of every input after its weighting. Inputs are of one length.
    pub(super) fn energies(&mut self, inputs: [&[f32]; LANES]) -> [f64; LANES] {
        let mut energies = widest(Run {
            taps: &self.taps,
            state: &mut self.state,
            inputs,
        });
        for (energy, gain) in energies.iter_mut().zip(self.gains) {
            *energy *= gain;
        }
        // What is far below hearing would soon be denormal and slow; nonsense would stay for ever.
        for value in self.state.as_flattened_mut().as_flattened_mut() {
            if !value.is_finite() || value.abs() < 1e-30 {
                *value = 0.0;
            }
        }
        energies
    }
}

struct Run<'a> {
    taps: &'a [Taps; SECTIONS],
    state: &'a mut [[Lanes; 2]; SECTIONS],
    inputs: [&'a [f32]; LANES],
}

impl Loop for Run<'_> {
    type Output = Lanes;

    #[inline(always)]
    fn run(self) -> Lanes {
        let Self {
            taps,
            state: remembered,
            inputs: [first, second, third, fourth],
        } = self;
        let mut state = *remembered;
        let mut energy = [0.0; LANES];
        let pairs = first.iter().zip(second).zip(third.iter().zip(fourth));
        for ((first, second), (third, fourth)) in pairs {
            let mut x = [*first, *second, *third, *fourth].map(f64::from);
            for (taps, [s1, s2]) in taps.iter().zip(&mut state) {
                let ([c1, c2], [a1, a2]) = (&taps.input, &taps.remembered);
                for lane in 0..LANES {
                    let y = x[lane] + s1[lane];
                    // What does not wait for the sample before comes first.
                    let next = (c1[lane] * x[lane] + s2[lane]) - a1[lane] * s1[lane];
                    s2[lane] = c2[lane] * x[lane] - a2[lane] * s1[lane];
                    s1[lane] = next;
                    x[lane] = y;
                }
            }
            for lane in 0..LANES {
                energy[lane] += x[lane] * x[lane];
            }
        }
        *remembered = state;
        energy
    }
}

/// Poles of the A-weighting in Hz, by IEC 61672-1, annex E.
const A_POLES: [f64; 4] = [20.598_997, 107.652_65, 737.862_23, 12_194.217];

/// The A-weighting by the bilinear transform, 0 dB at 1 kHz.
fn a_weighting(rate: f64) -> [Section; SECTIONS] {
    let twice = 2.0 * rate;
    let [p1, p2, p3, p4] = A_POLES.map(|hertz| std::f64::consts::TAU * hertz);
    let section = |p: f64, q: f64, zeros: [f64; 3]| {
        let scale = (twice + p) * (twice + q);
        Section {
            b: zeros.map(|zero| zero / scale),
            a: [
                2.0 * (p * q - twice * twice) / scale,
                (twice - p) * (twice - q) / scale,
            ],
        }
    };
    let high_pass = [1.0, -2.0, 1.0].map(|tap| tap * twice * twice);
    let low_pass = [1.0, 2.0, 1.0].map(|tap| tap * p4 * p4);
    let mut sections = [
        section(p1, p1, high_pass),
        section(p2, p3, high_pass),
        section(p4, p4, low_pass),
    ];
    let gain: f64 = sections
        .iter()
        .map(|section| gain_at(section, 1000.0 / rate))
        .product();
    if gain > 0.0 {
        sections[0].b = sections[0].b.map(|tap| tap / gain);
    }
    sections
}

/// The gain of a section at a frequency, in cycles a sample.
fn gain_at(section: &Section, frequency: f64) -> f64 {
    let angle = std::f64::consts::TAU * frequency;
    let magnitude = |taps: [f64; 3]| {
        let real = taps[0] + taps[1] * angle.cos() + taps[2] * (2.0 * angle).cos();
        let imaginary = taps[1] * angle.sin() + taps[2] * (2.0 * angle).sin();
        real.hypot(imaginary)
    };
    magnitude(section.b) / magnitude([1.0, section.a[0], section.a[1]])
}

/// The K-weighting: a shelf for the head and a high-pass. BS.1770 gives its coefficients for
/// 48 kHz; these are the filters that have them there, for any rate.
fn k_weighting(rate: f64) -> [Section; SECTIONS] {
    let shelf = {
        let k = (std::f64::consts::PI * 1_681.974_450_955_533 / rate).tan();
        let quality = 0.707_175_236_955_419_6;
        let high = 10_f64.powf(3.999_843_853_973_347 / 20.0);
        let band = high.powf(0.499_666_774_154_541_6);
        let scale = 1.0 + k / quality + k * k;
        Section {
            b: [
                (high + band * k / quality + k * k) / scale,
                2.0 * (k * k - high) / scale,
                (high - band * k / quality + k * k) / scale,
            ],
            a: [
                2.0 * (k * k - 1.0) / scale,
                (1.0 - k / quality + k * k) / scale,
            ],
        }
    };
    let high_pass = {
        let k = (std::f64::consts::PI * 38.135_470_876_024_44 / rate).tan();
        let quality = 0.500_327_037_323_877_3;
        let scale = 1.0 + k / quality + k * k;
        Section {
            b: [1.0, -2.0, 1.0],
            a: [
                2.0 * (k * k - 1.0) / scale,
                (1.0 - k / quality + k * k) / scale,
            ],
        }
    };
    [shelf, high_pass, PASS]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k_weighting_has_the_standards_coefficients_at_48_khz() {
        let [shelf, high_pass, _] = k_weighting(48_000.0);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-8, "{a} {b}");
        close(shelf.b[0], 1.535_124_859_586_97);
        close(shelf.b[1], -2.691_696_189_406_38);
        close(shelf.b[2], 1.198_392_810_852_85);
        close(shelf.a[0], -1.690_659_293_182_41);
        close(shelf.a[1], 0.732_480_774_215_85);
        close(high_pass.a[0], -1.990_047_454_833_98);
        close(high_pass.a[1], 0.990_072_250_366_21);
    }

    #[test]
    fn silence_after_sound_comes_to_rest() {
        let mut weighting = Weighting::new(44_100, [Kind::A, Kind::K, Kind::A, Kind::K]);
        weighting.energies([&[1.0; 2000]; LANES]);
        for _ in 0..2000 {
            weighting.energies([&[0.0; 882]; LANES]);
        }
        assert!(
            weighting
                .state
                .as_flattened()
                .as_flattened()
                .iter()
                .all(|value| *value == 0.0)
        );
    }
}
