use super::*;
use crate::fingerprint::Mono11k;
use crate::sound::Sound;

const RATE: u32 = 8_000;

/// Cuts stretches of (seconds, dBFS).
fn cut(stretches: &[(f64, f32)], clues: &Clues<'_>, settings: &SilenceSettings) -> Segmentation {
    let mut samples = Vec::new();
    for (seconds, dbfs) in stretches {
        let amplitude = amplitude(*dbfs);
        let wave = |i| if i % 20 < 10 { amplitude } else { -amplitude };
        samples.extend((0..(seconds * f64::from(RATE)) as usize).map(wave));
    }
    cut_samples(&samples, clues, settings)
}

fn amplitude(dbfs: f32) -> f32 {
    if dbfs <= -150.0 {
        0.0
    } else {
        10f32.powf(dbfs / 20.0)
    }
}

/// Cuts one channel of samples.
fn cut_samples(samples: &[f32], clues: &Clues<'_>, settings: &SilenceSettings) -> Segmentation {
    cut_marked(samples, clues, settings, None)
}

/// The same of samples that somebody has marked.
fn cut_marked(
    samples: &[f32],
    clues: &Clues<'_>,
    settings: &SilenceSettings,
    marks: Option<&Marks>,
) -> Segmentation {
    let mut levels = Levels::new(RATE);
    let mut sound = Sound::new(RATE, 1);
    let mut converter = Mono11k::new(RATE, 1);
    let mut mono = Vec::new();
    for block in samples.chunks(4096) {
        levels.push(&[block]);
        sound.push(&[block]);
        converter.push(&[block], &mut mono);
    }
    levels.finish();
    sound.finish();
    sound.push_mono(&mono);
    segment(&levels, sound.contour(), clues, marks, settings)
}

fn seconds(segmentation: &Segmentation) -> Vec<(f64, f64)> {
    let second = |frame: u64| frame as f64 / f64::from(RATE);
    segmentation
        .spans
        .iter()
        .map(|span| (second(span.start), second(span.end)))
        .collect()
}

fn alone(stretches: &[(f64, f32)]) -> Segmentation {
    let clues = Clues {
        name: "rip",
        neighbours: 1,
        ..Clues::default()
    };
    cut(stretches, &clues, &SilenceSettings::default())
}

const TRACK: Clues<'_> = Clues {
    name: "07 Title",
    neighbours: 12,
    track: Some(7),
    track_total: Some(12),
    title: None,
    artist: None,
    album: None,
};

#[test]
fn an_album_rip_is_cut_at_its_gaps_and_trimmed() {
    let found = alone(&[
        (1.0, -200.0),
        (20.0, -15.0),
        (2.0, -200.0),
        (30.0, -12.0),
        (2.0, -200.0),
        (25.0, -18.0),
        (3.0, -200.0),
    ]);
    assert!(!found.single_track);
    assert_eq!(seconds(&found), [(1.0, 21.0), (23.0, 53.0), (55.0, 80.0)]);
}

#[test]
fn a_numbered_track_among_others_is_one_passage_with_its_pauses_and_silence() {
    let pauses = [
        (0.5, -200.0),
        (60.0, -20.0),
        (1.5, -70.0),
        (60.0, -20.0),
        (1.0, -200.0),
        (60.0, -20.0),
        (2.0, -200.0),
    ];
    let found = cut(&pauses, &TRACK, &SilenceSettings::default());
    assert!(found.single_track);
    assert_eq!(seconds(&found), [(0.0, 185.0)]);
}

#[test]
fn a_hidden_track_after_a_long_silence_is_a_passage_of_its_own() {
    let found = cut(
        &[(200.0, -15.0), (60.0, -200.0), (90.0, -20.0)],
        &TRACK,
        &SilenceSettings::default(),
    );
    assert_eq!(seconds(&found), [(0.0, 200.0), (260.0, 350.0)]);
}

#[test]
fn a_file_that_is_mostly_silent_is_cut_by_its_sound() {
    let hidden = [(200.0, -15.0), (900.0, -200.0), (120.0, -20.0)];
    let found = cut(&hidden, &TRACK, &SilenceSettings::default());
    assert_eq!(seconds(&found), [(0.0, 200.0), (1100.0, 1220.0)]);
    let few = alone(&[
        (60.0, -15.0),
        (60.0, -70.0),
        (50.0, -15.0),
        (70.0, -70.0),
        (40.0, -15.0),
        (600.0, -70.0),
        (45.0, -15.0),
    ]);
    assert_eq!(few.spans.len(), 4, "{:?}", seconds(&few));
}

#[test]
fn speech_is_not_crumbled() {
    let sentences: Vec<(f64, f32)> = (0..80)
        .flat_map(|at| {
            [
                (1.0 + f64::from(at % 4), -18.0),
                (0.3 + f64::from(at % 5) * 0.4, -200.0),
            ]
        })
        .collect();
    let found = alone(&sentences);
    assert_eq!(found.spans.len(), 1, "{:?}", seconds(&found));
}

#[test]
fn vinyl_noise_between_tracks_is_a_gap_too() {
    let found = alone(&[
        (40.0, -15.0),
        (2.0, -55.0),
        (40.0, -15.0),
        (2.0, -55.0),
        (40.0, -15.0),
    ]);
    assert_eq!(found.spans.len(), 3);
}

#[test]
fn a_passage_keeps_its_decay() {
    let found = alone(&[
        (60.0, -15.0),
        (1.0, -40.0),
        (1.0, -60.0),
        (2.0, -200.0),
        (60.0, -15.0),
        // One pause between two alike might be that of a song that stops.
        (2.0, -200.0),
        (60.0, -12.0),
    ]);
    let spans = seconds(&found);
    assert_eq!(spans.len(), 3);
    assert!((spans[0].1 - 62.0).abs() < 0.05, "{spans:?}");
    assert!((spans[1].0 - 64.0).abs() < 0.05, "{spans:?}");
}

#[test]
fn the_settings_decide_what_silence_is() {
    let rip = [(60.0, -10.0), (2.0, -50.0), (60.0, -10.0)];
    let clues = Clues {
        name: "rip",
        neighbours: 1,
        ..Clues::default()
    };
    let strict = SilenceSettings {
        silence_dbfs: -60.0,
        ..SilenceSettings::default()
    };
    assert_eq!(
        cut(&rip, &clues, &SilenceSettings::default()).spans.len(),
        2
    );
    assert_eq!(cut(&rip, &clues, &strict).spans.len(), 1);
    let long = SilenceSettings {
        silence_min: Ticks::from_seconds(3.0),
        ..SilenceSettings::default()
    };
    assert_eq!(cut(&rip, &clues, &long).spans.len(), 1);
    // Music that is as quiet as a silence does not make a pause longer.
    let quiet = [(60.0, -38.0), (1.5, -200.0), (60.0, -38.0)];
    let weighed = |settings: &SilenceSettings| cut(&quiet, &clues, settings).gaps.len();
    assert_eq!(
        (weighed(&SilenceSettings::default()), weighed(&long)),
        (1, 0)
    );
}

#[test]
fn a_quiet_piece_is_no_silence_and_silence_is_no_passage() {
    let quiet = alone(&[(30.0, -44.0), (30.0, -50.0)]);
    assert_eq!(seconds(&quiet), [(0.0, 60.0)]);
    assert_eq!(alone(&[(60.0, -200.0)]).spans, []);
    assert_eq!(alone(&[(60.0, -75.0)]).spans, []);
    assert_eq!(alone(&[]).spans, []);
}

#[test]
fn passages_lie_in_order_inside_the_file_whatever_the_sound() {
    use proptest::prelude::*;
    let stretch = (0.01f64..3.0, prop_oneof![Just(-200.0f32), -100.0f32..0.0]);
    proptest!(ProptestConfig::with_cases(200), |(stretches in proptest::collection::vec(stretch, 0..12))| {
        let clues = Clues { name: "x", neighbours: 1, ..Clues::default() };
        let spans = cut(&stretches, &clues, &SilenceSettings::default()).spans;
        let frames: u64 = stretches.iter().map(|(seconds, _)| (seconds * f64::from(RATE)) as u64).sum();
        let mut last = 0;
        for span in spans {
            prop_assert!(span.start >= last && span.end > span.start && span.end <= frames);
            last = span.end;
        }
    });
}

#[test]
fn track_numbers_are_told_from_years_and_names() {
    for name in ["01 Title", "1. Title", "12-title", "A2 Title", "3_x"] {
        assert!(begins_with_track_number(name), "{name}");
    }
    for name in ["1999 live", "Title", "12", "100 songs", "a", ""] {
        assert!(!begins_with_track_number(name), "{name}");
    }
}

#[test]
fn over_noise_a_passage_reaches_further_the_slower_its_sound_rises() {
    let found = alone(&[
        (60.0, -15.0),
        (2.0, -55.0),
        (60.0, -12.0),
        (2.0, -55.0),
        (0.6, -50.0),
        (0.6, -47.0),
        (60.0, -17.0),
    ]);
    let starts: Vec<_> = seconds(&found).iter().map(|span| span.0).collect();
    let before = |start: f64, at: f64| at - start;
    // A quarter of a second before a beat; a fade's beginning is hidden for longer.
    assert!((0.2..=0.4).contains(&before(starts[1], 62.0)), "{starts:?}");
    assert!(
        (0.45..=0.7).contains(&before(starts[2], 124.0)),
        "{starts:?}"
    );
}

/// A tune of chords in which each note rings out, and which fades from -18 dBFS so many dB a second at its end.
fn tune(seconds: f64, root: f32, fade: &[(f64, f32)]) -> Vec<f32> {
    let rate = RATE as f32;
    let begins = seconds - fade.last().map_or(0.0, |last| last.0);
    let faded = |at: f64| {
        let mut from = (0.0, 0.0);
        for to in fade {
            if at < to.0 {
                let share = ((at - from.0) / (to.0 - from.0)) as f32;
                return from.1 + (to.1 - from.1) * share.max(0.0);
            }
            from = *to;
        }
        from.1
    };
    (0..(seconds * f64::from(RATE)) as usize)
        .map(|at| {
            let beat = at / (RATE as usize / 2);
            let since = (at % (RATE as usize / 2)) as f32 / rate;
            let note = root * 2f32.powf([0.0, 4.0, 7.0, 9.0][beat % 4] / 12.0);
            let angle = std::f32::consts::TAU * at as f32 / rate;
            let tones = (angle * note).sin() + (angle * note * 1.5).sin() * 0.5;
            let level = -18.0 + faded((at as f64 / f64::from(RATE) - begins).max(0.0));
            amplitude(level) * tones * (-1.5 * since).exp()
        })
        .collect()
}

#[test]
fn a_track_that_fades_into_the_hiss_is_cut_where_the_next_one_begins() {
    // The last 2.4 s of each track lie under the hiss, so that what sounds like a gap begins long before it.
    let fade = [(5.0, -38.0), (7.4, -41.0)];
    let mut samples = Vec::new();
    let mut truth = Vec::new();
    for (number, root) in [880.0, 1320.0, 1047.0, 784.0].into_iter().enumerate() {
        if number > 0 {
            let from = samples.len();
            samples.extend(std::iter::repeat_n(0.0, RATE as usize));
            truth.push((from, samples.len()));
        }
        samples.extend(tune(70.0, root, &fade));
    }
    let mut rng = fastrand::Rng::with_seed(7);
    for sample in &mut samples {
        // Three uniform numbers have half the deviation of the width of one.
        *sample += amplitude(-50.0) * 2.0 * (rng.f32() + rng.f32() + rng.f32() - 1.5);
    }
    let clues = Clues {
        name: "side a",
        neighbours: 2,
        ..Clues::default()
    };
    let found = cut_samples(&samples, &clues, &SilenceSettings::default());
    let spans = seconds(&found);
    assert_eq!(spans.len(), 4, "{spans:?}");
    for (two, (from, to)) in spans.windows(2).zip(truth) {
        let middle = f64::midpoint(two[0].1, two[1].0);
        let (from, to) = (from as f64 / f64::from(RATE), to as f64 / f64::from(RATE));
        assert!(
            (from - 0.5..=to + 0.5).contains(&middle),
            "cut at {middle:.1} s, expected between {from:.1} and {to:.1} s"
        );
    }
}

#[test]
fn a_cue_sheet_that_does_not_fit_the_pauses_is_not_followed_without_a_word() {
    let mut rng = fastrand::Rng::with_seed(5);
    let mut samples = Vec::new();
    for (number, root) in [330.0, 440.0, 262.0, 392.0, 294.0].into_iter().enumerate() {
        if number > 0 {
            samples.extend(std::iter::repeat_n(0.0, RATE as usize * 11 / 5));
        }
        samples.extend(tune(40.0, root, &[]));
    }
    for sample in &mut samples {
        *sample += amplitude(-64.0) * (rng.f32() * 2.0 - 1.0);
    }
    let starts = [0.0, 42.2, 84.4, 126.6, 168.8];
    let found = |starts: [f64; 5]| {
        let mark = |(number, start): (u32, f64)| Mark {
            start,
            number: Some(number),
            title: Some(format!("Title {number}")),
            ..Mark::default()
        };
        let marks = Marks {
            origin: Origin::CueSheet,
            album: Some("Album".to_owned()),
            tracks: (1..).zip(starts).map(mark).collect(),
        };
        let clues = Clues {
            name: "rip",
            neighbours: 1,
            ..Clues::default()
        };
        cut_marked(&samples, &clues, &SilenceSettings::default(), Some(&marks))
    };
    let is_cut_at_pauses = |found: &Segmentation, name: &str| {
        let spans = seconds(found);
        assert_eq!(spans.len(), 5, "{name}: {spans:?}");
        for (span, start) in spans.iter().zip(starts) {
            assert!((span.0 - start).abs() < 0.7, "{name}: {spans:?}");
        }
    };
    let titles = |found: &Segmentation| {
        let title = |label: &Option<Mark>| label.as_ref().and_then(|label| label.title.clone());
        found.labels.iter().filter_map(title).count()
    };
    let right = found(starts);
    is_cut_at_pauses(&right, "as they are");
    assert!(right.boundaries.iter().all(|one| one.confidence > 0.9));
    for (name, moved) in [
        (
            "shifted",
            starts.map(|at| if at > 0.0 { at + 8.0 } else { 0.0 }),
        ),
        ("without pauses", [0.0, 40.0, 80.0, 120.0, 160.0]),
        ("at another speed", starts.map(|at| at * 1.02)),
    ] {
        let found = found(moved);
        is_cut_at_pauses(&found, name);
        assert_eq!(titles(&found), 5, "{name}");
        assert!(
            found.boundaries.iter().all(|one| one.confidence < 0.85),
            "{name} is for review"
        );
    }
    let other = found([0.0, 31.0, 64.0, 100.0, 141.0]);
    is_cut_at_pauses(&other, "another album");
    assert_eq!((titles(&other), other.album.as_deref()), (0, None));
    assert!(other.boundaries.iter().all(|one| one.confidence < 0.85));
}

#[test]
fn a_song_that_stops_and_goes_on_is_one_passage_where_it_is_called_a_song() {
    let mut samples = tune(50.0, 330.0, &[]);
    samples.extend(std::iter::repeat_n(0.0, RATE as usize * 5 / 2));
    samples.extend(tune(42.0, 330.0, &[]));
    let found = |clues: Clues<'_>| cut_samples(&samples, &clues, &SilenceSettings::default());
    let alone = Clues {
        neighbours: 1,
        ..Clues::default()
    };
    for clues in [
        Clues {
            name: "Mira Lund - Harbor",
            ..alone
        },
        Clues {
            name: "harbor",
            title: Some("Harbor"),
            artist: Some("Mira Lund"),
            ..alone
        },
        Clues {
            name: "04 Harbor",
            neighbours: 10,
            ..alone
        },
    ] {
        let found = found(clues);
        assert_eq!(found.spans.len(), 1, "{clues:?}");
    }
}
