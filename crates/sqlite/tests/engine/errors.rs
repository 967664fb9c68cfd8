//! Every message that a user can see.

use std::time::Duration;

use sqlite::Error;

use crate::support::{Place, add};

#[test]
fn messages_say_what_failed_and_what_to_do() {
    let path = || "/data/books.db".into();
    let errors = [
        Error::CannotOpen {
            path: path(),
            reason: "No such file or directory (os error 2)".into(),
        },
        Error::NotADatabase { path: path() },
        Error::Corrupt {
            path: path(),
            reason: "database disk image is malformed".into(),
        },
        Error::ReadOnly { path: path() },
        Error::DiskFull { path: path() },
        Error::Io {
            path: path(),
            reason: "disk I/O error".into(),
        },
        Error::Locked {
            label: "record file",
            attempts: 37,
            waited: Duration::from_millis(30_040),
        },
        Error::NewerSchema {
            path: path(),
            component: "books",
            found: 4,
            supported: 3,
        },
        Error::Schema {
            path: path(),
            component: "books",
            reason: "no such table: shelf".into(),
        },
        Error::NoWal {
            path: path(),
            mode: "delete".into(),
        },
        Error::ReadInsideWrite {
            sql: "SELECT 1".into(),
        },
        Error::Forbidden {
            sql: "COMMIT".into(),
        },
        Error::Nested {
            label: "record file",
        },
        Error::Closed { path: path() },
        Error::InUse { path: path() },
        Error::Exists { path: path() },
    ];
    let texts = errors.iter().map(|error| {
        let hint = error.hint().map(|hint| format!("\nhint: {hint}"));
        assert!(!error.to_string().contains('\n'), "{error}");
        format!("{error}{}", hint.unwrap_or_default())
    });
    let texts: Vec<_> = texts.collect();
    insta::assert_snapshot!(texts.join("\n\n"));
}

#[test]
fn messages_of_statements_name_the_statement() {
    let place = Place::new();
    let db = place.options().open().unwrap();
    db.write("note", |tx| add(tx, "one")).unwrap();
    let long = format!(
        "INSERT INTO note (body)\n    VALUES ({})",
        "'x' || ".repeat(50)
    );
    let errors = [
        db.write("note", |tx| add(tx, "one")).unwrap_err(),
        db.write("note", move |tx| tx.execute(&long, []))
            .unwrap_err(),
        db.write("note", |tx| {
            tx.execute("DELETE FROM note WHERE id = ?1", [])
        })
        .unwrap_err(),
        db.read(|s| s.query_row("SELECT body FROM note WHERE id = 2", [], |_| Ok(())))
            .unwrap_err(),
        db.read(|s| s.query_row("SELECT body FROM note", [], |row| row.get::<_, i64>(0)))
            .unwrap_err(),
    ];
    let texts: Vec<_> = errors.iter().map(Error::to_string).collect();
    insta::assert_snapshot!(texts.join("\n\n"));
}
