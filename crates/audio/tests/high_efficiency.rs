//! AAC of which only the packets say that it is high-efficiency AAC, in a container that states the rate to be heard.
//!
//! The file is two seconds of 44.1 kHz by the FDK encoder, put from ADTS into MP4 by `ffmpeg -c copy`, as archives of
//! internet radio are: its configuration speaks of AAC-LC at 22.05 kHz. No package of Debian's encodes such a stream.

use std::ops::ControlFlow;
use std::path::Path;

use audio::decode::{Block, DecodeError, Decoders, Ffmpeg, Listener, StreamInfo};

struct Deaf;

impl Listener for Deaf {
    fn start(&mut self, _: &StreamInfo) {}

    fn block(&mut self, _: &Block<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

#[test]
fn high_efficiency_aac_that_is_not_announced_is_heard_at_its_full_rate() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/he-aac not announced.m4a");
    let none = Ffmpeg::at(Some(Path::new("/nowhere/ffmpeg")));
    let told = Decoders::with(none).decode(&path, &mut Deaf).unwrap_err();
    assert!(matches!(told, DecodeError::NeedsFfmpeg(_)), "{told}");

    let ffmpeg = Ffmpeg::at(None);
    if ffmpeg.version().is_none() {
        return;
    }
    let decoded = Decoders::with(ffmpeg).decode(&path, &mut Deaf).unwrap();
    assert_eq!(
        (decoded.info.sample_rate, decoded.info.channels),
        (44_100, 2)
    );
    assert_eq!(decoded.truncated, None);
    // 43 packets of 2,048 frames.
    assert_eq!(decoded.frames, 43 * 2048);
}
