//! One passage, with all that is known of it.

use serde::Serialize;
use serde_json::Value;
use sqlite::types::FromSql;
use sqlite::{Db, Row, RowResult, Snapshot, params};

use super::Copy;
use crate::error::{Error, Result};
use crate::id::PassageId;
use crate::library::Library;
use crate::library::covers::{self, Cover};
use crate::library::edits;
use crate::library::values::FoundId;
use audio::Ticks;

/// Everything about one passage.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PassageDetails {
    /// Its id.
    pub id: PassageId,
    /// The path of its file.
    pub path: String,
    /// Where it starts in the file, in ticks.
    #[cfg_attr(feature = "schema", schema(value_type = i64))]
    pub start_ticks: Ticks,
    /// Where it ends in the file, in ticks.
    #[cfg_attr(feature = "schema", schema(value_type = i64))]
    pub end_ticks: Ticks,
    /// Where it starts, in seconds.
    pub start_seconds: f64,
    /// Where it ends, in seconds.
    pub end_seconds: f64,
    /// Its title.
    pub title: Option<String>,
    /// Its artist.
    pub artist: Option<String>,
    /// Its album.
    pub album: Option<String>,
    /// MusicBrainz recording id.
    pub recording_mbid: Option<String>,
    /// Ids that other programs found, as `music adopt` took them over; only where one passage is asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub found_ids: Vec<FoundId>,
    /// A person said that it is no song that is known; only where one passage or its file is asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_no_song: bool,
    /// Its status, in WKMP's words.
    pub status: Option<String>,
    /// Its Chromaprint fingerprint, as fpcalc prints it.
    pub fingerprint: Option<String>,
    /// Until here in the file the passage before may sound, in seconds.
    pub lead_in_seconds: Option<f64>,
    /// From here in the file on the next passage may sound, in seconds.
    pub lead_out_seconds: Option<f64>,
    /// Where a fade in the music itself has come to its end, in seconds in the file.
    pub fade_in_seconds: Option<f64>,
    /// Where a fade in the music itself begins, in seconds in the file.
    pub fade_out_seconds: Option<f64>,
    /// Integrated loudness by EBU R128, in LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range, in LU.
    pub range_lu: Option<f64>,
    /// True peak, in dBTP.
    pub true_peak_dbtp: Option<f64>,
    /// ReplayGain of the track as the file's own tags have it, in dB, where the passage is the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tagged_gain_db: Option<f64>,
    /// What was measured of it; only where one passage is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub flavor: Option<audio::flavor::Flavor>,
    /// Leads by the practice of radio, whichever rule counts; only where one passage is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autocue: Option<Autocue>,
    /// What overlaps with its neighbours gets louder than half of full scale, so that two such may clip; only where one
    /// passage is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap_may_clip: Option<bool>,
    /// The front of its album; only where one passage is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cover: Option<Cover>,
}

/// Where the loudness of a passage is 8 LU below that of the whole, as Liquidsoap's autocue has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Autocue {
    /// Until here in the file the passage before may sound, in seconds.
    pub lead_in_seconds: f64,
    /// From here in the file on the next passage may sound, in seconds.
    pub lead_out_seconds: f64,
}

pub(super) const PASSAGE: &str = "SELECT p.guid, f.path, p.start_time_ticks, p.end_time_ticks, coalesce(p.user_title, p.title), \
                              p.artist, p.album, p.recording_mbid, p.status, fp.fingerprint, \
                              p.lead_in_start_ticks, p.lead_out_start_ticks, p.fade_in_start_ticks, \
                              p.fade_out_start_ticks, s.integrated_lufs, s.range_lu, s.true_peak_dbtp, \
                              CASE WHEN json_valid(p.import_metadata) THEN \
                                json_extract(p.import_metadata, '$.replaygain_tags.track_gain_db') END, s.flavor, p.import_metadata \
                       FROM passages p JOIN files f ON f.guid = p.file_id \
                       LEFT JOIN accession_fingerprints fp ON fp.passage_id = p.guid \
                       LEFT JOIN accession_sounds s ON s.passage_id = p.guid ";

pub(super) fn passage_details(row: &Row<'_>) -> RowResult<PassageDetails> {
    let (start, end) = (Ticks(row.get(2)?), Ticks(row.get(3)?));
    Ok(PassageDetails {
        id: row.get(0)?,
        path: row.get(1)?,
        start_ticks: start,
        end_ticks: end,
        start_seconds: start.seconds(),
        end_seconds: end.seconds(),
        title: if_readable(row, 4)?,
        artist: if_readable(row, 5)?,
        album: if_readable(row, 6)?,
        recording_mbid: if_readable(row, 7)?,
        found_ids: Vec::new(),
        is_no_song: false,
        status: if_readable(row, 8)?,
        fingerprint: if_readable(row, 9)?,
        lead_in_seconds: seconds(row, 10)?,
        lead_out_seconds: seconds(row, 11)?,
        fade_in_seconds: seconds(row, 12)?,
        fade_out_seconds: seconds(row, 13)?,
        integrated_lufs: if_readable(row, 14)?,
        range_lu: if_readable(row, 15)?,
        true_peak_dbtp: if_readable(row, 16)?,
        tagged_gain_db: if_readable(row, 17)?,
        flavor: None,
        autocue: None,
        overlap_may_clip: None,
        cover: None,
    })
}

pub(super) fn seconds(row: &Row<'_>, at: usize) -> RowResult<Option<f64>> {
    let ticks: Option<i64> = if_readable(row, at)?;
    Ok(ticks.map(|ticks| Ticks(ticks).seconds()))
}

/// A value that may be missing, and is as good as missing if another program stored something of another type.
pub(crate) fn if_readable<T: FromSql>(row: &Row<'_>, at: usize) -> RowResult<Option<T>> {
    Ok(Option::<T>::column_result(row.get_ref(at)?).unwrap_or_default())
}

/// Every passage with what was measured of it, as [`each_passage`] but for its cover.
///
/// # Errors
///
/// When the database cannot be read, or `each` fails.
pub fn each_described(
    library: &Library,
    each: impl FnMut(PassageDetails) -> Result<()>,
) -> Result<u64> {
    each_row(library, with_flavor, each)
}

fn with_flavor(row: &Row<'_>) -> RowResult<PassageDetails> {
    let flavor: Option<String> = if_readable(row, 18)?;
    let measured: Option<String> = if_readable(row, 19)?;
    let measured: Value = measured
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let details = passage_details(row)?;
    let seconds = |name: &str| measured["autocue"][name].as_f64();
    Ok(PassageDetails {
        flavor: flavor.and_then(|text| serde_json::from_str(&text).ok()),
        autocue: seconds("lead_in_s")
            .zip(seconds("lead_out_s"))
            .map(|(lead_in, lead_out)| Autocue {
                lead_in_seconds: details.start_seconds + lead_in,
                lead_out_seconds: details.end_seconds - lead_out,
            }),
        overlap_may_clip: measured["overlap"]["may_clip"].as_bool(),
        ..details
    })
}

pub(crate) fn passage(db: &Db, id: &str) -> Result<PassageDetails> {
    let (found, is_no_song, found_ids) = db.read(|snapshot| {
        let found: PassageDetails = snapshot.query_row(
            &format!("{PASSAGE} WHERE p.guid = ?1"),
            params![id],
            with_flavor,
        )?;
        let no_songs = no_songs(snapshot, "?1", id)?;
        let file = snapshot.query_row(
            "SELECT file_id FROM passages WHERE guid = ?1",
            params![id],
            |row| row.get(0),
        )?;
        let evidence = edits::evidence_of(snapshot, &file)?;
        let ids = FoundId::of(&evidence, found.start_ticks, found.end_ticks);
        Ok::<_, Error>((found, !no_songs.is_empty(), ids))
    })?;
    Ok(PassageDetails {
        found_ids,
        cover: covers::of_passage(db, id)?,
        is_no_song,
        ..found
    })
}

/// Those of some passages of which a person said that they are no songs; `passages` selects their ids by `id`.
pub(super) fn no_songs(
    snapshot: &Snapshot<'_>,
    passages: &str,
    id: &str,
) -> Result<Vec<PassageId>, sqlite::Error> {
    snapshot.query_all(
        &format!(
            "SELECT passage_id FROM accession_identifications WHERE passage_id IN ({passages}) AND state = 'rejected'"
        ),
        params![id],
        |row| row.get(0),
    )
}

/// Every passage that goes out, in the order of paths and positions, one at a time; returns how many have a position or a
/// path that is none, and were left out. Where the settings say so, files whose audio another one has, too, do not go
/// out.
///
/// # Errors
///
/// When the database cannot be read, or `each` fails.
pub fn each_passage(
    library: &Library,
    each: impl FnMut(PassageDetails) -> Result<()>,
) -> Result<u64> {
    each_row(library, passage_details, each)
}

/// Of a row of `files`: whether its audio is that of another file that goes before it. The one about which a person said
/// something goes first, as in a bundle for Vaino, then the order of paths.
fn repeats_audio(file: &str) -> String {
    let said = |file: &str| {
        format!(
            "EXISTS (SELECT 1 FROM accession_edits e WHERE e.file_id = {file}.guid AND e.undone_at IS NULL AND NOT {})",
            edits::is_evidence("e")
        )
    };
    format!(
        "EXISTS (SELECT 1 FROM accession_files own JOIN accession_files theirs ON theirs.audio_md5 = own.audio_md5 \
            JOIN files other ON other.guid = theirs.file_id AND other.status <> 'DUPLICATE HASH' \
         WHERE own.file_id = {file}.guid AND own.audio_md5 <> '' AND other.guid <> {file}.guid \
            AND ({}, {file}.path) > ({}, other.path))",
        format_args!("NOT {}", said(file)),
        format_args!("NOT {}", said("other")),
    )
}

/// Whether a passage lies in a file whose audio is that of another one that goes before it, or of the file of the passage
/// `own`.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn is_of_a_duplicate(db: &Db, own: &PassageId, other: &str) -> Result<bool> {
    db.read(|snapshot| {
        let found = snapshot.query_optional(
            &format!(
                "SELECT {} OR EXISTS (SELECT 1 FROM passages p JOIN accession_files a ON a.file_id = p.file_id \
                    JOIN accession_files b ON b.audio_md5 = a.audio_md5 AND b.audio_md5 <> '' \
                    WHERE p.guid = ?1 AND b.file_id = f.guid AND f.guid <> p.file_id) \
                 FROM passages o JOIN files f ON f.guid = o.file_id WHERE o.guid = ?2",
                repeats_audio("f")
            ),
            params![own, other],
            |row| row.get(0),
        )?;
        Ok(found.unwrap_or(false))
    })
}

/// Files with the audio of another one and other tags, each with the one that goes before it.
pub(super) fn of_same_audio(snapshot: &Snapshot<'_>) -> Result<Vec<Copy>, sqlite::Error> {
    snapshot.query_all(
        &format!(
            "SELECT f.path, (SELECT o.path FROM accession_files a JOIN files o ON o.guid = a.file_id \
                 AND o.status <> 'DUPLICATE HASH' \
                WHERE a.audio_md5 = (SELECT audio_md5 FROM accession_files WHERE file_id = f.guid) \
                    AND NOT {} LIMIT 1) \
             FROM files f WHERE f.status <> 'DUPLICATE HASH' AND f.guid IN (SELECT file_id FROM accession_files \
                WHERE audio_md5 IN (SELECT audio_md5 FROM accession_files WHERE audio_md5 <> '' GROUP BY 1 \
                    HAVING count(*) > 1)) AND {} ORDER BY 1",
            repeats_audio("o"),
            repeats_audio("f")
        ),
        params![],
        |row| {
            Ok(Copy {
                path: row.get(0)?,
                original: row.get(1)?,
            })
        },
    )
}

fn each_row(
    library: &Library,
    details: fn(&Row<'_>) -> RowResult<PassageDetails>,
    mut each: impl FnMut(PassageDetails) -> Result<()>,
) -> Result<u64> {
    let mut unreadable = 0;
    let which = if library.settings().same_audio_once {
        format!("WHERE NOT {}", repeats_audio("f"))
    } else {
        String::new()
    };
    library
        .db()
        .read(|snapshot| {
            let sql = format!("{PASSAGE} {which} ORDER BY f.path, p.start_time_ticks");
            snapshot.query_each(&sql, params![], |row| {
                if let Ok(passage) = details(row) {
                    return each(passage);
                }
                unreadable += 1;
                Ok(())
            })
        })
        .map(|()| unreadable)
}
