//! The tables of the import.

use std::collections::BTreeMap;

use crate::import::child::Cost;
use crate::import::stages::{STAGES, Split};
use crate::table::{Table, median};

/// What was measured several times, in turns.
#[derive(Debug, Clone)]
pub struct Turns {
    /// What it is.
    pub name: String,
    /// Workers; 0 for decoding alone.
    pub jobs: usize,
    /// One per round.
    pub costs: Vec<Cost>,
}

impl Turns {
    pub(crate) fn median(&self, value: impl Fn(&Cost) -> f64) -> f64 {
        median(self.costs.iter().map(value).collect())
    }
}

/// Medians of each configuration, and the ratio of CPU time to the floor's of the same round.
pub fn table(all: &[Turns]) -> Table {
    let mut table = Table::new(&[
        "",
        "CPU / decoding alone",
        "throughput / 1 job",
        "files",
        "audio h",
        "CPU s",
        "wall s",
        "CPU-s / audio-h",
        "files/s",
        "peak RSS MB",
        "write locks/file",
    ]);
    let one = all.iter().find(|turns| turns.jobs == 1);
    for turns in all {
        let cpu = |cost: &Cost| cost.cpu_seconds;
        let wall = |cost: &Cost| cost.seconds;
        let hours = turns.median(|cost| cost.audio_seconds / 3600.0);
        let files = turns.median(|cost| cost.files as f64);
        let scaled = one.filter(|_| turns.jobs > 0);
        table.row([
            turns.name.clone(),
            ratios(turns, &all[0], cpu),
            scaled.map_or_else(|| "-".to_owned(), |one| ratios(one, turns, wall)),
            format!("{files:.0}"),
            format!("{hours:.2}"),
            format!("{:.2}", turns.median(cpu)),
            format!("{:.2}", turns.median(wall)),
            format!("{:.2}", turns.median(cpu) / hours.max(1e-9)),
            format!("{:.1}", files / turns.median(wall).max(1e-9)),
            format!(
                "{:.0}",
                turns.median(|cost| cost.peak_rss_bytes as f64 / 1e6)
            ),
            format!(
                "{:.2}",
                turns.median(|cost| cost.commits as f64 / cost.files.max(1) as f64)
            ),
        ]);
    }
    table
}

/// Median, least and greatest of the rounds' ratios.
fn ratios(over: &Turns, under: &Turns, value: impl Fn(&Cost) -> f64) -> String {
    let rounds = over.costs.iter().zip(&under.costs);
    let ratios: Vec<f64> = rounds
        .map(|(over, under)| value(over) / value(under).max(1e-9))
        .collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = ratios.iter().copied().fold(0.0, f64::max);
    format!("{:.2} ({least:.2} to {greatest:.2})", median(ratios))
}

/// CPU seconds per hour of audio, by stage and extension.
pub(crate) fn stages(rounds: &[BTreeMap<String, Split>]) -> Table {
    let mut titles = vec!["", "files", "audio h"];
    titles.extend(STAGES);
    titles.extend(["sum", "sum / decode"]);
    let mut table = Table::new(&titles);
    let mut everything = Vec::new();
    for extension in rounds.first().into_iter().flat_map(BTreeMap::keys) {
        let splits: Vec<Split> = rounds
            .iter()
            .filter_map(|round| round.get(extension).cloned())
            .collect();
        table.row(stage_row(extension, &splits));
    }
    for round in rounds {
        let mut sum = Split::default();
        for split in round.values() {
            sum.add(split);
        }
        everything.push(sum);
    }
    table.row(stage_row("all", &everything));
    table
}

fn stage_row(name: &str, splits: &[Split]) -> Vec<String> {
    let middle = |value: &dyn Fn(&Split) -> f64| median(splits.iter().map(value).collect());
    let mut row = vec![
        name.to_owned(),
        format!("{:.0}", middle(&|split| split.files as f64)),
        format!("{:.2}", middle(&|split| split.audio_seconds / 3600.0)),
    ];
    let stages: Vec<f64> = (0..STAGES.len())
        .map(|stage| middle(&|split| split.per_hour(stage)))
        .collect();
    row.extend(stages.iter().map(|seconds| format!("{seconds:.3}")));
    row.push(format!("{:.2}", stages.iter().sum::<f64>()));
    row.push(format!("{:.2}", middle(&|split| split.ratio())));
    row
}
