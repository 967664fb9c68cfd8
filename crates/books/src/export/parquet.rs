//! A Parquet file: one optional column of text for each column of the database, and one of truth.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::catalogue::columns::{COLUMNS, IS_DECRYPTED};
use crate::catalogue::rows::Value;
use crate::error::Error;
use crate::export::Sink;

/// Rows that are collected, column by column, before they are written.
const GROUP: usize = 8_192;

/// The file, and the rows of the group that is being filled.
pub(crate) struct Parquet<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Filling>,
    rows: usize,
}

/// A column of the group: values, and for each row whether it has one.
#[derive(Default)]
struct Filling {
    texts: Vec<ByteArray>,
    truths: Vec<bool>,
    present: Vec<i16>,
}

impl<W: Write + Send> Parquet<W> {
    pub(crate) fn begin(out: W) -> Result<Self, Error> {
        let fields: String = COLUMNS
            .iter()
            .enumerate()
            .map(|(index, column)| {
                if index == IS_DECRYPTED {
                    format!("OPTIONAL BOOLEAN {};", column.name)
                } else {
                    format!("OPTIONAL BYTE_ARRAY {} (UTF8);", column.name)
                }
            })
            .collect();
        let schema =
            parse_message_type(&format!("message books {{ {fields} }}")).map_err(output)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("accession ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))
            .map_err(output)?;
        Ok(Self {
            writer,
            columns: COLUMNS.iter().map(|_| Filling::default()).collect(),
            rows: 0,
        })
    }

    fn write_group(&mut self) -> Result<(), Error> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(output)?;
        let mut columns = self.columns.iter_mut();
        while let Some(mut column) = group.next_column().map_err(output)? {
            let Some(filling) = columns.next() else { break };
            let levels = Some(filling.present.as_slice());
            match column.untyped() {
                ColumnWriter::BoolColumnWriter(writer) => {
                    writer.write_batch(&filling.truths, levels, None)
                }
                ColumnWriter::ByteArrayColumnWriter(writer) => {
                    writer.write_batch(&filling.texts, levels, None)
                }
                _ => Ok(0),
            }
            .map_err(output)?;
            column.close().map_err(output)?;
            filling.texts.clear();
            filling.truths.clear();
            filling.present.clear();
        }
        group.close().map_err(output)?;
        self.rows = 0;
        Ok(())
    }
}

impl<W: Write + Send> Sink for Parquet<W> {
    fn row(&mut self, row: &[Value<'_>; COLUMNS.len()]) -> Result<(), Error> {
        for (filling, value) in self.columns.iter_mut().zip(row) {
            filling.present.push(i16::from(*value != Value::Null));
            match value {
                Value::Null => {}
                Value::Truth(truth) => filling.truths.push(*truth),
                Value::Text(text) => {
                    // Text of other tools may hold anything; a column of UTF-8 may not.
                    let text = String::from_utf8_lossy(text).into_owned();
                    filling.texts.push(ByteArray::from(text.into_bytes()));
                }
            }
        }
        self.rows += 1;
        if self.rows == GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.write_group()?;
        self.writer
            .into_inner()
            .map_err(output)?
            .flush()
            .map_err(Error::Output)
    }
}

fn output(error: ParquetError) -> Error {
    Error::Output(match error {
        ParquetError::External(cause) => io::Error::other(cause),
        other => io::Error::other(other),
    })
}
