//! What a component declares about its tables, and how a file is brought to it.
//!
//! [`inspect`] compares by reading, [`upgrade`] changes. Neither knows any table but `schema_components`.

pub(crate) mod inspect;
pub(crate) mod owner;
pub(crate) mod upgrade;

use std::fmt::{self, Display};

/// The tables of one component of a program.
///
/// A fresh file gets [`ddl`](Schema::ddl) and [`columns`](Schema::columns) and is recorded at
/// [`version`](Schema::version); no migration runs. An older file gets, in one transaction: missing columns, missing
/// tables, indexes, views and triggers, the migrations above its version, and again whatever a migration dropped.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Name of the component, the key of its row in `schema_components`.
    pub component: &'static str,
    /// The version this program knows.
    pub version: u32,
    /// `CREATE .. IF NOT EXISTS` statements, and `INSERT OR IGNORE` for rows that must exist. Runs more than once.
    pub ddl: &'static str,
    /// Columns added to tables that lack them.
    pub columns: &'static [Column],
    /// Changes of what older versions left, in ascending order of version.
    pub migrations: &'static [Migration],
    /// What to do with a file of a newer version.
    pub newer: Newer,
}

/// A column that a table of an older version may lack.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub name: &'static str,
    /// What follows the name in `ALTER TABLE .. ADD COLUMN`, such as `TEXT` or
    /// `REAL GENERATED ALWAYS AS (ticks / 28224000.0) VIRTUAL`.
    pub definition: &'static str,
}

/// One numbered change of an older file.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The version the file has afterwards.
    pub version: u32,
    /// Statements; the engine provides the transaction, with foreign keys off and checked at the end.
    ///
    /// `ALTER TABLE .. RENAME TO` works as a rebuild needs it: references to the old name in other tables, views and
    /// triggers stay as they are.
    pub sql: &'static str,
}

/// What to do with a file whose component is newer than the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newer {
    /// Refuse to open it.
    Refuse,
    /// Leave the component as it is, and warn.
    Warn,
}

/// Something about a file that its user should know, and that does not prevent work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A component was written by a newer version.
    NewerSchema {
        /// The component.
        component: &'static str,
        /// The version in the file.
        found: u32,
        /// The version this program was built for.
        supported: u32,
    },
    /// A component of a file opened read-only is incomplete, and was not upgraded.
    OlderSchema {
        /// The component.
        component: &'static str,
        /// The version in the file; none if it does not know the component.
        found: Option<u32>,
        /// The version this program was built for.
        supported: u32,
        /// Tables, columns, indexes, views and triggers that it lacks.
        missing: Vec<String>,
    },
}

impl Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::NewerSchema {
                component,
                found,
                supported,
            } => write!(
                f,
                "`{component}` was written by a newer version: schema {found}, this program knows {supported}"
            ),
            Warning::OlderSchema {
                component,
                found,
                supported,
                missing,
            } => {
                write!(f, "`{component}` was written by an older version: schema ")?;
                match found {
                    Some(found) => write!(f, "{found}")?,
                    None => f.write_str("unknown")?,
                }
                write!(f, ", this program knows {supported}")?;
                if missing.is_empty() {
                    Ok(())
                } else {
                    write!(f, " and needs {}", missing.join(", "))
                }
            }
        }
    }
}
