//! The benchmarks as one program; see the library's documentation.

use clap::Parser;

fn main() -> anyhow::Result<()> {
    bench::cli::run(bench::cli::Cli::parse())
}
