//! What other programs keep about passages, such as plays and ratings: it stays with the sound when the row of one of its
//! files goes.

use sqlite::{Db, Snapshot, Tx, params};

use crate::error::Result;
use crate::id::FileId;
use audio::decode::AudioMd5;

/// Columns of other programs' tables with ids of passages: table and column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Belongings(Vec<(String, String)>);

/// The file that stands for the sound of the file `?1` once that has it no longer.
const HEIR: &str = "(SELECT h.file_id FROM accession_files h JOIN files f ON f.guid = h.file_id \
    WHERE h.file_id <> ?1 AND h.audio_md5 <> '' AND f.status <> 'DUPLICATE HASH' \
        AND h.audio_md5 = (SELECT audio_md5 FROM accession_files WHERE file_id = ?1) ORDER BY f.path LIMIT 1)";

/// What there is to be left when a file's row goes, or has the sound `now`; nothing where no other file has its sound.
///
/// # Errors
///
/// When the database cannot be read.
pub(crate) fn of(db: &Db, file: &FileId, now: Option<AudioMd5>) -> Result<Belongings> {
    db.read(|snapshot| {
        let has_heir = snapshot.query_optional(
            &format!(
                "SELECT 1 FROM accession_files WHERE file_id = ?1 AND audio_md5 IS NOT ?2 AND {HEIR} IS NOT NULL"
            ),
            params![file, now.map(|md5| md5.to_string())],
            |row| row.get::<_, i64>(0),
        )?;
        has_heir.map_or(Ok(Belongings::default()), |_| columns(snapshot))
    })
}

/// Every column of a table that is not ours and that names passages, by a reference or by its name.
fn columns(snapshot: &Snapshot<'_>) -> Result<Belongings> {
    let found = snapshot.query_all(
        "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE 'accession%' \
            AND t.name NOT IN ('passages', 'passage_songs', 'passage_albums', 'import_provenance') \
            AND (c.name IN ('passage_id', 'passage_guid') OR EXISTS (SELECT 1 FROM pragma_foreign_key_list(t.name) r \
                WHERE r.\"from\" = c.name AND r.\"table\" = 'passages' COLLATE NOCASE)) ORDER BY 1, 2",
        params![],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(Belongings(found))
}

impl Belongings {
    /// Gives what belongs to a file's passages to those of the other file of its sound that lie there, as long as it has
    /// both. What that has already, such as the same timeslot, goes with the row.
    pub(crate) fn leave(&self, tx: &Tx<'_>, file: &FileId) -> Result<()> {
        for (table, column) in &self.0 {
            let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
            let (table, column) = (quoted(table), quoted(column));
            let overlap = "min(o.end_time_ticks, q.end_time_ticks) - max(o.start_time_ticks, q.start_time_ticks)";
            let there = format!(
                "(SELECT q.guid FROM passages o JOIN passages q ON q.file_id = {HEIR} \
                  WHERE o.guid = {table}.{column} AND {overlap} > 0 ORDER BY {overlap} DESC, q.start_time_ticks LIMIT 1)"
            );
            tx.execute(
                &format!(
                    "UPDATE OR IGNORE {table} SET {column} = {there} \
                     WHERE {column} IN (SELECT guid FROM passages WHERE file_id = ?1) AND {there} IS NOT NULL"
                ),
                params![file],
            )?;
        }
        Ok(())
    }
}
