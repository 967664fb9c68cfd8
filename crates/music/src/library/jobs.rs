//! Jobs that a server was asked for: written when they are asked for, begin and end, so that they outlive it.

use sqlite::{Db, Row, RowResult, params};

use crate::error::Result;

/// A job as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptJob {
    /// Its id, a UUID.
    pub id: String,
    /// Its folder in the library; empty for the root folder.
    pub folder: String,
    /// `waiting`, `running`, `completed`, `cancelled` or `failed`.
    pub state: String,
    /// When it was asked for, UTC, RFC 3339.
    pub started_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// How it ended, as JSON; as long as it has not, the terms that it was asked for with.
    pub report: Option<String>,
}

/// Writes down that a job was asked for, and with what terms; with `is_running` it begins at once, else it waits.
///
/// # Errors
///
/// When the database cannot be written.
pub fn add(
    db: &Db,
    id: &str,
    folder: &str,
    asked_at: &str,
    terms: Option<String>,
    is_running: bool,
) -> Result<()> {
    let (id, folder, at) = (id.to_owned(), folder.to_owned(), asked_at.to_owned());
    let state = if is_running { "running" } else { "waiting" };
    db.try_write("add job", move |tx| -> Result<()> {
        tx.execute(
            "INSERT INTO accession_jobs (job_id, folder, state, started_at, report) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, folder, state, at, terms],
        )?;
        Ok(())
    })
}

/// Writes down that a job begins that waited; one that runs already stays as it is.
///
/// # Errors
///
/// When the database cannot be written.
pub fn begin(db: &Db, id: &str) -> Result<()> {
    let id = id.to_owned();
    db.try_write("begin job", move |tx| -> Result<()> {
        tx.execute(
            "UPDATE accession_jobs SET state = 'running' WHERE job_id = ?1 AND state = 'waiting'",
            params![id],
        )?;
        Ok(())
    })
}

/// The jobs that have not ended: first what was under way, then what waits in the order in which it was asked for.
///
/// # Errors
///
/// When the database cannot be read.
pub fn unended(db: &Db) -> Result<Vec<KeptJob>> {
    db.read(|snapshot| {
        Ok(snapshot.query_all(
            "SELECT job_id, folder, state, started_at, ended_at, report FROM accession_jobs \
             WHERE state IN ('running', 'waiting') ORDER BY state <> 'running', started_at, rowid",
            params![],
            kept,
        )?)
    })
}

/// The last `count` jobs that have ended, the first of them first.
///
/// # Errors
///
/// When the database cannot be read.
pub fn ended(db: &Db, count: u32) -> Result<Vec<KeptJob>> {
    let mut jobs = db.read(|snapshot| {
        snapshot.query_all(
            "SELECT job_id, folder, state, started_at, ended_at, report FROM accession_jobs \
             WHERE state NOT IN ('running', 'waiting') ORDER BY started_at DESC, rowid DESC LIMIT ?1",
            params![count],
            kept,
        )
    })?;
    jobs.reverse();
    Ok(jobs)
}

/// A file that an import could not take in, as its row in `import_sessions` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptProblem {
    /// The file.
    pub path: String,
    /// WKMP's word for the stage it failed at, such as `DECODE_ERROR`.
    pub code: String,
    /// The reason.
    pub reason: String,
}

/// The files that an import could not take in, as far as they are kept with it.
///
/// # Errors
///
/// When the database cannot be read.
pub fn problems(db: &Db, id: &str) -> Result<Vec<KeptProblem>> {
    Ok(db.read(|snapshot| {
        snapshot.query_all(
            "SELECT coalesce(e.value ->> 'file_path', ''), coalesce(e.value ->> 'error_code', ''), \
                    coalesce(e.value ->> 'error_message', '') \
             FROM import_sessions s, json_each(s.errors) e WHERE s.session_id = ?1 AND json_valid(s.errors)",
            params![id],
            |row| {
                Ok(KeptProblem {
                    path: row.get(0)?,
                    code: row.get(1)?,
                    reason: row.get(2)?,
                })
            },
        )
    })?)
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
        let at = |day| format!("2026-01-0{day}T00:00:00Z");
        add(library.db(), "a", "", &at(1), None, true).unwrap();
        add(library.db(), "b", "Tides", &at(2), None, false).unwrap();
        add(library.db(), "c", "Sand", &at(3), None, false).unwrap();
        add(library.db(), "d", "Wind", &at(4), None, false).unwrap();
        end(library.db(), "a", "completed", &at(4), "{}").unwrap();
        begin(library.db(), "c").unwrap();
        drop(library);
        let library = Library::open(&path, folder.path()).unwrap();
        let jobs = latest(library.db(), 10).unwrap();
        let states: Vec<_> = jobs
            .iter()
            .map(|job| (job.id.as_str(), job.state.as_str(), job.folder.as_str()))
            .collect();
        assert_eq!(
            states,
            [
                ("d", "waiting", "Wind"),
                ("c", "running", "Sand"),
                ("b", "waiting", "Tides"),
                ("a", "completed", ""),
            ]
        );
        let left = unended(library.db()).unwrap();
        let ids: Vec<_> = left.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, ["c", "b", "d"]);
        assert_eq!(latest(library.db(), 1).unwrap().len(), 1);
    }

    #[test]
    fn jobs_of_a_library_in_which_none_could_wait_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DATABASE);
        let old = include_str!("../../sql/jobs.sql").replace("'waiting', ", "");
        let schema = sqlite::Schema {
            component: "accession_jobs",
            version: 1,
            ddl: Box::leak(old.into_boxed_str()),
            columns: &[],
            migrations: &[],
            newer: sqlite::Newer::Refuse,
        };
        let before = sqlite::Options::new(&path).schema(schema).open().unwrap();
        add(&before, "a", "Tides", "2026-01-01T00:00:00Z", None, true).unwrap();
        assert!(add(&before, "b", "", "2026-01-01T00:00:00Z", None, false).is_err());
        before.close().unwrap();
        let library = Library::open(&path, folder.path()).unwrap();
        add(library.db(), "b", "", "2026-01-02T00:00:00Z", None, false).unwrap();
        let states: Vec<_> = unended(library.db())
            .unwrap()
            .into_iter()
            .map(|job| job.state)
            .collect();
        assert_eq!(states, ["running", "waiting"]);
    }
}
