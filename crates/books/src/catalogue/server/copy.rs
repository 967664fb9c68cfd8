//! Many rows at once: by COPY straight into their table as long as none of them is there already, as when a collection
//! is taken in for the first time; else by COPY into a temporary table, and from there by one statement.

use std::collections::{HashMap, HashSet};
use std::pin::pin;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt;
use pollster::block_on;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type};

use super::link::Transaction;
use crate::catalogue::store::Conflict;
use crate::catalogue::value::Value;
use crate::error::Error;

/// Fewer rows than this go as values of one statement: what COPY needs around it takes as long as some ten statements.
const FEW: usize = 16;

impl Transaction<'_> {
    /// Inserts many rows, with the effect of inserting them one after the other; rows inserted or updated.
    pub(crate) fn insert_rows<'v, R: AsRef<[Value<'v>]>>(
        &self,
        table: &'static str,
        columns: &[&'static str],
        conflict: Option<Conflict>,
        rows: impl Iterator<Item = R>,
    ) -> Result<u64, Error> {
        let rows: Vec<R> = rows.collect();
        let names = columns.join(", ");
        let clause = conflict.map(Conflict::clause).unwrap_or_default();
        let rounds = conflict.map_or_else(
            || (vec![0; rows.len()], 1),
            |conflict| rounds(columns, conflict, &rows),
        );
        if rows.is_empty() {
            return Ok(0);
        }
        if rows.len() < FEW && rounds.1 == 1 {
            let places = places(rows.len(), columns.len());
            let sql = format!("INSERT INTO {table} ({names}) VALUES {places} {clause}");
            let values: Vec<Value<'_>> = rows.iter().flat_map(R::as_ref).copied().collect();
            return self.execute(&sql, &values);
        }
        if rounds.1 == 1
            && let Some(inserted) = self.insert_straight(table, columns, conflict, &rows)?
        {
            return Ok(inserted);
        }
        self.stage(table, &names)?;
        let staged = format!("staged_{table}");
        let with_place = format!("{names}, accession_place, accession_round");
        let rows = rows.iter().zip(&rounds.0).enumerate();
        let rows = rows.map(|(place, (row, round))| {
            let added = [Value::from(place as u64), Value::from(*round)];
            row.as_ref().iter().copied().chain(added)
        });
        self.copy(&staged, &with_place, rows)?;
        // Rows of one key are meant to meet each other, and one statement would refuse to touch a row twice.
        let sql = format!(
            "INSERT INTO {table} ({names}) SELECT {names} FROM staged_{table} WHERE accession_round = ?1
             ORDER BY accession_place {clause}"
        );
        let mut inserted = 0;
        for round in 0..rounds.1 {
            inserted += self.execute(&sql, &[round.into()])?;
        }
        Ok(inserted)
    }

    /// Makes sure that there is an empty temporary table of such rows. It is emptied by each commit.
    fn stage(&self, table: &'static str, names: &str) -> Result<(), Error> {
        if !self.open.staged.borrow().contains(table) {
            self.open.run(&format!(
                "CREATE TEMPORARY TABLE IF NOT EXISTS staged_{table} ON COMMIT DELETE ROWS AS SELECT {names},
                     CAST(0 AS BIGINT) AS accession_place, CAST(0 AS BIGINT) AS accession_round FROM {table} WITH NO DATA"
            ))?;
            self.open.staged.borrow_mut().insert(table);
        }
        if !self.filled.borrow_mut().insert(table) {
            self.open.run(&format!("DELETE FROM staged_{table}"))?;
        }
        Ok(())
    }

    /// Inserts rows without looking whether they are there; `None`, and nothing is changed, where that cannot be or is not
    /// worth trying. What the rows before ended with is looked for: pages of a list overlap by a book.
    fn insert_straight<'v, R: AsRef<[Value<'v>]>>(
        &self,
        table: &'static str,
        columns: &[&'static str],
        conflict: Option<Conflict>,
        rows: &[R],
    ) -> Result<Option<u64>, Error> {
        let names = columns.join(", ");
        let Some(conflict) = conflict else {
            return Ok(None);
        };
        let key = |row: &R| {
            let columns = columns.iter().zip(row.as_ref());
            let of_key: Vec<_> = columns
                .filter(|(column, _)| conflict.key.contains(column))
                .map(|(_, value)| value)
                .collect();
            format!("{of_key:?}")
        };
        let mut all = self.open.straight.borrow_mut();
        let straight = all.entry(table).or_default();
        let (first, new) = rows.split_at(OVERLAP.min(rows.len()));
        let (met, first): (Vec<&R>, Vec<&R>) = first
            .iter()
            .partition(|row| straight.last.contains(&key(row)));
        let ends = rows.len().saturating_sub(OVERLAP)..rows.len();
        straight.last = rows[ends].iter().map(key).collect();
        if straight.wait > 0 {
            straight.wait -= 1;
            return Ok(None);
        }
        self.open.run("SAVEPOINT straight")?;
        let new = first.iter().copied().chain(new);
        let values = new.clone().map(|row| row.as_ref().iter().copied());
        if !self.copy(table, &names, values)? {
            self.open.run("ROLLBACK TO SAVEPOINT straight")?;
            straight.pause = (2 * straight.pause).clamp(1, MOST_WAIT);
            straight.wait = straight.pause;
            return Ok(None);
        }
        self.open.run("RELEASE SAVEPOINT straight")?;
        straight.pause = 0;
        let mut inserted = (rows.len() - met.len()) as u64;
        self.open.changed.set(self.open.changed.get() + inserted);
        if !met.is_empty() {
            let places = places(met.len(), columns.len());
            let clause = conflict.clause();
            let sql = format!("INSERT INTO {table} ({names}) VALUES {places} {clause}");
            let values: Vec<Value<'_>> = met.into_iter().flat_map(R::as_ref).copied().collect();
            inserted += self.execute(&sql, &values)?;
        }
        Ok(Some(inserted))
    }

    /// Copies rows into a table; `false` where one of them is there already, and the transaction is broken.
    fn copy<'v, R: IntoIterator<Item = Value<'v>>>(
        &self,
        table: &str,
        columns: &str,
        rows: impl Iterator<Item = R>,
    ) -> Result<bool, Error> {
        let types: Vec<Type> = self
            .open
            .prepared(&format!("SELECT {columns} FROM {table}"))?
            .columns()
            .iter()
            .map(|column| column.type_().clone())
            .collect();
        let sql = format!("COPY {table} ({columns}) FROM STDIN BINARY");
        let mut sink = pin!(self.open.wait(self.open.client.copy_in::<_, Bytes>(&sql))?);
        let mut buffer = BytesMut::with_capacity(PIECE + PIECE / 4);
        buffer.put_slice(b"PGCOPY\n\xff\r\n\0");
        // Neither flags nor an extension.
        buffer.put_slice(&[0; 8]);
        for row in rows {
            buffer.put_i16(types.len() as i16);
            for (value, kind) in row.into_iter().zip(&types) {
                put(&value, kind, &mut buffer).map_err(|reason| self.open.unusable(&*reason))?;
            }
            if buffer.len() >= PIECE {
                let piece = buffer.split().freeze();
                self.open.wait(sink.send(piece))?;
                buffer.reserve(PIECE + PIECE / 4);
            }
        }
        buffer.put_i16(-1);
        self.open.wait(sink.send(buffer.freeze()))?;
        match block_on(sink.as_mut().finish()) {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(false),
            Err(error) => Err(self.open.error(&error)),
        }
    }
}

/// Keys that are kept of the rows that were inserted last. Pages of GRIN's list overlap by one book.
const OVERLAP: usize = 8;

/// Insertions that go the long way at most before the short one is tried again. Trying in vain costs some hundredth of an
/// insertion: the server refuses at the first row, and what was sent meanwhile is thrown away.
const MOST_WAIT: u32 = 64;

/// What is known of inserting rows into a table without looking whether they are there.
#[derive(Debug, Default)]
pub(super) struct Straight {
    /// How many insertions go the long way before the next try.
    wait: u32,
    /// How many went the long way after the last try in vain.
    pause: u32,
    /// The keys of the rows that the insertion before ended with.
    last: HashSet<String>,
}

/// Bytes that are handed to the connection at once. The driver's own writer hands over 4 KiB, and the thread that writes
/// them to the socket is woken for each.
const PIECE: usize = 1 << 18;

/// A field as binary COPY has it: its length, -1 for NULL, and its bytes.
fn put(
    value: &Value<'_>,
    kind: &Type,
    buffer: &mut BytesMut,
) -> Result<(), Box<dyn std::error::Error + Sync + Send>> {
    let at = buffer.len();
    buffer.put_i32(0);
    let length = match value.to_sql(kind, buffer)? {
        IsNull::Yes => -1,
        IsNull::No => i32::try_from(buffer.len() - at - 4)?,
    };
    buffer[at..at + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// `(?1, ?2), (?3, ?4)`, and so on.
fn places(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places = (1..=columns).map(|column| format!("?{}", row * columns + column));
        format!("({})", places.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// For each row how many of the same key stand before it, and how many rounds that makes.
fn rounds<'v, R: AsRef<[Value<'v>]>>(
    columns: &[&'static str],
    conflict: Conflict,
    rows: &[R],
) -> (Vec<i64>, i64) {
    let of_key: Vec<usize> = (0..columns.len())
        .filter(|index| conflict.key.contains(&columns[*index]))
        .collect();
    let mut seen: HashMap<[Value<'_>; LONGEST_KEY], i64> = HashMap::with_capacity(rows.len());
    let mut most = 0;
    let rounds = rows.iter().map(|row| {
        let mut key = [Value::Null; LONGEST_KEY];
        for (part, index) in key.iter_mut().zip(&of_key) {
            *part = row.as_ref()[*index];
        }
        let count = seen.entry(key).or_insert(0);
        *count += 1;
        most = most.max(*count);
        *count - 1
    });
    (rounds.collect(), most)
}

/// Columns of a key at most.
const LONGEST_KEY: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_key_go_in_rounds() {
        let by_key = Conflict {
            key: &["b", "c"],
            then: "DO NOTHING",
        };
        let row = |key: &'static str, other: i64| [Value::from(other), key.into(), Value::Null];
        let rows = [row("x", 1), row("y", 1), row("x", 2), row("x", 3)];
        let found = rounds(&["a", "b", "c"], by_key, &rows);
        assert_eq!(found, (vec![0, 0, 1, 2], 3));
        assert_eq!(places(2, 3), "(?1, ?2, ?3), (?4, ?5, ?6)");
    }
}
