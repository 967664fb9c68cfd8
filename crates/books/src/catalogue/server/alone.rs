//! A command that nobody else may run on the same run at the same time, on whatever machine.
//!
//! Its claim is a row among those of books. Every unit of the command proves that the claim is still its own and makes it
//! last longer; so one that was believed dead, and was not, records nothing after another one has begun.

use super::link::Transaction;
use crate::error::Error;

/// Seconds for which a process may record nothing before another one on another machine may take its place. A guess:
/// longer than GRIN takes for a page, and short enough to wait for after a machine has died.
const LEASE: i64 = 300;

/// Takes the run; whether nobody else has it.
pub(super) fn take(tx: &Transaction<'_>, me: &str, place: &str) -> Result<bool, Error> {
    let mine = format!("{} %", place.replace(['\\', '%', '_'], "_"));
    let taken = tx.execute(
        "INSERT INTO accession_work (queue, barcode, owner, claimed_at, lease_until)
         VALUES ('command', 'alone', ?1, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP + CAST(?2 AS BIGINT) * INTERVAL '1 second')
         ON CONFLICT (queue, barcode) DO UPDATE SET owner = excluded.owner, claimed_at = excluded.claimed_at,
             lease_until = excluded.lease_until
         WHERE accession_work.lease_until < CURRENT_TIMESTAMP OR accession_work.owner LIKE ?3",
        &[me.into(), LEASE.into(), (&mine).into()],
    )?;
    Ok(taken == 1)
}

/// Proves that nobody has taken it meanwhile.
pub(super) fn confirm(tx: &Transaction<'_>, me: &str) -> Result<(), Error> {
    let still = tx.execute(
        "UPDATE accession_work SET lease_until = CURRENT_TIMESTAMP + CAST(?2 AS BIGINT) * INTERVAL '1 second'
         WHERE queue = 'command' AND barcode = 'alone' AND owner = ?1",
        &[me.into(), LEASE.into()],
    )?;
    if still == 1 {
        Ok(())
    } else {
        Err(Error::TakenOver)
    }
}

pub(super) fn leave(tx: &Transaction<'_>, me: &str) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM accession_work WHERE queue = 'command' AND owner = ?1",
        &[me.into()],
    )?;
    Ok(())
}
