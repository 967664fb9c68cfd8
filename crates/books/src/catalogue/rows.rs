//! Whole rows of `books`, one after the other, as exports need them.

use crate::catalogue::Catalogue;
use crate::catalogue::columns::{COLUMNS, IS_DECRYPTED};
use crate::catalogue::value::{Cell, Row};
use crate::error::Error;

/// What a row holds in one column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Text(&'a [u8]),
    Truth(bool),
}

/// Shows every book to `write`, in the order in which they came; how many there are.
pub(crate) fn each(
    catalogue: &Catalogue,
    mut write: impl FnMut(&[Value<'_>; COLUMNS.len()]) -> Result<(), Error>,
) -> Result<u64, Error> {
    let mut count = 0;
    catalogue.read_once(|reader| {
        reader.each(&select_all(), &[], |row| {
            let mut values = [Value::Null; COLUMNS.len()];
            let mut has_number = false;
            for (index, value) in values.iter_mut().enumerate() {
                let found = row.cell(index);
                *value = read(index, found);
                has_number |= match found {
                    Cell::Number(_) | Cell::Real(_) => index != IS_DECRYPTED,
                    _ => false,
                };
            }
            // Numbers in columns of text are rare enough to be spelt out on the side.
            count += 1;
            if has_number {
                return spelt(row, &values, &mut write);
            }
            write(&values)
        })
    })?;
    Ok(count)
}

/// `SELECT` of all columns in order, by row id, which is the order in which books came.
pub(crate) fn select_all() -> String {
    let names: Vec<_> = COLUMNS.iter().map(|column| column.name).collect();
    format!("SELECT {} FROM books ORDER BY rowid", names.join(", "))
}

/// Stands for a number that has to be spelt out; no text of a book is this.
const NUMBER: Value<'_> = Value::Text(b"\0number");

fn read(index: usize, found: Cell<'_>) -> Value<'_> {
    match found {
        Cell::Null => Value::Null,
        Cell::Truth(truth) => Value::Truth(truth),
        Cell::Number(number) if index == IS_DECRYPTED => Value::Truth(number != 0),
        Cell::Real(number) if index == IS_DECRYPTED => Value::Truth(number != 0.0),
        Cell::Text(text) if index == IS_DECRYPTED => {
            Value::Truth(matches!(text, b"1" | b"true" | b"TRUE"))
        }
        Cell::Text(text) => Value::Text(text),
        Cell::Number(_) | Cell::Real(_) => NUMBER,
    }
}

/// Another tool may have put numbers where text belongs; they are written as text.
fn spelt(
    row: &Row<'_>,
    values: &[Value<'_>; COLUMNS.len()],
    write: impl FnOnce(&[Value<'_>; COLUMNS.len()]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut texts = vec![String::new(); COLUMNS.len()];
    for (index, text) in texts.iter_mut().enumerate() {
        match row.cell(index) {
            Cell::Number(number) => *text = number.to_string(),
            Cell::Real(number) => *text = real(number),
            _ => {}
        }
    }
    let mut all = [Value::Null; COLUMNS.len()];
    for (index, value) in all.iter_mut().enumerate() {
        *value = match values[index] {
            NUMBER => Value::Text(texts[index].as_bytes()),
            other => other,
        };
    }
    write(&all)
}

/// A number as Python spells it: always with a point or an exponent of two digits.
pub(super) fn real(number: f64) -> String {
    let text = format!("{number:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let sign = if exponent.starts_with('-') { '-' } else { '+' };
            format!("{digits}e{sign}{:0>2}", exponent.trim_start_matches('-'))
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_where_text_belongs_is_written_as_text() {
        // A column of text takes numbers over as text; one without a type does not.
        let mut row = [Value::Null; COLUMNS.len()];
        row[1] = read(1, Cell::Number(7));
        assert_eq!(row[1], NUMBER);
        assert_eq!(read(IS_DECRYPTED, Cell::Null), Value::Null);
        assert_eq!(read(IS_DECRYPTED, Cell::Number(1)), Value::Truth(true));
    }

    #[test]
    fn numbers_are_spelt_as_python_does() {
        for (number, text) in [(5.0, "5.0"), (1.5, "1.5"), (1e16, "1e+16"), (1e-7, "1e-07")] {
            assert_eq!(real(number), text);
        }
    }
}
