//! Reads other programs' databases for what a person, or a service, said there about files that we may know.

use std::path::Path;

use audio::Ticks;
use sqlite::{Db, Row, RowResult, Snapshot, params};

use crate::error::{Error, Result};
use crate::library::edits::Place;

/// Ticks in a millisecond.
pub(crate) const MILLISECOND: i64 = 28_224;

/// Whose database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A library in the WKMP schema.
    Wkmp,
    /// A database of Vaino.
    Vaino,
    /// A library of beets.
    Beets,
}

impl Origin {
    /// As in the source of an edit.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Wkmp => "wkmp",
            Self::Vaino => "vaino",
            Self::Beets => "beets",
        }
    }
}

/// A file of theirs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TheirFile {
    pub(crate) path: String,
    pub(crate) audio_md5: Option<String>,
    pub(crate) hash: Option<String>,
    pub(crate) length: Option<Ticks>,
    pub(crate) passages: Vec<TheirPassage>,
}

/// What they say of a passage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TheirPassage {
    pub(crate) start: Ticks,
    /// None for the end of the file.
    pub(crate) end: Option<Ticks>,
    /// A person set its bounds.
    pub(crate) is_manual: bool,
    /// Points set with bounds by a person.
    pub(crate) lead_in: Option<Ticks>,
    pub(crate) lead_out: Option<Ticks>,
    /// A title that a person gave.
    pub(crate) title: Option<String>,
    /// The recording, and whose word that is.
    pub(crate) recording: Option<(String, String)>,
}

/// A file of ours to compare with.
#[derive(Debug, Clone)]
pub(crate) struct OurFile {
    /// Where all of it lies.
    pub(crate) place: Place,
    pub(crate) audio_md5: Option<String>,
    pub(crate) hash: String,
    pub(crate) length: Option<Ticks>,
    /// Bounds of each passage, and the recording it is known as.
    pub(crate) passages: Vec<(Ticks, Ticks, Option<String>)>,
}

/// Whose database it is, by its tables.
pub(crate) fn origin(db: &Db, path: &Path) -> Result<Origin> {
    db.read(|snapshot| {
        let has = |table, column| has_column(snapshot, table, column);
        if has("files", "audio_md5")? && has("passages", "boundary_src")? {
            Ok(Origin::Vaino)
        } else if has("files", "hash")? && has("passages", "start_time_ticks")? {
            Ok(Origin::Wkmp)
        } else if has("items", "mb_trackid")? && has("items", "path")? {
            Ok(Origin::Beets)
        } else {
            Err(Error::NotALibrary {
                path: path.to_owned(),
                reason: "expected the tables of WKMP, of Vaino or of beets".to_owned(),
            })
        }
    })
}

fn has_column(snapshot: &Snapshot<'_>, table: &str, column: &str) -> Result<bool, sqlite::Error> {
    snapshot.query_row(
        "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2",
        params![table, column],
        |row| row.get::<_, i64>(0).map(|found| found > 0),
    )
}

/// Everything they say, file by file.
pub(crate) fn theirs(db: &Db, origin: Origin) -> Result<Vec<TheirFile>> {
    db.read(|snapshot| match origin {
        Origin::Vaino => vaino(snapshot),
        Origin::Wkmp => wkmp(snapshot),
        Origin::Beets => beets(snapshot),
    })
}

fn vaino(snapshot: &Snapshot<'_>) -> Result<Vec<TheirFile>> {
    let files = snapshot.query_all(
        "SELECT file_id, path, audio_md5, duration_ms FROM files ORDER BY path",
        params![],
        |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get(1)?,
                row.get::<_, Option<String>>(2)?,
                row.get::<_, i64>(3)?,
            ))
        },
    )?;
    let mut all = Vec::new();
    for (id, path, audio_md5, length) in files {
        // Of the two passages of each recording that of the album has the full bounds. That of the radio is trimmed,
        // and the only one that has leads; it counts where a person made no album.
        let of_kind = |kind: &str| {
            snapshot.query_all(
                "SELECT start_ms, end_ms, boundary_src = 'manual', lead_in_ms, lead_out_ms, \
                    (SELECT mbid FROM passage_recordings r WHERE r.passage_id = p.passage_id \
                        ORDER BY weight DESC, mbid LIMIT 1), \
                    (SELECT source FROM passage_recordings r WHERE r.passage_id = p.passage_id \
                        ORDER BY weight DESC, mbid LIMIT 1) \
                 FROM passages p WHERE file_id = ?1 AND kind = ?2 ORDER BY start_ms",
                params![id, kind],
                vaino_passage,
            )
        };
        let (albums, radios) = (of_kind("album")?, of_kind("radio")?);
        let by_hand = |passages: &[TheirPassage]| passages.iter().any(|one| one.is_manual);
        let mut passages = if !albums.is_empty() && (by_hand(&albums) || !by_hand(&radios)) {
            albums
        } else {
            radios.clone()
        };
        for passage in &mut passages {
            let inside = |radio: &&TheirPassage| {
                radio.is_manual && radio.start >= passage.start && radio.end <= passage.end
            };
            let radio = radios.iter().find(inside).cloned();
            passage.lead_in = radio.as_ref().and_then(|radio| radio.lead_in);
            passage.lead_out = radio.as_ref().and_then(|radio| radio.lead_out);
        }
        all.push(TheirFile {
            path,
            audio_md5: audio_md5.as_deref().map(in_lower_case),
            hash: None,
            length: Some(Ticks(length.saturating_mul(MILLISECOND))),
            passages,
        });
    }
    Ok(all)
}

/// A digest in the one spelling that we have; others may write theirs in capitals.
fn in_lower_case(digest: &str) -> String {
    digest.to_lowercase()
}

fn vaino_passage(row: &Row<'_>) -> RowResult<TheirPassage> {
    let (start, end): (i64, i64) = (row.get(0)?, row.get(1)?);
    let at = |ms: i64| Ticks(ms.saturating_mul(MILLISECOND));
    let lead_in: Option<i64> = row.get(3)?;
    let lead_out: Option<i64> = row.get(4)?;
    let (mbid, source): (Option<String>, Option<String>) = (row.get(5)?, row.get(6)?);
    Ok(TheirPassage {
        start: at(start),
        end: Some(at(end)),
        is_manual: row.get(2)?,
        lead_in: lead_in.map(|ms| at(start.saturating_add(ms))),
        lead_out: lead_out.map(|ms| at(end.saturating_sub(ms))),
        title: None,
        // What is known to them alone is no id.
        recording: mbid.filter(|mbid| !mbid.starts_with("local:")).zip(source),
    })
}

fn wkmp(snapshot: &Snapshot<'_>) -> Result<Vec<TheirFile>> {
    let column = |table, name, otherwise: &'static str| {
        has_column(snapshot, table, name).map(|has| if has { name } else { otherwise })
    };
    let length = column("files", "duration_ticks", "NULL")?;
    let title = column("passages", "user_title", "NULL")?;
    let mbid = column("passages", "recording_mbid", "NULL")?;
    let source = column("passages", "mbid_source", "NULL")?;
    let mut files: Vec<(String, TheirFile)> = snapshot.query_all(
        &format!("SELECT guid, path, hash, {length} FROM files ORDER BY path"),
        params![],
        |row| {
            let file = TheirFile {
                path: row.get(1)?,
                audio_md5: None,
                hash: row
                    .get::<_, Option<String>>(2)?
                    .as_deref()
                    .map(in_lower_case),
                length: row.get::<_, Option<i64>>(3)?.map(Ticks),
                passages: Vec::new(),
            };
            Ok((row.get(0)?, file))
        },
    )?;
    for (id, file) in &mut files {
        file.passages = snapshot.query_all(
            &format!(
                "SELECT start_time_ticks, end_time_ticks, nullif(trim({title}), ''), nullif({mbid}, ''), \
                        coalesce({source}, 'wkmp-ai') FROM passages WHERE file_id = ?1 ORDER BY start_time_ticks"
            ),
            params![&*id],
            |row| {
                let mbid: Option<String> = row.get(3)?;
                Ok(TheirPassage {
                    start: Ticks(row.get(0)?),
                    end: Some(Ticks(row.get(1)?)),
                    is_manual: false,
                    lead_in: None,
                    lead_out: None,
                    title: row.get(2)?,
                    recording: mbid.zip(row.get(4)?),
                })
            },
        )?;
    }
    Ok(files.into_iter().map(|(_, file)| file).collect())
}

fn beets(snapshot: &Snapshot<'_>) -> Result<Vec<TheirFile>> {
    Ok(snapshot.query_all(
        "SELECT path, length, nullif(mb_trackid, '') FROM items ORDER BY id",
        params![],
        |row| {
            // Paths are bytes there, as the system has them.
            let path = match row.get::<_, sqlite::types::Value>(0)? {
                sqlite::types::Value::Blob(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                sqlite::types::Value::Text(text) => text,
                _ => String::new(),
            };
            let length: Option<f64> = row.get(1)?;
            let mbid: Option<String> = row.get(2)?;
            Ok(TheirFile {
                path,
                audio_md5: None,
                hash: None,
                length: length.map(Ticks::from_seconds),
                passages: vec![TheirPassage {
                    start: Ticks(0),
                    end: None,
                    is_manual: false,
                    lead_in: None,
                    lead_out: None,
                    title: None,
                    recording: mbid.map(|mbid| (mbid, "mb_trackid".to_owned())),
                }],
            })
        },
    )?)
}

/// All files of ours that were taken in.
pub(crate) fn ours(db: &Db) -> Result<Vec<OurFile>> {
    db.read(|snapshot| {
        let mut files: Vec<OurFile> = snapshot.query_all(
            "SELECT f.guid, f.path, coalesce(nullif(a.audio_md5, ''), f.hash), nullif(a.audio_md5, ''), f.hash, \
                    f.duration_ticks FROM files f LEFT JOIN accession_files a ON a.file_id = f.guid \
             WHERE f.status = 'INGEST COMPLETE' ORDER BY f.path",
            params![],
            |row| {
                let length = row.get::<_, Option<i64>>(5)?.map(Ticks);
                Ok(OurFile {
                    place: Place {
                        file: row.get(0)?,
                        path: row.get(1)?,
                        sound: row.get(2)?,
                        start: Ticks(0),
                        end: length.unwrap_or_default(),
                    },
                    audio_md5: row.get(3)?,
                    hash: row.get(4)?,
                    length,
                    passages: Vec::new(),
                })
            },
        )?;
        for file in &mut files {
            file.passages = snapshot.query_all(
                "SELECT start_time_ticks, end_time_ticks, recording_mbid FROM passages WHERE file_id = ?1 \
                 ORDER BY start_time_ticks",
                params![file.place.file],
                |row| Ok((Ticks(row.get(0)?), Ticks(row.get(1)?), row.get(2)?)),
            )?;
        }
        Ok(files)
    })
}
