//! Album rips laid under twenty editions each.

use std::time::Instant;

use music::identify::rip;
use music::library::values::QuietSpot;
use run::Usage;
use testkit::services::{MadeRip, rip_of};

use super::share;
use crate::printer;

/// Album rips among twenty editions each.
pub(super) fn rips(count: u64, verbose: bool) {
    let made: Vec<_> = (0..count).map(rip_of).collect();
    let (mut exact, mut edition) = (0, 0);
    let (mut error, mut boundaries) = (0.0, 0_u64);
    let mut slowest = 0.0_f64;
    let began = Instant::now();
    let usage = Usage::since(began).cpu_seconds;
    for rip in &made {
        let start = Instant::now();
        let Some((at, found)) = lay(rip) else {
            continue;
        };
        slowest = slowest.max(start.elapsed().as_secs_f64());
        edition += u64::from(at == rip.right);
        if verbose && at != rip.right {
            printer::note(&format!("edition {at} of {rip:?}"));
        }
        exact += u64::from(found.tracks.len() == rip.starts.len() + 1);
        for (start, _) in rip.starts.iter().filter(|(_, heard)| *heard) {
            let nearest = found.tracks[1..]
                .iter()
                .map(|track| track.start.abs_diff(*start))
                .min();
            // A boundary that was not found is as far off as it can be.
            error += nearest.unwrap_or(30_000).min(30_000) as f64 / 1000.0;
            boundaries += 1;
        }
    }
    let cpu = Usage::since(began).cpu_seconds - usage;
    printer::result(&format!(
        "{count} rips among 20 editions: exact number of tracks {:.1} %, right edition {:.1} %, mean error of \
         {boundaries} boundaries that can be heard {:.3} s, {:.2} ms of CPU each, {:.2} ms at most",
        share(exact, count),
        share(edition, count),
        error / boundaries.max(1) as f64,
        cpu * 1000.0 / count as f64,
        slowest * 1000.0
    ));
}

fn lay(rip: &MadeRip) -> Option<(usize, rip::Alignment)> {
    let spans: Vec<_> = rip
        .spans
        .iter()
        .map(|(start, end)| rip::Span {
            start: *start,
            end: *end,
        })
        .collect();
    let spots: Vec<_> = rip
        .spots
        .iter()
        .map(|(at, depth_db)| QuietSpot {
            at: *at,
            depth_db: *depth_db,
        })
        .collect();
    let editions = rip
        .editions
        .iter()
        .map(|edition| edition.lengths.as_slice());
    rip::best_edition(&spans, &spots, editions)
}
