//! What ffmpeg's codecs are called here.

/// A codec that ffmpeg decodes for us.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::decode) struct ForeignCodec {
    /// Its short name, as ffmpeg has it.
    pub(in crate::decode) codec: &'static str,
    /// The short name WKMP stores as a file's format.
    pub(in crate::decode) format: &'static str,
}

const fn named(codec: &'static str, format: &'static str) -> ForeignCodec {
    ForeignCodec { codec, format }
}

static CODECS: [ForeignCodec; 43] = [
    named("wmav1", "WMA"),
    named("wmav2", "WMA"),
    named("wmapro", "WMA"),
    named("wmalossless", "WMA"),
    named("wmavoice", "WMA"),
    named("wavpack", "WAVPACK"),
    named("ape", "APE"),
    named("musepack7", "MPC"),
    named("musepack8", "MPC"),
    named("tta", "TTA"),
    named("tak", "TAK"),
    named("shorten", "SHORTEN"),
    named("dsd_lsbf", "DSD"),
    named("dsd_msbf", "DSD"),
    named("dsd_lsbf_planar", "DSD"),
    named("dsd_msbf_planar", "DSD"),
    named("dst", "DSD"),
    named("speex", "SPEEX"),
    named("ac3", "AC3"),
    named("eac3", "EAC3"),
    named("ac4", "AC4"),
    named("dts", "DTS"),
    named("truehd", "TRUEHD"),
    named("mlp", "MLP"),
    named("aac", "AAC"),
    named("aac_latm", "AAC"),
    named("vorbis", "OGG"),
    named("opus", "OPUS"),
    named("mp3", "MP3"),
    named("mp2", "MP2"),
    named("mp1", "MP1"),
    named("flac", "FLAC"),
    named("alac", "ALAC"),
    named("mp4als", "ALS"),
    named("amr_nb", "AMR"),
    named("amr_wb", "AMR"),
    named("cook", "REALAUDIO"),
    named("sipr", "REALAUDIO"),
    named("ra_144", "REALAUDIO"),
    named("ra_288", "REALAUDIO"),
    named("atrac3", "ATRAC"),
    named("nellymoser", "NELLYMOSER"),
    named("gsm_ms", "GSM"),
];

static PCM: ForeignCodec = named("pcm", "PCM");
static ADPCM: ForeignCodec = named("adpcm", "ADPCM");
static OTHER: ForeignCodec = named("other", "OTHER");

/// The codec of this name.
pub(super) fn of(name: &str) -> &'static ForeignCodec {
    if name.starts_with("adpcm_") {
        return &ADPCM;
    }
    if name.starts_with("pcm_") {
        return &PCM;
    }
    CODECS
        .iter()
        .find(|known| known.codec == name)
        .unwrap_or(&OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_one_name() {
        assert_eq!(of("adpcm_ima_qt").format, "ADPCM");
        assert_eq!(of("pcm_s16le").codec, "pcm");
        assert_eq!(of("wmav2").format, "WMA");
        assert_eq!(of("hearsay").codec, "other");
    }
}
