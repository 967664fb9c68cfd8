//! What a job tells the shell.

use std::process::ExitCode;

use crate::Signal;

/// How a command ended, as its exit code says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: everything was done.
    Done,
    /// 1: the run came to its end, and some items failed.
    SomeFailed,
    /// 2: the command could not run.
    CouldNotRun,
    /// 129, 130 or 143: stopped by `SIGHUP`, Ctrl-C or `SIGTERM`, items in hand finished.
    Stopped(Signal),
}

impl ExitStatus {
    /// The number a shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::SomeFailed => 1,
            Self::CouldNotRun => 2,
            Self::Stopped(signal) => 128 + signal.number(),
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_shell() {
        assert_eq!(ExitStatus::Done.code(), 0);
        assert_eq!(ExitStatus::SomeFailed.code(), 1);
        assert_eq!(ExitStatus::CouldNotRun.code(), 2);
        assert_eq!(ExitStatus::Stopped(Signal::HangUp).code(), 129);
        assert_eq!(ExitStatus::Stopped(Signal::Interrupt).code(), 130);
        assert_eq!(ExitStatus::Stopped(Signal::Terminate).code(), 143);
    }
}
