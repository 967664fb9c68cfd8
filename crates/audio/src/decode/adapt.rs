//! Brings audio into another sample rate and number of channels.
//!
//! A stream may change both on its way: internet radio recorded over a change of programme, MP3 files joined with `cat`. What
//! is measured has one rate and one number of channels a file, so what follows is brought into the form of the beginning.

use rubato::{FastFixedIn, PolynomialDegree, Resampler};

use super::DecodeError;

/// Frames converted at a time.
const CHUNK: usize = 1024;

/// A stream's rate in Hz and its number of channels.
type Shape = (u32, usize);

pub(super) struct Adapter {
    pub from: Shape,
    channels: usize,
    resampler: Option<FastFixedIn<f32>>,
    /// Frames out for each frame in.
    ratio: f64,
    /// Frames taken and given so far: at the end as many are given as are due.
    taken: u64,
    given: u64,
    /// Frames that make no whole chunk yet, in the channels wanted.
    pending: Vec<Vec<f32>>,
}

impl Adapter {
    pub(super) fn new(from: Shape, to: Shape) -> Result<Self, DecodeError> {
        let ratio = f64::from(to.0) / f64::from(from.0);
        let resampler = (from.0 != to.0)
            .then(|| FastFixedIn::new(ratio, 1.0, PolynomialDegree::Septic, CHUNK, to.1))
            .transpose()
            .map_err(|error| DecodeError::Library(error.to_string()))?;
        Ok(Self {
            from,
            channels: to.1,
            resampler,
            ratio,
            taken: 0,
            given: 0,
            pending: vec![Vec::new(); to.1],
        })
    }

    /// Takes some audio and gives what can be given of it.
    pub(super) fn push(&mut self, planes: &[&[f32]]) -> Result<Vec<Vec<f32>>, DecodeError> {
        self.taken += planes.first().map_or(0, |plane| plane.len()) as u64;
        for (channel, pending) in self.pending.iter_mut().enumerate() {
            mix(planes, channel, self.channels, pending);
        }
        self.convert(false)
    }

    /// Gives the rest.
    pub(super) fn finish(&mut self) -> Result<Vec<Vec<f32>>, DecodeError> {
        self.convert(true)
    }

    fn convert(&mut self, is_last: bool) -> Result<Vec<Vec<f32>>, DecodeError> {
        let empty = vec![Vec::new(); self.channels];
        let Some(resampler) = &mut self.resampler else {
            return Ok(std::mem::replace(&mut self.pending, empty));
        };
        let failed = |error: rubato::ResampleError| DecodeError::Library(error.to_string());
        let mut out = empty;
        let mut append = |part: Vec<Vec<f32>>| {
            for (all, part) in out.iter_mut().zip(part) {
                all.extend(part);
            }
        };
        while self.pending[0].len() >= CHUNK {
            let chunk: Vec<Vec<f32>> = self
                .pending
                .iter_mut()
                .map(|plane| plane.drain(..CHUNK).collect())
                .collect();
            append(resampler.process(&chunk, None).map_err(failed)?);
        }
        if is_last {
            // What is left, and silence to push it out of the filter; what is too much is cut off.
            if !self.pending[0].is_empty() {
                let rest = resampler.process_partial(Some(&self.pending), None);
                append(rest.map_err(failed)?);
            }
            append(
                resampler
                    .process_partial::<Vec<f32>>(None, None)
                    .map_err(failed)?,
            );
            let due = (self.taken as f64 * self.ratio).round() as u64;
            let left = due.saturating_sub(self.given) as usize;
            for (plane, pending) in out.iter_mut().zip(&mut self.pending) {
                plane.truncate(left);
                pending.clear();
            }
        }
        self.given += out[0].len() as u64;
        Ok(out)
    }
}

/// Appends to `out` what channel `to` of `count` sounds like: the same channel where there is one, the only one in every
/// place, and in mono the mean of all.
fn mix(planes: &[&[f32]], to: usize, count: usize, out: &mut Vec<f32>) {
    match (planes, count) {
        ([only], _) => out.extend_from_slice(only),
        (all, 1) => {
            let part = 1.0 / all.len() as f32;
            let frames = all.first().map_or(0, |plane| plane.len());
            out.extend(
                (0..frames).map(|frame| all.iter().map(|plane| plane[frame]).sum::<f32>() * part),
            );
        }
        (all, _) => match all.get(to) {
            Some(plane) => out.extend_from_slice(plane),
            None => out.resize(out.len() + all[0].len(), 0.0),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_channels_are_brought_into_another_form() {
        let tone: Vec<f32> = (0..22_050)
            .map(|n| (n as f32 * 440.0 * std::f32::consts::TAU / 22_050.0).sin())
            .collect();
        let mut adapter = Adapter::new((22_050, 1), (48_000, 2)).unwrap();
        let mut left = Vec::new();
        for part in tone.chunks(700) {
            left.extend(adapter.push(&[part]).unwrap().remove(0));
        }
        left.extend(adapter.finish().unwrap().remove(1));
        let seconds = left.len() as f64 / 48_000.0;
        assert!((seconds - 1.0).abs() < 0.02, "{seconds} s");
        let power = left.iter().map(|sample| sample * sample).sum::<f32>() / left.len() as f32;
        assert!((power - 0.5).abs() < 0.02, "{power}");
    }

    #[test]
    fn stereo_becomes_mono_by_its_mean_and_surround_keeps_its_fronts() {
        let mut mono = Adapter::new((8_000, 2), (8_000, 1)).unwrap();
        assert_eq!(
            mono.push(&[&[1.0, 0.0], &[0.0, 0.5]]).unwrap(),
            [vec![0.5, 0.25]]
        );
        let mut stereo = Adapter::new((8_000, 1), (8_000, 2)).unwrap();
        assert_eq!(stereo.push(&[&[0.5]]).unwrap(), [vec![0.5], vec![0.5]]);
    }
}
