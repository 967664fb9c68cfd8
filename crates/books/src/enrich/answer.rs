//! The answer about a request's books: tab-separated text with a header.

use std::collections::{HashMap, HashSet};

use crate::catalogue::record::{ASKED, EnrichedBook};
use crate::date;
use crate::error::Error;
use crate::page::{PageError, read_page};

/// Reads an answer. Books that nobody asked for are left out.
pub(crate) fn read_answer(body: &[u8], asked: &[String]) -> Result<Vec<EnrichedBook>, Error> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let places: Vec<Option<usize>> = ASKED
        .iter()
        .map(|(name, _, _)| header.iter().position(|found| found.trim() == *name))
        .collect();
    let names_books = header[0].trim().eq_ignore_ascii_case("barcode");
    if !names_books && places.iter().all(Option::is_none) {
        return Err(no_answer(body, header[0]));
    }
    let asked: HashSet<&str> = asked.iter().map(String::as_str).collect();
    let mut found: HashMap<&str, EnrichedBook> = HashMap::new();
    let (mut is_cut, mut are_short, mut last) = (false, false, "");
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let barcode = fields[0].trim();
        are_short |= is_cut;
        // The last line counts, which is empty if an end of line comes before it.
        is_cut = !line.is_empty() && fields.len() < header.len();
        last = barcode;
        if !asked.contains(barcode) {
            continue;
        }
        let value = |(place, (_, _, is_date)): (&Option<usize>, &(&str, &str, bool))| {
            let text = fields.get((*place)?)?.trim();
            let stored = || {
                let mut stored = String::new();
                if *is_date {
                    date::iso_into(text, &mut stored);
                } else {
                    stored.push_str(text);
                }
                stored
            };
            (!text.is_empty()).then(stored)
        };
        let values = places.iter().zip(&ASKED).map(value).collect();
        let book = EnrichedBook {
            barcode: barcode.to_owned(),
            values,
        };
        found.insert(barcode, book);
    }
    // Blank ends of lines may be left out; where only the last line lacks its end, the answer was cut.
    if is_cut && !are_short {
        return Err(Error::Answer {
            reason: format!("it breaks off in the line of `{last}`"),
        });
    }
    Ok(found.into_values().collect())
}

/// A page in place of an answer: to sign in, or something else.
fn no_answer(body: &[u8], begins: &str) -> Error {
    match read_page(body, None, |_| true) {
        Err(PageError::SignIn) => Error::Page(PageError::SignIn),
        Err(PageError::Unavailable) => Error::Page(PageError::Unavailable),
        _ if body.is_empty() => Error::Answer {
            reason: "it is empty".to_owned(),
        },
        _ => Error::Answer {
            reason: format!(
                "it begins with `{}`",
                begins.chars().take(60).collect::<String>()
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(barcodes: &[&str]) -> Vec<String> {
        barcodes.iter().map(|&barcode| barcode.to_owned()).collect()
    }

    #[test]
    fn values_are_found_by_header_and_blanks_are_none() {
        let body = b"Barcode\tState\tNew Column\tScanned Date\tCheck-In Date\r\nA1\tNEW\tx\t2016/05/24 3:07\t\r\nB2\tCONVERTED\nZ9\tNEW\t\t\t\r\n";
        let mut found = read_answer(body, &asked(&["A1", "B2", "C3"])).unwrap();
        found.sort_by(|a, b| a.barcode.cmp(&b.barcode));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].values[0].as_deref(), Some("2016-05-24T03:07:00"));
        assert_eq!(found[0].values[6].as_deref(), Some("NEW"));
        assert_eq!(found[0].values[19], None);
        assert_eq!(found[1].values[6].as_deref(), Some("CONVERTED"));
        assert_eq!(found[1].values[0], None);
    }

    #[test]
    fn short_lines_are_filled_up_and_long_ones_cut() {
        let header = "Barcode\tState\tTagging\tScanned Date\n";
        for (lines, complete) in [
            ("A1\tNEW\nB2\tNEW", true),
            ("A1\tNEW\tx\t\nB2\tNEW\n", true),
            ("A1\tNEW\tx\t\nB2\tNE", false),
            ("A1\tNEW\tx\t\ty\tz\r\nB2\tNEW\r\n\r\n", true),
            ("B2\tNEW\tx\t\nA1\tNEW\n", true),
            ("A1\tNEW\nZ9\tNEW", true),
            ("A1\tNEW\tx\t\nZ9\tNE", false),
            ("A1\tNE", false),
        ] {
            let found = read_answer(format!("{header}{lines}").as_bytes(), &asked(&["A1", "B2"]));
            assert_eq!(found.is_ok(), complete, "{lines:?}");
            for book in found.into_iter().flatten() {
                assert_eq!(book.values[6].as_deref(), Some("NEW"), "{lines:?}");
            }
        }
    }

    #[test]
    fn a_header_alone_means_that_nothing_is_known() {
        assert_eq!(
            read_answer(b"Barcode\tState\n", &asked(&["A1"])).unwrap(),
            []
        );
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let asked = asked(&["A1"]);
        let sign_in =
            b"<html><form action='https://accounts.google.com/ServiceLogin'></form></html>";
        assert!(matches!(
            read_answer(sign_in, &asked),
            Err(Error::Page(PageError::SignIn))
        ));
        for wrong in [
            &b""[..],
            b"Internal error\n",
            b"<html><body>Your request is unavailable</body></html>",
            b"Barcode\tState\tScanned Date\nA1\tNE",
        ] {
            assert!(read_answer(wrong, &asked).is_err());
        }
    }
}
