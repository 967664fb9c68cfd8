//! MPEG audio frame headers: as much as is needed to find the first frame and the `Xing` frame.
//!
//! Symphonia decodes the frames. What it keeps to itself is whether a length was declared or only
//! estimated from the bit rate, and how many bytes it skipped as junk; both matter to tell a damaged
//! or cut file from a good one. The header layout is that of ISO 11172-3 and 13818-3.

/// The header of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// 3 for MP3.
    pub layer: u8,
    /// In Hz.
    pub sample_rate: u32,
    /// The whole frame in bytes, header included.
    pub length: usize,
    /// Decoded frames (samples per channel).
    pub samples: u32,
    mpeg1: bool,
    /// Whether it has one channel.
    pub mono: bool,
}

/// What a `Xing` or `Info` frame says of the stream that follows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Declared {
    /// MPEG frames.
    pub frames: Option<u32>,
    /// Bytes of the stream, this frame included.
    pub bytes: Option<u32>,
    /// Frames (samples per channel) that the encoder put before and behind the music.
    pub gapless: Option<(u32, u32)>,
}

impl FrameHeader {
    /// Reads a header word; `None` if it cannot be one. Free-format frames are not accepted, nor is
    /// layer 1, which nobody used but which random bytes resemble.
    pub(super) fn parse(word: u32) -> Option<Self> {
        const RATES: [u32; 3] = [44_100, 48_000, 32_000];
        if word >> 21 != 0x7ff {
            return None;
        }
        let (mpeg1, divisor) = match (word >> 19) & 3 {
            0 => (false, 4),
            2 => (false, 2),
            3 => (true, 1),
            _ => return None,
        };
        let layer = match (word >> 17) & 3 {
            1 => 3,
            2 => 2,
            _ => return None,
        };
        let rate_index = ((word >> 10) & 3) as usize;
        let sample_rate = RATES.get(rate_index)? / divisor;
        let kbps = bit_rate(mpeg1, layer, ((word >> 12) & 15) as usize)?;
        let padding = ((word >> 9) & 1) as usize;
        let samples = if layer == 3 && !mpeg1 { 576 } else { 1152 };
        let length = samples as usize / 8 * 1000 * kbps / sample_rate as usize + padding;
        let mono = (word >> 6) & 3 == 3;
        Some(Self {
            layer,
            sample_rate,
            length,
            samples,
            mpeg1,
            mono,
        })
    }

    /// Reads the header at the beginning of `bytes`.
    pub(super) fn at(bytes: &[u8]) -> Option<Self> {
        Self::parse(u32::from_be_bytes(*bytes.first_chunk()?))
    }

    fn resembles(self, other: Self) -> bool {
        self.layer == other.layer
            && self.sample_rate == other.sample_rate
            && self.mpeg1 == other.mpeg1
    }

    /// Whether `frame`, which begins with this header, is a `Xing`, `Info` or `VBRI` frame: no audio,
    /// but the length of the stream.
    pub(super) fn declares_length(self, frame: &[u8]) -> bool {
        // Only with the lowest flag set does the tag hold a count of frames.
        self.length_flags(frame).is_some_and(|flags| flags & 1 == 1)
    }

    /// The same with a count of frames or of bytes: what ffmpeg's demuxer leaves out of the audio.
    pub(super) fn describes_stream(self, frame: &[u8]) -> bool {
        self.length_flags(frame).is_some_and(|flags| flags & 3 != 0)
    }

    /// What the `Xing` or `Info` frame that begins here says of the stream.
    ///
    /// The checksum over it is not looked at: programs that change the gain or mend the count leave the old one.
    pub(super) fn declared(self, frame: &[u8]) -> Declared {
        let Some(flags) = self.length_flags(frame) else {
            return Declared::default();
        };
        let Some(tag) = frame.get(4 + self.side_info()..) else {
            return Declared::default();
        };
        if !matches!(tag.first_chunk(), Some(b"Xing" | b"Info")) {
            return Declared::default();
        }
        let mut rest = tag.get(8..).unwrap_or_default();
        let mut take = |bit: u8, length: usize| {
            if flags & bit == 0 {
                return None;
            }
            let (field, after) = rest.split_at_checked(length).unwrap_or((&[], &[]));
            rest = after;
            field.first_chunk().copied().map(u32::from_be_bytes)
        };
        let frames = take(1, 4);
        let bytes = take(2, 4);
        take(4, 100);
        take(8, 4);
        let is_known = [&b"LAME"[..], b"L3.9", b"Lavf", b"Lavc"]
            .iter()
            .any(|encoder| rest.starts_with(encoder));
        let gapless = match rest.get(21..24) {
            Some([a, b, c]) if is_known => {
                let both = u32::from_be_bytes([0, *a, *b, *c]);
                Some((both >> 12, both & 0xfff))
            }
            _ => None,
        };
        Declared {
            frames: frames.filter(|frames| *frames > 0),
            bytes: bytes.filter(|bytes| *bytes > 0),
            gapless,
        }
    }

    /// Bytes between the header and where a `Xing` tag would stand.
    const fn side_info(self) -> usize {
        match (self.mpeg1, self.mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        }
    }

    /// Which lengths the frame declares: 1 for frames, 2 for bytes; `None` if it is a frame of audio.
    fn length_flags(self, frame: &[u8]) -> Option<u8> {
        if self.layer != 3 {
            return None;
        }
        let side_info = self.side_info();
        let tag = |at: usize| frame.get(at..at + 4).unwrap_or_default();
        match tag(4 + side_info) {
            b"Xing" | b"Info" => frame.get(4 + side_info + 7).copied(),
            _ if tag(36) == b"VBRI" => Some(3),
            _ => None,
        }
    }
}

/// In kbit/s; `None` for the free format (index 0) and the forbidden index 15.
fn bit_rate(mpeg1: bool, layer: u8, index: usize) -> Option<usize> {
    const LOW: [u16; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    const TWO: [u16; 14] = [
        32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
    ];
    const THREE: [u16; 14] = [
        32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ];
    let table = match (mpeg1, layer) {
        (true, 2) => TWO,
        (true, _) => THREE,
        (false, _) => LOW,
    };
    let kbps = table.get(index.checked_sub(1)?)?;
    Some(usize::from(*kbps))
}

/// Frames in a row that make junk unlikely: any sixteen megabytes hold two by accident.
const CHAIN: usize = 4;

/// Finds the first frame in `bytes` that begins a chain of its kind, or one that reaches to the end of `bytes`, if `bytes`
/// is the last there is. Gives its offset.
pub(super) fn find_first_frame(bytes: &[u8], is_last: bool) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.iter().position(|byte| *byte == 0xff)?;
        if is_chain(&bytes[at..], is_last) {
            return Some(at);
        }
        from = at + 1;
    }
}

fn is_chain(bytes: &[u8], is_last: bool) -> bool {
    let Some(first) = FrameHeader::at(bytes) else {
        return false;
    };
    let mut at = first.length;
    for frame in 1..CHAIN {
        match bytes.get(at..) {
            Some([]) => return is_last,
            Some(rest) if rest.len() < 4 => return is_last && frame > 1,
            Some(rest) => match FrameHeader::at(rest).filter(|next| first.resembles(*next)) {
                Some(next) => at += next.length,
                None => return false,
            },
            // The last frame is cut short.
            None => return is_last && frame > 2,
        }
    }
    true
}

/// Whether frames of the free format begin within the first bytes: headers without a bit rate, at one distance from
/// each other.
pub(super) fn is_free_format(bytes: &[u8]) -> bool {
    let is_free = |at: usize| {
        let word = bytes.get(at..at + 4).map_or(0, |four| {
            u32::from_be_bytes([four[0], four[1], four[2], four[3]])
        });
        // Sync, a version, layer 3, bit rate index 0, a sample rate.
        word >> 21 == 0x7ff
            && word >> 19 & 3 != 1
            && word >> 17 & 3 == 1
            && word & 0xf000 == 0
            && word >> 10 & 3 != 3
    };
    let starts: Vec<usize> = (0..bytes.len().min(64 << 10))
        .filter(|at| is_free(*at))
        .take(64)
        .collect();
    starts.iter().enumerate().any(|(index, first)| {
        starts[index + 1..].iter().any(|second| {
            let length = second - first;
            // Frames have a byte more where they are padded.
            (1..6).all(|count| (0..=count).any(|padding| is_free(first + count * length + padding)))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_follow_the_standard() {
        let mp3 = FrameHeader::parse(0xfffb_9064).expect("128 kbit/s at 44.1 kHz");
        assert_eq!(
            (mp3.layer, mp3.sample_rate, mp3.length, mp3.samples),
            (3, 44_100, 417, 1152)
        );
        let mpeg2 = FrameHeader::parse(0xfff3_80c4).expect("64 kbit/s at 22.05 kHz");
        assert_eq!(
            (mpeg2.sample_rate, mpeg2.length, mpeg2.samples),
            (22_050, 208, 576)
        );
        assert_eq!(FrameHeader::parse(0xfffb_f064), None, "bit rate index 15");
        assert_eq!(FrameHeader::parse(0xfffb_0064), None, "free format");
        assert_eq!(FrameHeader::parse(0xffeb_9064), None, "reserved version");
    }

    #[test]
    fn junk_before_the_first_frame_is_passed() {
        let mut bytes = vec![0; 1000];
        for _ in 0..2 {
            let mut frame = vec![0; 417];
            frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x64]);
            bytes.extend(frame);
        }
        assert_eq!(find_first_frame(&bytes, true), Some(1000));
        assert_eq!(
            find_first_frame(&bytes[..1417], true),
            Some(1000),
            "one frame is a file"
        );
        assert_eq!(find_first_frame(&bytes[..1417], false), None);
        assert_eq!(find_first_frame(&[0xff; 100], true), None);
    }
}
