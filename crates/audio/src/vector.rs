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
