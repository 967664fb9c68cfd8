//! Jobs that a server was asked for: written when they begin and when they end, so that they outlive it.

use sqlite::{Db, Row, RowResult, params};

use crate::error::Result;

/// A job as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptJob {
    /// Its id, a UUID.
    pub id: String,
    /// Its folder in the library; empty for the root folder.
    pub folder: String,
    /// `running`, `completed`, `cancelled` or `failed`.
    pub state: String,
    /// When it began, UTC, RFC 3339.
    pub started_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// How it ended, as JSON.
    pub report: Option<String>,
}

/// Writes down that a job begins.
///
/// # Errors
///
/// When the database cannot be written.
pub fn begin(db: &Db, id: &str, folder: &str, started_at: &str) -> Result<()> {
    let (id, folder, at) = (id.to_owned(), folder.to_owned(), started_at.to_owned());
    db.try_write("begin job", move |tx| -> Result<()> {
        tx.execute(
            "INSERT INTO accession_jobs (job_id, folder, state, started_at) VALUES (?1, ?2, 'running', ?3)",
            params![id, folder, at],
        )?;
        Ok(())
    })
}

/// Writes down how a job ended: `completed`, `cancelled` or `failed`.
///
/// # Errors
///
/// When the database cannot be written.
pub fn end(db: &Db, id: &str, state: &str, ended_at: &str, report: &str) -> Result<()> {
    let (id, state) = (id.to_owned(), state.to_owned());
    let (at, report) = (ended_at.to_owned(), report.to_owned());
    db.try_write("end job", move |tx| -> Result<()> {
        tx.execute(
            "UPDATE accession_jobs SET state = ?2, ended_at = ?3, report = ?4 WHERE job_id = ?1",
            params![id, state, at, report],
        )?;
        Ok(())
    })
}

/// The last `count` jobs, the latest first.
///
/// # Errors
///
/// When the database cannot be read.
pub fn latest(db: &Db, count: u32) -> Result<Vec<KeptJob>> {
    db.read(|snapshot| {
        Ok(snapshot.query_all(
            "SELECT job_id, folder, state, started_at, ended_at, report FROM accession_jobs \
             ORDER BY started_at DESC, rowid DESC LIMIT ?1",
            params![count],
            kept,
        )?)
    })
}

fn kept(row: &Row<'_>) -> RowResult<KeptJob> {
    Ok(KeptJob {
        id: row.get(0)?,
        folder: row.get(1)?,
        state: row.get(2)?,
        started_at: row.get(3)?,
        ended_at: row.get(4)?,
        report: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use crate::library::{DATABASE, Library};

    use super::*;

    #[test]
    fn a_job_that_did_not_end_is_still_running_in_the_next_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DATABASE);
        let library = Library::open(&path, folder.path()).unwrap();
        begin(library.db(), "a", "", "2026-01-01T00:00:00Z").unwrap();
        begin(library.db(), "b", "Tides", "2026-01-02T00:00:00Z").unwrap();
        end(library.db(), "a", "completed", "2026-01-01T00:00:09Z", "{}").unwrap();
        drop(library);
        let library = Library::open(&path, folder.path()).unwrap();
        let jobs = latest(library.db(), 10).unwrap();
        let states: Vec<_> = jobs
            .iter()
            .map(|job| (job.id.as_str(), job.state.as_str(), job.folder.as_str()))
            .collect();
        assert_eq!(states, [("b", "running", "Tides"), ("a", "completed", "")]);
        assert_eq!(latest(library.db(), 1).unwrap().len(), 1);
    }
}
