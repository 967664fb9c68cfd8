//! The levels of a stretch of a file, for whoever draws it or wants to hear where its leads are.

use std::ops::ControlFlow;
use std::path::Path;

use audio::decode::{Block, Listener, StreamInfo};
pub use audio::leads::LeadSettings as Parameters;
use audio::leads::leads;
use audio::levels::{Levels, PER_SECOND};
use audio::sound::Sound;
use run::Cancel;

use crate::library::Library;

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Amplitude {
    /// RMS of the loudest window, 1.0 being full scale.
    pub peak_rms: f64,
    /// Length of the lead-in in seconds; 0 where nothing can be told.
    pub lead_in_seconds: f64,
    /// Length of the lead-out in seconds; 0 where nothing can be told.
    pub lead_out_seconds: f64,
    /// The stretch starts suddenly.
    pub quick_ramp_up: bool,
    /// The stretch ends suddenly.
    pub quick_ramp_down: bool,
    /// RMS of each window, 1.0 being full scale.
    pub profile: Vec<f64>,
}

/// Why nothing was measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// What was asked for cannot be meant.
    #[error("{0}")]
    Asked(String),
    /// The file cannot be read or decoded.
    #[error("{0}")]
    File(String),
}

/// Measures a file of the library from one second to another, or to its end, by decoding it.
///
/// # Errors
///
/// When the stretch is none, the file does not lie below the root folder, or it cannot be decoded.
pub fn measure(
    library: &Library,
    path: &Path,
    (start, end): (f64, Option<f64>),
    parameters: &Parameters,
    cancel: &Cancel,
) -> Result<Amplitude, Refused> {
    let is_stretch =
        start.is_finite() && start >= 0.0 && end.is_none_or(|end| end.is_finite() && end > start);
    if !is_stretch {
        let text = "expected a start of 0 seconds or more, and an end behind it or none";
        return Err(Refused::Asked(text.to_owned()));
    }
    let unreadable =
        |error: std::io::Error| Refused::File(format!("`{}`: {error}", path.display()));
    let real = library.real(path).map_err(unreadable)?.ok_or_else(|| {
        Refused::Asked(format!(
            "`{}` does not lie below the root folder",
            path.display()
        ))
    })?;
    let parameters = parameters.sane();
    let mut listener = Stretch {
        end,
        measured: None,
        is_weighted: parameters.apply_a_weighting,
        rate: 1,
        cancel,
    };
    let decoders = library.settings().decoders();
    decoders
        .decode(&real, &mut listener)
        .map_err(|error| Refused::File(format!("`{}`: {error}", path.display())))?;
    if cancel.is_requested() {
        return Err(Refused::File("stopped".to_owned()));
    }
    let squares = listener.finish();
    let first = ((start * f64::from(PER_SECOND)) as usize).min(squares.len());
    if first > 0 && first == squares.len() {
        let text = "expected a start before the end of the file";
        return Err(Refused::Asked(text.to_owned()));
    }
    let last = end.map_or(squares.len(), |end| {
        ((end * f64::from(PER_SECOND)).ceil() as usize).clamp(first, squares.len())
    });
    Ok(describe(&squares[first..last], &parameters))
}

fn describe(squares: &[f32], parameters: &Parameters) -> Amplitude {
    let found = leads(squares, parameters);
    let window = (parameters.rms_window_ms * PER_SECOND)
        .div_ceil(1000)
        .max(1) as usize;
    let profile = squares.chunks(window).map(|chunk| {
        let sum: f64 = chunk.iter().map(|square| f64::from(*square)).sum();
        (sum / chunk.len() as f64).sqrt()
    });
    Amplitude {
        peak_rms: found.peak_rms,
        lead_in_seconds: found.lead_in_detected_s.unwrap_or(0.0),
        lead_out_seconds: found.lead_out_detected_s.unwrap_or(0.0),
        quick_ramp_up: found.quick_ramp_up,
        quick_ramp_down: found.quick_ramp_down,
        profile: profile.collect(),
    }
}

/// What is kept of a file while it is decoded.
enum Measured {
    Weighted(Box<Sound>),
    Plain(Levels),
}

struct Stretch<'a> {
    end: Option<f64>,
    measured: Option<Measured>,
    is_weighted: bool,
    rate: u32,
    cancel: &'a Cancel,
}

impl Stretch<'_> {
    /// Mean squares, one every 20 ms.
    fn finish(self) -> Vec<f32> {
        match self.measured {
            Some(Measured::Weighted(mut sound)) => {
                sound.finish();
                sound.weighted().to_vec()
            }
            Some(Measured::Plain(mut levels)) => {
                levels.finish();
                levels.mean_squares().to_vec()
            }
            None => Vec::new(),
        }
    }
}

impl Listener for Stretch<'_> {
    fn start(&mut self, info: &StreamInfo) {
        self.rate = info.sample_rate;
        self.measured = Some(if self.is_weighted {
            Measured::Weighted(Box::new(Sound::new(info.sample_rate, info.channels)))
        } else {
            Measured::Plain(Levels::new(info.sample_rate))
        });
    }

    fn block(&mut self, block: &Block<'_>) -> ControlFlow<()> {
        match &mut self.measured {
            Some(Measured::Weighted(sound)) => sound.push(block.planes),
            Some(Measured::Plain(levels)) => levels.push(block.planes),
            None => {}
        }
        let heard = (block.start + block.frames() as u64) as f64 / f64::from(self.rate);
        let is_over = self.end.is_some_and(|end| heard >= end);
        if is_over || self.cancel.is_requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_has_one_value_of_the_profile() {
        let squares = vec![0.25_f32; 52];
        let found = describe(&squares, &Parameters::default());
        assert_eq!(found.profile.len(), 11);
        assert!((found.peak_rms - 0.5).abs() < 1e-9);
        assert!(found.quick_ramp_up && found.quick_ramp_down);
    }

    #[test]
    fn a_stretch_that_ends_before_it_starts_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::scratch(&folder.path().join("wkmp.db"), folder.path()).unwrap();
        for span in [(-1.0, None), (2.0, Some(1.0)), (f64::NAN, None)] {
            let refused = measure(
                &library,
                Path::new("x.wav"),
                span,
                &Parameters::default(),
                &Cancel::new(),
            );
            assert!(matches!(refused, Err(Refused::Asked(_))), "{span:?}");
        }
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        let refused = measure(
            &library,
            elsewhere.path(),
            (0.0, None),
            &Parameters::default(),
            &Cancel::new(),
        );
        assert!(matches!(refused, Err(Refused::Asked(_))), "{refused:?}");
    }
}
