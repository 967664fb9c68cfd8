//! Ids of rows, so that a file's can never be taken for a passage's.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String))]
        pub struct $name(String);

        impl $name {
            /// A new id that no other row has.
            pub fn random() -> Self {
                Self(new().to_string())
            }

            /// The id as the database has it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> sqlite::RowResult<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                String::column_result(value).map(Self)
            }
        }
    )+};
}

/// A UUID of version 7: the time in milliseconds, and 74 random bits. Rows that are written one after the other so lie
/// beside each other in every index by id. Of random ids, each goes to a page of its own, and in a large library every one
/// of these pages has to be read, and written twice.
fn new() -> uuid::Uuid {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let milliseconds = u64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(0);
    // Byte 6 of a random UUID has its version, and byte 8 its variant.
    let bytes = uuid::Uuid::new_v4().into_bytes();
    let mut random = [0; 10];
    random[..7].copy_from_slice(&bytes[9..]);
    random[7..].copy_from_slice(&bytes[..3]);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}

impl From<uuid::Uuid> for SessionId {
    fn from(id: uuid::Uuid) -> Self {
        Self(id.to_string())
    }
}

ids! {
    /// A row of `files`.
    FileId,
    /// A row of `passages`.
    PassageId,
    /// A row of `import_sessions`.
    SessionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_in_the_order_of_time_and_are_all_different() {
        let first = FileId::random();
        std::thread::sleep(std::time::Duration::from_millis(3));
        let mut later: Vec<_> = (0..10_000).map(|_| FileId::random()).collect();
        assert!(later.iter().all(|id| *id > first), "{first}");
        later.sort();
        later.dedup();
        assert_eq!(later.len(), 10_000);
        let parsed = uuid::Uuid::parse_str(first.as_str()).unwrap();
        assert_eq!(parsed.get_version_num(), 7);
    }
}
