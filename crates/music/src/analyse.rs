//! Hears a file once and keeps what all later stages need: its levels, and its
//! audio at 11,025 Hz mono.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use run::{Fault, Progress};

use crate::decode::{Block, DecodeError, Decoded, Listener, StreamInfo, decode};
use crate::fingerprint::{Fingerprint, Mono11k, RATE, SECONDS, fingerprint};
use crate::levels::Levels;
use crate::segment::Span;
use crate::spool::Spool;

/// A file, heard.
#[derive(Debug)]
pub struct Analysis {
    /// What the decoder found.
    pub decoded: Decoded,
    /// How loud it is, every 20 ms.
    pub levels: Levels,
    mono: Spool,
}

impl Analysis {
    /// Decodes `path` and listens.
    ///
    /// # Errors
    ///
    /// When no audio comes out, or the temporary file fails.
    pub fn hear(path: &Path, progress: &Progress) -> Result<Self, Fault> {
        let mut ears = Ears {
            progress,
            levels: Levels::new(1),
            converter: None,
            mono: Spool::new(),
            pending: Vec::new(),
            reported: 0,
            spool_error: None,
        };
        let decoded = decode(path, &mut ears).map_err(|error| match error {
            DecodeError::Io(_) => Fault::retry_later("decode", error),
            _ => Fault::in_item("decode", error),
        })?;
        ears.end().map_err(|error| {
            Fault::retry_later(
                "decode",
                format!("cannot keep audio in a temporary file: {error}"),
            )
        })?;
        let Ears { levels, mono, .. } = ears;
        Ok(Self {
            decoded,
            levels,
            mono,
        })
    }

    /// The Chromaprint fingerprint of one passage; `None` for a passage that is too short for one.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be read.
    pub fn fingerprint(&mut self, span: Span) -> io::Result<Option<Fingerprint>> {
        let rate = u64::from(self.levels.sample_rate());
        let place = |frame: u64| (frame * u64::from(RATE) + rate / 2) / rate;
        let (from, to) = (place(span.start), place(span.end));
        let count = (to - from).min(u64::from(RATE) * u64::from(SECONDS));
        let samples = self.mono.read(from, count)?;
        Ok(fingerprint(&samples))
    }
}

/// Everything that listens to the one decoding.
struct Ears<'a> {
    progress: &'a Progress,
    levels: Levels,
    converter: Option<Mono11k>,
    mono: Spool,
    pending: Vec<i16>,
    reported: u64,
    spool_error: Option<io::Error>,
}

/// Samples collected before they go to the spool.
const PENDING: usize = 1 << 15;

impl Ears<'_> {
    fn spool(&mut self) -> io::Result<()> {
        self.mono.write(&self.pending)?;
        self.pending.clear();
        Ok(())
    }

    fn report(&mut self) {
        let frames = self.levels.frames() - self.reported;
        self.reported = self.levels.frames();
        let seconds = frames as f64 / f64::from(self.levels.sample_rate());
        self.progress.content(Duration::from_secs_f64(seconds));
    }

    fn end(&mut self) -> io::Result<()> {
        if let Some(error) = self.spool_error.take() {
            return Err(error);
        }
        if let Some(mut converter) = self.converter.take() {
            converter.finish(&mut self.pending);
        }
        self.levels.finish();
        self.report();
        self.spool()
    }
}

impl Listener for Ears<'_> {
    fn start(&mut self, info: &StreamInfo) {
        self.levels = Levels::new(info.sample_rate);
        self.converter = Some(Mono11k::new(info.sample_rate, info.channels));
    }

    fn block(&mut self, block: &Block<'_>) -> ControlFlow<()> {
        self.levels.push(block.planes);
        if let Some(converter) = &mut self.converter {
            converter.push(block.planes, &mut self.pending);
        }
        if self.pending.len() >= PENDING {
            self.report();
            if let Err(error) = self.spool() {
                self.spool_error = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}
