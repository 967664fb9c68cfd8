//! Ctrl-C and SIGTERM: the first one asks the job to stop, the second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use run::{Cancel, Signal};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Lets the signals of this process ask `cancel` to stop.
pub(crate) fn stop_on_signals(cancel: &Cancel) -> Result<()> {
    // One flag for both: a service manager's SIGTERM after somebody's Ctrl-C is the second request too.
    let asked_before = Arc::new(AtomicBool::new(false));
    for (number, signal) in [(SIGINT, Signal::Interrupt), (SIGTERM, Signal::Terminate)] {
        let code = 128 + number;
        // In this order: the first signal finds the flag unset, sets it, and the second exits.
        flag::register_conditional_shutdown(number, code, Arc::clone(&asked_before))
            .and_then(|_| flag::register(number, Arc::clone(&asked_before)))
            .and_then(|_| flag::register_usize(number, cancel.as_flag(), signal.number()))
            .context("cannot listen to signals")?;
    }
    Ok(())
}
