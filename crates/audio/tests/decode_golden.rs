//! Decodes the sample files and compares with what ffmpeg 5.1 makes of them.
//!
//! Frame counts must be equal. The values are those of ffmpeg's decoded samples (last channel) at four
//! places each, and the level of the first channel over the whole file: a shift by a single frame, a
//! wrong channel or a missing packet shows in them.

#![expect(clippy::unreadable_literal, reason = "samples as ffmpeg printed them")]

use std::ops::ControlFlow;
use std::path::PathBuf;

use audio::decode::{Block, Decoded, Listener, StreamInfo, decode};

#[derive(Default)]
struct Ear {
    info: Option<StreamInfo>,
    first: Vec<f32>,
    last: Vec<f32>,
}

impl Listener for Ear {
    fn start(&mut self, info: &StreamInfo) {
        assert_eq!(self.info.replace(*info), None, "started once");
    }

    fn block(&mut self, block: &Block<'_>) -> ControlFlow<()> {
        assert_eq!(
            block.start,
            self.first.len() as u64,
            "no gap between blocks"
        );
        let planes = block.planes;
        assert_eq!(
            planes.len(),
            usize::from(self.info.expect("started").channels)
        );
        self.first.extend_from_slice(planes[0]);
        self.last.extend_from_slice(planes[planes.len() - 1]);
        ControlFlow::Continue(())
    }
}

fn sample(name: &str) -> PathBuf {
    testkit::corpus::audio().join("music").join(name)
}

fn heard(name: &str) -> (Decoded, Ear) {
    let mut ear = Ear::default();
    let decoded = decode(&sample(name), &mut ear).unwrap_or_else(|error| panic!("{name}: {error}"));
    (decoded, ear)
}

fn golden(
    name: &str,
    format: &str,
    rate: u32,
    channels: u16,
    frames: u64,
    level: f64,
    values: [(usize, f32); 4],
) {
    let (decoded, ear) = heard(name);
    let info = decoded.info;
    assert_eq!(
        (info.format(), info.sample_rate, info.channels),
        (format, rate, channels),
        "{name}"
    );
    assert_eq!(decoded.frames, frames, "{name}");
    assert_eq!(
        (decoded.damaged_frames, decoded.truncated, decoded.cancelled),
        (0, None, false),
        "{name}"
    );
    assert!(
        info.expected_frames
            .is_none_or(|expected| expected == frames),
        "{name}"
    );
    let energy: f64 = ear
        .first
        .iter()
        .map(|sample| f64::from(*sample).powi(2))
        .sum();
    let found = (energy / frames as f64).sqrt();
    assert!(
        (found / level - 1.0).abs() < 1e-4,
        "{name}: level {found}, expected {level}"
    );
    for (frame, value) in values {
        let found = ear.last[frame];
        assert!(
            (found - value).abs() < 2e-5,
            "{name}, frame {frame}: {found}, expected {value}"
        );
    }
}

#[rustfmt::skip]
#[test]
fn every_sample_decodes_as_by_ffmpeg() {
    golden("Harbour Lights/Tides/01 Slow Water.mp3", "MP3", 44_100, 2, 1_146_600, 0.0216549,
        [(163_800, -0.042072), (382_200, 0.005730), (573_300, 0.009966), (917_280, 0.031681)]);
    golden("Harbour Lights/Tides/02 Northern Pier.flac", "FLAC", 11_025, 1, 275_625, 0.0204692,
        [(39_375, 0.023285), (91_875, -0.019897), (137_812, 0.007629), (220_500, -0.006470)]);
    golden("Harbour Lights/Tides/03 Mono Radio.mp3", "MP3", 32_000, 1, 768_000, 0.0168150,
        [(109_714, 0.026407), (256_000, -0.007411), (384_000, -0.002997), (614_400, -0.006660)]);
    golden("Kassettenkinder/Seite A/Seite A.ogg", "OGG", 11_025, 1, 854_438, 0.0498817,
        [(122_062, 0.043965), (284_812, 0.003949), (427_219, 0.012526), (683_551, 0.056770)]);
    golden("Various Artists/Café Sessions/07 Tiny Room.aac", "AAC", 44_100, 1, 1_059_840, 0.0248220,
        [(151_405, 0.015356), (353_280, 0.027931), (529_920, 0.014723), (847_872, 0.007571)]);
    golden("Various Artists/Café Sessions/08 Espresso.wav", "WAV", 11_025, 1, 121_275, 0.0203161,
        [(17_325, 0.008850), (40_425, -0.000427), (60_637, 0.008942), (97_020, 0.004181)]);
    golden("Various Artists/Café Sessions/09 Last Orders.aiff", "AIFF", 8_000, 1, 88_000, 0.0212000,
        [(12_571, -0.006378), (29_333, -0.003296), (44_000, -0.010040), (70_400, 0.004456)]);
    golden("Ночной Трамвай/Кольцо/01 Последняя остановка.ogg", "OGG", 22_050, 2, 573_300, 0.0226428,
        [(81_900, 0.010695), (191_100, -0.023951), (286_650, 0.016837), (458_640, -0.002422)]);
    // By libopus; ffmpeg's own decoder is off by -73 dB here.
    golden("Ночной Трамвай/Кольцо/02 Снег на рельсах.opus", "OPUS", 48_000, 2, 1_152_000, 0.0212334,
        [(164_571, 0.001071), (384_000, -0.008052), (576_000, -0.031444), (921_600, 0.005488)]);
    // ffmpeg leaves 348 frames of padding at the end; the song is 25 seconds long.
    golden("雨の駅/Ästhetik & Übermut/1-01 夜明け前.m4a", "AAC", 44_100, 2, 1_102_500, 0.0212509,
        [(157_500, -0.015352), (367_500, -0.000001), (551_250, 0.020669), (882_000, 0.013227)]);
    golden("雨の駅/Ästhetik & Übermut/2-02 Señal Perdida.m4a", "ALAC", 8_000, 1, 144_000, 0.0261225,
        [(20_571, -0.023529), (48_000, 0.022675), (72_000, 0.047028), (115_200, 0.075043)]);
}

#[test]
fn blocks_can_be_refused() {
    struct Impatient(u64);

    impl Listener for Impatient {
        fn start(&mut self, _info: &StreamInfo) {}

        fn block(&mut self, block: &Block<'_>) -> ControlFlow<()> {
            self.0 += block.frames() as u64;
            if self.0 > 50_000 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }
    }

    let mut listener = Impatient(0);
    let decoded = decode(
        &sample("Harbour Lights/Tides/01 Slow Water.mp3"),
        &mut listener,
    )
    .unwrap();
    assert!(decoded.cancelled);
    assert_eq!(decoded.frames, listener.0);
    assert!(decoded.frames < 60_000, "{}", decoded.frames);
    assert_eq!(
        decoded.truncated, None,
        "a cancelled file is not a short one"
    );
}
