//! All that is known of every passage as a Parquet file, one row a passage, for those who work with data.
//!
//! Times are in seconds, loudness in LUFS and LU, frequencies in Hz, and what was not measured is null. Vectors have
//! a column for each number, such as `pitch_1` (C) to `pitch_12` (B): every reader of Parquet takes those.

use std::io::{self, Write};
use std::sync::Arc;

use audio::flavor::Flavor;
use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::error::{Error, Result};
use crate::library::Library;
use crate::library::query::{PassageDetails, each_described};
use crate::views::export::Exported;

/// Passages that are collected, column by column, before they are written: 1 MB of numbers.
const GROUP: usize = 2_048;

/// What one or several columns hold.
enum Value {
    Text(fn(&PassageDetails) -> Option<&str>),
    Number(fn(&PassageDetails) -> Option<f64>),
    /// Of the flavor.
    Measured(fn(&Flavor) -> Option<f64>),
    /// So many numbers of the flavor, in as many columns.
    Vector(usize, fn(&Flavor) -> &[f64]),
}

const COLUMNS: [(&str, Value); 36] = [
    ("passage_id", Value::Text(|p| Some(p.id.as_str()))),
    ("path", Value::Text(|p| Some(&p.path))),
    ("start_s", Value::Number(|p| Some(p.start_seconds))),
    ("end_s", Value::Number(|p| Some(p.end_seconds))),
    ("title", Value::Text(|p| p.title.as_deref())),
    ("artist", Value::Text(|p| p.artist.as_deref())),
    ("album", Value::Text(|p| p.album.as_deref())),
    (
        "recording_mbid",
        Value::Text(|p| p.recording_mbid.as_deref()),
    ),
    ("fingerprint", Value::Text(|p| p.fingerprint.as_deref())),
    ("lead_in_s", Value::Number(|p| p.lead_in_seconds)),
    ("lead_out_s", Value::Number(|p| p.lead_out_seconds)),
    ("fade_in_s", Value::Number(|p| p.fade_in_seconds)),
    ("fade_out_s", Value::Number(|p| p.fade_out_seconds)),
    ("loudness_lufs", Value::Number(|p| p.integrated_lufs)),
    ("loudness_range_lu", Value::Number(|p| p.range_lu)),
    ("true_peak_dbtp", Value::Number(|p| p.true_peak_dbtp)),
    ("tagged_gain_db", Value::Number(|p| p.tagged_gain_db)),
    (
        "extractor",
        Value::Text(|p| p.flavor.as_ref().map(|flavor| flavor.extractor.as_str())),
    ),
    ("tempo_bpm", Value::Measured(|f| f.tempo_bpm)),
    ("pulse_clarity", Value::Measured(|f| Some(f.pulse_clarity))),
    ("onset_rate", Value::Measured(|f| Some(f.onset_rate))),
    // The tonic, 0 for C.
    ("key", Value::Measured(|f| f.key.map(|key| key as f64))),
    (
        "is_major",
        Value::Measured(|f| {
            let is_major = f64::from(u8::from(f.major_over_minor >= 0.0));
            f.key.map(|_| is_major)
        }),
    ),
    ("key_strength", Value::Measured(|f| Some(f.key_strength))),
    (
        "major_over_minor",
        Value::Measured(|f| Some(f.major_over_minor)),
    ),
    (
        "dynamic_complexity_db",
        Value::Measured(|f| Some(f.dynamic_complexity_db)),
    ),
    ("centroid_hz", Value::Measured(|f| Some(f.centroid_hz))),
    (
        "centroid_spread_hz",
        Value::Measured(|f| Some(f.centroid_spread_hz)),
    ),
    ("rolloff_hz", Value::Measured(|f| Some(f.rolloff_hz))),
    ("flatness", Value::Measured(|f| Some(f.flatness))),
    ("pitch", Value::Vector(12, |f| &f.pitch_classes)),
    ("band", Value::Vector(8, |f| &f.bands)),
    ("timbre", Value::Vector(13, |f| &f.timbre)),
    ("timbre_spread", Value::Vector(13, |f| &f.timbre_spread)),
    (
        "autocue_lead_in_s",
        Value::Number(|p| p.autocue.map(|autocue| autocue.lead_in_seconds)),
    ),
    (
        "autocue_lead_out_s",
        Value::Number(|p| p.autocue.map(|autocue| autocue.lead_out_seconds)),
    ),
];

/// A column of the group that is being filled: values, and for each passage whether it has one.
#[derive(Default)]
struct Filling {
    texts: Vec<ByteArray>,
    numbers: Vec<f64>,
    present: Vec<i16>,
}

impl Filling {
    fn text(&mut self, value: Option<&str>) {
        self.present.push(i16::from(value.is_some()));
        self.texts.extend(value.map(ByteArray::from));
    }

    fn number(&mut self, value: Option<f64>) {
        self.present.push(i16::from(value.is_some()));
        self.numbers.extend(value);
    }
}

/// Writes every passage to `out`, in the order of paths and positions.
///
/// # Errors
///
/// When the database cannot be read or `out` not be written.
pub fn export(library: &Library, out: impl Write + Send) -> Result<Exported> {
    let schema = parse_message_type(&schema()).map_err(output)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("accession ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer =
        SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(output)?;
    let mut columns: Vec<Filling> = (0..width()).map(|_| Filling::default()).collect();
    let (mut written, mut waiting) = (0, 0);
    let unreadable = each_described(library, |passage| {
        fill(&passage, &mut columns);
        written += 1;
        waiting += 1;
        if waiting == GROUP {
            waiting = 0;
            write_group(&mut writer, &mut columns)?;
        }
        Ok(())
    })?;
    if waiting > 0 {
        write_group(&mut writer, &mut columns)?;
    }
    writer.into_inner().map_err(output)?.flush()?;
    Ok(Exported {
        written,
        unreadable,
    })
}

/// How many columns there are, those of vectors counted.
fn width() -> usize {
    let width = |(_, value): &(_, Value)| match value {
        Value::Vector(length, _) => *length,
        _ => 1,
    };
    COLUMNS.iter().map(width).sum()
}

fn schema() -> String {
    let fields = COLUMNS.iter().flat_map(|(name, value)| match value {
        Value::Text(_) => vec![format!("OPTIONAL BYTE_ARRAY {name} (UTF8);")],
        Value::Number(_) | Value::Measured(_) => vec![format!("OPTIONAL DOUBLE {name};")],
        Value::Vector(length, _) => (1..=*length)
            .map(|at| format!("OPTIONAL DOUBLE {name}_{at};"))
            .collect(),
    });
    format!("message passages {{ {} }}", fields.collect::<String>())
}

fn fill(passage: &PassageDetails, columns: &mut [Filling]) {
    let flavor = passage.flavor.as_ref();
    let mut columns = columns.iter_mut();
    for (_, value) in &COLUMNS {
        let length = match value {
            Value::Vector(length, _) => *length,
            _ => 1,
        };
        for (at, column) in columns.by_ref().take(length).enumerate() {
            match value {
                Value::Text(text) => column.text(text(passage)),
                Value::Number(number) => column.number(number(passage)),
                Value::Measured(number) => column.number(flavor.and_then(number)),
                Value::Vector(_, numbers) => {
                    column.number(flavor.and_then(|flavor| numbers(flavor).get(at).copied()));
                }
            }
        }
    }
}

fn write_group<W: Write + Send>(
    writer: &mut SerializedFileWriter<W>,
    columns: &mut [Filling],
) -> Result<()> {
    let mut group = writer.next_row_group().map_err(output)?;
    let mut columns = columns.iter_mut();
    while let Some(mut column) = group.next_column().map_err(output)? {
        let Some(filling) = columns.next() else { break };
        let levels = Some(filling.present.as_slice());
        match column.untyped() {
            ColumnWriter::DoubleColumnWriter(writer) => {
                writer.write_batch(&filling.numbers, levels, None)
            }
            ColumnWriter::ByteArrayColumnWriter(writer) => {
                writer.write_batch(&filling.texts, levels, None)
            }
            _ => Ok(0),
        }
        .map_err(output)?;
        column.close().map_err(output)?;
        *filling = Filling::default();
    }
    group.close().map_err(output)?;
    Ok(())
}

fn output(error: ParquetError) -> Error {
    Error::Output(match error {
        ParquetError::External(cause) => io::Error::other(cause),
        other => io::Error::other(other),
    })
}
