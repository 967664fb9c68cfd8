//! Hears a file once and keeps what all later stages need: its levels, the series
//! of its sound, and its audio at 11,025 Hz mono.

use std::io;
use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::time::Duration;

use run::{Fault, Progress};
use serde::{Deserialize, Serialize};

use crate::decode::{Block, DecodeError, Decoded, Decoders, Listener, StreamInfo};
use crate::fades::{Fades, fades};
use crate::fingerprint::{Fingerprint, Mono11k, RATE, SECONDS, fingerprint};
use crate::flavor::{Describer, Flavor};
use crate::leads::{
    LeadRule, LeadSettings, Leads, LoudnessLeads, OverlapPeaks, by_loudness, leads,
};
use crate::levels::{Levels, PER_SECOND};
use crate::loudness::Loudness;
use crate::overview::Overview;
use crate::segment::Span;
use crate::sound::{COARSE_PER_SECOND, Sound};
use crate::spool::Spool;

/// A file, heard.
#[derive(Debug)]
pub struct Analysis {
    /// What the decoder found.
    pub decoded: Decoded,
    /// How loud it is, every 20 ms.
    pub levels: Levels,
    /// What leads, loudness and the waveform are measured with.
    pub sound: Sound,
    mono: Spool,
}

/// What one passage sounds like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassageSound {
    /// Where it may overlap with its neighbours, by WKMP's rule.
    pub leads: Leads,
    /// The same by radio's; `None` where its loudness cannot be told, or a former version heard it.
    #[serde(default)]
    pub loudness_leads: Option<LoudnessLeads>,
    /// How loud it gets within the leads that count.
    #[serde(default)]
    pub overlap_peaks: OverlapPeaks,
    /// Fades that are part of the music.
    pub fades: Fades,
    /// How loud it is.
    pub loudness: Loudness,
    /// Everything else.
    pub flavor: Flavor,
}

/// Samples of the mono audio described at once: half a minute.
const DESCRIBED: u64 = 30 * RATE as u64;

impl PassageSound {
    /// How long the lead-in and the lead-out are in seconds, by the rule that counts; `None` where it cannot be told.
    pub fn lead_seconds(&self, rule: LeadRule) -> (Option<f64>, Option<f64>) {
        in_force(rule, &self.leads, self.loudness_leads)
    }
}

fn in_force(
    rule: LeadRule,
    leads: &Leads,
    by_loudness: Option<LoudnessLeads>,
) -> (Option<f64>, Option<f64>) {
    match (rule, by_loudness) {
        (LeadRule::Loudness, Some(found)) => (Some(found.lead_in_s), Some(found.lead_out_s)),
        // Too quiet for a loudness is too quiet to tell by any rule.
        (LeadRule::Loudness, None) => (None, None),
        (LeadRule::Peak, _) => (leads.lead_in_detected_s, leads.lead_out_detected_s),
    }
}

impl Analysis {
    /// Decodes `path` and listens.
    ///
    /// # Errors
    ///
    /// When no audio comes out, or the temporary file fails.
    pub fn hear(path: &Path, decoders: &Decoders, progress: &Progress) -> Result<Self, Fault> {
        let mut ears = AnalysisListener::new(progress);
        let decoded = match decoders.decode(path, &mut ears) {
            Err(DecodeError::Library(fault)) => {
                let heard = ears.reported;
                ears = AnalysisListener::new(progress);
                // What was told as heard is not told again.
                ears.reported = heard;
                decoders.decode_instead(path, &fault, &mut ears)
            }
            decoded => decoded,
        };
        let decoded = decoded.map_err(|error| match error {
            // Not the file is at fault: ffmpeg may be there the next time.
            DecodeError::Io(_) | DecodeError::NeedsFfmpeg(_) => Fault::retry_later("decode", error),
            _ => Fault::in_item("decode", error),
        })?;
        ears.end().map_err(|error| {
            Fault::retry_later(
                "decode",
                format!("cannot keep audio in a temporary file: {error}"),
            )
        })?;
        let AnalysisListener {
            levels,
            sound,
            mono,
            ..
        } = ears;
        Ok(Self {
            decoded,
            levels,
            sound,
            mono,
        })
    }

    /// An analysis of what was heard elsewhere.
    pub fn of(decoded: Decoded, levels: Levels, sound: Sound, mono: Spool) -> Self {
        Self {
            decoded,
            levels,
            sound,
            mono,
        }
    }

    /// The Chromaprint fingerprint of one passage; `None` for a passage that is too short for one.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be read.
    pub fn fingerprint(&mut self, span: Span) -> io::Result<Option<Fingerprint>> {
        let (from, to) = self.places(span, RATE);
        let count = (to - from).min(u64::from(RATE) * u64::from(SECONDS));
        let samples = self.mono.read(from, count)?;
        Ok(is_sound(&samples).then(|| fingerprint(&samples)).flatten())
    }

    /// Describes one passage.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be read.
    pub fn describe(&mut self, span: Span, settings: &LeadSettings) -> io::Result<PassageSound> {
        let mut describer = Describer::new();
        let (mut from, to) = self.places(span, RATE);
        while from < to {
            let samples = self.mono.read(from, DESCRIBED.min(to - from))?;
            if samples.is_empty() {
                break;
            }
            describer.push(&samples);
            from += samples.len() as u64;
        }
        let fine = self.windows(span, PER_SECOND);
        let plain = part(self.levels.mean_squares(), &fine);
        let weighted = part(self.sound.weighted(), &fine);
        let moments = part(self.sound.moments(), &self.windows(span, COARSE_PER_SECOND));
        let loudness = Loudness::of(moments);
        let windows = if settings.apply_a_weighting {
            weighted
        } else {
            plain
        };
        let leads = leads(windows, settings);
        let loudness_leads = by_loudness(moments, &loudness);
        let (lead_in, lead_out) = in_force(settings.rule, &leads, loudness_leads);
        let seconds = |lead: Option<f64>| lead.unwrap_or_default();
        Ok(PassageSound {
            leads,
            loudness_leads,
            overlap_peaks: OverlapPeaks::of(moments, seconds(lead_in), seconds(lead_out)),
            fades: fades(plain),
            loudness,
            flavor: describer.finish(&loudness, plain),
        })
    }

    /// The waveform of the whole file.
    pub fn overview(&self) -> Overview {
        Overview::of(&self.levels, &self.sound)
    }

    /// Where a span lies at another rate.
    fn places(&self, span: Span, per_second: u32) -> (u64, u64) {
        let rate = u64::from(self.levels.sample_rate());
        let place = |frame: u64| (frame * u64::from(per_second) + rate / 2) / rate;
        (place(span.start), place(span.end))
    }

    /// The windows of a span.
    fn windows(&self, span: Span, per_second: u32) -> Range<usize> {
        let (from, to) = self.places(span, per_second);
        let index = |place| usize::try_from(place).unwrap_or(usize::MAX);
        index(from)..index(to)
    }
}

/// Whether there is anything that a fingerprint can be made of: of silence, of a constant, and of tones above what is kept
/// everybody's fingerprint is the same, and services know it as many songs.
fn is_sound(samples: &[i16]) -> bool {
    // In steps of 16 bits: -72 dBFS, the dither of three bits.
    const LEAST: i32 = 8;
    let (least, greatest) = samples
        .iter()
        .fold((i16::MAX, i16::MIN), |(least, greatest), sample| {
            (least.min(*sample), greatest.max(*sample))
        });
    i32::from(greatest) - i32::from(least) >= LEAST
}

/// The part of a series that is there.
fn part<'a, T>(series: &'a [T], windows: &Range<usize>) -> &'a [T] {
    let to = windows.end.min(series.len());
    &series[windows.start.min(to)..to]
}

/// Everything that listens to the one decoding.
struct AnalysisListener<'a> {
    progress: &'a Progress,
    levels: Levels,
    sound: Sound,
    converter: Option<Mono11k>,
    mono: Spool,
    pending: Vec<i16>,
    reported: u64,
    /// Frames that the file says it has.
    expected: Option<u64>,
    spool_error: Option<io::Error>,
}

/// Samples collected before they go to the spool.
const PENDING: usize = 1 << 15;

impl<'a> AnalysisListener<'a> {
    fn new(progress: &'a Progress) -> Self {
        Self {
            progress,
            levels: Levels::new(1),
            sound: Sound::new(1, 0),
            converter: None,
            mono: Spool::new(),
            pending: Vec::new(),
            reported: 0,
            expected: None,
            spool_error: None,
        }
    }

    fn spool(&mut self) -> io::Result<()> {
        self.sound.push_mono(&self.pending);
        self.mono.write(&self.pending)?;
        self.pending.clear();
        Ok(())
    }

    fn report(&mut self) {
        let frames = self.levels.frames().saturating_sub(self.reported);
        self.reported += frames;
        let seconds = frames as f64 / f64::from(self.levels.sample_rate());
        self.progress.content(Duration::from_secs_f64(seconds));
        if let Some(expected) = self.expected.filter(|frames| *frames > 0) {
            self.progress
                .part(self.levels.frames() as f64 / expected as f64);
        }
    }

    fn end(&mut self) -> io::Result<()> {
        if let Some(error) = self.spool_error.take() {
            return Err(error);
        }
        if let Some(mut converter) = self.converter.take() {
            converter.finish(&mut self.pending);
        }
        self.levels.finish();
        self.sound.finish();
        self.report();
        self.spool()
    }
}

impl Listener for AnalysisListener<'_> {
    fn start(&mut self, info: &StreamInfo) {
        self.expected = info.expected_frames;
        self.levels = Levels::new(info.sample_rate);
        self.sound = Sound::new(info.sample_rate, info.channels);
        self.converter = Some(Mono11k::new(info.sample_rate, info.channels));
    }

    fn block(&mut self, block: &Block<'_>) -> ControlFlow<()> {
        self.levels.push(block.planes);
        self.sound.push(block.planes);
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
