//! Draws a file: its waveform, its passages, where they may overlap, and where it is silent.

use std::fmt::Write;

use crate::error::{Error, Result};
use crate::library::Library;
use crate::library::query::{self, FileDetails, PassageDetails};
use audio::overview::{Overview, POINTS_PER_SECOND, Point};

/// Quieter than this is drawn as silence, in dBFS.
const SILENT_DBFS: f32 = -50.0;

/// A silence is drawn from this length on, in points.
const SILENT_POINTS: usize = 5;

/// What is drawn.
#[derive(Debug, Clone)]
pub struct Picture {
    file: FileDetails,
    overview: Overview,
}

/// A column of a waveform.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Column {
    least: f32,
    greatest: f32,
    rms: f32,
}

impl Picture {
    /// The picture of the file named, or of the file of the passage named.
    ///
    /// # Errors
    ///
    /// When there is no such file, it was never heard, or the database cannot be read.
    pub fn of(library: &Library, name: &str) -> Result<Self> {
        let file = *query::file_of(library, name)?;
        let points = query::overview(library.db(), &file.id, audio::overview::VERSION)?;
        let Some(points) = points else {
            return Err(Error::NoFlavor {
                name: name.to_owned(),
            });
        };
        Ok(Self {
            file,
            overview: Overview::from_bytes(points),
        })
    }

    /// The picture as an SVG document of its own, without scripts or anything from elsewhere.
    pub fn svg(&self) -> String {
        const WIDTH: f64 = 1200.0;
        let seconds = self.seconds();
        let x = |at: f64| (at / seconds * WIDTH).clamp(0.0, WIDTH);
        let mut svg = String::new();
        // Writing to a string cannot fail.
        let mut line = |text: std::fmt::Arguments<'_>| {
            let _ = svg.write_fmt(text);
            svg.push('\n');
        };
        line(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} 290\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\">"
        ));
        line(format_args!("<title>{}</title>", escaped(&self.file.path)));
        line(format_args!(
            "<rect width=\"{WIDTH}\" height=\"290\" fill=\"#ffffff\"/>"
        ));
        line(format_args!(
            "<text x=\"4\" y=\"16\" fill=\"#222222\">{}</text>",
            escaped(&fitted(&self.heading(), WIDTH - 8.0).unwrap_or_default())
        ));
        for (from, to) in self.silences() {
            line(format_args!(
                "<rect class=\"silence\" x=\"{:.1}\" y=\"40\" width=\"{:.1}\" height=\"180\" fill=\"#eeeeee\"/>",
                x(from),
                x(to) - x(from)
            ));
        }
        for (at, passage) in self.file.passages.iter().enumerate() {
            let (from, to) = (x(passage.start_seconds), x(passage.end_seconds));
            let fill = if at % 2 == 0 { "#dbe9f6" } else { "#e4f1df" };
            line(format_args!(
                "<rect class=\"passage\" x=\"{from:.1}\" y=\"40\" width=\"{:.1}\" height=\"180\" fill=\"{fill}\"/>",
                to - from
            ));
            let room = to - from - 4.0;
            line(format_args!(
                "<g><title>{}</title>",
                escaped(passage.title.as_deref().unwrap_or_default())
            ));
            if let Some(caption) = caption(at, passage, room) {
                line(format_args!(
                    "<text x=\"{:.1}\" y=\"34\" fill=\"#222222\">{}</text>",
                    from + 2.0,
                    escaped(&caption)
                ));
            }
            let loudness = passage
                .integrated_lufs
                .map(|lufs| format!("{lufs:.1} LUFS"));
            if let Some(loudness) = loudness.filter(|text| width_of(text) <= room) {
                line(format_args!(
                    "<text x=\"{:.1}\" y=\"236\" fill=\"#555555\">{loudness}</text>",
                    from + 2.0
                ));
            }
            line(format_args!("</g>"));
        }
        let columns = self.columns(WIDTH as usize);
        line(format_args!(
            "<path class=\"wave\" d=\"{}\" stroke=\"#7f9fbf\" fill=\"none\"/>",
            outline(&columns, |column| (column.least, column.greatest))
        ));
        line(format_args!(
            "<path class=\"rms\" d=\"{}\" stroke=\"#2f5f8f\" fill=\"none\"/>",
            outline(&columns, |column| (-column.rms, column.rms))
        ));
        line(format_args!("{}", self.points(x)));
        line(format_args!("{}", axis(seconds, WIDTH, x)));
        line(format_args!("{LEGEND}"));
        line(format_args!("</svg>"));
        svg
    }

    /// Length, format and path.
    fn heading(&self) -> String {
        let seconds = self.seconds().round() as u64;
        let format = self.file.format.as_deref().unwrap_or("audio");
        format!(
            "{}:{:02} {format}  {}",
            seconds / 60,
            seconds % 60,
            self.file.path
        )
    }

    /// Leads and fades as upright lines.
    fn points(&self, x: impl Fn(f64) -> f64) -> String {
        let mut lines = String::new();
        for passage in &self.file.passages {
            for (class, colour, at) in [
                ("lead-in", "#2a8f3c", passage.lead_in_seconds),
                ("lead-out", "#b03030", passage.lead_out_seconds),
                ("fade-in", "#8a6d00", passage.fade_in_seconds),
                ("fade-out", "#8a6d00", passage.fade_out_seconds),
            ] {
                if let Some(at) = at {
                    let _ = writeln!(
                        lines,
                        "<line class=\"{class}\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"40\" y2=\"220\" stroke=\"{colour}\" \
                         stroke-dasharray=\"4 3\"><title>{class} {at:.2} s</title></line>",
                        x(at)
                    );
                }
            }
        }
        lines
    }

    /// The picture in `width` characters a line: the waveform's upper half, and the passages below it.
    pub fn text(&self, width: usize) -> Vec<String> {
        const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let width = width.max(10);
        let columns = self.columns(width);
        let height = |column: &Column| {
            (column.greatest.max(-column.least) * 16.0)
                .round()
                .clamp(0.0, 16.0) as usize
        };
        let upper = columns
            .iter()
            .map(|column| BARS[height(column).saturating_sub(8)])
            .collect();
        let lower = columns
            .iter()
            .map(|column| BARS[height(column).min(8)])
            .collect();
        let place =
            |seconds: f64| ((seconds / self.seconds() * width as f64) as usize).min(width - 1);
        let mut ruler = vec![' '; width];
        for passage in &self.file.passages {
            let (from, to) = (place(passage.start_seconds), place(passage.end_seconds));
            for slot in &mut ruler[from..=to] {
                *slot = '─';
            }
            for (mark, at) in [
                ('>', passage.lead_in_seconds),
                ('<', passage.lead_out_seconds),
            ] {
                if let Some(at) = at {
                    ruler[place(at)] = mark;
                }
            }
            ruler[from] = '├';
            ruler[to] = '┤';
        }
        vec![upper, lower, ruler.into_iter().collect()]
    }

    fn seconds(&self) -> f64 {
        let drawn = self.overview.points().len() as f64 / f64::from(POINTS_PER_SECOND);
        self.file.seconds.unwrap_or(drawn).max(0.1)
    }

    /// The waveform in `count` columns.
    fn columns(&self, count: usize) -> Vec<Column> {
        let points: Vec<Point> = self.overview.points().collect();
        (0..count)
            .map(|column| {
                let from = column * points.len() / count;
                let to = ((column + 1) * points.len() / count)
                    .max(from + 1)
                    .min(points.len());
                let part = &points[from.min(to)..to];
                let power: f32 = part
                    .iter()
                    .map(|point| 10_f32.powf(point.dbfs / 10.0))
                    .sum();
                Column {
                    least: part.iter().map(|point| point.least).fold(0.0, f32::min),
                    greatest: part.iter().map(|point| point.greatest).fold(0.0, f32::max),
                    rms: (power / part.len().max(1) as f32).sqrt(),
                }
            })
            .collect()
    }

    /// Silences, from and to in seconds.
    fn silences(&self) -> Vec<(f64, f64)> {
        let second = |point: usize| point as f64 / f64::from(POINTS_PER_SECOND);
        let mut silences = Vec::new();
        let mut begun = None;
        let levels = self.overview.points().map(|point| point.dbfs).chain([0.0]);
        for (at, dbfs) in levels.enumerate() {
            match (dbfs < SILENT_DBFS, begun) {
                (true, None) => begun = Some(at),
                (false, Some(from)) => {
                    if at - from >= SILENT_POINTS {
                        silences.push((second(from), second(at)));
                    }
                    begun = None;
                }
                _ => {}
            }
        }
        silences
    }
}

/// What the colours and lines mean, below everything else.
const LEGEND: &str = "<g fill=\"#555555\">\
<line x1=\"4\" x2=\"4\" y1=\"272\" y2=\"284\" stroke=\"#2a8f3c\" stroke-dasharray=\"4 3\"/><text x=\"10\" y=\"282\">lead-in ends</text>\
<line x1=\"104\" x2=\"104\" y1=\"272\" y2=\"284\" stroke=\"#b03030\" stroke-dasharray=\"4 3\"/><text x=\"110\" y=\"282\">lead-out begins</text>\
<line x1=\"224\" x2=\"224\" y1=\"272\" y2=\"284\" stroke=\"#8a6d00\" stroke-dasharray=\"4 3\"/><text x=\"230\" y=\"282\">fades</text>\
<rect x=\"284\" y=\"272\" width=\"14\" height=\"12\" fill=\"#eeeeee\"/><text x=\"302\" y=\"282\">silence</text>\
<rect x=\"364\" y=\"272\" width=\"14\" height=\"12\" fill=\"#7f9fbf\"/><text x=\"382\" y=\"282\">peaks</text>\
<rect x=\"434\" y=\"272\" width=\"14\" height=\"12\" fill=\"#2f5f8f\"/><text x=\"452\" y=\"282\">loudness (RMS)</text></g>";

/// The width of a text in a usual sans-serif of 12 units. An upper bound: no letter of such a font is wider than its
/// size but for some of the widest, and Latin ones average half of it.
fn width_of(text: &str) -> f64 {
    text.chars()
        .map(|c| if c.is_ascii() { 7.0 } else { 12.0 })
        .sum()
}

/// As much of a text as there is room for; `None` where not even a few letters fit.
fn fitted(text: &str, room: f64) -> Option<String> {
    const FEW: usize = 3;
    if width_of(text) <= room {
        return Some(text.to_owned());
    }
    let mut short = String::new();
    let mut left = room - width_of("…");
    for c in text.chars() {
        left -= width_of(c.encode_utf8(&mut [0; 4]));
        if left < 0.0 {
            break;
        }
        short.push(c);
    }
    (short.chars().count() >= FEW).then(|| short + "…")
}

/// The number and the title of a passage, as far as there is room.
fn caption(at: usize, passage: &PassageDetails, room: f64) -> Option<String> {
    let number = (at + 1).to_string();
    let title = passage.title.as_deref().unwrap_or_default();
    let whole = fitted(&format!("{number} {title}"), room);
    whole.or_else(|| (width_of(&number) <= room).then_some(number))
}

/// Between two marks of the time line, in seconds: some ten of them.
fn step(seconds: f64) -> f64 {
    [5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0]
        .into_iter()
        .find(|step| seconds / step <= 14.0)
        .unwrap_or(7200.0)
}

fn escaped(text: &str) -> String {
    let plain = text.replace(char::is_control, " ");
    plain
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// One upright line for each column, from the lower to the upper of two values.
fn outline(columns: &[Column], pick: fn(&Column) -> (f32, f32)) -> String {
    const MIDDLE: f64 = 130.0;
    const HALF: f64 = 80.0;
    let mut path = String::new();
    for (at, column) in columns.iter().enumerate() {
        let (low, high) = pick(column);
        let (top, bottom) = (
            MIDDLE - f64::from(high) * HALF,
            MIDDLE - f64::from(low) * HALF,
        );
        let _ = write!(path, "M{at}.5 {top:.1}V{:.1}", bottom.max(top + 0.5));
    }
    path
}

/// Times below the waveform.
fn axis(seconds: f64, width: f64, x: impl Fn(f64) -> f64) -> String {
    let mut lines = String::new();
    let step = step(seconds);
    let mut at = 0.0;
    while at <= seconds {
        let time = format!("{}:{:02}", (at / 60.0) as u64, (at % 60.0) as u64);
        // A time stands under its place, and inside the picture at both ends.
        let half = width_of(&time) / 2.0;
        let middle = x(at).clamp(half, width - half);
        let _ = writeln!(
            lines,
            "<text x=\"{middle:.1}\" y=\"262\" text-anchor=\"middle\" fill=\"#777777\">{time}</text>"
        );
        at += step;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_document() {
        assert_eq!(
            escaped("<a> & \"b\"\u{0}"),
            "&lt;a&gt; &amp; &quot;b&quot; "
        );
    }

    #[test]
    fn a_label_is_never_wider_than_its_room() {
        for (room, expected) in [
            (500.0, Some("3 A long title of a song")),
            (60.0, Some("3 A lo…")),
            (8.0, None),
            (2.0, None),
        ] {
            let label = fitted("3 A long title of a song", room);
            assert_eq!(label.as_deref(), expected, "{room}");
            assert!(label.is_none_or(|label| width_of(&label) <= room));
        }
    }

    #[test]
    fn a_time_line_has_some_ten_marks() {
        for seconds in [8.0, 200.0, 3000.0, 36_000.0] {
            assert!(
                (1.0..=14.0).contains(&(seconds / step(seconds))),
                "{seconds}"
            );
        }
    }
}
