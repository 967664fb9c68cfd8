//! What a file is, by its first bytes.
//!
//! Names lie: a folder of music holds `.mp3` files that are MP4 and `.wav` files that are MP3. The
//! scanner and the decoder therefore ask the content, and the name is only compared with the answer.
//! Nothing here reads a file; the caller brings the bytes.

use std::io::Read;
use std::path::Path;

use super::foreign::{self, Foreign};
use super::mpeg::{FrameHeader, find_first_frame};

/// Bytes of a file's beginning that tell what it is: MOD files do at 1,080.
pub const HEAD: usize = 1100;

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
    /// A format that an installed ffmpeg decodes.
    Foreign(&'static Foreign),
}

/// Extensions of formats that are decoded here, by the kind of their content.
const OWN: [(Kind, &[&str]); 7] = [
    (Kind::Mpeg, &["mp3", "mp2", "mp1", "mpga", "mpa", "bit"]),
    (Kind::Adts, &["aac", "adts", "adt"]),
    (Kind::Flac, &["flac", "fla"]),
    (
        Kind::Ogg,
        &["ogg", "oga", "opus", "spx", "ogx", "ogv", "ogm"],
    ),
    (Kind::Wav, &["wav", "wave", "bwf", "rf64", "bw64"]),
    (Kind::Aiff, &["aif", "aiff", "aifc", "afc"]),
    (
        Kind::Mp4,
        &[
            "m4a", "mp4", "m4b", "m4r", "m4v", "m4p", "f4a", "mov", "qt", "3gp", "3g2", "3gpp",
            "3ga", "aax", "f4v", "f4b",
        ],
    ),
];

/// Whether a file of this name is looked into: its extension is one of audio, or of video with sound.
pub fn extension_is_audio(path: &Path) -> bool {
    let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else {
        return false;
    };
    let is = |known: &&str| known.eq_ignore_ascii_case(extension);
    OWN.iter().any(|(_, extensions)| extensions.iter().any(is))
        || foreign::FORMATS
            .iter()
            .any(|format| format.is_sound && format.extensions.iter().any(is))
}

/// Whether a file of this name holds notes or a program that makes sound (MIDI, SID), and no sound.
pub fn extension_is_notes(path: &Path) -> bool {
    let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else {
        return false;
    };
    let is = |known: &&str| known.eq_ignore_ascii_case(extension);
    foreign::FORMATS
        .iter()
        .any(|format| !format.is_sound && format.extensions.iter().any(is))
}

/// The format that the name of a file promises, where files of that format have nothing that they could be known by.
pub fn headerless(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?;
    let mut formats = foreign::FORMATS.iter();
    let found = formats.find(|format| {
        let is = |known: &&str| known.eq_ignore_ascii_case(extension);
        format.is_headerless() && format.extensions.iter().any(is)
    });
    found.map(|format| format.name)
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
        b"RIFF" | b"RF64" | b"BW64" | b"RIFX" if form == b"WAVE" => Some(Kind::Wav),
        b"FORM" if form == b"AIFF" || form == b"AIFC" => Some(Kind::Aiff),
        _ if is_box(first) => Some(Kind::Mp4),
        [0xff, second, third, _] if second & 0xf6 == 0xf0 => {
            // The sampling index of ADTS ends at 12; MPEG audio has no layer of number zero.
            ((third >> 2) & 0xf <= 12).then_some(Kind::Adts)
        }
        _ => FrameHeader::at(first)
            .map(|_| Kind::Mpeg)
            .or_else(|| foreign::sniff(first).map(Kind::Foreign)),
    }
}

/// Whether ISO media begin here. Files of the first `QuickTime` have no `ftyp`; they begin with their movie, its
/// data, or room for either.
fn is_box(first: &[u8]) -> bool {
    match first.get(4..8) {
        Some(b"ftyp") => true,
        Some(b"moov" | b"mdat" | b"wide" | b"skip" | b"free") => {
            // Text of eight letters must not pass for a box.
            first[0] == 0 || first[..4] == [0, 0, 0, 1]
        }
        _ => false,
    }
}

/// Bytes of a file's beginning that prove that it is audio: four frames of MPEG, of up to 2,881 bytes each.
pub const PROOF: usize = 12 << 10;

/// Whether these first bytes of a file with an unknown extension, [`PROOF`] of them, prove that it is audio: a magic number
/// of three bytes or more. Frames of MPEG and AAC have two, and any file may begin like them: there must be several.
pub fn is_certainly_audio(first: &[u8]) -> bool {
    match sniff(first) {
        None => false,
        Some(Kind::Mpeg) => find_first_frame(first, false) == Some(0),
        Some(Kind::Adts) => is_adts_chain(first),
        // Pictures of phones and raw photographs are ISO media, too.
        Some(Kind::Mp4) => !first.get(8..12).is_some_and(is_picture_brand),
        Some(Kind::Foreign(format)) => format.is_sound && format.is_certain(),
        Some(_) => true,
    }
}

/// Whether there is a file at `path` whose content proves that it is audio, whatever its name.
pub fn is_audio_file(path: &Path) -> bool {
    let mut first = Vec::new();
    let read =
        run::regular_file(path).and_then(|file| file.take(PROOF as u64).read_to_end(&mut first));
    read.is_ok() && is_certainly_audio(&first)
}

/// Whether four frames of AAC follow one another, each as long as the one before says
/// (ISO/IEC 13818-7, section 6.2: thirteen bits behind thirty).
fn is_adts_chain(mut bytes: &[u8]) -> bool {
    for _ in 0..4 {
        let [0xff, second, _, fourth, fifth, sixth, ..] = bytes else {
            return false;
        };
        let length =
            usize::from(fourth & 3) << 11 | usize::from(*fifth) << 3 | usize::from(sixth >> 5);
        if second & 0xf6 != 0xf0 || length < 7 {
            return false;
        }
        bytes = bytes.get(length..).unwrap_or_default();
    }
    true
}

fn is_picture_brand(brand: &[u8]) -> bool {
    matches!(
        brand,
        b"heic"
            | b"heix"
            | b"heim"
            | b"heis"
            | b"hevc"
            | b"mif1"
            | b"msf1"
            | b"avif"
            | b"avis"
            | b"crx "
    )
}

impl Kind {
    /// Whether a file of this kind may be named with `extension` (without the dot, in any case).
    pub fn matches_extension(self, extension: &str) -> bool {
        let among = |known: &[&str]| {
            known
                .iter()
                .any(|known| known.eq_ignore_ascii_case(extension))
        };
        match self {
            // What is behind the tag is not known yet.
            Self::Id3 => true,
            // Some formats stand there more than once, for several beginnings.
            Self::Foreign(format) => foreign::FORMATS
                .iter()
                .any(|other| other.name == format.name && among(other.extensions)),
            own => OWN
                .iter()
                .any(|(kind, extensions)| *kind == own && among(extensions)),
        }
    }

    /// What ffmpeg calls the container.
    pub(super) fn demuxer(self) -> Option<&'static str> {
        match self {
            Self::Id3 => None,
            Self::Mpeg => Some("mp3"),
            Self::Adts => Some("aac"),
            Self::Flac => Some("flac"),
            Self::Ogg => Some("ogg"),
            Self::Wav => Some("wav"),
            Self::Aiff => Some("aiff"),
            Self::Mp4 => Some("mov"),
            Self::Foreign(format) => format.demuxer,
        }
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id3 => "tagged with ID3",
            Self::Mpeg => "MPEG audio",
            Self::Adts => "AAC",
            Self::Flac => "FLAC",
            Self::Ogg => "Ogg",
            Self::Wav => "WAV",
            Self::Aiff => "AIFF",
            Self::Mp4 => "MP4",
            Self::Foreign(format) => format.name,
        }
    }
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
            (b"RIFX\0\0\0\x24WAVEfmt ", Some(Kind::Wav)),
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
        assert!(Kind::Mpeg.matches_extension("mpga"));
        assert!(extension_is_audio(Path::new("a/b.WMA")));
        assert!(!extension_is_audio(Path::new("a/b.jpg")));
        assert!(Kind::Ogg.matches_extension("OPUS"));
        assert!(Kind::Mp4.matches_extension("m4b"));
        assert!(Kind::Aiff.matches_extension("aif"));
        assert!(!Kind::Mp4.matches_extension("mp3"));
        assert!(!Kind::Flac.matches_extension(""));
    }
}
