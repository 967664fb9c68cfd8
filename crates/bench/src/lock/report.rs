//! The predecessor's table, with measured columns.

use sqlite::Spread;

use crate::lock::{Cell, Design};
use crate::table::Table;

/// All cells as a table, in the order of measurement.
pub fn table(cells: &[Cell]) -> Table {
    let mut table = Table::new(&[
        "design",
        "N",
        "files",
        "accesses/file",
        "write locks/file",
        "statements/file",
        "wait p50 / p99 / max ms",
        "hold p50 / p99 / max ms",
        "whole file p50 / p99 / max ms",
        "busy polls/file",
        "busy errors",
        "failed files",
        "files/s",
        "CPU ms/file",
    ]);
    for cell in cells {
        table.row([
            format!("{:?}", cell.design),
            cell.passages.to_string(),
            cell.files.to_string(),
            beside(cell.per_file(cell.accesses), &accesses(cell)),
            beside(cell.per_file(cell.write_locks), &write_locks(cell)),
            cell.statements
                .map_or_else(|| "-".to_owned(), |count| number(cell.per_file(count))),
            spread(cell.wait),
            spread(cell.hold),
            spread(cell.whole),
            format!("{:.1}", cell.per_file(cell.polls)),
            cell.busy_errors.to_string(),
            cell.failed.to_string(),
            format!("{:.0}", cell.files as f64 / cell.seconds),
            format!(
                "{:.2}",
                cell.cpu_seconds * 1000.0 / cell.files.max(1) as f64
            ),
        ]);
    }
    table
}

/// What the third design is to the first two, as factors: more than 1 speaks for it.
pub fn ratios(cells: &[Cell]) -> Table {
    let mut table = Table::new(&[
        "C against",
        "N",
        "fewer write locks",
        "less CPU/file",
        "more files/s",
        "shorter slowest 1 % of files",
        "shorter slowest file",
    ]);
    for cell in cells.iter().filter(|cell| cell.design != Design::C) {
        let ours = cells
            .iter()
            .find(|other| other.design == Design::C && other.passages == cell.passages);
        let Some(ours) = ours else { continue };
        let factor = |value: &dyn Fn(&Cell) -> f64| value(cell) / value(ours).max(1e-9);
        table.row([
            format!("{:?}", cell.design),
            cell.passages.to_string(),
            format!("{:.0}", factor(&|cell| cell.per_file(cell.write_locks))),
            format!(
                "{:.1}",
                factor(&|cell| cell.cpu_seconds / cell.files.max(1) as f64)
            ),
            format!(
                "{:.2}",
                factor(&|cell| cell.seconds / cell.files.max(1) as f64)
            ),
            format!("{:.1}", factor(&|cell| cell.whole.p99)),
            format!("{:.1}", factor(&|cell| cell.whole.max)),
        ]);
    }
    table
}

/// The formula for A and B with its value.
fn accesses(cell: &Cell) -> String {
    match cell.design {
        Design::A => format!("9N+1 = {}", 9 * cell.passages + 1),
        Design::B => format!("3N+5 = {}", 3 * cell.passages + 5),
        Design::C => "<= 1".to_owned(),
    }
}

fn write_locks(cell: &Cell) -> String {
    match cell.design {
        Design::A => format!("6N+1 = {}", 6 * cell.passages + 1),
        Design::B => format!("3N+2 = {}", 3 * cell.passages + 2),
        Design::C => "<= 1".to_owned(),
    }
}

fn beside(measured: f64, formula: &str) -> String {
    format!("{} ({formula})", number(measured))
}

fn number(value: f64) -> String {
    if value.fract().abs() < 1e-9 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

fn spread(spread: Spread) -> String {
    let Spread { p50, p99, max, .. } = spread;
    format!("{} / {} / {}", short(p50), short(p99), short(max))
}

fn short(milliseconds: f64) -> String {
    if milliseconds < 10.0 {
        format!("{milliseconds:.2}")
    } else {
        format!("{milliseconds:.0}")
    }
}
