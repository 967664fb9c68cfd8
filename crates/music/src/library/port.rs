//! Where the ingest service listens, as WKMP's `module_config` has it for everyone who looks for it.

use sqlite::{Db, params};

use crate::error::Result;

/// The port that was good the last time.
///
/// # Errors
///
/// When the database cannot be read.
pub fn last(db: &Db) -> Result<Option<u16>> {
    db.read(|snapshot| {
        Ok(snapshot.query_optional(
            "SELECT port FROM module_config WHERE module_name = 'audio_ingest'",
            params![],
            |row| row.get(0),
        )?)
    })
}

/// Tells everyone where the service listens now; nothing is written where that is known.
///
/// # Errors
///
/// When the database cannot be written.
pub fn tell(db: &Db, host: &str, port: u16) -> Result<()> {
    let known: Option<(String, u16)> = db
        .read(|snapshot| {
            snapshot.query_optional(
                "SELECT host, port FROM module_config WHERE module_name = 'audio_ingest'",
                params![],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        })
        .map_err(|error: sqlite::Error| error)?;
    if known == Some((host.to_owned(), port)) {
        return Ok(());
    }
    let host = host.to_owned();
    db.try_write("tell port", move |tx| -> Result<()> {
        tx.execute(
            "INSERT INTO module_config (module_name, host, port) VALUES ('audio_ingest', ?1, ?2) \
             ON CONFLICT (module_name) DO UPDATE SET host = excluded.host, port = excluded.port, \
             updated_at = CURRENT_TIMESTAMP",
            params![host, port],
        )?;
        Ok(())
    })
}
