//! Comma-separated values, as spreadsheets and the predecessor write them.

use std::io::Write;

use crate::catalogue::columns::COLUMNS;
use crate::catalogue::rows::Value;
use crate::error::Error;
use crate::export::Sink;

/// Lines that end in CRLF; quotes only where needed.
pub(crate) struct Csv<W> {
    out: W,
    line: Vec<u8>,
}

impl<W: Write> Csv<W> {
    pub(crate) fn begin(out: W) -> Result<Self, Error> {
        let mut csv = Self {
            out,
            line: Vec::new(),
        };
        let headers = COLUMNS.map(|column| Value::Text(column.header.as_bytes()));
        csv.row(&headers)?;
        Ok(csv)
    }
}

impl<W: Write> Sink for Csv<W> {
    fn row(&mut self, row: &[Value<'_>; COLUMNS.len()]) -> Result<(), Error> {
        self.line.clear();
        for value in row {
            match value {
                Value::Null => {}
                Value::Truth(true) => self.line.extend_from_slice(b"TRUE"),
                Value::Truth(false) => self.line.extend_from_slice(b"FALSE"),
                Value::Text(text) => field(&mut self.line, text),
            }
            self.line.push(b',');
        }
        self.line.pop();
        self.line.extend_from_slice(b"\r\n");
        self.out.write_all(&self.line).map_err(Error::Output)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.out.flush().map_err(Error::Output)
    }
}

fn field(line: &mut Vec<u8>, text: &[u8]) {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\r' | b'\n');
    // To the end in any case: whole blocks are looked at at once.
    if !text.iter().fold(false, |found, byte| found | special(byte)) {
        line.extend_from_slice(text);
        return;
    }
    line.push(b'"');
    for part in text.split_inclusive(|byte| *byte == b'"') {
        line.extend_from_slice(part);
        if part.ends_with(b"\"") {
            line.push(b'"');
        }
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stand_only_where_needed() {
        let written = |text: &str| {
            let mut line = Vec::new();
            field(&mut line, text.as_bytes());
            String::from_utf8(line).unwrap()
        };
        assert_eq!(written("plain text; no 'need'"), "plain text; no 'need'");
        assert_eq!(written("a,b"), "\"a,b\"");
        assert_eq!(written("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(written("two\nlines"), "\"two\nlines\"");
        assert_eq!(written("\""), "\"\"\"\"");
        assert_eq!(written(""), "");
    }
}
