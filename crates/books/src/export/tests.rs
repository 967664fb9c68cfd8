use ::parquet::file::reader::{FileReader, SerializedFileReader};

use super::*;
use crate::catalogue::columns::IS_DECRYPTED;

/// A run's database with three books of many kinds.
fn catalogue() -> (tempfile::TempDir, Catalogue) {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(&folder.path().join("books.db")).unwrap();
    catalogue
        .write_now("fill", |tx| {
            tx.execute(
                "INSERT INTO books (barcode, title, scanned_date, google_books_link, is_decrypted, created_at, updated_at)
                 VALUES ('B2', 'He said \"no\", twice', '2016-05-24T03:07:00', '', 1, 'c', 'u'),
                        ('A1', 'Two' || char(13) || char(10) || 'lines', NULL, NULL, 0, 'c', 'u'),
                        ('C3', 'Stra\u{df}e', NULL, NULL, NULL, 'c', 'u')",
                &[],
            )
        })
        .unwrap();
    (folder, catalogue)
}

fn text(form: Form) -> String {
    let (_folder, catalogue) = catalogue();
    let mut out = Vec::new();
    assert_eq!(export(&catalogue, form, &mut out).unwrap(), 3);
    String::from_utf8(out).unwrap()
}

#[test]
fn comma_separated_values_are_those_of_the_interface() {
    let csv = text(Form::Csv);
    let records: Vec<&str> = csv.split_terminator("\r\n").collect();
    let header = records[0];
    assert_eq!(header.split(',').count(), 54);
    assert!(
        header.starts_with("Barcode,Title,Scanned Date,")
            && header.ends_with("Sync Timestamp,Created At,Updated At")
    );
    let empty = |count: usize| ",".repeat(count);
    assert_eq!(
        records[1],
        format!(
            "B2,\"He said \"\"no\"\", twice\",2016-05-24T03:07:00{}TRUE,,c,u",
            empty(48)
        )
    );
    assert_eq!(records[2], "A1,\"Two");
    assert_eq!(records[3], format!("lines\"{}FALSE,,c,u", empty(49)));
    // What is not known is nothing, also where only yes and no can be.
    assert_eq!(records[4], format!("C3,Straße{},c,u", empty(50)));
}

#[test]
fn json_lines_have_the_names_of_the_database() {
    let lines = text(Form::JsonLines);
    let books: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(books.len(), 3);
    assert_eq!(books[1]["title"], "Two\r\nlines");
    assert_eq!(books[1]["scanned_date"], serde_json::Value::Null);
    assert_eq!(books[0]["is_decrypted"], true);
    assert_eq!(books[2]["is_decrypted"], serde_json::Value::Null);
    assert_eq!(books[0].as_object().unwrap().len(), 54);
}

#[test]
fn parquet_holds_the_same() {
    let (folder, catalogue) = catalogue();
    let path = folder.path().join("x/books.parquet");
    assert_eq!(
        to_file(&catalogue, folder.path(), Form::Parquet, &path).unwrap(),
        3
    );
    let reader = SerializedFileReader::new(fs::File::open(&path).unwrap()).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 3);
    let rows: Vec<_> = reader
        .get_row_iter(None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let first: Vec<_> = rows[0].get_column_iter().collect();
    assert_eq!(first[0].1.to_string(), "\"B2\"");
    assert_eq!(first[IS_DECRYPTED].1.to_string(), "true");
    assert_eq!(first[3].1.to_string(), "null");
}
