//! A catalogue that is a function of a number, and its pages.

use std::fmt::Write;
use std::path::Path;

/// Columns of `books` that a list page fills, in the order of [`listed`].
pub const COLUMNS_LISTED: [&str; 10] = [
    "barcode",
    "title",
    "scanned_date",
    "converted_date",
    "downloaded_date",
    "processed_date",
    "analyzed_date",
    "ocr_date",
    "google_books_link",
    "grin_state",
];

/// A number of books, and how they are listed.
#[derive(Clone, Debug)]
pub struct FakeCatalogue {
    /// Books in all.
    pub books: u64,
    /// Books on a page; 0 for as many as are asked for.
    pub page_size: u64,
    /// Books that are left out: every one whose number this divides; 0 leaves none out.
    pub without_every: u64,
    /// Changes titles, as between two collections.
    pub edition: u32,
    /// What names a page's place in its address.
    pub place: &'static str,
}

impl FakeCatalogue {
    /// This number of books, as many on a page as are asked for.
    pub fn of(books: u64) -> Self {
        Self {
            books,
            page_size: 0,
            without_every: 0,
            edition: 0,
            place: "first",
        }
    }

    /// The same, with at most this number of books on a page.
    #[must_use]
    pub fn with_pages_of(self, page_size: u64) -> Self {
        Self { page_size, ..self }
    }

    /// Whether a number is a book.
    pub fn has(&self, number: u64) -> bool {
        number < self.books
            && (self.without_every == 0 || !number.is_multiple_of(self.without_every))
    }

    /// The numbers of all books, in the order of the list.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        (0..self.books).filter(|number| self.has(*number))
    }

    /// Books on a page for which `asked` are asked.
    pub(crate) fn size(&self, asked: u64) -> u64 {
        match self.page_size {
            0 => asked.max(1),
            most => most.min(asked.max(1)),
        }
    }

    /// The page that begins with the book at `first`, and the link to the next.
    pub(crate) fn page(&self, first: u64, asked: u64, link: Option<&str>) -> String {
        if self.without_every == 0 {
            let end = (first + self.size(asked)).min(self.books);
            return self.list(first.min(end)..end, self.books, end, asked, link);
        }
        let shelf: Vec<u64> = self.numbers().collect();
        self.page_of(&shelf, first, asked, link)
    }

    /// The first page, with the books that are asked for.
    pub fn first_page(&self, asked: u64) -> String {
        self.page(0, asked, None)
    }

    /// The same for a list of other books.
    pub(crate) fn page_of(
        &self,
        shelf: &[u64],
        first: u64,
        asked: u64,
        link: Option<&str>,
    ) -> String {
        let from = shelf.get(first as usize..).unwrap_or_default();
        let size = from.len().min(self.size(asked) as usize);
        let (numbers, end) = (from[..size].iter().copied(), first + size as u64);
        self.list(numbers, shelf.len() as u64, end, asked, link)
    }

    fn list(
        &self,
        numbers: impl Iterator<Item = u64>,
        all: u64,
        end: u64,
        asked: u64,
        link: Option<&str>,
    ) -> String {
        let mut page = String::with_capacity(400 * asked.min(100_000) as usize + 2000);
        page.push_str(HEAD);
        for number in numbers {
            self.row(&mut page, number);
        }
        page.push_str("</tbody></table>\n");
        let next = format!("_all_books?result_count={asked}&amp;{}={end}", self.place);
        if let Some(link) = link.or((end < all).then_some(next.as_str())) {
            let _ = write!(page, "<p><a href=\"{link}\">Next &gt;</a></p>");
        }
        page.push_str("</body></html>\n");
        page
    }

    fn row(&self, page: &mut String, number: u64) {
        let [
            barcode,
            title,
            scanned,
            converted,
            downloaded,
            processed,
            analyzed,
            ocr,
            link,
            state,
        ] = listed(number, self.edition);
        let title = title
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('é', "&eacute;");
        let link = if link.is_empty() {
            String::new()
        } else {
            format!("<a href=\"{}\">view</a>", link.replace('&', "&amp;"))
        };
        let _ = write!(
            page,
            "<tr><td><input type=\"checkbox\" name=\"barcodes\" value=\"{barcode}\"></td><td>{barcode}</td><td>{title}</td><td>{state}</td>"
        );
        for date in [scanned, analyzed, converted, downloaded, processed, ocr] {
            let shown = date.replace('-', "/").replace('T', " ");
            let _ = write!(page, "<td>{}</td>", shown.get(..16).unwrap_or_default());
        }
        let _ = writeln!(page, "<td>{link}</td></tr>");
    }

    /// The answer about some barcodes, of those books that the library `has`.
    pub(crate) fn answer(barcodes: &[&str], has: impl Fn(u64) -> bool) -> String {
        let mut text = String::from(
            "Barcode\tCheck-In Date\tState\tViewability\tScannable\tMaterial Error%\tScanned Date\tOCR'd Date\tSource Library Bibkey\n",
        );
        for barcode in barcodes {
            let Some(number) = number(barcode).filter(|number| has(*number)) else {
                continue;
            };
            // Every seventh book is in the catalogue and not known to the search.
            if number % 7 == 6 {
                continue;
            }
            let scanned = if number.is_multiple_of(3) {
                ""
            } else {
                "2019/01/02 03:04"
            };
            let _ = writeln!(
                text,
                "{barcode}\t2020/02/03 04:05\tCONVERTED\tVIEW_FULL\ttrue\t{}%\t{scanned}\t\tbib{number}",
                number % 100
            );
        }
        text
    }
}

const HEAD: &str = "<!DOCTYPE html><html><head><title>All books</title><style>td > a { color: red }</style></head><body>
<table><thead><tr class=\"heading\"><td></td><td><span class=\"hd3\">Barcode</span></td><td><span class=\"hd3\">Title</span></td><td><span class=\"hd3\">Status</span></td><td><span class=\"hd3\">Scanned Date</span></td><td><span class=\"hd3\">Analyzed Date</span></td><td><span class=\"hd3\">Converted Date</span></td><td><span class=\"hd3\">Downloaded Date</span></td><td><span class=\"hd3\">Processed Date</span></td><td><span class=\"hd3\">OCR'd Date</span></td><td><span class=\"hd3\">Google Books Link</span></td></tr></thead><tbody>
";

/// The barcode of a book.
pub fn barcode(number: u64) -> String {
    format!("{:014}", 32_044_000_000_000 + number)
}

fn number(barcode: &str) -> Option<u64> {
    barcode.parse::<u64>().ok()?.checked_sub(32_044_000_000_000)
}

/// What a run's database holds of its books, in the order of rows: what [`listed`] gives for each.
pub fn stored(database: &Path) -> rusqlite::Result<Vec<[String; 10]>> {
    let connection = rusqlite::Connection::open(database)?;
    let columns = COLUMNS_LISTED.join(", ");
    let mut statement =
        connection.prepare(&format!("SELECT {columns} FROM books ORDER BY rowid"))?;
    let rows = statement.query_map([], |row| {
        let mut values: [String; 10] = Default::default();
        for (index, value) in values.iter_mut().enumerate() {
            *value = row.get::<_, Option<String>>(index)?.unwrap_or_default();
        }
        Ok(values)
    })?;
    rows.collect()
}

/// What a collection should store of a book; dates that are absent are empty.
pub fn listed(number: u64, edition: u32) -> [String; 10] {
    let date = |every: u64, hour: u64| {
        if number.is_multiple_of(every) {
            String::new()
        } else {
            format!(
                "20{:02}-{:02}-{:02}T{:02}:{:02}:00",
                number % 20,
                number % 12 + 1,
                number % 28 + 1,
                hour,
                number % 60
            )
        }
    };
    let title = match number % 11 {
        0 => String::new(),
        1 => format!("Café & <Co.>, volume {number}"),
        _ => format!("The annals of the society, part the {number}th, with notes"),
    };
    let title = match (edition, title.is_empty()) {
        (1.., false) => format!("{title} (edition {edition})"),
        _ => title,
    };
    let link = if number.is_multiple_of(5) {
        String::new()
    } else {
        format!("https://books.google.com/books?id=x{number}&hl=en")
    };
    let states = ["CONVERTED", "NEW", "CHECKED_IN", "PREVIOUSLY_DOWNLOADED"];
    [
        barcode(number),
        title,
        date(2, 3),
        date(3, 4),
        date(4, 5),
        date(5, 6),
        date(6, 7),
        date(7, 8),
        link,
        states[(number % 4) as usize].to_owned(),
    ]
}
