//! Kills a program at random moments and lets it finish at last.

use std::io;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::synth::Random;

/// What came of a program that was killed again and again.
#[derive(Debug)]
pub struct Survived {
    /// The last run's status and output: nobody disturbed it.
    pub last: Output,
    /// After how long each kill came.
    pub kills: Vec<Duration>,
    /// Runs that ended before their kill came. When most did, `max_delay` is too long to test anything.
    pub ended_early: usize,
}

/// Starts the command `times` times, kills its whole process group after a random delay below `max_delay`, and then
/// runs it once to its end.
///
/// `build` makes the command anew for each run. Runs that are to be killed have no input and no output; the last has
/// its output captured. The same `seed` gives the same delays. On systems without process groups, and for programs
/// that leave theirs, only the first process dies.
pub fn kill_at_random_moments(
    mut build: impl FnMut() -> Command,
    times: usize,
    seed: u64,
    max_delay: Duration,
) -> io::Result<Survived> {
    let mut random = Random::new(seed);
    let mut kills = Vec::new();
    for _ in 0..times {
        let delay = max_delay.mul_f64(random.unit());
        if kill_after(build(), delay)? {
            kills.push(delay);
        }
    }
    let last = build().stdin(Stdio::null()).output()?;
    Ok(Survived {
        last,
        ended_early: times - kills.len(),
        kills,
    })
}

/// Starts the command and kills its process group after `delay`; returns whether it still ran then.
pub fn kill_after(mut command: Command, delay: Duration) -> io::Result<bool> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    own_group(&mut command);
    let start = Instant::now();
    let mut child = command.spawn()?;
    loop {
        if child.try_wait()?.is_some() {
            return Ok(false);
        }
        let left = delay.saturating_sub(start.elapsed());
        if left.is_zero() {
            break;
        }
        sleep(left.min(Duration::from_millis(5)));
    }
    kill_group(&mut child)?;
    let status = child.wait()?;
    Ok(was_killed(status))
}

/// Sends a signal to a program, by the name that `kill` knows: `-TERM`, `-INT`.
///
/// # Panics
///
/// When it cannot be sent.
pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(status.is_ok_and(|status| status.success()), "kill {name}");
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(unix)]
fn kill_group(child: &mut Child) -> io::Result<()> {
    use rustix::process::{Pid, Signal, kill_process_group};
    // The child is not waited for yet, so its number cannot belong to anybody else.
    kill_process_group(Pid::from_child(child), Signal::KILL)?;
    Ok(())
}

#[cfg(unix)]
fn was_killed(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal().is_some()
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

#[cfg(not(unix))]
fn kill_group(child: &mut Child) -> io::Result<()> {
    child.kill()
}

#[cfg(not(unix))]
fn was_killed(status: std::process::ExitStatus) -> bool {
    !status.success()
}
