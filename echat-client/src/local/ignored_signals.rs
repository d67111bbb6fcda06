//! The signals that the program was started to ignore, as by nohup(1), or in the background of a shell script. A
//! program installs no handler for them: the user wants it to survive them.

use std::fs;

/// Signals that the program ignores, in the form of proc(5): bit `n - 1` for signal `n`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IgnoredSignals(u64);

impl IgnoredSignals {
    /// Those of this process now. On a system without /proc none is known.
    pub(crate) fn of_process() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let bits = bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
        Self(bits.unwrap_or(0))
    }

    /// Those of `signals` that are not ignored.
    pub(crate) fn without(self, signals: &[i32]) -> impl Iterator<Item = i32> + Clone {
        let is_ignored = move |signal: i32| self.0 & (1 << (signal - 1)) != 0;
        let handled = signals.iter().copied();
        handled.filter(move |signal| !is_ignored(*signal))
    }
}
