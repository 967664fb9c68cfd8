//! One JSON object a line.

use std::io::Write;

use crate::catalogue::columns::COLUMNS;
use crate::catalogue::rows::Value;
use crate::error::Error;
use crate::export::Sink;

/// Objects with the columns of the database as keys; what is not known is `null`.
pub(crate) struct JsonLines<W> {
    out: W,
    line: Vec<u8>,
}

impl<W: Write> JsonLines<W> {
    pub(crate) fn begin(out: W) -> Self {
        Self {
            out,
            line: Vec::new(),
        }
    }
}

impl<W: Write> Sink for JsonLines<W> {
    fn row(&mut self, row: &[Value<'_>; COLUMNS.len()]) -> Result<(), Error> {
        let line = &mut self.line;
        line.clear();
        for (column, value) in COLUMNS.iter().zip(row) {
            line.push(if line.is_empty() { b'{' } else { b',' });
            line.push(b'"');
            line.extend_from_slice(column.name.as_bytes());
            line.extend_from_slice(b"\":");
            match value {
                Value::Null => line.extend_from_slice(b"null"),
                Value::Truth(truth) => line.extend_from_slice(truth.to_string().as_bytes()),
                Value::Text(text) => {
                    serde_json::to_writer(&mut *line, &String::from_utf8_lossy(text))
                        .map_err(|error| Error::Output(error.into()))?;
                }
            }
        }
        line.extend_from_slice(b"}\n");
        self.out.write_all(line).map_err(Error::Output)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.out.flush().map_err(Error::Output)
    }
}
