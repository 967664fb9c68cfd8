//! Loops over samples, with the widest vectors that the processor has.
//!
//! The program is built for any processor of its kind, and those since 2013 can do twice as much at once. Which it is is
//! found out when it runs. Sums are made in the same order whatever the width, so that results are the same everywhere.

#![expect(
    clippy::inline_always,
    reason = "a loop is compiled for wider vectors only where it stands in the function that is compiled for them"
)]

use pulp::{Arch, Simd, WithSimd};

/// A loop worth it. All of [`run`](Self::run), and what it calls, has to be inlined: `#[inline(always)]`.
pub(crate) trait Loop {
    type Output;

    fn run(self) -> Self::Output;
}

struct Widest<L>(L);

impl<L: Loop> WithSimd for Widest<L> {
    type Output = L::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> L::Output {
        self.0.run()
    }
}

/// Runs a loop, which the compiler made once for every width.
pub(crate) fn widest<L: Loop>(work: L) -> L::Output {
    Arch::new().dispatch(Widest(work))
}

/// Numbers that are added up side by side. One series at a time: of two, the compiler mixes the lanes instead.
const LANES: usize = 8;

/// The sum of a measure of every sample, in the same order whatever the width.
#[inline(always)]
pub(crate) fn sum_of(samples: &[f32], measure: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (chunks, rest) = samples.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += measure(chunk[lane]);
        }
    }
    let mut last = 0.0;
    for sample in rest {
        last += measure(*sample);
    }
    sums.iter().sum::<f32>() + last
}

/// The same of pairs of samples.
#[inline(always)]
pub(crate) fn sum_of_pairs(a: &[f32], b: &[f32], measure: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (first, rest_of_first) = a.as_chunks::<LANES>();
    let (second, rest_of_second) = b.as_chunks::<LANES>();
    for (a, b) in first.iter().zip(second) {
        for lane in 0..LANES {
            sums[lane] += measure(a[lane], b[lane]);
        }
    }
    let mut last = 0.0;
    for (a, b) in rest_of_first.iter().zip(rest_of_second) {
        last += measure(*a, *b);
    }
    sums.iter().sum::<f32>() + last
}

/// The greatest measure of any sample, or 0. A NaN loses every comparison.
#[inline(always)]
pub(crate) fn greatest_of(samples: &[f32], measure: impl Fn(f32) -> f32) -> f32 {
    let mut greatest = [0.0_f32; LANES];
    let (chunks, rest) = samples.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            let (most, here) = (greatest[lane], measure(chunk[lane]));
            greatest[lane] = if here > most { here } else { most };
        }
    }
    let mut last = 0.0_f32;
    for sample in rest {
        last = last.max(measure(*sample));
    }
    greatest.iter().fold(last, |most, here| most.max(*here))
}
