//! The engine on real files, with real contention: threads, other processes, kills, full and read-only disks.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do, and roles talk to their test by lines"
)]

mod backups;
mod child;
mod errors;
mod files;
mod homes;
mod kills;
mod measures;
mod media;
mod peers;
mod support;
mod units;
mod upgrades;
mod writers;
