//! Cuts audio into overlapping frames and transforms each.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Frames of one length, one every so many samples, each under a Hann window.
pub(crate) struct Frames {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Arc<[f32]>,
    hop: usize,
    input: Vec<f32>,
    output: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    waiting: Vec<f32>,
}

impl Frames {
    /// Frames of `length` samples, `hop` samples from one to the next.
    pub(crate) fn new(length: usize, hop: usize) -> Self {
        let (fft, window) = plan(length);
        Self {
            window,
            hop,
            input: fft.make_input_vec(),
            output: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            waiting: Vec::new(),
            fft,
        }
    }

    /// Takes in the next samples, 1.0 being full scale, and hands over the spectrum of every frame that is whole.
    pub(crate) fn push(&mut self, samples: &[f32], mut each: impl FnMut(&[Complex<f32>])) {
        self.waiting.extend_from_slice(samples);
        let mut from = 0;
        while let Some(frame) = self.waiting.get(from..from + self.window.len()) {
            for ((slot, sample), weight) in self.input.iter_mut().zip(frame).zip(self.window.iter())
            {
                *slot = sample * weight;
            }
            // Lengths are those that the plan asked for, so it cannot fail.
            let done =
                self.fft
                    .process_with_scratch(&mut self.input, &mut self.output, &mut self.scratch);
            debug_assert!(done.is_ok());
            each(&self.output);
            from += self.hop;
        }
        self.waiting.drain(..from);
    }
}

/// A transform and the window before it.
type Plan = (Arc<dyn RealToComplex<f32>>, Arc<[f32]>);

/// The transform of a length and its window. They are made once: to a file of a few seconds they would be a tenth of all
/// that is done to it. Lengths are constants of this crate, so that there are few.
fn plan(length: usize) -> Plan {
    static PLANS: LazyLock<Mutex<BTreeMap<usize, Plan>>> = LazyLock::new(Mutex::default);
    let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
    let plan = plans.entry(length).or_insert_with(|| {
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(length);
        (fft, hann(length))
    });
    plan.clone()
}

/// A Hann window.
fn hann(length: usize) -> Arc<[f32]> {
    (0..length)
        .map(|i| (0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / length as f64).cos()) as f32)
        .collect()
}
