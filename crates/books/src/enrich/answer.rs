//! The answer about a request's books: tab-separated text with a header.
//!
//! What an answer does not say is no statement. A book without a line is unknown to GRIN only where a line of a book
//! that was asked for after it shows that the answer went on; everything else is to be asked again.

use std::collections::{HashMap, HashSet};

use crate::catalogue::record::{ASKED, EnrichedBook};
use crate::date;
use crate::error::{Error, beginning};
use crate::page::{PageError, decode_text, read_page};

/// What an answer says about the books that were asked for: each of them is in one of these.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Books that GRIN knows.
    pub(crate) found: Vec<EnrichedBook>,
    /// Books that it does not know: the answer went on after the place where they would have been.
    pub(crate) unknown: Vec<String>,
    /// Books without a line, which proves nothing.
    pub(crate) silent: Vec<String>,
    /// Books whose line cannot be trusted: columns may have shifted.
    pub(crate) doubtful: Vec<String>,
    /// Whether the lines came in the order in which the books were asked for.
    pub(crate) in_order: bool,
}

/// How the lines of one answer are laid out.
struct Layout {
    /// Columns that the header names.
    columns: usize,
    /// The column of barcodes.
    barcode: usize,
    /// For each of [`ASKED`], its column.
    places: Vec<Option<usize>>,
}

/// A line about a book that was asked for.
struct Line<'a> {
    /// The book's place among those asked for.
    place: usize,
    fields: Vec<&'a str>,
    /// Whether the end of the line came.
    ended: bool,
}

/// Reads an answer about the books `asked`.
///
/// `exact` takes a line only if it has exactly as many fields as the header; it is for a book that was asked for alone
/// because its line had another length before.
///
/// # Errors
///
/// [`Error::Answer`] and [`Error::Page`] when it is no answer about these books, or not all of one.
pub(crate) fn read_answer(
    body: &[u8],
    content_type: Option<&str>,
    asked: &[String],
    exact: bool,
) -> Result<Reading, Error> {
    let text = decode_text(body, content_type);
    let mut lines = lines(&text).skip_while(|(line, _)| line.trim().is_empty());
    let header = lines.next().map_or("", |(line, _)| line);
    let Some(layout) = layout(header) else {
        return Err(no_answer(body, content_type, header));
    };
    let lines = about_asked(lines, &layout, asked)?;
    let misfits = misfits(&lines, &layout, exact);
    // A form of its own is not to be asked for book by book.
    if misfits.len() > 8 && misfits.len() > lines.len() / 2 {
        return Err(refused(format!(
            "{} of {} lines do not have the {} fields of the header",
            misfits.len(),
            lines.len(),
            layout.columns
        )));
    }
    let in_order = lines.windows(2).all(|pair| pair[0].place < pair[1].place);
    let last = lines.iter().map(|line| line.place).max();
    let mut reading = Reading {
        in_order,
        ..Reading::default()
    };
    let mut told = HashSet::new();
    for line in &lines {
        told.insert(line.place);
        let barcode = &asked[line.place];
        if misfits.contains(&line.place) {
            reading.doubtful.push(barcode.clone());
        } else {
            reading.found.push(book(barcode, line, &layout));
        }
    }
    for (place, barcode) in asked.iter().enumerate() {
        if told.contains(&place) {
            continue;
        }
        if in_order && last.is_some_and(|last| place < last) {
            reading.unknown.push(barcode.clone());
        } else {
            reading.silent.push(barcode.clone());
        }
    }
    Ok(reading)
}

/// The lines of a text, and whether each was ended: by LF, CRLF or CR alone. Characters of zero show nothing.
fn lines(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(end) = rest.find(['\n', '\r']) else {
            return Some((std::mem::take(&mut rest), false));
        };
        let line = &rest[..end];
        rest = rest[end..].strip_prefix("\r\n").unwrap_or(&rest[end + 1..]);
        Some((line, true))
    })
}

/// What the header says; none if it is no header of such an answer.
fn layout(header: &str) -> Option<Layout> {
    let names: Vec<String> = header.split('\t').map(loose).collect();
    let place = |wanted: &str| names.iter().position(|name| *name == loose(wanted));
    let places: Vec<_> = ASKED.iter().map(|(name, _, _)| place(name)).collect();
    // Without a single known column nothing can be learned, and the text may be anything.
    places.iter().flatten().next()?;
    Some(Layout {
        columns: names.len(),
        barcode: place("Barcode").unwrap_or(0),
        places,
    })
}

/// A name without what differs between versions and languages of a server: case, blanks, punctuation.
fn loose(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The lines, each about a book that was asked for; the last one about a book counts.
fn about_asked<'a>(
    lines: impl Iterator<Item = (&'a str, bool)>,
    layout: &Layout,
    asked: &[String],
) -> Result<Vec<Line<'a>>, Error> {
    let exact: HashMap<&str, usize> = asked
        .iter()
        .enumerate()
        .map(|(place, barcode)| (barcode.as_str(), place))
        .collect();
    let mut folded: HashMap<String, Option<usize>> = HashMap::new();
    for (place, barcode) in asked.iter().enumerate() {
        // Two that differ in case alone cannot be told apart by it.
        folded
            .entry(barcode.to_uppercase())
            .and_modify(|known| *known = None)
            .or_insert(Some(place));
    }
    let mut all: Vec<Line<'_>> = Vec::new();
    for (line, ended) in lines {
        if line.trim().is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let barcode = fields.get(layout.barcode).map_or("", |field| field.trim());
        let place = exact
            .get(barcode)
            .copied()
            .or_else(|| folded.get(&barcode.to_uppercase()).copied().flatten());
        let Some(place) = place else {
            return Err(refused(format!(
                "a line tells of no book that was asked for: `{}`",
                beginning(line)
            )));
        };
        all.push(Line {
            place,
            fields,
            ended,
        });
    }
    let last_of: HashMap<usize, usize> = all
        .iter()
        .enumerate()
        .map(|(index, line)| (line.place, index))
        .collect();
    let mut index = 0;
    all.retain(|line| {
        let keep = last_of.get(&line.place) == Some(&index);
        index += 1;
        keep
    });
    Ok(all)
}

/// Books whose line has not the fields of the header, or no end.
///
/// Some servers leave out blank fields at the end of a line: short lines are those, unless another line of the answer
/// ends in a blank field.
fn misfits(lines: &[Line<'_>], layout: &Layout, exact: bool) -> HashSet<usize> {
    let columns = layout.columns;
    let blank = |field: &&str| field.trim().is_empty();
    let keeps_blanks = lines
        .iter()
        .any(|line| line.fields.len() == columns && line.fields.last().is_some_and(blank));
    let ends = lines.iter().filter(|line| line.ended).count();
    let misfit = |line: &&Line<'_>| {
        let count = line.fields.len();
        let too_long = count > columns && !line.fields[columns..].iter().all(blank);
        let too_short = count < columns && (exact || keeps_blanks);
        // Only the last line can lack its end. It may have been cut; alone, with all its fields, it is whole.
        let cut = !line.ended && (ends > 0 || count < columns);
        too_long || too_short || cut
    };
    lines.iter().filter(misfit).map(|line| line.place).collect()
}

fn book(barcode: &str, line: &Line<'_>, layout: &Layout) -> EnrichedBook {
    let value = |(place, (_, _, is_date)): (&Option<usize>, &(&str, &str, bool))| {
        let text = line.fields.get((*place)?)?.trim();
        if text.is_empty() {
            return None;
        }
        let mut stored = String::new();
        if *is_date {
            date::iso_into(text, &mut stored);
        } else {
            stored.push_str(text);
        }
        Some(stored)
    };
    EnrichedBook {
        barcode: barcode.to_owned(),
        values: layout.places.iter().zip(&ASKED).map(value).collect(),
    }
}

/// A page in place of an answer: to sign in, or something else.
fn no_answer(body: &[u8], content_type: Option<&str>, begins: &str) -> Error {
    match read_page(body, content_type, |_| true) {
        Err(PageError::SignIn) => Error::Page(PageError::SignIn),
        Err(PageError::Unavailable) => Error::Page(PageError::Unavailable),
        _ if body.is_empty() => refused("it is empty"),
        _ => refused(format!("it begins with `{}`", beginning(begins))),
    }
}

fn refused(reason: impl Into<String>) -> Error {
    Error::Answer {
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Barcode\tState\tTagging\tScanned Date\n";

    fn asked(barcodes: &[&str]) -> Vec<String> {
        barcodes.iter().map(|&barcode| barcode.to_owned()).collect()
    }

    fn read(body: &str, barcodes: &[&str]) -> Result<Reading, Error> {
        read_answer(body.as_bytes(), None, &asked(barcodes), false)
    }

    fn barcodes(books: &[EnrichedBook]) -> Vec<&str> {
        books.iter().map(|book| book.barcode.as_str()).collect()
    }

    #[test]
    fn values_are_found_by_header_and_blanks_are_none() {
        let body = "Barcode\tState\tNew Column\tScanned Date\tCheck-In Date\r\nA1\tNEW\tx\t2016/05/24 3:07\t\r\nC3\tCONVERTED\tx\t\t\r\n";
        let reading = read(body, &["A1", "B2", "C3", "D4"]).unwrap();
        assert_eq!(barcodes(&reading.found), ["A1", "C3"]);
        let first = &reading.found[0].values;
        assert_eq!(first[0].as_deref(), Some("2016-05-24T03:07:00"));
        assert_eq!(first[6].as_deref(), Some("NEW"));
        assert_eq!(first[19], None);
        assert_eq!(reading.found[1].values[0], None);
        assert_eq!(reading.unknown, ["B2"], "the answer went on after it");
        assert_eq!(reading.silent, ["D4"], "nothing came after it");
    }

    #[test]
    fn a_header_in_another_dress_is_the_same_header() {
        for header in [
            "STATE\tBARCODE\tocr’d date",
            "state \tbar-code\tOCRd_Date",
            "\u{feff}State\tBarcode\tOCR'd Date",
            "\r\n\nState\tBarcode\tOCR'd Date",
        ] {
            let body = format!("{header}\nNEW\ta1\t2016/05/24 03:07\n");
            let reading = read(&body, &["A1"]).unwrap();
            assert_eq!(barcodes(&reading.found), ["A1"], "{header}");
            assert_eq!(reading.found[0].values[6].as_deref(), Some("NEW"));
            assert!(reading.found[0].values[5].is_some());
        }
    }

    #[test]
    fn lines_may_end_in_any_way_and_texts_be_in_any_charset() {
        let body = "Barcode\tState\rA1\tMÜLLER\rB2\tx\u{0}y\r";
        let reading = read(body, &["A1", "B2"]).unwrap();
        assert_eq!(reading.found[1].values[6].as_deref(), Some("xy"));
        let latin: Vec<u8> = body.chars().map(|c| c as u8).collect();
        let wide: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, charset) in [
            (&latin, Some("text/plain; charset=ISO-8859-1")),
            (&latin, None),
            (&wide, Some("text/plain; charset=utf-16le")),
        ] {
            let reading = read_answer(bytes, charset, &asked(&["A1", "B2"]), false).unwrap();
            let state = reading.found[0].values[6].as_deref();
            assert_eq!(state, Some("MÜLLER"), "{charset:?}");
        }
    }

    #[test]
    fn lines_of_another_length_are_not_trusted() {
        for (lines, found, doubtful) in [
            // Blank fields at the end may be left out, by a server that always does.
            ("A1\tNEW\nB2\tNEW\n", 2, &[][..]),
            ("A1\tNEW\tx\t\nB2\tNEW\n", 1, &["B2"]),
            ("A1\tNEW\tx\t\nB2\tNEW\tx\n", 1, &["B2"]),
            ("A1\tNEW\tx\t\ty\nB2\tNEW\tx\t\n", 1, &["A1"]),
            ("A1\tNEW\tx\t\t\t\nB2\tNEW\tx\t\n", 2, &[]),
            // The last line may have been cut.
            ("A1\tNEW\tx\ty\nB2\tNEW\tx\t2016", 1, &["B2"]),
            ("B2\tNEW\tx\t2016/05/24 03:07", 1, &[]),
            ("B2\tNE", 0, &["B2"]),
        ] {
            let reading = read(&format!("{HEADER}{lines}"), &["A1", "B2"]).unwrap();
            assert_eq!(reading.found.len(), found, "{lines:?}");
            assert_eq!(reading.doubtful, doubtful, "{lines:?}");
        }
        let short = format!("{HEADER}A1\tNEW\n");
        let reading = read_answer(short.as_bytes(), None, &asked(&["A1"]), true).unwrap();
        assert_eq!(reading.doubtful, ["A1"]);
    }

    #[test]
    fn silence_is_no_statement() {
        let reading = read(HEADER, &["A1", "B2"]).unwrap();
        assert_eq!(reading.silent, ["A1", "B2"]);
        let reading = read(
            &format!("{HEADER}C3\tNEW\t\t\nA1\tNEW\t\t\n"),
            &["A1", "B2", "C3"],
        );
        let reading = reading.unwrap();
        assert!(!reading.in_order);
        assert_eq!((reading.silent.len(), reading.unknown.len()), (1, 0));
    }

    #[test]
    fn what_is_no_answer_about_these_books_is_an_error() {
        let sign_in =
            "<html><form action='https://accounts.google.com/ServiceLogin'></form></html>";
        assert!(matches!(
            read(sign_in, &["A1"]),
            Err(Error::Page(PageError::SignIn))
        ));
        for wrong in [
            "",
            "Internal error\n",
            "<html><body>Your request is unavailable</body></html>",
            "Barcode\nA1\n",
            "Barcode\tState\nA1\tNEW\nInternal server error\n",
            "Barcode\tState\nA1\tNEW\n<html><body>502</body></html>",
            "Barcode\tState\nA1\tNEW\nZ9\tNEW\n",
        ] {
            assert!(read(wrong, &["A1", "B2"]).is_err(), "{wrong:?}");
        }
    }
}
