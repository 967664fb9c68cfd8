//! Albums and songs whose pauses mislead: short tracks among long ones, songs that stop and go on, movements with general
//! pauses, recordings with the pause button, and the radio.

use anyhow::Result;

use super::kinds::Kind;
use super::medium::Medium;
use super::rips::Maker;
use super::tracks::{Fade, Stereo};

/// Songs of such recordings, in seconds: two of a minute already have all that a pause between them can tell.
const SONG: std::ops::Range<f64> = 45.0..140.0;

/// An interlude, in seconds.
const INTERLUDE: std::ops::Range<f64> = 4.0..16.0;

impl Maker<'_> {
    /// The tracks of such a recording one after the other, and the gaps between them in frames.
    pub(super) fn misleading(
        &mut self,
        kind: Kind,
        audio: &mut Stereo,
    ) -> Result<Vec<(usize, usize)>> {
        let tracks = match kind {
            Kind::Pairs => self.rng.usize(2..=3),
            Kind::Movements => self.rng.usize(3..=5),
            _ => self.rng.usize(4..=9),
        };
        let usual = self.between(0.7, 3.5);
        // On a pressed album all gaps may have one length, where people paused a recorder they have not.
        let is_even = self.rng.bool();
        let mut gaps = Vec::new();
        for number in 0..tracks {
            let track = self.misleading_track(kind, number)?;
            if number > 0 {
                let from = audio.frames();
                match kind {
                    Kind::Movements => audio.pause(self.between(2.5, 7.0)),
                    Kind::PauseButton => audio.pause(self.between(0.15, 0.7)),
                    Kind::Pairs => audio.pause(self.between(0.5, 3.5)),
                    Kind::Radio => self.announce(audio),
                    _ if is_even => audio.pause(usual),
                    _ => audio.pause((usual * self.between(0.6, 1.6)).max(0.5)),
                }
                gaps.push((from, audio.frames()));
            }
            audio.append(&track);
        }
        Ok(gaps)
    }

    fn misleading_track(&mut self, kind: Kind, number: usize) -> Result<Stereo> {
        let is_short = kind == Kind::Interludes && (number == 1 || self.rng.u8(..3) == 0);
        if is_short {
            return self.short_track(None, INTERLUDE);
        }
        let length = if kind == Kind::HeavyRumble {
            30.0..90.0
        } else {
            SONG
        };
        let seconds = self.between(length.start, length.end);
        match kind {
            Kind::Movements => {
                let mut movement = self.stopped(seconds, 0..=2)?;
                movement.gain(-self.between(4.0, 14.0) as f32);
                Ok(movement)
            }
            // What was recorded ends where the button was pressed.
            Kind::PauseButton | Kind::Pairs if self.rng.u8(..3) > 0 => {
                let mut song = self.excerpt(seconds)?;
                song.fade(0.0, self.between(0.002, 0.05), Fade::Amplitude);
                Ok(song.trimmed())
            }
            _ => self.short_track(None, seconds..seconds + 1.0),
        }
    }

    /// A song that stops and goes on, so many times.
    pub(super) fn stopped(
        &mut self,
        seconds: f64,
        times: std::ops::RangeInclusive<usize>,
    ) -> Result<Stereo> {
        let mut rest = self.excerpt(seconds)?.trimmed();
        let mut song = Stereo::default();
        let stops = self.rng.usize(times);
        for stop in 0..stops {
            let share = self.between(0.25, 0.75) / (stops - stop) as f64;
            let at = (share * rest.frames() as f64) as usize;
            let after = rest.split_off(at);
            // A band stops together, or lets its last chord ring.
            let longest = [0.03, 0.3, 2.0][self.rng.usize(..3)];
            rest.fade(0.0, self.between(0.005, longest), Fade::Decibels);
            song.append(&rest.trimmed());
            song.pause(self.between(0.4, 3.5));
            rest = after.trimmed();
        }
        song.append(&rest);
        Ok(song)
    }

    /// Someone says between two songs what was played.
    fn announce(&mut self, audio: &mut Stereo) {
        audio.pause(self.between(0.3, 1.0));
        if self.rng.u8(..3) > 0 {
            self.talk(audio, 2.0..9.0);
            audio.pause(self.between(0.2, 0.9));
        }
    }

    /// What lies over such a recording.
    pub(super) fn misleading_medium(&mut self, kind: Kind) -> Medium {
        let none = Medium::default();
        match kind {
            Kind::HeavyRumble => Medium {
                pink: Some(self.level(-64.0, -54.0)),
                rumble: Some(self.level(-47.0, -36.0)),
                crackle: self
                    .rng
                    .bool()
                    .then(|| (self.between(1.0, 8.0) as f32, -30.0)),
                ..none
            },
            Kind::PauseButton => Medium {
                hiss: Some(self.level(-60.0, -48.0)),
                ..none
            },
            Kind::Radio => Medium {
                pink: Some(self.level(-60.0, -42.0)),
                mono: true,
                is_narrow: true,
                ..none
            },
            _ => self.light_noise(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tracks::{RATE, made};
    use super::*;

    #[test]
    fn interludes_are_short_tracks_among_long_ones() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let sources = made::sources(folder.path(), 90.0, 2.0)?;
        let recording = Maker::new(&sources, 1)?.make(Kind::Interludes)?;
        assert!((3..=8).contains(&recording.gaps.len()));
        let second = recording.gaps[1].0 - recording.gaps[0].1;
        assert!((2.0..17.0).contains(&second), "a track of {second} s");
        assert!(
            recording
                .gaps
                .iter()
                .all(|(from, to)| (0.45..6.0).contains(&(to - from)))
        );
        Ok(())
    }

    #[test]
    fn a_song_that_stops_is_one_with_silence_inside() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let sources = made::sources(folder.path(), 90.0, 2.0)?;
        let mut maker = Maker::new(&sources, 2)?;
        let song = maker.stopped(80.0, 2..=2)?;
        let frames = RATE as usize / 50;
        let heard: Vec<bool> = (0..song.frames() / frames)
            .map(|window| song.is_heard(window * frames))
            .collect();
        let pauses = heard.chunk_by(|a, b| a == b).filter(|run| !run[0]);
        let lengths: Vec<usize> = pauses.map(<[bool]>::len).collect();
        assert_eq!(lengths.len(), 2, "{lengths:?}");
        assert!(lengths.iter().all(|length| (18..180).contains(length)));
        assert_eq!(maker.make(Kind::Stops)?.gaps, []);
        Ok(())
    }
}
