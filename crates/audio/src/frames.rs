//! Cuts audio into overlapping frames and transforms each.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Frames of one length, one every so many samples, each under a Hann window.
pub(crate) struct Frames {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    hop: usize,
    input: Vec<f32>,
    output: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    waiting: Vec<f32>,
}

impl Frames {
    /// Frames of `length` samples, `hop` samples from one to the next.
    pub(crate) fn new(length: usize, hop: usize) -> Self {
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(length);
        Self {
            window: hann(length),
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
            for ((slot, sample), weight) in self.input.iter_mut().zip(frame).zip(&self.window) {
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

/// A Hann window.
fn hann(length: usize) -> Vec<f32> {
    (0..length)
        .map(|i| (0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / length as f64).cos()) as f32)
        .collect()
}
