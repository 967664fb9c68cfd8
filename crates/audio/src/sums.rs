//! Means over a window that moves along a series, of which no more is kept than the window needs.

/// The sums of all values before a place, for the last `PLACES` places of a series: the sum between any two of these is
/// their difference. Adding up from the beginning, equal windows of whole numbers have equal sums wherever they lie.
#[derive(Debug)]
pub(crate) struct Sums<const PLACES: usize> {
    before: [f64; PLACES],
    count: usize,
}

impl<const PLACES: usize> Default for Sums<PLACES> {
    fn default() -> Self {
        Self {
            before: [0.0; PLACES],
            count: 0,
        }
    }
}

impl<const PLACES: usize> Sums<PLACES> {
    /// Takes in the next value.
    pub(crate) fn push(&mut self, value: f32) {
        let sum = self.before(self.count) + f64::from(value);
        self.count += 1;
        self.before[self.count % PLACES] = sum;
    }

    /// How many values have come.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The mean of the values from one place to another, which is greater; both among the last.
    pub(crate) fn mean(&self, from: usize, to: usize) -> f64 {
        (self.before(to) - self.before(from)) / (to - from) as f64
    }

    /// The mean of all that came; 0 where nothing did.
    pub(crate) fn mean_of_all(&self) -> f64 {
        self.before(self.count) / self.count.max(1) as f64
    }

    fn before(&self, place: usize) -> f64 {
        self.before[place % PLACES]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_the_mean_of_its_values_however_many_came_before() {
        let values: Vec<f32> = (0..1000).map(|at| ((at * 37) % 101) as f32).collect();
        let mut sums = Sums::<8>::default();
        assert!(sums.mean_of_all() == 0.0);
        for (at, value) in values.iter().enumerate() {
            sums.push(*value);
            let (from, to) = ((at + 1).saturating_sub(7), at + 1);
            let mean = values[from..to].iter().sum::<f32>() / (to - from) as f32;
            assert!((sums.mean(from, to) - f64::from(mean)).abs() < 1e-4);
        }
        let all = values.iter().sum::<f32>() / 1000.0;
        assert_eq!(sums.count(), 1000);
        assert!((sums.mean_of_all() - f64::from(all)).abs() < 1e-3);
    }
}
