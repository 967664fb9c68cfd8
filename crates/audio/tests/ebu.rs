//! The test signals of EBU Tech 3341 and 3342 that can be made from their description, sample by sample.
//!
//! <https://tech.ebu.ch/publications/tech3341> and <https://tech.ebu.ch/publications/tech3342>. Signals 7
//! and 8 of the first and 5 and 6 of the second are recordings. Momentary and short-term loudness are not
//! kept by the program, so for signals 9 to 14 they are taken here from the moments that it keeps.

use audio::loudness::Loudness;
use audio::sound::Sound;

const RATE: u32 = 48_000;

/// A stereo 1 kHz tone: stretches of seconds and peak dBFS; `None` is silence.
fn tone(parts: &[(f64, Option<f64>)]) -> Vec<f32> {
    let mut samples: Vec<f32> = Vec::new();
    for (seconds, level) in parts {
        let amplitude = level.map_or(0.0, |dbfs| 10_f64.powf(dbfs / 20.0));
        for _ in 0..(seconds * f64::from(RATE)).round() as usize {
            let phase = std::f64::consts::TAU * 1000.0 * samples.len() as f64 / f64::from(RATE);
            samples.push((amplitude * phase.sin()) as f32);
        }
    }
    samples
}

/// Stretches of seconds and peak dBFS.
type Parts = &'static [(f64, f64)];

fn heard(planes: &[&[f32]]) -> Sound {
    let mut sound = Sound::new(RATE, planes.len() as u16);
    // The size of an MP3 frame.
    for from in (0..planes[0].len()).step_by(1152) {
        let to = planes[0].len().min(from + 1152);
        let part: Vec<&[f32]> = planes.iter().map(|plane| &plane[from..to]).collect();
        sound.push(&part);
    }
    sound.finish();
    sound
}

fn loudness(parts: &[(f64, f64)]) -> Loudness {
    let parts: Vec<_> = parts.iter().map(|(s, level)| (*s, Some(*level))).collect();
    let samples = tone(&parts);
    Loudness::of(heard(&[&samples, &samples]).moments())
}

fn assert_integrated(found: &Loudness, expected: f64, signal: &str) {
    let lufs = found.integrated_lufs.expect("it is loud enough");
    assert!(
        (lufs - expected).abs() <= 0.1,
        "signal {signal}: {lufs} LUFS, expected {expected}"
    );
}

/// Loudness of every window of so many moments of 100 ms, in LUFS.
fn windows(sound: &Sound, length: usize) -> Vec<f64> {
    sound
        .moments()
        .windows(length)
        .map(|window| {
            let power: f64 = window.iter().map(|moment| f64::from(moment.power)).sum();
            -0.691 + 10.0 * (power / length as f64).log10()
        })
        .collect()
}

#[test]
fn tech_3341_signals_1_to_5_have_their_integrated_loudness() {
    let signals: [(&str, Parts, f64); 5] = [
        ("1", &[(20.0, -23.0)], -23.0),
        ("2", &[(20.0, -33.0)], -33.0),
        ("3", &[(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)], -23.0),
        (
            "4",
            &[
                (10.0, -72.0),
                (10.0, -36.0),
                (60.0, -23.0),
                (10.0, -36.0),
                (10.0, -72.0),
            ],
            -23.0,
        ),
        ("5", &[(20.0, -26.0), (20.1, -20.0), (20.0, -26.0)], -23.0),
    ];
    for (signal, parts, expected) in signals {
        assert_integrated(&loudness(parts), expected, signal);
    }
}

#[test]
fn tech_3341_signal_6_weighs_the_surround_channels() {
    let plane = |level| tone(&[(20.0, Some(level))]);
    let (front, centre, surround) = (plane(-28.0), plane(-24.0), plane(-30.0));
    let five = heard(&[&front, &front, &centre, &surround, &surround]);
    assert_integrated(&Loudness::of(five.moments()), -23.0, "6");
    let silent = tone(&[(20.0, None)]);
    let with_lfe = heard(&[&front, &front, &centre, &silent, &surround, &surround]);
    assert_integrated(
        &Loudness::of(with_lfe.moments()),
        -23.0,
        "6 with an unused LFE",
    );
}

#[test]
fn tech_3341_signal_9_has_a_constant_short_term_loudness() {
    let parts = [(1.34, Some(-20.0)), (1.66, Some(-30.0))].repeat(5);
    let samples = tone(&parts);
    for lufs in windows(&heard(&[&samples, &samples]), 30) {
        assert!(
            (lufs + 23.0).abs() <= 0.1,
            "signal 9: {lufs} LUFS, expected -23"
        );
    }
}

#[test]
fn tech_3341_signal_12_has_a_constant_momentary_loudness() {
    let parts = [(0.18, Some(-20.0)), (0.22, Some(-30.0))].repeat(25);
    let samples = tone(&parts);
    for lufs in &windows(&heard(&[&samples, &samples]), 4)[6..] {
        assert!(
            (lufs + 23.0).abs() <= 0.1,
            "signal 12: {lufs} LUFS, expected -23"
        );
    }
}

fn assert_peak(samples: &[f32], expected: f64, signal: &str) {
    let peak = Loudness::of(heard(&[samples, samples]).moments())
        .true_peak_dbtp
        .expect("it is not silent");
    assert!(
        peak <= expected + 0.2 && peak >= expected - 0.4,
        "signal {signal}: {peak} dBTP, expected {expected} +0.2/-0.4"
    );
}

#[test]
fn tech_3341_signals_15_to_19_have_their_true_peak() {
    let signals = [
        ("15", 4.0, 0.50, 0.0, -6.0),
        ("16", 4.0, 0.50, 45.0, -6.0),
        ("17", 6.0, 0.50, 60.0, -6.0),
        ("18", 8.0, 0.50, 67.5, -6.0),
        ("19", 4.0, 1.41, 45.0, 3.0),
    ];
    for (signal, period, amplitude, degrees, expected) in signals {
        let samples: Vec<f32> = (0..RATE)
            .map(|at| {
                let phase =
                    std::f64::consts::TAU * f64::from(at) / period + f64::to_radians(degrees);
                // The tone begins and ends slowly, as one that is switched on has peaks of its own.
                let ramp = (f64::from(at.min(RATE - at)) / 4800.0).min(1.0);
                (ramp * amplitude * phase.sin()) as f32
            })
            .collect();
        assert_peak(&samples, expected, signal);
    }
}

#[test]
fn tech_3342_signals_1_to_4_have_their_range() {
    let signals: [(&str, &[f64], f64); 4] = [
        ("1", &[-20.0, -30.0], 10.0),
        ("2", &[-20.0, -15.0], 5.0),
        ("3", &[-40.0, -20.0], 20.0),
        ("4", &[-50.0, -35.0, -20.0, -35.0, -50.0], 15.0),
    ];
    for (signal, levels, expected) in signals {
        let parts: Vec<_> = levels.iter().map(|level| (20.0, *level)).collect();
        let range = loudness(&parts).range_lu;
        assert!(
            (range - expected).abs() <= 1.0,
            "signal {signal}: {range} LU, expected {expected}"
        );
    }
}

#[test]
fn a_tone_of_997_hz_at_full_scale_in_one_channel_is_3_01_lkfs_down() {
    let samples: Vec<f32> = (0..RATE * 5)
        .map(|at| {
            let phase = std::f64::consts::TAU * 997.0 * f64::from(at) / f64::from(RATE);
            phase.sin() as f32
        })
        .collect();
    let silent = vec![0.0; samples.len()];
    let found = Loudness::of(heard(&[&samples, &silent]).moments());
    let lufs = found.integrated_lufs.expect("it is loud");
    assert!((lufs + 3.01).abs() <= 0.02, "{lufs} LUFS, expected -3.01");
}
