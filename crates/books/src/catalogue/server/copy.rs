//! Many rows at once: by COPY into a temporary table, and from there by one statement.

use std::collections::HashMap;
use std::pin::Pin;

use pollster::block_on;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::link::Transaction;
use crate::catalogue::store::Conflict;
use crate::catalogue::value::Value;
use crate::error::Error;

/// Fewer rows than this go by a statement each: what COPY needs around it takes as long as some ten of those.
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
        if rows.len() < FEW {
            let places: Vec<String> = (1..=columns.len())
                .map(|number| format!("?{number}"))
                .collect();
            let places = places.join(", ");
            let sql = format!("INSERT INTO {table} ({names}) VALUES ({places}) {clause}");
            return rows
                .iter()
                .map(|row| self.execute(&sql, row.as_ref()))
                .sum();
        }
        let rounds = conflict.map_or_else(
            || (vec![0; rows.len()], 1),
            |conflict| rounds(columns, conflict, &rows),
        );
        self.stage(table, &names)?;
        self.copy(table, &names, &rows, &rounds.0)?;
        // Rows of one key are meant to meet each other, and one statement would refuse to touch a row twice.
        let sql = format!(
            "INSERT INTO {table} ({names}) SELECT {names} FROM staged_{table} WHERE accession_round = ?1
             ORDER BY accession_place {clause}"
        );
        let mut inserted = 0;
        for round in 0..rounds.1 {
            inserted += self.execute(&sql, &[round.into()])?;
        }
        self.execute(&format!("DELETE FROM staged_{table}"), &[])?;
        self.open
            .changed
            .set(self.open.changed.get() - rows.len() as u64);
        Ok(inserted)
    }

    /// Makes sure that there is a temporary table of such rows.
    fn stage(&self, table: &'static str, names: &str) -> Result<(), Error> {
        if self.open.staged.borrow().contains(table) {
            return Ok(());
        }
        self.open.run(&format!(
            "CREATE TEMPORARY TABLE IF NOT EXISTS staged_{table} AS SELECT {names},
                 CAST(0 AS BIGINT) AS accession_place, CAST(0 AS BIGINT) AS accession_round FROM {table} WITH NO DATA"
        ))?;
        self.open.staged.borrow_mut().insert(table);
        Ok(())
    }

    fn copy<'v, R: AsRef<[Value<'v>]>>(
        &self,
        table: &str,
        names: &str,
        rows: &[R],
        rounds: &[i64],
    ) -> Result<(), Error> {
        let columns = format!("{names}, accession_place, accession_round");
        let types: Vec<Type> = self
            .open
            .prepared(&format!("SELECT {columns} FROM staged_{table}"))?
            .columns()
            .iter()
            .map(|column| column.type_().clone())
            .collect();
        let sql = format!("COPY staged_{table} ({columns}) FROM STDIN BINARY");
        let sink = self.open.wait(self.open.client.copy_in(&sql))?;
        let mut writer = Box::pin(BinaryCopyInWriter::new(sink, &types));
        let mut all: Vec<Value<'_>> = Vec::with_capacity(types.len());
        for (place, (row, round)) in rows.iter().zip(rounds).enumerate() {
            all.clear();
            all.extend_from_slice(row.as_ref());
            all.extend([Value::from(place as u64), Value::from(*round)]);
            let values = all.iter().map(|value| value as &(dyn ToSql + Sync));
            let written = block_on(Pin::as_mut(&mut writer).write_raw(values));
            written.map_err(|error| self.open.error(&error))?;
        }
        self.open.wait(Pin::as_mut(&mut writer).finish())?;
        Ok(())
    }
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
    let mut seen: HashMap<Vec<String>, i64> = HashMap::with_capacity(rows.len());
    let mut most = 0;
    let rounds = rows.iter().map(|row| {
        let key = of_key
            .iter()
            .map(|index| format!("{:?}", row.as_ref()[*index]));
        let count = seen.entry(key.collect()).or_insert(0);
        *count += 1;
        most = most.max(*count);
        *count - 1
    });
    (rounds.collect(), most)
}
