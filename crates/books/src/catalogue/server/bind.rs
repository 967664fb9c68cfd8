//! Values in the form of the server's types, and cells out of them.

use std::borrow::Cow;
use std::error::Error as StdError;

use tokio_postgres::Column;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::catalogue::value::{Cell, Value};

/// PostgreSQL's text cannot hold the character NUL. What GRIN sends loses it when it is read; from elsewhere, such as
/// another tool's database, it may still come. What stands in for it shows that something was there.
const NUL: &str = "\u{fffd}";

/// The text as the server can hold it.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if !text.contains('\0') {
        return Cow::Borrowed(text);
    }
    tracing::warn!("a text with the character NUL is stored with `{NUL}` in its place");
    Cow::Owned(text.replace('\0', NUL))
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (*self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            // Another tool may have put words where a number or a truth belongs.
            (Self::Text(text), &Type::BOOL) => {
                matches!(text, "1" | "true" | "TRUE").to_sql(kind, out)
            }
            (Self::Text(text), &Type::INT8) => text.trim().parse::<i64>()?.to_sql(kind, out),
            (Self::Text(text), _) => storable(text).to_sql(kind, out),
            (Self::Number(number), &Type::BOOL) => (number != 0).to_sql(kind, out),
            (Self::Number(number), &Type::TEXT) => number.to_string().to_sql(kind, out),
            (Self::Truth(truth), &Type::BOOL) => truth.to_sql(kind, out),
            (Self::Truth(truth), _) => i64::from(truth).to_sql(&Type::INT8, out),
            (Self::Number(number), &Type::INT4) => i32::try_from(number)?.to_sql(kind, out),
            (Self::Number(number), _) => number.to_sql(&Type::INT8, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(
            *kind,
            Type::TEXT | Type::VARCHAR | Type::INT8 | Type::INT4 | Type::BOOL
        )
    }

    to_sql_checked!();
}

/// Bytes of a column as they came.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// What a row holds in a column; NULL behind the last one.
pub(crate) fn cell(row: &tokio_postgres::Row, column: usize) -> Cell<'_> {
    let Some(kind) = row.columns().get(column).map(Column::type_) else {
        return Cell::Null;
    };
    let Ok(Some(Raw(bytes))) = row.try_get::<_, Option<Raw<'_>>>(column) else {
        return Cell::Null;
    };
    match *kind {
        Type::BOOL => Cell::Truth(bytes != [0]),
        Type::INT8 => bytes
            .try_into()
            .map_or(Cell::Null, |bytes| Cell::Number(i64::from_be_bytes(bytes))),
        Type::INT4 => bytes.try_into().map_or(Cell::Null, |bytes| {
            Cell::Number(i32::from_be_bytes(bytes).into())
        }),
        Type::FLOAT8 => bytes
            .try_into()
            .map_or(Cell::Null, |bytes| Cell::Real(f64::from_be_bytes(bytes))),
        _ => Cell::Text(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_nul_shows_where_it_was() {
        assert_eq!(storable("a\0b"), "a\u{fffd}b");
        assert!(matches!(storable("ab"), Cow::Borrowed("ab")));
        let mut out = BytesMut::new();
        let sent = Value::Text("\0").to_sql(&Type::TEXT, &mut out);
        assert!(sent.is_ok() && *out == *"\u{fffd}".as_bytes());
    }
}
