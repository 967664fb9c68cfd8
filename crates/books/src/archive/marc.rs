//! The description of a book: the MARC 21 record within its METS file, as seventeen columns.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use serde::{Deserialize, Serialize};

const METS: &[u8] = b"http://www.loc.gov/METS/";
const MARC: &[u8] = b"http://www.loc.gov/MARC21/slim";

/// How deep elements may lie in each other. In METS a record lies five deep.
const DEEPEST: usize = 200;

/// Bytes of a value. In MARC 21 as it is exchanged a whole field has 9,999.
const LONGEST_VALUE: usize = 64 << 10;

/// Bytes of a column, in which several values stand.
const LONGEST_COLUMN: usize = 256 << 10;

/// Values that are named when they are left out.
const MOST_LEFT_OUT: usize = 50;

/// The columns, in the order of the database.
pub const MARC_COLUMNS: [&str; 17] = [
    "marc_control_number",
    "marc_date_type",
    "marc_date_1",
    "marc_date_2",
    "marc_language",
    "marc_lccn",
    "marc_lc_call_number",
    "marc_isbn",
    "marc_oclc_numbers",
    "marc_title",
    "marc_title_remainder",
    "marc_author_personal",
    "marc_author_corporate",
    "marc_author_meeting",
    "marc_subjects",
    "marc_genres",
    "marc_general_note",
];

/// Values of [`MARC_COLUMNS`]; `None` where the record says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marc {
    /// In the order of the columns.
    pub values: [Option<String>; 17],
    /// Values that were left out because they are not text, a sentence each.
    #[serde(skip)]
    pub left_out: Vec<String>,
}

/// Where fields with subfields go: tag, subfield, column, and whether all of them count or the first.
const FIELDS: [(&str, &str, usize, Several); 13] = [
    ("010", "a", 5, Several::First),
    ("050", "a", 6, Several::All),
    ("020", "a", 7, Several::All),
    ("035", "a", 8, Several::Oclc),
    ("245", "a", 9, Several::First),
    ("245", "b", 10, Several::First),
    ("100", "a", 11, Several::First),
    ("110", "a", 12, Several::First),
    ("111", "a", 13, Several::First),
    ("650", "a", 14, Several::WithoutPeriod),
    ("655", "a", 15, Several::WithoutPeriod),
    ("500", "a", 16, Several::All),
    ("001", "", 0, Several::First),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Several {
    First,
    All,
    /// All, without the periods that end headings.
    WithoutPeriod,
    /// Those that are numbers of OCLC.
    Oclc,
}

impl Marc {
    fn field(&mut self, tag: &str, code: &str, value: &str) {
        let value = value.trim();
        if !self.is_text(tag, code, value) {
            return;
        }
        let mut is_full = false;
        for (_, _, column, several) in FIELDS.iter().filter(|(t, c, ..)| *t == tag && *c == code) {
            let value = match several {
                Several::WithoutPeriod => value.trim_end_matches('.'),
                Several::Oclc if !value.contains("(OCoLC)") => continue,
                _ => value,
            };
            if value.is_empty() {
                continue;
            }
            match &mut self.values[*column] {
                Some(_) if *several == Several::First => {}
                Some(known) if known.len() + value.len() > LONGEST_COLUMN => is_full = true,
                Some(known) => {
                    known.push_str(", ");
                    known.push_str(value);
                }
                empty => *empty = Some(value.to_owned()),
            }
        }
        if is_full {
            self.leave_out(tag, code, "more values than are kept");
        }
    }

    fn leave_out(&mut self, tag: &str, code: &str, why: &str) {
        if self.left_out.len() < MOST_LEFT_OUT {
            let name = format!("{tag} {code}");
            let name = name.trim_end();
            self.left_out
                .push(format!("MARC field {name} has {why}, and is left out"));
        }
    }

    /// Whether a value is text. One bad character costs its value, and no other.
    fn is_text(&mut self, tag: &str, code: &str, value: &str) -> bool {
        let bad = value.chars().find(|c| !is_of_text(*c));
        if let Some(bad) = bad.filter(|_| is_wanted(tag, code)) {
            let what = match bad {
                char::REPLACEMENT_CHARACTER => "bytes that are no text".to_owned(),
                other => format!("the character U+{:04X}", u32::from(other)),
            };
            self.leave_out(tag, code, &what);
        }
        bad.is_none()
    }

    /// Field 008 has its values at fixed places, and may end in blanks that are part of it.
    fn fixed(&mut self, value: &str) {
        if !self.is_text("008", "", value) {
            return;
        }
        let mut value = value.trim_matches(['\n', '\r', '\t']);
        if value.chars().nth(FIXED_LENGTH).is_some() {
            // Somebody has indented it.
            value = value.trim_start();
        }
        let value: Vec<char> = value.chars().take(FIXED_LENGTH).collect();
        let at = |begin: usize, end: usize| {
            let text: String = value.get(begin..end)?.iter().collect();
            Some(text).filter(|text| !text.trim().is_empty())
        };
        // 9999 says that there is no end yet.
        let year = |text: &String| text.chars().all(|c| c.is_ascii_digit()) && text != "9999";
        self.values[1] = at(6, 7);
        self.values[2] = at(7, 11).filter(year);
        self.values[3] = at(11, 15).filter(year);
        self.values[4] = at(35, 38).map(|text| text.trim().to_owned());
    }
}

/// Whether there is a column for the value.
fn is_wanted(tag: &str, code: &str) -> bool {
    tag == "008" || FIELDS.iter().any(|(t, c, ..)| *t == tag && *c == code)
}

/// Whether XML 1.0 (section 2.2) has the character, and it was not put in place of bytes that are none.
fn is_of_text(c: char) -> bool {
    let is_control = c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    !is_control && !matches!(c, '\u{fffe}' | '\u{ffff}' | char::REPLACEMENT_CHARACTER)
}

/// Characters of field 008 (MARC 21 Format for Bibliographic Data).
const FIXED_LENGTH: usize = 40;

/// Reads the first record of a METS file.
pub(super) fn read(bytes: &[u8]) -> Result<Marc, String> {
    let text = decode(bytes);
    let mut reader = NsReader::from_str(&text);
    // `AT&T` is no XML, and no reason to lose a record.
    reader.config_mut().allow_dangling_amp = true;
    let mut place = Place::default();
    loop {
        let at = reader.buffer_position();
        let (namespace, event) = reader
            .read_resolved_event()
            .map_err(|error| format!("the XML is damaged at byte {at}: {error}"))?;
        match event {
            Event::Start(start) => {
                let element = Element::of(&namespace, &start);
                place.begin(element, &start)?;
            }
            Event::Empty(start) => {
                let element = Element::of(&namespace, &start);
                place.begin(element, &start)?;
                if let Some(marc) = place.end() {
                    return Ok(marc);
                }
            }
            Event::End(_) => {
                if let Some(marc) = place.end() {
                    return Ok(marc);
                }
            }
            Event::Text(text) => place.text(&one_line_end(&text.decode().unwrap_or_default())),
            Event::CData(text) => place.text(&one_line_end(&text.decode().unwrap_or_default())),
            Event::GeneralRef(reference) => place.text(&resolved(&reference)),
            Event::Eof if place.depth() > 0 => {
                return Err("the XML ends before its end".to_owned());
            }
            Event::Eof => return Err("no MARC record in the METS file".to_owned()),
            _ => {}
        }
    }
}

/// An element, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    DmdSec,
    MdWrap,
    XmlData,
    Record,
    ControlField,
    DataField,
    SubField,
    Other,
}

impl Element {
    fn of(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Self {
        let ResolveResult::Bound(Namespace(namespace)) = namespace else {
            return Self::Other;
        };
        match (*namespace, start.local_name().as_ref()) {
            (METS, b"dmdSec") => Self::DmdSec,
            (METS, b"mdWrap") => Self::MdWrap,
            (METS, b"xmlData") => Self::XmlData,
            (MARC, b"record") => Self::Record,
            (MARC, b"controlfield") => Self::ControlField,
            (MARC, b"datafield") => Self::DataField,
            (MARC, b"subfield") => Self::SubField,
            _ => Self::Other,
        }
    }
}

/// Where the reader is, and what it has of the record.
#[derive(Default)]
struct Place {
    path: Vec<Element>,
    marc: Option<Marc>,
    tag: String,
    code: String,
    value: String,
    /// Whether there is more of the value than is kept.
    is_too_long: bool,
}

impl Place {
    fn depth(&self) -> usize {
        self.path.len()
    }

    fn begin(&mut self, element: Element, start: &BytesStart<'_>) -> Result<(), String> {
        const WRAP: [Element; 3] = [Element::DmdSec, Element::MdWrap, Element::XmlData];
        if self.path.len() >= DEEPEST {
            return Err(format!("the XML is more than {DEEPEST} elements deep"));
        }
        match element {
            Element::Record if self.path.ends_with(&WRAP) => self.marc = Some(Marc::default()),
            Element::ControlField => {
                self.tag = attribute(start, "tag");
                self.code.clear();
                self.forget_value();
            }
            Element::DataField => self.tag = attribute(start, "tag"),
            Element::SubField => {
                self.code = attribute(start, "code");
                self.forget_value();
            }
            _ => {}
        }
        self.path.push(element);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        let within = self.path.last();
        if matches!(within, Some(Element::ControlField | Element::SubField)) {
            self.is_too_long |= self.value.len() + text.len() > LONGEST_VALUE;
            if !self.is_too_long {
                self.value.push_str(text);
            }
        }
    }

    fn forget_value(&mut self) {
        self.value.clear();
        self.is_too_long = false;
    }

    /// Leaves an element; the record, if it was that.
    fn end(&mut self) -> Option<Marc> {
        let element = self.path.pop()?;
        let marc = self.marc.as_mut()?;
        match element {
            Element::ControlField | Element::SubField
                if self.is_too_long && is_wanted(&self.tag, &self.code) =>
            {
                marc.leave_out(&self.tag, &self.code, "more bytes than are kept");
            }
            Element::ControlField if self.tag == "008" => marc.fixed(&self.value),
            Element::ControlField | Element::SubField => {
                marc.field(&self.tag, &self.code, &self.value);
            }
            Element::Record => return self.marc.take(),
            _ => {}
        }
        None
    }
}

/// Every end of a line is one character (XML 1.0, section 2.11).
fn one_line_end(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        return text.replace("\r\n", "\n").replace('\r', "\n").into();
    }
    text.into()
}

fn attribute(start: &BytesStart<'_>, name: &str) -> String {
    let value = start.try_get_attribute(name).ok().flatten();
    let value = value.map(|value| String::from_utf8_lossy(&value.value).trim().to_owned());
    value.unwrap_or_default()
}

/// What a reference stands for. One that only the document's own definitions explain stays as it is: definitions are
/// not read, since a few lines of them can stand for gigabytes.
fn resolved(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    let name = reference.decode().unwrap_or_default();
    match name.as_ref() {
        "amp" => "&".to_owned(),
        "lt" => "<".to_owned(),
        "gt" => ">".to_owned(),
        "quot" => "\"".to_owned(),
        "apos" => "'".to_owned(),
        other => format!("&{other};"),
    }
}

/// The text of a document in whatever encoding it is: as its first bytes say, as it declares, or as it turns out to be.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    let by_shape = match bytes {
        [0, b'<', ..] => Some(encoding_rs::UTF_16BE),
        [b'<', 0, ..] => Some(encoding_rs::UTF_16LE),
        _ => None,
    };
    // A declaration is a claim. Bytes that are sound UTF-8 are that, whatever is declared: in an encoding of single bytes
    // every text is sound, and in others hardly one is both. Only what is written in seven bits looks like UTF-8.
    let is_utf8 = std::str::from_utf8(bytes).is_ok();
    let declared = declared(bytes).and_then(Encoding::for_label);
    let declared = declared.filter(|encoding| {
        let is_two_bytes = [encoding_rs::UTF_16LE, encoding_rs::UTF_16BE].contains(encoding);
        let is_seven_bits = *encoding == encoding_rs::ISO_2022_JP;
        !is_two_bytes && (!is_utf8 || is_seven_bits)
    });
    let first = by_shape.or(declared).unwrap_or(UTF_8);
    // What is wrongly declared is most often Windows-1252. Where most of what is not ASCII is UTF-8, a few bytes are
    // damaged, and the rest is what it says.
    if first == UTF_8
        && !is_utf8
        && !is_mostly_utf8(bytes)
        && let (western, false) = WINDOWS_1252.decode_without_bom_handling(bytes)
    {
        return western;
    }
    match first.decode_without_bom_handling(bytes) {
        (_, true) if first != UTF_8 && is_utf8 => UTF_8.decode_without_bom_handling(bytes).0,
        (text, _) => text,
    }
}

/// Whether more characters beyond ASCII are sound UTF-8 than not.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut sound, mut wrong) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        wrong += usize::from(!chunk.invalid().is_empty());
    }
    sound > wrong
}

/// The encoding that a document declares.
fn declared(bytes: &[u8]) -> Option<&[u8]> {
    let head = &bytes[..bytes.len().min(200)];
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let at = head[..end]
        .windows(8)
        .position(|word| word == b"encoding")?;
    let rest = head[at + 8..end]
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let (quote, rest) = rest.split_first()?;
    let end = rest.iter().position(|byte| byte == quote)?;
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(inner: &str) -> String {
        format!(
            "<m:mets xmlns:m='http://www.loc.gov/METS/' xmlns='http://www.loc.gov/MARC21/slim'><m:dmdSec><m:mdWrap>\
             <m:xmlData><record>{inner}</record></m:xmlData></m:mdWrap></m:dmdSec></m:mets>"
        )
    }

    fn dates(field: &str) -> [Option<String>; 4] {
        let text = document(&format!("<controlfield tag='008'>{field}</controlfield>"));
        let values = read(text.as_bytes()).unwrap().values;
        [1, 2, 3, 4].map(|column| values[column].clone())
    }

    #[test]
    fn dates_are_kept_whatever_digits_they_have() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            dates("990502s1999    nyu           000 0 eng d"),
            [some("s"), some("1999"), None, some("eng")]
        );
        assert_eq!(
            dates("850502c19779999nyu           000 0 fre  "),
            [some("c"), some("1977"), None, some("fre")]
        );
        assert_eq!(dates("850502 uuuu"), [None, None, None, None]);
    }

    #[test]
    fn a_record_is_read_in_every_encoding() {
        let inner = "<datafield tag='245'><subfield code='a'>Œuvres — é &amp; &#x8AD6;<![CDATA[ <b>]]></subfield></datafield>";
        let title = Some("Œuvres — é & 論 <b>".to_owned());
        let text = document(inner);
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [&[0xff, 0xfe][..], &utf16].concat();
        let western = encoding_rs::WINDOWS_1252.encode(&text).0.into_owned();
        let wrong = format!("<?xml version='1.0' encoding='windows-1250'?>{text}");
        for bytes in [
            text.clone().into_bytes(),
            utf16,
            marked,
            western,
            wrong.into_bytes(),
        ] {
            let read = read(&bytes).unwrap();
            let first: Vec<char> = read.values[9].as_deref().unwrap().chars().collect();
            assert_eq!(first.len(), title.as_deref().unwrap().chars().count());
        }
        assert_eq!(read(text.as_bytes()).unwrap().values[9], title);
    }

    #[test]
    fn a_bad_character_costs_its_field_and_no_other() {
        let field = |tag: &str, value: &str| {
            format!("<datafield tag='{tag}'><subfield code='a'>{value}</subfield></datafield>")
        };
        let author = "Brontë, Charlotte — AT&T";
        let inner = format!(
            "{}{}{}",
            field("245", "Jane\u{0} Eyre"),
            field("100", author),
            field("500", "a\r\nb")
        );
        let text = document(&inner);
        let found = read(text.as_bytes()).unwrap();
        assert_eq!(found.values[9], None);
        assert_eq!(found.values[11].as_deref(), Some(author));
        assert_eq!(found.values[16].as_deref(), Some("a\nb"));
        assert_eq!(
            found.left_out,
            ["MARC field 245 a has the character U+0000, and is left out"]
        );
        // One byte that is no UTF-8 does not make another encoding of the whole.
        let at = text.find('\u{0}').unwrap();
        let mut bytes = text.into_bytes();
        bytes[at] = 0xff;
        let found = read(&bytes).unwrap();
        assert_eq!(found.values[9], None);
        assert_eq!(found.values[11].as_deref(), Some(author));
        assert!(
            found.left_out[0].contains("bytes that are no text"),
            "{found:?}"
        );
    }

    #[test]
    fn values_beyond_what_a_record_has_are_left_out_and_told() {
        let field = |tag: &str, value: &str| {
            format!("<datafield tag='{tag}'><subfield code='a'>{value}</subfield></datafield>")
        };
        let long = "x".repeat(LONGEST_VALUE + 1);
        let inner = [
            field("245", &long),
            field("500", "note"),
            field("650", &"s".repeat(60_000)).repeat(6),
        ]
        .concat();
        let found = read(document(&inner).as_bytes()).unwrap();
        assert_eq!(found.values[9], None);
        assert_eq!(found.values[16].as_deref(), Some("note"));
        assert_eq!(
            found.values[14].as_ref().map(String::len),
            Some(4 * 60_000 + 6)
        );
        assert_eq!(
            found.left_out,
            [
                "MARC field 245 a has more bytes than are kept, and is left out",
                "MARC field 650 a has more values than are kept, and is left out",
                "MARC field 650 a has more values than are kept, and is left out",
            ]
        );
        let control = format!("<controlfield tag='008'>{long}</controlfield>");
        let found = read(document(&control).as_bytes()).unwrap();
        assert_eq!(found.values[1], None);
        let many = field("650", "\u{1}").repeat(200);
        assert_eq!(
            read(document(&many).as_bytes()).unwrap().left_out.len(),
            MOST_LEFT_OUT
        );
    }

    #[test]
    fn a_declaration_that_is_wrong_costs_nothing() {
        let inner = "<datafield tag='245'><subfield code='a'>Œuvres é</subfield></datafield>";
        for label in ["UTF-16", "gbk", "shift_jis", "us-ascii", "koi8-r", "x-none"] {
            let text = format!(
                "<?xml version='1.0' encoding='{label}'?>{}",
                document(inner)
            );
            let found = read(text.as_bytes()).unwrap();
            assert_eq!(found.values[9].as_deref(), Some("Œuvres é"), "{label}");
        }
    }

    #[test]
    fn a_document_without_a_record_says_so() {
        assert_eq!(
            read(b"<a/>").unwrap_err(),
            "no MARC record in the METS file"
        );
        assert!(read(b"<a><b>").unwrap_err().contains("ends before its end"));
        assert!(read(b"<a></b>").unwrap_err().contains("damaged at byte"));
        let deep = "<a>".repeat(100_000);
        assert!(
            read(deep.as_bytes())
                .unwrap_err()
                .contains("200 elements deep")
        );
    }

    #[test]
    fn definitions_that_stand_for_gigabytes_stand_for_themselves() {
        let laughs = "<!DOCTYPE x [<!ENTITY l 'lol'><!ENTITY m '&l;&l;&l;&l;'>]>";
        let inner = "<datafield tag='245'><subfield code='a'>&m;</subfield></datafield>";
        let read = read(format!("{laughs}{}", document(inner)).as_bytes()).unwrap();
        assert_eq!(read.values[9].as_deref(), Some("&m;"));
    }
}
