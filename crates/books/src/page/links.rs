//! Finds the way to the next page.

use crate::page::Tag;

/// The link that most likely leads on, the first of those that are equally likely. One within a row of the list counts
/// only if the row is no book: titles may link, too.
#[derive(Debug, Default)]
pub(crate) struct Links {
    open: Option<Open>,
    /// One that stands in a row that is still open.
    in_row: Option<Found>,
    next: Option<Found>,
}

/// A link that is open, and its text so far.
#[derive(Debug)]
struct Open {
    href: String,
    text: String,
    is_rel_next: bool,
}

/// A link that may lead on.
#[derive(Debug)]
struct Found {
    href: String,
    likely: Likely,
}

/// How likely a link leads to the next page, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likely {
    /// Two arrows: the next page, or the last one.
    Arrows,
    /// One arrow.
    Arrow,
    /// It says so.
    Word,
    /// Its markup says so.
    Rel,
}

/// More text than this says something else than "next".
const LONGEST_TEXT: usize = 200;

/// Parts of the query of a link to another page of a list.
const PARAMETERS: [&str; 6] = ["first=", "ctoken=", "start=", "offset=", "page=", "from="];

/// How links to a next page begin, in the languages that interfaces come in.
const NEXT: [&str; 14] = [
    "next",
    "weiter",
    "nächst",
    "suivant",
    "siguiente",
    "próxim",
    "seguinte",
    "avanti",
    "successiv",
    "volgende",
    "nästa",
    "далее",
    "下一",
    "次",
];

/// How links to the last page begin.
const LAST: [&str; 8] = [
    "last", "letzt", "ende", "dernier", "última", "último", "ultima", "laatste",
];

impl Links {
    /// A link begins, perhaps within a row of the list.
    pub(crate) fn open(&mut self, tag: &Tag, in_row: bool) {
        self.close(in_row);
        let Some(href) = tag.href.as_deref() else {
            return;
        };
        let href = String::from_utf8_lossy(href).trim().to_owned();
        if tag.is_rel_next || PARAMETERS.iter().any(|name| has(&href, name)) {
            self.open = Some(Open {
                href,
                text: String::from_utf8_lossy(&tag.label).into_owned(),
                is_rel_next: tag.is_rel_next,
            });
        }
    }

    /// Text, perhaps of a link.
    pub(crate) fn text(&mut self, value: &[u8]) {
        if let Some(open) = &mut self.open
            && open.text.len() < LONGEST_TEXT
        {
            open.text.push_str(&String::from_utf8_lossy(value));
        }
    }

    /// The link ends, perhaps within a row of the list.
    pub(crate) fn close(&mut self, in_row: bool) {
        let Some(open) = self.open.take() else { return };
        let Some(likely) = likely(&open) else { return };
        let place = if in_row {
            &mut self.in_row
        } else {
            &mut self.next
        };
        let href = open.href;
        better(place, Some(Found { href, likely }));
    }

    /// A row ends.
    pub(crate) fn end_row(&mut self, is_book: bool) {
        self.close(true);
        let link = self.in_row.take().filter(|_| !is_book);
        better(&mut self.next, link);
    }

    /// Where it leads, if anywhere.
    pub(crate) fn into_next(mut self) -> Option<String> {
        self.close(false);
        self.end_row(false);
        self.next.map(|found| found.href)
    }
}

fn better(place: &mut Option<Found>, other: Option<Found>) {
    let Some(other) = other else { return };
    if place
        .as_ref()
        .is_none_or(|found| found.likely < other.likely)
    {
        *place = Some(other);
    }
}

fn likely(link: &Open) -> Option<Likely> {
    let text = link.text.trim().to_lowercase();
    let says = |words: &[&str]| {
        let mut all = text.split(|c: char| !c.is_alphanumeric());
        all.any(|word| words.iter().any(|begin| word.starts_with(begin)))
    };
    if link.is_rel_next {
        Some(Likely::Rel)
    } else if says(&LAST) {
        None
    } else if says(&NEXT) || text.contains("next") {
        Some(Likely::Word)
    } else if text.contains(">>") || text.contains('»') {
        Some(Likely::Arrows)
    } else if text.contains(['>', '›', '→', '▶']) {
        Some(Likely::Arrow)
    } else {
        None
    }
}

/// Whether a link's query has a part of that name.
fn has(href: &str, name: &str) -> bool {
    href.match_indices(name)
        .any(|(at, _)| at == 0 || matches!(href.as_bytes()[at - 1], b'?' | b'&' | b';'))
}
