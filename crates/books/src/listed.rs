//! Books as list pages name them: one, and thousands in one piece of memory.

use serde::{Deserialize, Serialize};

/// A book as a list page names it. Dates are in the stored form; what is absent is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedBook {
    /// Its barcode, never empty.
    pub barcode: String,
    /// Its title.
    pub title: String,
    /// Scanned, converted, downloaded, processed, analysed, OCR'd.
    pub dates: [String; 6],
    /// The page of the book on Google Books.
    pub link: String,
    /// Its state in GRIN.
    pub state: String,
}

/// Fields of a book.
const FIELDS: usize = 10;

impl ListedBook {
    /// Nothing is known any more; the memory is kept.
    pub(crate) fn clear(&mut self) {
        let Self {
            barcode,
            title,
            dates,
            link,
            state,
        } = self;
        for field in [barcode, title, link, state].into_iter().chain(dates) {
            field.clear();
        }
    }

    fn fields(&self) -> [&str; FIELDS] {
        let [scanned, converted, downloaded, processed, analyzed, ocr] = &self.dates;
        [
            &self.barcode,
            &self.title,
            scanned,
            converted,
            downloaded,
            processed,
            analyzed,
            ocr,
            &self.link,
            &self.state,
        ]
    }
}

/// Many books, field after field, so that a book costs no memory of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Books {
    text: String,
    /// Where each field ends.
    ends: Vec<usize>,
}

impl Books {
    pub(crate) fn push(&mut self, book: &ListedBook) {
        for field in book.fields() {
            self.text.push_str(field);
            self.ends.push(self.text.len());
        }
    }

    /// Adds those of `other` behind these.
    pub(crate) fn append(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        let begin = self.text.len();
        self.text.push_str(&other.text);
        self.ends.extend(other.ends.iter().map(|end| begin + end));
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len() / FIELDS
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Each book's barcode, title, six dates, link and state.
    pub(crate) fn iter(&self) -> impl Iterator<Item = [&str; FIELDS]> {
        let mut begin = 0;
        self.ends.chunks_exact(FIELDS).map(move |ends| {
            let mut fields = [""; FIELDS];
            for (field, end) in fields.iter_mut().zip(ends) {
                *field = &self.text[begin..*end];
                begin = *end;
            }
            fields
        })
    }

    /// The barcodes of the first and the last.
    pub(crate) fn first_and_last(&self) -> Option<(&str, &str)> {
        let first = self.text.get(..*self.ends.first()?)?;
        let at = self.ends.len() - FIELDS;
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some((first, self.text.get(begin..self.ends[at])?))
    }

    /// Whether it is what it was when `sum` was [`Books::sum`].
    pub(crate) fn is_sound(&self, sum: u64) -> bool {
        let rising = self.ends.is_sorted()
            && self.ends.iter().all(|end| self.text.is_char_boundary(*end))
            && self.ends.len().is_multiple_of(FIELDS);
        rising && self.sum() == sum
    }

    /// A number that tells books from others, for what a power cut may do to a file.
    pub(crate) fn sum(&self) -> u64 {
        let words = self.text.as_bytes().chunks(8).map(|word| {
            let mut bytes = [0; 8];
            bytes[..word.len()].copy_from_slice(word);
            u64::from_le_bytes(bytes)
        });
        let ends = self.ends.iter().map(|end| *end as u64);
        words.chain(ends).fold(self.ends.len() as u64, |sum, word| {
            let mixed = (sum ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            mixed ^ (mixed >> 32)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(number: usize) -> ListedBook {
        ListedBook {
            barcode: format!("B{number}"),
            title: "é".repeat(number),
            ..ListedBook::default()
        }
    }

    #[test]
    fn books_come_out_as_they_went_in() {
        let (mut books, mut more) = (Books::default(), Books::default());
        assert_eq!(books.first_and_last(), None);
        (0..3).for_each(|number| books.push(&book(number)));
        (3..5).for_each(|number| more.push(&book(number)));
        books.append(more);
        assert_eq!(books.len(), 5);
        assert_eq!(books.first_and_last(), Some(("B0", "B4")));
        for (number, fields) in books.iter().enumerate() {
            assert_eq!(fields, book(number).fields());
        }
        let sum = books.sum();
        assert!(books.is_sound(sum));
        books.push(&book(9));
        assert!(!books.is_sound(sum));
    }
}
