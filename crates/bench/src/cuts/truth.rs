//! Where the tracks of a recording are heard: what every cut is compared with.

use super::tracks::{Stereo, WINDOW};

/// Widens gaps, in frames, to where something is heard on both sides, in the finished recording before any noise is laid
/// over it: whatever made the end of a track inaudible, the track ends where it was heard last.
#[must_use]
pub fn of(audio: &Stereo, gaps: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    let widened = gaps.into_iter().map(|(mut from, mut to)| {
        while from >= WINDOW && !audio.is_heard(from - WINDOW) {
            from -= WINDOW;
        }
        while to + WINDOW <= audio.frames() && !audio.is_heard(to) {
            to += WINDOW;
        }
        (from, to)
    });
    widened.collect()
}

#[cfg(test)]
mod tests {
    use anyhow::Result;
    use testkit::synth::noise;

    use super::super::kinds::Kind;
    use super::super::rips::Maker;
    use super::super::tracks::{Fade, RATE, made};
    use super::*;

    #[test]
    fn tracks_are_heard_up_to_every_gap_and_nothing_is_heard_in_it() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let sources = made::sources(folder.path(), 26.0, 2.0)?;
        let silent = [Kind::Fades, Kind::Digital, Kind::ShortGaps];
        for (kind, seed) in silent.into_iter().flat_map(|kind| [(kind, 1), (kind, 2)]) {
            let recording = Maker::new(&sources, seed)?.make(kind)?;
            assert!(recording.gaps.len() >= 3);
            let frame = |second: f64| (second * f64::from(RATE)).round() as usize;
            for (from, to) in &recording.gaps {
                let (from, to) = (frame(*from), frame(*to));
                assert!(
                    recording.audio.is_heard(from - WINDOW) && recording.audio.is_heard(to),
                    "{kind:?} {seed}: a gap is longer than {from} to {to}"
                );
                let mut inside = (from..to - WINDOW).step_by(WINDOW);
                assert!(inside.all(|at| !recording.audio.is_heard(at)));
                // The pause that was asked for, and at most a window of the fade on either side.
                let seconds = (to - from) as f64 / f64::from(RATE);
                assert!(kind != Kind::Fades || (0.19..0.55).contains(&seconds));
            }
        }
        Ok(())
    }

    #[test]
    fn a_fade_ends_where_it_is_heard_last() {
        let noisy = |decibels: f32| {
            let samples = noise(3, decibels, 14.0, RATE, 1).samples;
            Stereo {
                left: samples.clone(),
                right: samples,
            }
        };
        let seconds = |audio: &Stereo| audio.frames() as f64 / f64::from(RATE);
        // From -30 dBFS it is below -60 after half of 60 dB, at half of the fade.
        let mut fader = noisy(-30.0);
        fader.fade(0.0, 6.0, Fade::Decibels);
        assert!((seconds(&fader.trimmed()) - 11.0).abs() < 0.05);
        let mut both = noisy(-30.0);
        both.fade(2.0, 6.0, Fade::Decibels);
        assert!((seconds(&both.trimmed()) - 10.0).abs() < 0.05);
        // Of a straight line a thirtieth is 30 dB down.
        let mut editor = noisy(-30.0);
        editor.fade(0.0, 6.0, Fade::Amplitude);
        assert!((seconds(&editor.trimmed()) - 13.81).abs() < 0.05);
        // What is heard of a quieter copy of a whole ends earlier than that.
        let mut quiet = noisy(-30.0);
        quiet.fade(0.0, 6.0, Fade::Decibels);
        let mut quiet = quiet.trimmed();
        quiet.gain(-10.0);
        assert!((seconds(&quiet.trimmed()) - 10.0).abs() < 0.05);
    }

    #[test]
    fn a_gap_reaches_to_what_is_heard_once_both_channels_are_one() {
        let samples = noise(3, -30.0, 3.0, RATE, 1).samples;
        let mut audio = Stereo {
            left: samples.clone(),
            right: samples,
        };
        audio.pause(1.0);
        let (gap_from, gap_to) = (3 * RATE as usize, 4 * RATE as usize);
        audio.append(&audio.clone());
        // The last second before the gap is out of phase, and cancels out.
        for sample in &mut audio.right[gap_from - RATE as usize..gap_from] {
            *sample = -*sample;
        }
        assert_eq!(of(&audio, vec![(gap_from, gap_to)]), [(gap_from, gap_to)]);
        let medium = super::super::medium::Medium {
            mono: true,
            ..Default::default()
        };
        medium.press(&mut audio);
        let widened = of(&audio, vec![(gap_from, gap_to)]);
        assert_eq!(widened, [(gap_from - RATE as usize, gap_to)]);
    }
}
