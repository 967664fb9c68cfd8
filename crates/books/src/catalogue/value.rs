//! Values on their way into statements and out of rows, the same whichever engine keeps them.

use sqlite::ToSql;
use sqlite::types::{ToSqlOutput, ValueRef};

use crate::catalogue::server;
use crate::error::Error;

/// What a statement is given for one of its `?1`, `?2`, ..
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Value<'a> {
    Null,
    Text(&'a str),
    Number(i64),
    Truth(bool),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Value<'_> {
    /// Neither engine has numbers beyond 2^63; nothing that is counted here comes near.
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> sqlite::RowResult<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Number(number) => ValueRef::Integer(number),
            Self::Truth(truth) => ValueRef::Integer(truth.into()),
        }))
    }
}

/// What a row holds in one column. An embedded database lets any tool put anything anywhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Text(&'a [u8]),
    Number(i64),
    Real(f64),
    Truth(bool),
}

/// A row of either engine.
pub(crate) enum Row<'a> {
    File(&'a sqlite::Row<'a>),
    Server(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// What it holds in a column; NULL behind the last one.
    pub(crate) fn cell(&self, column: usize) -> Cell<'_> {
        match self {
            Self::File(row) => match row.get_ref(column).unwrap_or(ValueRef::Null) {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(number) => Cell::Number(number),
                ValueRef::Real(number) => Cell::Real(number),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Cell::Text(bytes),
            },
            Self::Server(row) => server::cell(row, column),
        }
    }

    /// What it holds in a column, as what is expected there.
    pub(crate) fn get<T: FromCell>(&self, column: usize) -> Result<T, Error> {
        let cell = self.cell(column);
        T::from_cell(cell).ok_or_else(|| Error::Unexpected {
            column,
            expected: T::NAME,
            found: format!("{cell:?}"),
        })
    }
}

/// What a cell can be read as.
pub(crate) trait FromCell: Sized {
    /// For people.
    const NAME: &str;

    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

impl FromCell for String {
    const NAME: &str = "text";

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            // Another tool's numbers where text belongs.
            Cell::Number(number) => Some(number.to_string()),
            Cell::Real(number) => Some(number.to_string()),
            Cell::Null | Cell::Truth(_) => None,
        }
    }
}

impl FromCell for i64 {
    const NAME: &str = "a number";

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Number(number) => Some(number),
            Cell::Truth(truth) => Some(truth.into()),
            Cell::Null | Cell::Real(_) | Cell::Text(_) => None,
        }
    }
}

impl FromCell for u64 {
    const NAME: &str = "a number from 0 on";

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell)?.try_into().ok()
    }
}

impl FromCell for bool {
    const NAME: &str = "yes or no";

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        i64::from_cell(cell).map(|number| number != 0)
    }
}

impl<T: FromCell> FromCell for Option<T> {
    const NAME: &str = T::NAME;

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_become_what_is_expected_or_nothing() {
        assert_eq!(String::from_cell(Cell::Text(b"a")), Some("a".to_owned()));
        assert_eq!(String::from_cell(Cell::Number(7)), Some("7".to_owned()));
        assert_eq!(String::from_cell(Cell::Null), None);
        assert_eq!(Option::<u64>::from_cell(Cell::Null), Some(None));
        assert_eq!(u64::from_cell(Cell::Number(-1)), None);
        assert_eq!(bool::from_cell(Cell::Truth(true)), Some(true));
        assert_eq!(bool::from_cell(Cell::Number(0)), Some(false));
        assert_eq!(i64::from_cell(Cell::Text(b"1")), None);
    }
}
