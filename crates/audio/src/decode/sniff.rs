//! What a file is, by its first bytes.
//!
//! Names lie: a folder of music holds `.mp3` files that are MP4 and `.wav` files that are MP3. The
//! scanner and the decoder therefore ask the content, and the name is only compared with the answer.
//! Nothing here reads a file; the caller brings the bytes.

use super::mpeg::FrameHeader;

/// How a file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An `ID3v2` tag; MP3 nearly always, but FLAC and ADTS files carry one too.
    Id3,
    /// A frame of MPEG audio, layer 2 or 3.
    Mpeg,
    /// A frame of raw AAC with an ADTS header.
    Adts,
    /// A native FLAC stream.
    Flac,
    /// An Ogg page; Vorbis, Opus or FLAC is inside.
    Ogg,
    /// RIFF, RF64 or BW64 of the form WAVE.
    Wav,
    /// FORM of the kind AIFF or AIFC.
    Aiff,
    /// ISO media: M4A, MP4 and relatives.
    Mp4,
}

/// Tells what begins with `first`, of which 12 bytes are needed and 64 are plenty.
///
/// `None` means that the bytes belong to no format known here. Zero bytes before the first MP3 frame
/// exist in the wild and give `None` as well: only the decoder looks further than these bytes.
pub fn sniff(first: &[u8]) -> Option<Kind> {
    let form = first.get(8..12).unwrap_or_default();
    match first.get(..4)? {
        [b'I', b'D', b'3', _] => Some(Kind::Id3),
        b"fLaC" => Some(Kind::Flac),
        b"OggS" => Some(Kind::Ogg),
        b"RIFF" | b"RF64" | b"BW64" => (form == b"WAVE").then_some(Kind::Wav),
        b"FORM" => (form == b"AIFF" || form == b"AIFC").then_some(Kind::Aiff),
        _ if first.get(4..8) == Some(b"ftyp") => Some(Kind::Mp4),
        [0xff, second, third, _] if second & 0xf6 == 0xf0 => {
            // The sampling index of ADTS ends at 12; MPEG audio has no layer of number zero.
            ((third >> 2) & 0xf <= 12).then_some(Kind::Adts)
        }
        _ => FrameHeader::at(first).map(|_| Kind::Mpeg),
    }
}

impl Kind {
    /// Whether a file of this kind may be named with `extension` (without the dot, in any case).
    pub fn matches_extension(self, extension: &str) -> bool {
        let allowed: &[&str] = match self {
            Self::Id3 => &["mp3", "flac", "aac"],
            Self::Mpeg => &["mp3"],
            Self::Adts => &["aac"],
            Self::Flac => &["flac"],
            Self::Ogg => &["ogg", "oga", "opus"],
            Self::Wav => &["wav"],
            Self::Aiff => &["aif", "aiff", "aifc"],
            Self::Mp4 => &["m4a", "mp4", "m4b"],
        };
        allowed
            .iter()
            .any(|known| known.eq_ignore_ascii_case(extension))
    }
}

/// Names a well-known audio format that is recognised but not decoded, for a plain message.
pub(super) fn sniff_unsupported(first: &[u8]) -> Option<&'static str> {
    const ASF: [u8; 8] = [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11];
    if first.starts_with(b"RIFF") {
        return Some("RIFF other than WAVE");
    }
    let known: [(&[u8], &str); 13] = [
        (&ASF, "Windows Media (WMA)"),
        (b"wvpk", "WavPack"),
        (b"MAC ", "Monkey's Audio"),
        (b"TTA1", "True Audio"),
        (b"MPCK", "Musepack"),
        (b"MP+", "Musepack"),
        (b"OFR ", "OptimFROG"),
        (b"DSD ", "DSD"),
        (b"FRM8", "DSD"),
        (b"caff", "Core Audio"),
        (&[0x1a, 0x45, 0xdf, 0xa3], "Matroska"),
        (b"MThd", "MIDI"),
        (b"#!AMR", "AMR"),
    ];
    known
        .iter()
        .find(|(magic, _)| first.starts_with(magic))
        .map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_numbers() {
        let cases: [(&[u8], Option<Kind>); 18] = [
            (b"ID3\x04\0\0\0\0\0\0\0\0", Some(Kind::Id3)),
            (
                &[0xff, 0xfb, 0x90, 0x64, 0, 0, 0, 0, 0, 0, 0, 0],
                Some(Kind::Mpeg),
            ),
            (
                &[0xff, 0xf3, 0x44, 0xc4, 0, 0, 0, 0, 0, 0, 0, 0],
                Some(Kind::Mpeg),
            ),
            (
                &[0xff, 0xfd, 0x90, 0x04, 0, 0, 0, 0, 0, 0, 0, 0],
                Some(Kind::Mpeg),
            ),
            (
                &[0xff, 0xf1, 0x50, 0x80, 0x2e, 0x7f, 0xfc],
                Some(Kind::Adts),
            ),
            (
                &[0xff, 0xf9, 0x50, 0x80, 0x2e, 0x7f, 0xfc],
                Some(Kind::Adts),
            ),
            (&[0xff, 0xf1, 0x7c, 0x80, 0x2e, 0x7f, 0xfc], None),
            (&[0xff, 0xff, 0xff, 0xff, 0xff], None),
            (b"fLaC\0\0\0\x22", Some(Kind::Flac)),
            (b"OggS\0\x02", Some(Kind::Ogg)),
            (b"RIFF\x24\0\0\0WAVEfmt ", Some(Kind::Wav)),
            (b"RF64\xff\xff\xff\xffWAVEds64", Some(Kind::Wav)),
            (b"RIFF\x24\0\0\0AVI LIST", None),
            (b"FORM\0\0\0\x24AIFFCOMM", Some(Kind::Aiff)),
            (b"FORM\0\0\0\x24AIFCFVER", Some(Kind::Aiff)),
            (b"\0\0\0\x20ftypM4A ", Some(Kind::Mp4)),
            (&[0; 64], None),
            (b"ID", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(sniff(bytes), expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn extensions() {
        assert!(Kind::Id3.matches_extension("Mp3"));
        assert!(Kind::Id3.matches_extension("flac"));
        assert!(Kind::Ogg.matches_extension("OPUS"));
        assert!(Kind::Mp4.matches_extension("m4b"));
        assert!(Kind::Aiff.matches_extension("aif"));
        assert!(!Kind::Mp4.matches_extension("mp3"));
        assert!(!Kind::Flac.matches_extension(""));
    }

    #[test]
    fn formats_left_out_are_named() {
        assert_eq!(sniff_unsupported(b"wvpk\0\0"), Some("WavPack"));
        assert_eq!(sniff_unsupported(b"nothing"), None);
    }
}
