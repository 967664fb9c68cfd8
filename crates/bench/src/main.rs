//! The benchmarks as one program; see the library's documentation.

use clap::Parser;

/// As in the program.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    bench::cli::run(bench::cli::Cli::parse())
}
