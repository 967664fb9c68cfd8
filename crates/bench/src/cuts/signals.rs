//! Plain signals instead of songs, and short albums: what the tests of a program are made of, and what people keep of
//! ringtones, practice pieces and jingles.

use std::f64::consts::TAU;
use std::ops::Range;

use anyhow::Result;

use super::kinds::Kind;
use super::medium::Medium;
use super::rips::{Label, Maker};
use super::tracks::{Fade, RATE, Stereo};

/// Tracks of short albums, in seconds.
const SHORT_TRACK: Range<f64> = 15.0..45.0;

/// A short piece with its pause, in seconds.
const SHORT_PIECE: Range<f64> = 20.0..60.0;

/// What a track of plain signals is made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signal {
    /// One tone, or white noise.
    Tone(Option<(f64, u32)>),
    /// Noise that gets darker and brighter, on both sides the same or not.
    Colours { seconds: f64, is_wide: bool },
    /// Chords over a root in Hz that ring out, so many a second, each falling by so many nepers a second.
    Chords { root: f64, rate: f64, decay: f64 },
}

impl Maker<'_> {
    /// A track, a long silence, and another track that is named nowhere; one in three is made of tones.
    pub(super) fn hidden(&mut self, audio: &mut Stereo) -> Result<Vec<(usize, usize)>> {
        let wave = (self.rng.u8(..3) == 0).then(|| self.wave());
        match &wave {
            Some(wave) => self.tone(audio, *wave, 60.0..300.0),
            None => audio.append(&self.song(1.0)?),
        }
        let from = audio.frames();
        let longest = [400.0, 1000.0][self.rng.usize(..2)];
        audio.pause(self.between(20.0, longest));
        let gap = (from, audio.frames());
        match &wave {
            Some(wave) => self.tone(audio, *wave, 40.0..200.0),
            None => audio.append(&self.song(1.0)?),
        }
        Ok(vec![gap])
    }

    /// Tones or noises one after the other, alike or not: several tracks, or one with rests.
    pub(super) fn tones(&mut self, kind: Kind, audio: &mut Stereo) -> Vec<(usize, usize)> {
        let mut gaps = Vec::new();
        let mut wave = self.wave();
        let changes = kind == Kind::Tones && self.rng.bool();
        for number in 0..self.rng.usize(2..=6) {
            if number > 0 {
                let from = audio.frames();
                let longest = if kind == Kind::Tones { 4.0 } else { 2.0 };
                audio.pause(self.between(0.5, longest));
                gaps.push((from, audio.frames()));
            }
            if changes {
                wave = self.wave();
            }
            self.tone(audio, wave, 6.0..120.0);
        }
        if kind == Kind::ToneSingle {
            gaps.clear();
        }
        gaps
    }

    /// A pitch in Hz, and how many odd harmonics it has: none is a sine, many are a square wave; or white noise.
    fn wave(&mut self) -> Option<(f64, u32)> {
        let harmonics = [Some(0), Some(1), Some(6), None][self.rng.usize(..4)];
        harmonics.map(|harmonics| (self.between(100.0, 1500.0), harmonics))
    }

    /// A tone, or noise, at some level.
    fn tone(&mut self, audio: &mut Stereo, wave: Option<(f64, u32)>, length: std::ops::Range<f64>) {
        let level = 10_f64.powf(-self.between(8.0, 26.0) / 20.0);
        let frames = (self.between(length.start, length.end) * f64::from(RATE)) as usize;
        let step = TAU / f64::from(RATE);
        let samples: Vec<f32> = (0..frames)
            .map(|at| {
                let sample = match wave {
                    Some((hertz, harmonics)) => (0..=harmonics)
                        .map(|number| f64::from(2 * number + 1))
                        .map(|odd| (at as f64 * step * hertz * odd).sin() / odd)
                        .sum(),
                    None => 2.0 * self.rng.f64() - 1.0,
                };
                (level * sample) as f32
            })
            .collect();
        audio.left.extend(&samples);
        audio.right.extend(&samples);
    }

    /// Two to five short tracks with gaps.
    pub(super) fn short_album(
        &mut self,
        kind: Kind,
        audio: &mut Stereo,
    ) -> Result<Vec<(usize, usize)>> {
        let mut gaps = Vec::new();
        let usual = self.rng.bool().then(|| self.between(0.5, 4.0));
        let mut signal = self.signal();
        let changes = self.rng.u8(..3) > 0;
        for number in 0..self.rng.usize(2..=5) {
            if number > 0 {
                let from = audio.frames();
                let seconds = usual.unwrap_or_else(|| self.between(0.5, 4.0));
                audio.pause(seconds);
                gaps.push((from, audio.frames()));
            }
            if changes {
                signal = self.signal();
            }
            let plain = (kind == Kind::ShortSignals).then_some(signal);
            let track = self.short_track(plain, SHORT_TRACK)?;
            audio.append(&track);
        }
        Ok(gaps)
    }

    /// A short piece that pauses once, after which it goes on, and whether it is a plain signal; one in three is.
    pub(super) fn short_single(&mut self, audio: &mut Stereo) -> Result<bool> {
        let plain = (self.rng.u8(..3) == 0).then(|| self.signal());
        let mut first = self.short_track(plain, SHORT_PIECE)?;
        let at = (self.between(0.3, 0.7) * first.frames() as f64) as usize;
        let second = first.split_off(at);
        first.fade(0.0, self.between(0.005, 1.5), Fade::Decibels);
        audio.append(&first.trimmed());
        audio.pause(self.between(0.3, 2.0));
        audio.append(&second);
        Ok(plain.is_some())
    }

    /// A few seconds of a song or of a plain signal, with short fades, from where it is heard to where it no longer is.
    pub(super) fn short_track(
        &mut self,
        plain: Option<Signal>,
        length: Range<f64>,
    ) -> Result<Stereo> {
        loop {
            let seconds = self.between(length.start, length.end);
            let mut track = match plain {
                Some(signal) => self.played(signal, seconds),
                None => self.excerpt(seconds)?,
            };
            let fade = [Fade::Decibels, Fade::Amplitude][self.rng.usize(..2)];
            // Editors fade by milliseconds so that nothing clicks, people by a second or three.
            let longest = [0.02, 0.5, 3.0][self.rng.usize(..3)];
            track.fade(
                self.between(0.0, longest / 3.0),
                self.between(0.0, longest),
                fade,
            );
            let heard = track.trimmed();
            if heard.frames() as f64 > 0.6 * length.start * f64::from(RATE) {
                return Ok(heard);
            }
        }
    }

    /// The beginning, the end or the middle of a song.
    pub(super) fn excerpt(&mut self, seconds: f64) -> Result<Stereo> {
        let song = self.song(1.0)?;
        let frames = ((seconds * f64::from(RATE)) as usize).min(song.frames());
        let last = song.frames() - frames;
        let from = match self.rng.u8(..3) {
            0 => 0,
            1 => last,
            _ => self.rng.usize(..=last),
        };
        Ok(Stereo {
            left: song.left[from..from + frames].to_vec(),
            right: song.right[from..from + frames].to_vec(),
        })
    }

    fn signal(&mut self) -> Signal {
        match self.rng.u8(..3) {
            0 => Signal::Tone(self.wave()),
            1 => Signal::Colours {
                seconds: self.between(1.0, 12.0),
                is_wide: self.rng.bool(),
            },
            _ => Signal::Chords {
                root: self.between(110.0, 900.0),
                rate: self.between(0.7, 3.0),
                decay: self.between(0.5, 4.0),
            },
        }
    }

    /// So many seconds of a signal, at some level.
    fn played(&mut self, signal: Signal, seconds: f64) -> Stereo {
        let mut audio = Stereo::default();
        let frames = (seconds * f64::from(RATE)) as usize;
        match signal {
            Signal::Tone(wave) => self.tone(&mut audio, wave, seconds..seconds),
            Signal::Colours { seconds, is_wide } => {
                audio.left = self.coloured(seconds, frames);
                audio.right = if is_wide {
                    self.coloured(seconds, frames)
                } else {
                    audio.left.clone()
                };
            }
            Signal::Chords { root, rate, decay } => {
                audio.left = self.chords(root, rate, decay, frames);
                audio.right.clone_from(&audio.left);
            }
        }
        audio
    }

    /// White noise through a low pass that opens and closes once in so many seconds.
    fn coloured(&mut self, seconds: f64, frames: usize) -> Vec<f32> {
        let level = 10_f32.powf(-self.level(8.0, 26.0) / 20.0);
        let mut low = 0.0;
        let sample = |at: usize| {
            let turn = at as f64 / f64::from(RATE) / seconds * TAU;
            // The deviation of what a low pass of one pole leaves is the root of its share over the rest of 2.
            let share = (0.3 + 0.25 * turn.sin()) as f32;
            low += share * (2.0 * self.rng.f32() - 1.0 - low);
            level * low * ((2.0 - share) / share).sqrt()
        };
        (0..frames).map(sample).collect()
    }

    /// A chord at a time, of a root, a fifth and now and then a third, each struck anew and ringing out.
    fn chords(&mut self, root: f64, rate: f64, decay: f64, frames: usize) -> Vec<f32> {
        let level = 10_f64.powf(-self.between(8.0, 26.0) / 20.0);
        let beat = (f64::from(RATE) / rate) as usize;
        let steps = [0.0, 2.0, 4.0, 5.0, 7.0, 9.0];
        let mut out = Vec::with_capacity(frames);
        while out.len() < frames {
            let hertz = root * 2_f64.powf(steps[self.rng.usize(..steps.len())] / 12.0);
            let third = if self.rng.bool() { 0.4 } else { 0.0 };
            for at in 0..beat.min(frames - out.len()) {
                let time = at as f64 / f64::from(RATE);
                let angle = TAU * hertz * time;
                let tones = angle.sin() + 0.6 * (1.5 * angle).sin() + third * (1.26 * angle).sin();
                out.push((level * 0.5 * tones * (-decay * time).exp()) as f32);
            }
        }
        out
    }

    /// Half of the short ones have digital silence, the others light noise.
    pub(super) fn light_noise(&mut self) -> Medium {
        let level = Some(self.level(-76.0, -58.0));
        let none = Medium::default();
        match self.rng.u8(..6) {
            0 => Medium {
                white: level,
                ..none
            },
            1 => Medium {
                pink: level,
                ..none
            },
            2 => Medium {
                dither: true,
                ..none
            },
            _ => none,
        }
    }

    /// Of short albums one in four has tags, which say what they like; others are left as they are.
    pub(super) fn tagged(&mut self, kind: Kind, label: Label, tracks: u32) -> Label {
        if !matches!(kind, Kind::ShortSongs | Kind::ShortSignals) {
            return label;
        }
        if self.rng.u8(..4) > 0 {
            return Label {
                track: None,
                track_total: None,
                ..label
            };
        }
        Label {
            track: Some(1),
            track_total: self.rng.bool().then_some(tracks),
            ..label
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::super::tracks::made;
    use super::*;

    #[test]
    fn short_albums_have_two_to_five_short_tracks_and_short_pieces_have_none() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let sources = made::sources(folder.path(), 50.0, 50.0)?;
        let kinds = [Kind::ShortSongs, Kind::ShortSignals, Kind::ShortSingle];
        for (kind, seed) in kinds.into_iter().flat_map(|kind| [(kind, 1), (kind, 2)]) {
            let recording = Maker::new(&sources, seed)?.make(kind)?;
            let seconds = recording.audio.frames() as f64 / f64::from(RATE);
            if kind == Kind::ShortSingle {
                assert_eq!(recording.gaps, []);
                assert!((12.0..67.0).contains(&seconds), "{seed}: {seconds} s");
                continue;
            }
            assert!((1..=4).contains(&recording.gaps.len()));
            let (starts, ends): (Vec<f64>, Vec<f64>) = recording.gaps.iter().copied().unzip();
            for (from, to) in starts.iter().zip(&ends) {
                assert!((0.5..4.1).contains(&(to - from)), "a gap to {to}");
            }
            let begins = std::iter::once(&0.0).chain(&ends);
            for (from, to) in begins.zip(starts.iter().chain([&seconds])) {
                let track = to - from;
                assert!(
                    (9.0..50.0).contains(&track),
                    "{kind:?} {seed}: a track of {track} s"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn no_plain_signal_is_louder_than_full_scale() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let sources = made::sources(folder.path(), 50.0, 50.0)?;
        let mut maker = Maker::new(&sources, 3)?;
        for _ in 0..30 {
            let signal = maker.signal();
            let played = maker.played(signal, 2.0);
            let peak = played
                .left
                .iter()
                .fold(0.0_f32, |peak, s| peak.max(s.abs()));
            assert!(
                (0.01..1.0).contains(&peak),
                "{signal:?} has a peak of {peak}"
            );
            assert_eq!(played.left.len(), played.right.len());
        }
        Ok(())
    }
}
