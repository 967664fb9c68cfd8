//! The binary. Optimisation at linking takes its level from this crate: it holds nothing, so that what works on sound is
//! built for speed here, and the crate `cli` for size.

/// Blocks of sound come and go by the megabyte: the C library gives each back to the system, which clears it anew. Without
/// huge pages (`no_thp`), of which the system clears two megabytes where a thread needs a few: an import or a collection takes
/// a tenth of a second of CPU time less, however many files there are.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
