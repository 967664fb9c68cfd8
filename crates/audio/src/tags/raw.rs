//! What the tags of a file hold, as found: fields by name, texts not decoded yet.

use super::names::Name;
use super::text::Text;
use super::wide;

/// Bytes of text kept of one file. A cue sheet of 99 tracks has 10 kB, lyrics and comments are not kept at
/// all; a tag with more than this is an attack or an accident.
const MAX_TEXT: usize = 4 << 20;

/// Fields kept of one file; the fullest tags of Picard have about a hundred.
const MAX_FIELDS: usize = 20_000;

/// The largest single text that is kept.
pub(super) const MAX_VALUE: usize = 1 << 20;

/// Where a mark stands in a tag.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chapter {
    /// In seconds.
    pub start: f64,
    pub end: Option<f64>,
    pub title: Option<Text>,
}

/// One tag: an `ID3v2` tag, a comment block, and so on.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Source {
    pub fields: Vec<(Name, Text)>,
    pub chapters: Vec<Chapter>,
}

/// All tags of a file, the one to be believed first at the front.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub sources: Vec<Source>,
    /// What had to be mended or left out to read them.
    pub mended: Vec<String>,
    /// What the head of an Opus stream adds in dB, if anything.
    pub output_gain_db: Option<f64>,
    /// What texts with byte order marks say about those without.
    marks: wide::Evidence,
    text: usize,
    fields: usize,
}

impl Raw {
    /// Begins a tag; what is kept from now on belongs to it.
    pub(super) fn begin(&mut self) {
        self.sources.push(Source::default());
    }

    /// Keeps a text, unless it is blank or the file has had its share.
    pub(super) fn keep(&mut self, name: Name, text: Text) {
        for part in text.split() {
            let length = match &part {
                Text::Unicode(text) => text.len(),
                Text::Bytes(bytes) | Text::Wide(bytes) => bytes.len(),
            };
            if part.is_blank() || !self.has_room(length) {
                continue;
            }
            if let Some(source) = self.sources.last_mut() {
                source.fields.push((name, part));
            }
        }
    }

    /// Keeps a chapter, unless the file has had its share.
    pub(super) fn keep_chapter(&mut self, chapter: Chapter) {
        if self.has_room(size_of::<Chapter>())
            && let Some(source) = self.sources.last_mut()
        {
            source.chapters.push(chapter);
        }
    }

    /// Notes what was wrong, once.
    pub(super) fn mend(&mut self, note: impl Into<String>) {
        let note = note.into();
        if self.mended.len() < 16 && !self.mended.contains(&note) {
            self.mended.push(note);
        }
    }

    fn has_room(&mut self, length: usize) -> bool {
        if length > MAX_VALUE || self.text + length > MAX_TEXT || self.fields >= MAX_FIELDS {
            self.mend("tags larger than 4 MB are read in part");
            return false;
        }
        self.text += length;
        self.fields += 1;
        true
    }

    /// Notes the byte order mark of a text.
    pub(super) fn note_mark(&mut self, text: &[u8]) {
        if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = text {
            let mark = wide::Evidence::marked(text[0] == 0xfe);
            self.marks = self.marks.with(&mark);
        }
    }

    /// What the texts in UTF-16 say about the order of their bytes.
    pub(super) fn wide(&self) -> wide::Evidence {
        let unmarked = self.texts().filter_map(|text| match text {
            Text::Wide(bytes) => Some(wide::Evidence::of(bytes)),
            _ => None,
        });
        unmarked.fold(self.marks, |all, one| all.with(&one))
    }

    /// All texts whose encoding is not known.
    pub(super) fn doubtful(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.texts().filter_map(|text| match text {
            Text::Bytes(bytes) => Some(bytes.as_slice()),
            Text::Unicode(_) | Text::Wide(_) => None,
        })
    }

    /// All texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> + Clone {
        let fields = self
            .sources
            .iter()
            .flat_map(|source| source.fields.iter().map(|(_, text)| text));
        let titles = self.sources.iter().flat_map(|source| {
            source
                .chapters
                .iter()
                .filter_map(|chapter| chapter.title.as_ref())
        });
        fields.chain(titles)
    }
}
