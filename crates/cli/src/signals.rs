//! Ctrl-C, SIGTERM and SIGHUP: the first one asks the job to stop, the second ends the program at once.

#[cfg(unix)]
pub(crate) use unix::stop_on_signals;

#[cfg(windows)]
pub(crate) use windows::stop_on_signals;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use anyhow::{Context, Result};
    use run::{Cancel, Signal};
    use signal_hook::flag;

    /// Lets the signals of this process ask `cancel` to stop.
    pub(crate) fn stop_on_signals(cancel: &Cancel) -> Result<()> {
        let signals: Vec<Signal> = Signal::ALL
            .into_iter()
            .filter(|signal| !is_ignored(*signal))
            .collect();
        // One flag for all: a service manager's SIGTERM after somebody's Ctrl-C is the second request too.
        let asked_before = Arc::new(AtomicBool::new(false));
        for signal in &signals {
            let number = i32::from(signal.number());
            // In this order: the first signal finds the flag unset, sets it, and the second exits.
            flag::register_conditional_shutdown(number, 128 + number, Arc::clone(&asked_before))
                .and_then(|_| flag::register(number, Arc::clone(&asked_before)))
                .context("cannot listen to signals")?;
        }
        hand_on(&signals, cancel.clone()).context("cannot listen to signals")
    }

    /// Starts the thread that requests what a signal handler, which may do next to nothing, cannot.
    fn hand_on(signals: &[Signal], cancel: Cancel) -> io::Result<()> {
        use signal_hook::iterator::Signals;

        let numbers = signals.iter().map(|signal| i32::from(signal.number()));
        let mut arriving = Signals::new(numbers)?;
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for number in &mut arriving {
                    let known = Signal::ALL.into_iter();
                    for signal in known.filter(|signal| i32::from(signal.number()) == number) {
                        cancel.request(signal);
                    }
                }
            })
            .map(drop)
    }

    /// Whether the program was started with the signal ignored, as `nohup` and a shell's `&` do: then it stays ignored.
    fn is_ignored(signal: Signal) -> bool {
        // Only Linux tells; elsewhere a job in the background stops with its terminal.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .is_some_and(|mask| mask & (1 << (signal.number() - 1)) != 0)
    }
}

#[cfg(windows)]
mod windows {
    use std::sync::atomic::{AtomicBool, Ordering};

    use anyhow::{Context, Result};
    use run::{Cancel, Signal};

    /// Lets Ctrl-C and Ctrl-Break ask `cancel` to stop.
    ///
    /// A console that is closed, and a session that ends, end the program within moments whatever it does; the next one
    /// goes on where the last commit was.
    #[expect(
        clippy::exit,
        reason = "the second request ends the program at once, as a signal would"
    )]
    pub(crate) fn stop_on_signals(cancel: &Cancel) -> Result<()> {
        let cancel = cancel.clone();
        let asked_before = AtomicBool::new(false);
        ctrlc::set_handler(move || {
            if asked_before.swap(true, Ordering::Relaxed) {
                std::process::exit(128 + i32::from(Signal::Interrupt.number()));
            }
            cancel.request(Signal::Interrupt);
        })
        .context("cannot listen to Ctrl-C")
    }
}
