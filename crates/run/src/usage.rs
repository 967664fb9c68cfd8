//! What a job cost.

use std::time::Instant;

use serde::Serialize;

/// CPU time, memory and wall time of this process.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Default)]
pub struct Usage {
    /// Wall time since the measurement began, in seconds.
    pub elapsed_seconds: f64,
    /// CPU time since the process began, of all threads, in seconds.
    pub cpu_seconds: f64,
    /// Largest resident set of the process, in bytes; 0 where the system does not tell.
    pub peak_rss_bytes: u64,
}

impl Usage {
    /// What the process has used by now, with wall time counted from `started`.
    pub fn since(started: Instant) -> Self {
        Self {
            elapsed_seconds: started.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds(),
            peak_rss_bytes: peak_rss_bytes(),
        }
    }
}

#[cfg(unix)]
fn cpu_seconds() -> f64 {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    getrusage(UsageWho::RUSAGE_SELF).map_or(0.0, |usage| {
        (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6
    })
}

#[cfg(not(unix))]
fn cpu_seconds() -> f64 {
    cpu_time::ProcessTime::try_now().map_or(0.0, |time| time.as_duration().as_secs_f64())
}

/// Linux hands `ru_maxrss` on from the parent over fork and exec, so a process
/// started by a large one would seem large itself; `VmHWM` is its own.
#[cfg(target_os = "linux")]
fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| {
            rest.trim()
                .trim_end_matches("kB")
                .trim()
                .parse::<u64>()
                .ok()
        });
    kibibytes.unwrap_or(0) * 1024
}

#[cfg(all(unix, not(target_os = "linux")))]
fn peak_rss_bytes() -> u64 {
    use nix::sys::resource::{UsageWho, getrusage};
    // The BSDs count in kibibytes, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| usage.max_rss() as u64 * unit)
}

#[cfg(not(unix))]
fn peak_rss_bytes() -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_and_memory_are_seen() {
        let started = Instant::now();
        let before = Usage::since(started);
        let block = vec![1u8; 64 << 20];
        let sum: u64 = block.iter().map(|b| u64::from(*b)).sum();
        let after = Usage::since(started);
        assert_eq!(sum, 64 << 20);
        // Windows does not tell how much memory a process took.
        assert!(after.peak_rss_bytes >= 64 << 20 || cfg!(windows));
        assert!(after.cpu_seconds > before.cpu_seconds);
    }
}
