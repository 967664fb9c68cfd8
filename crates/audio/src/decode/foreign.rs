//! Formats that are recognised here and decoded by an installed ffmpeg.

use std::hash::{Hash, Hasher};

/// A format, by how its files begin and what ffmpeg calls it.
#[derive(Debug)]
pub struct Foreign {
    /// As people call it.
    pub name: &'static str,
    /// The demuxer that ffmpeg is told to use, so that no content can lead it to another; `None` where ffmpeg
    /// has none.
    pub(super) demuxer: Option<&'static str>,
    /// Offset and bytes; all of them must be there.
    magic: &'static [(usize, &'static [u8])],
    /// Extensions its files have.
    pub(super) extensions: &'static [&'static str],
    /// Whether it holds sound, and not notes or a program that makes some.
    pub(super) is_sound: bool,
}

impl PartialEq for Foreign {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Foreign {}

impl Hash for Foreign {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

const fn with(
    name: &'static str,
    demuxer: &'static str,
    magic: &'static [(usize, &'static [u8])],
    extensions: &'static [&'static str],
) -> Foreign {
    Foreign {
        name,
        demuxer: Some(demuxer),
        magic,
        extensions,
        is_sound: true,
    }
}

const fn without(
    name: &'static str,
    magic: &'static [(usize, &'static [u8])],
    extensions: &'static [&'static str],
) -> Foreign {
    Foreign {
        name,
        demuxer: None,
        magic,
        extensions,
        is_sound: true,
    }
}

const fn notes(
    magic: &'static [(usize, &'static [u8])],
    extensions: &'static [&'static str],
) -> Foreign {
    Foreign {
        name: "notes, not sound",
        demuxer: None,
        magic,
        extensions,
        is_sound: false,
    }
}

/// The magic numbers are those of the formats' descriptions and of `file(1)`; the demuxers those that
/// `ffmpeg -demuxers` lists.
pub(super) static FORMATS: [Foreign; 77] = [
    with(
        "Windows Media (WMA)",
        "asf",
        &[(0, &[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11])],
        &["wma", "asf", "wmv"],
    ),
    with("WavPack", "wv", &[(0, b"wvpk")], &["wv"]),
    with("Monkey's Audio", "ape", &[(0, b"MAC ")], &["ape", "mac"]),
    with("Musepack SV8", "mpc8", &[(0, b"MPCK")], &["mpc"]),
    with(
        "Musepack SV7",
        "mpc",
        &[(0, b"MP+")],
        &["mpc", "mpp", "mp+"],
    ),
    with("True Audio", "tta", &[(0, b"TTA1")], &["tta"]),
    with("True Audio 2", "tta", &[(0, b"TTA2")], &["tta"]),
    with("TAK", "tak", &[(0, b"tBaK")], &["tak"]),
    with("Shorten", "shn", &[(0, b"ajkg")], &["shn"]),
    with("DSD (DSF)", "dsf", &[(0, b"DSD ")], &["dsf"]),
    with(
        "DSD (DSDIFF)",
        "iff",
        &[(0, b"FRM8"), (12, b"DSD ")],
        &["dff"],
    ),
    with("Core Audio", "caf", &[(0, b"caff")], &["caf"]),
    with(
        "Matroska or WebM",
        "matroska",
        &[(0, &[0x1a, 0x45, 0xdf, 0xa3])],
        &["mka", "mkv", "mk3d", "webm", "weba"],
    ),
    with("AVI", "avi", &[(0, b"RIFF"), (8, b"AVI ")], &["avi"]),
    with("Sun AU", "au", &[(0, b".snd")], &["au", "snd"]),
    with("Wave64", "w64", &[(0, b"riff\x2e\x91\xcf\x11")], &["w64"]),
    with("AMR", "amr", &[(0, b"#!AMR")], &["amr", "awb"]),
    // AC-3 and E-AC-3 begin alike, and either demuxer reads both.
    with(
        "Dolby Digital (AC-3, E-AC-3)",
        "ac3",
        &[(0, &[0x0b, 0x77])],
        &["ac3", "a52", "eac3", "ec3"],
    ),
    with(
        "DTS",
        "dts",
        &[(0, &[0x7f, 0xfe, 0x80, 0x01])],
        &["dts", "dtshd"],
    ),
    with("DTS-HD", "dtshd", &[(0, b"DTSHDHDR")], &["dtshd"]),
    with(
        "TrueHD",
        "truehd",
        &[(4, &[0xf8, 0x72, 0x6f, 0xba])],
        &["thd"],
    ),
    with("MLP", "mlp", &[(4, &[0xf8, 0x72, 0x6f, 0xbb])], &["mlp"]),
    with(
        "RealMedia",
        "rm",
        &[(0, b".RMF")],
        &["rm", "ra", "ram", "rmvb"],
    ),
    with("RealAudio", "rm", &[(0, b".ra\xfd")], &["ra"]),
    with("Flash video", "flv", &[(0, b"FLV\x01")], &["flv"]),
    with(
        "MPEG programme stream",
        "mpeg",
        &[(0, &[0, 0, 1, 0xba])],
        &["mpg", "mpeg", "vob"],
    ),
    with(
        "MPEG transport stream",
        "mpegts",
        &[(0, b"G"), (188, b"G"), (376, b"G")],
        &["ts", "m2ts", "mts"],
    ),
    with(
        "AAC in LATM",
        "loas",
        &[(0, &[0x56, 0xe0])],
        &["latm", "loas"],
    ),
    // Eleven bits of a mark, and then the length of the frame.
    with("AAC in LATM", "loas", &[(0, &[0x56, 0xe1])], &[]),
    with("AAC in LATM", "loas", &[(0, &[0x56, 0xe2])], &[]),
    with("AAC in LATM", "loas", &[(0, &[0x56, 0xe3])], &[]),
    with(
        "Creative Voice",
        "voc",
        &[(0, b"Creative Voice File")],
        &["voc"],
    ),
    with("Audible", "aa", &[(4, &[0x57, 0x90, 0x75, 0x36])], &["aa"]),
    with("NUT", "nut", &[(0, b"nut/multimedia container")], &["nut"]),
    with("SoX", "sox", &[(0, b".SoX")], &["sox"]),
    with(
        "IRCAM",
        "ircam",
        &[(0, &[0x64, 0xa3]), (3, &[0])],
        &["ircam"],
    ),
    with(
        "ATRAC (OpenMG)",
        "oma",
        &[(0, b"EA3\x01")],
        &["oma", "aa3", "omg"],
    ),
    with(
        "ATRAC (OpenMG) with a tag",
        "oma",
        &[(0, b"ea3\x03")],
        &["oma", "aa3", "omg"],
    ),
    with("TwinVQ", "vqf", &[(0, b"TWIN")], &["vqf", "vql"]),
    with("QCELP", "qcp", &[(0, b"RIFF"), (8, b"QLCM")], &["qcp"]),
    with(
        "NIST Sphere",
        "nistsphere",
        &[(0, b"NIST_1A")],
        &["nist", "sph"],
    ),
    with(
        "Amiga 8SVX",
        "iff",
        &[(0, b"FORM"), (8, b"8SVX")],
        &["8svx", "svx"],
    ),
    // Streams of telephones and headsets, which begin with nothing of their own.
    with("SBC", "sbc", &[], &["sbc", "msbc"]),
    with("aptX", "aptx", &[], &["aptx"]),
    with("G.722", "g722", &[], &["g722"]),
    with("GSM", "gsm", &[], &["gsm"]),
    without("OptimFROG", &[(0, b"OFR ")], &["ofr", "ofs"]),
    without("LA lossless", &[(0, b"LA0")], &["la"]),
    // libopenmpt is a part of most builds of ffmpeg.
    with(
        "MOD (tracker)",
        "libopenmpt",
        &[(1080, b"M.K.")],
        &["mod", "nst"],
    ),
    with("MOD (tracker)", "libopenmpt", &[(1080, b"M!K!")], &[]),
    with("MOD (tracker)", "libopenmpt", &[(1080, b"FLT")], &[]),
    with("MOD (tracker)", "libopenmpt", &[(1081, b"CHN")], &[]),
    with(
        "FastTracker",
        "libopenmpt",
        &[(0, b"Extended Module: ")],
        &["xm"],
    ),
    with(
        "Impulse Tracker",
        "libopenmpt",
        &[(0, b"IMPM")],
        &["it", "mptm"],
    ),
    with("Scream Tracker", "libopenmpt", &[(44, b"SCRM")], &["s3m"]),
    with(
        "Scream Tracker 2",
        "libopenmpt",
        &[(20, b"!Scream!")],
        &["stm"],
    ),
    with("MultiTracker", "libopenmpt", &[(0, b"MTM\x10")], &["mtm"]),
    with("OctaMED", "libopenmpt", &[(0, b"MMD")], &["med"]),
    with("Oktalyzer", "libopenmpt", &[(0, b"OKTASONG")], &["okt"]),
    with("PolyTracker", "libopenmpt", &[(44, b"PTMF")], &["ptm"]),
    with("DigiBooster", "libopenmpt", &[(0, b"DBM0")], &["dbm"]),
    with(
        "UltraTracker",
        "libopenmpt",
        &[(0, b"MAS_UTrack_V")],
        &["ult"],
    ),
    with("MO3", "libopenmpt", &[(0, b"MO3")], &["mo3"]),
    // What a chip or a synthesiser plays: ffmpeg has players for some, which do not know where a tune ends.
    notes(&[(0, b"MThd")], &["mid", "midi", "kar"]),
    notes(&[(0, b"RIFF"), (8, b"RMID")], &["rmi"]),
    notes(&[(1, b"SID\0")], &["sid", "psid"]),
    notes(&[(0, b"NESM\x1a")], &["nsf"]),
    notes(&[(0, b"NSFE")], &["nsfe"]),
    notes(&[(0, b"SNES-SPC700 Sound File Data")], &["spc"]),
    notes(&[(0, b"Vgm ")], &["vgm", "vgz"]),
    notes(&[(0, b"GBS\x01")], &["gbs"]),
    notes(&[(0, b"ZXAYEMUL")], &["ay"]),
    notes(&[(0, b"HESM")], &["hes"]),
    notes(&[(0, b"KSCC")], &["kss"]),
    notes(&[(0, b"KSSX")], &[]),
    notes(&[(0, b"GYMX")], &["gym"]),
    notes(
        &[(0, b"PSF")],
        &[
            "psf", "minipsf", "psf2", "minipsf2", "usf", "miniusf", "gsf", "minigsf", "2sf",
            "mini2sf", "ncsf", "minincsf", "snsf", "minisnsf", "ssf", "minissf",
        ],
    ),
];

/// The format of a file that begins with `first`, of which 1,100 bytes are plenty.
pub(super) fn sniff(first: &[u8]) -> Option<&'static Foreign> {
    FORMATS.iter().find(|format| {
        let mut magic = format.magic.iter();
        !format.magic.is_empty()
            && magic.all(|(at, bytes)| first.get(*at..).is_some_and(|rest| rest.starts_with(bytes)))
    })
}

impl Foreign {
    /// Extensions its files have.
    pub(crate) const fn extensions(&self) -> &'static [&'static str] {
        self.extensions
    }

    /// Whether files of it begin with nothing of their own.
    pub(super) fn is_headerless(&self) -> bool {
        self.is_sound && self.magic.is_empty()
    }

    /// Whether the beginning proves the format: two bytes may stand at the beginning of anything.
    pub(super) fn is_certain(&self) -> bool {
        self.magic
            .iter()
            .map(|(_, bytes)| bytes.len())
            .sum::<usize>()
            >= 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_beginning() {
        let name = |first: &[u8]| sniff(first).map(|format| format.name);
        assert_eq!(name(b"wvpk\0\0"), Some("WavPack"));
        assert_eq!(name(b"RIFF\0\0\0\0AVI LIST"), Some("AVI"));
        assert_eq!(name(b"RIFF\0\0\0\0WAVEfmt "), None);
        assert_eq!(name(b"nothing"), None);
        let at_the_door = |first: &[u8]| match crate::decode::sniff(first) {
            Some(crate::decode::Kind::Foreign(format)) => Some(format.name),
            _ => None,
        };
        assert_eq!(at_the_door(b"FORM\0\0\0\x088SVXVHDR"), Some("Amiga 8SVX"));
        assert_eq!(at_the_door(b"RIFF\0\0\0\x08QLCMfmt "), Some("QCELP"));
        assert_eq!(
            at_the_door(b"ea3\x03\0\0\0\0\0\0\0\0"),
            Some("ATRAC (OpenMG) with a tag")
        );
        let mut stream = vec![0; 400];
        for at in [0, 188, 376] {
            stream[at] = b'G';
        }
        assert_eq!(name(&stream), Some("MPEG transport stream"));
    }
}
