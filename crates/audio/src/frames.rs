//! Cuts audio into overlapping frames and transforms each.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use crate::vector::{Loop, widest};

/// What a frame is multiplied by, so that its ends do not count as steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Window {
    /// Of a period of the frame's length.
    Hann,
    /// From its first sample to its last, as Chromaprint has it.
    Hamming,
}

/// Frames of one length, one every so many samples, each under a window.
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
    pub(crate) fn new(length: usize, hop: usize, window: Window) -> Self {
        let (fft, window) = plan(length, window);
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
            widest(Weighed(frame, &self.window, &mut self.input));
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

/// A frame under its window.
struct Weighed<'a>(&'a [f32], &'a [f32], &'a mut [f32]);

impl Loop for Weighed<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((slot, sample), weight) in self.2.iter_mut().zip(self.0).zip(self.1) {
            *slot = sample * weight;
        }
    }
}

/// A transform and the window before it.
type Plan = (Arc<dyn RealToComplex<f32>>, Arc<[f32]>);

/// The transform of a length and its window. They are made once: to a file of a few seconds they would be a tenth of all
/// that is done to it. Lengths are constants of this crate, so that there are few.
fn plan(length: usize, window: Window) -> Plan {
    static PLANS: LazyLock<Mutex<BTreeMap<(usize, Window), Plan>>> = LazyLock::new(Mutex::default);
    let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
    let plan = plans.entry((length, window)).or_insert_with(|| {
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(length);
        (fft, window.weights(length))
    });
    plan.clone()
}

impl Window {
    fn weights(self, length: usize) -> Arc<[f32]> {
        let (offset, height, period) = match self {
            Self::Hann => (0.5, 0.5, length as f64),
            Self::Hamming => (0.54, 0.46, length as f64 - 1.0),
        };
        let angle = |i: usize| std::f64::consts::TAU * i as f64 / period;
        (0..length)
            .map(|i| (offset - height * angle(i).cos()) as f32)
            .collect()
    }
}
