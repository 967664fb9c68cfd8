//! Under which names formats keep the same thing.
//!
//! The names are those of `MusicBrainz` Picard's table of tag mappings
//! (<https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html>); what Picard, mutagen and ffprobe
//! call them stands in `docs/tags.md`. Names of text-keyed formats are compared without case, blanks,
//! hyphens and underscores: `MusicBrainz Album Id` of ID3 is `MUSICBRAINZ_ALBUMID` of Vorbis.

/// What a field of a tag says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    Title,
    Artist,
    /// Whom another field calls the author: asked where there is no artist.
    Author,
    /// A list of single artists beside the one line of `Artist`.
    Artists,
    Album,
    AlbumArtist,
    /// The same under names that other programs use: asked where there is none under the usual one.
    Band,
    AlbumArtists,
    Composer,
    /// Conductors, orchestras and ensembles.
    Performer,
    /// What stands below the title, such as its version.
    Subtitle,
    Genre,
    Track,
    TrackTotal,
    Disc,
    DiscTotal,
    /// Year or date of the recording or of this release.
    Date,
    /// When it was first released: asked last.
    OriginalDate,
    Isrc,
    RecordingMbid,
    TrackMbid,
    ReleaseMbid,
    ReleaseGroupMbid,
    ArtistMbid,
    WorkMbid,
    TrackGain,
    TrackPeak,
    AlbumGain,
    AlbumPeak,
    R128TrackGain,
    R128AlbumGain,
    CueSheet,
    /// `CHAPTER001`: where a chapter begins.
    ChapterStart(u32),
    ChapterTitle(u32),
    ChapterPerformer(u32),
}

/// The name behind a key of Vorbis comments, APE, user text of ID3 and MP4, and ffprobe.
pub(crate) fn of_key(key: &str) -> Option<Name> {
    // Windows Media counts `WM/Track` from zero; `WM/TrackNumber` is the one that is meant.
    if key.eq_ignore_ascii_case("WM/Track") {
        return None;
    }
    let is_in_words = key.contains([' ', '_']);
    let key: String = key
        .strip_prefix("WM/")
        .unwrap_or(key)
        .chars()
        .filter(|letter| !matches!(letter, ' ' | '_' | '-' | '.' | '/'))
        .map(|letter| letter.to_ascii_uppercase())
        .take(64)
        .collect();
    if let Some(name) = chapter(&key) {
        return Some(name);
    }
    Some(match key.as_str() {
        "TITLE" => Name::Title,
        "ARTIST" => Name::Artist,
        "AUTHOR" => Name::Author,
        "ARTISTS" => Name::Artists,
        "ALBUM" | "ALBUMTITLE" => Name::Album,
        // Programs that write the name in two words do not change what others wrote in one.
        "ALBUMARTIST" if is_in_words => Name::Band,
        "ALBUMARTIST" => Name::AlbumArtist,
        "BAND" => Name::Band,
        "ALBUMARTISTS" => Name::AlbumArtists,
        "COMPOSER" => Name::Composer,
        "CONDUCTOR" | "ORCHESTRA" | "ENSEMBLE" => Name::Performer,
        "SUBTITLE" | "VERSION" => Name::Subtitle,
        "GENRE" => Name::Genre,
        "TRACK" | "TRACKNUMBER" | "TRACKNUM" | "PARTNUMBER" => Name::Track,
        "TRACKTOTAL" | "TOTALTRACKS" | "TRACKC" => Name::TrackTotal,
        "DISC" | "DISCNUMBER" | "DISK" | "DISCNUM" | "PARTOFSET" => Name::Disc,
        "DISCTOTAL" | "TOTALDISCS" | "DISCC" => Name::DiscTotal,
        "DATE" | "YEAR" | "DATERELEASED" | "DATERECORDED" | "RECORDINGDATE" | "RELEASEDATE" => {
            Name::Date
        }
        "ORIGINALDATE" | "ORIGINALYEAR" | "ORIGYEAR" | "ORIGINALRELEASEYEAR" => Name::OriginalDate,
        "ISRC" => Name::Isrc,
        "MUSICBRAINZTRACKID" | "MUSICBRAINZRECORDINGID" => Name::RecordingMbid,
        "MUSICBRAINZRELEASETRACKID" => Name::TrackMbid,
        "MUSICBRAINZALBUMID" | "MUSICBRAINZRELEASEID" => Name::ReleaseMbid,
        "MUSICBRAINZRELEASEGROUPID" => Name::ReleaseGroupMbid,
        "MUSICBRAINZARTISTID" => Name::ArtistMbid,
        "MUSICBRAINZWORKID" => Name::WorkMbid,
        "REPLAYGAINTRACKGAIN" => Name::TrackGain,
        "REPLAYGAINTRACKPEAK" => Name::TrackPeak,
        "REPLAYGAINALBUMGAIN" => Name::AlbumGain,
        "REPLAYGAINALBUMPEAK" => Name::AlbumPeak,
        "R128TRACKGAIN" => Name::R128TrackGain,
        "R128ALBUMGAIN" => Name::R128AlbumGain,
        "CUESHEET" => Name::CueSheet,
        _ => return None,
    })
}

/// `CHAPTER001`, `CHAPTER001NAME`, `CHAPTER001PERFORMER` (Matroska's simple chapters, in Ogg and FLAC).
fn chapter(key: &str) -> Option<Name> {
    let rest = key.strip_prefix("CHAPTER")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = rest[..digits].parse().ok()?;
    match &rest[digits..] {
        "" => Some(Name::ChapterStart(number)),
        "NAME" | "TITLE" => Some(Name::ChapterTitle(number)),
        "PERFORMER" | "ARTIST" => Some(Name::ChapterPerformer(number)),
        _ => None,
    }
}

/// The name behind a frame of `ID3v2`, of four letters or (version 2.2) of three.
pub(super) fn of_frame(id: &[u8]) -> Option<Name> {
    Some(match id {
        b"TIT2" | b"TT2" => Name::Title,
        b"TPE1" | b"TP1" => Name::Artist,
        b"TALB" | b"TAL" => Name::Album,
        b"TPE2" | b"TP2" => Name::AlbumArtist,
        b"TCOM" | b"TCM" => Name::Composer,
        b"TPE3" | b"TP3" => Name::Performer,
        b"TIT3" | b"TT3" => Name::Subtitle,
        b"TCON" | b"TCO" => Name::Genre,
        b"TRCK" | b"TRK" => Name::Track,
        b"TPOS" | b"TPA" => Name::Disc,
        b"TYER" | b"TYE" | b"TDRC" | b"TDRL" | b"TRDA" | b"TRD" => Name::Date,
        b"TDOR" | b"TORY" | b"TOR" => Name::OriginalDate,
        b"TSRC" | b"TRC" => Name::Isrc,
        _ => return None,
    })
}

/// The name behind an item of iTunes' list, or of the older `QuickTime` and 3GPP user data.
pub(super) fn of_atom(kind: [u8; 4]) -> Option<Name> {
    Some(match &kind {
        b"\xa9nam" | b"titl" => Name::Title,
        b"\xa9ART" | b"perf" => Name::Artist,
        b"\xa9alb" | b"albm" => Name::Album,
        b"aART" => Name::AlbumArtist,
        b"\xa9wrt" | b"\xa9com" => Name::Composer,
        b"\xa9con" => Name::Performer,
        b"\xa9gen" => Name::Genre,
        b"trkn" => Name::Track,
        b"disk" => Name::Disc,
        b"\xa9day" | b"yrrc" => Name::Date,
        _ => return None,
    })
}

/// The name behind a chunk of RIFF's `INFO` list.
pub(super) fn of_info(id: [u8; 4]) -> Option<Name> {
    Some(match &id {
        b"INAM" | b"TITL" => Name::Title,
        b"IART" => Name::Artist,
        b"IPRD" | b"IALB" => Name::Album,
        b"IAAR" => Name::AlbumArtist,
        b"IMUS" | b"ICOM" => Name::Composer,
        b"ITRK" | b"IPRT" | b"TRCK" => Name::Track,
        b"IFRM" => Name::TrackTotal,
        b"ICRD" | b"YEAR" => Name::Date,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_without_case_and_separators() {
        for key in [
            "MusicBrainz Album Id",
            "MUSICBRAINZ_ALBUMID",
            "musicbrainz-albumid",
        ] {
            assert_eq!(of_key(key), Some(Name::ReleaseMbid), "{key}");
        }
        assert_eq!(of_key("AlbumArtist"), Some(Name::AlbumArtist));
        assert_eq!(of_key("album artist"), Some(Name::Band));
        assert_eq!(of_key("CHAPTER012NAME"), Some(Name::ChapterTitle(12)));
        assert_eq!(of_key("CHAPTERS"), None);
        assert_eq!(of_key("comment"), None);
    }
}
