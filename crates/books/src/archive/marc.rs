//! The description of a book: the MARC 21 record within its METS file, as seventeen columns.

use encoding_rs::{Encoding, UTF_8};
use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use serde::{Deserialize, Serialize};

const METS: &[u8] = b"http://www.loc.gov/METS/";
const MARC: &[u8] = b"http://www.loc.gov/MARC21/slim";

/// How deep elements may lie in each other. In METS a record lies five deep.
const DEEPEST: usize = 200;

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
                Some(known) if *several != Several::First => {
                    known.push_str(", ");
                    known.push_str(value);
                }
                Some(_) => {}
                empty => *empty = Some(value.to_owned()),
            }
        }
    }

    /// Field 008 has its values at fixed places, and may end in blanks that are part of it.
    fn fixed(&mut self, value: &str) {
        let mut value = value.trim_matches(['\n', '\r', '\t']);
        if value.chars().count() > FIXED_LENGTH {
            // Somebody has indented it.
            value = value.trim_start();
        }
        let value: Vec<char> = value.chars().collect();
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

/// Characters of field 008 (MARC 21 Format for Bibliographic Data).
const FIXED_LENGTH: usize = 40;

/// Reads the first record of a METS file.
pub(super) fn read(bytes: &[u8]) -> Result<Marc, String> {
    let text = decode(bytes);
    let mut reader = NsReader::from_str(&text);
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
            Event::Text(text) => place.text(&text.decode().unwrap_or_default()),
            Event::CData(text) => place.text(&text.decode().unwrap_or_default()),
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
                self.value.clear();
            }
            Element::DataField => self.tag = attribute(start, "tag"),
            Element::SubField => {
                self.code = attribute(start, "code");
                self.value.clear();
            }
            _ => {}
        }
        self.path.push(element);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        let within = self.path.last();
        if matches!(within, Some(Element::ControlField | Element::SubField)) {
            self.value.push_str(text);
        }
    }

    /// Leaves an element; the record, if it was that.
    fn end(&mut self) -> Option<Marc> {
        let element = self.path.pop()?;
        let marc = self.marc.as_mut()?;
        match element {
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
fn decode(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding
            .decode_without_bom_handling(&bytes[mark..])
            .0
            .into_owned();
    }
    let by_shape = match bytes {
        [0, b'<', ..] => Some(encoding_rs::UTF_16BE),
        [b'<', 0, ..] => Some(encoding_rs::UTF_16LE),
        _ => None,
    };
    let declared = declared(bytes).and_then(Encoding::for_label);
    // A declaration is a claim. Bytes that are sound UTF-8 are that, whatever encoding of single bytes is declared: in
    // such a one every text is sound.
    let declared = declared
        .filter(|encoding| !encoding.is_single_byte() || std::str::from_utf8(bytes).is_err());
    let first = by_shape.or(declared).unwrap_or(UTF_8);
    let (text, wrong) = first.decode_without_bom_handling(bytes);
    if !wrong {
        return text.into_owned();
    }
    // What is wrongly declared is UTF-8, or most often Windows-1252.
    for other in [UTF_8, encoding_rs::WINDOWS_1252] {
        let (text, wrong) = other.decode_without_bom_handling(bytes);
        if !wrong {
            return text.into_owned();
        }
    }
    text.into_owned()
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
