//! Questions for a typed yes or a secret, on the terminal that the program belongs to, wherever its input and outputs
//! go.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use zeroize::Zeroizing;

/// The longest line that a terminal gives to one read, in bytes.
const LINE_MAX: usize = 4096;

/// The password that was typed is no text in the encoding of the terminal.
#[derive(Debug, thiserror::Error)]
#[error(
    "the typed password is not in the encoding of the locale (LC_ALL, LC_CTYPE, LANG); \
     terminal and locale must use the same encoding"
)]
pub(crate) struct GarbledPassword;

/// Whether a person reads questions and types answers.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The controlling terminal of the process, `/dev/tty`.
#[derive(Debug)]
pub(crate) struct Tty(File);

impl Tty {
    /// The terminal; an error without one.
    pub(crate) fn open() -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        Ok(Self(file))
    }

    /// To write to it.
    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    /// Shows text.
    pub(crate) fn put(&self, text: &str) -> io::Result<()> {
        put(&self.0, text)
    }
}

impl AsFd for Tty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Writes text at once.
pub(crate) fn put(mut out: impl Write, text: &str) -> io::Result<()> {
    write!(out, "{text}")?;
    out.flush()
}

/// An answer to the question whether a key is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrustAnswer {
    /// `yes`, in any case, or `是`.
    Yes,
    /// `no`, nothing, or the end of input.
    No,
    /// Anything else, such as `y`, which is too easily typed by habit: the question is asked again.
    Unclear,
}

/// Reads the answer to such a question, in English or Chinese.
pub(crate) fn consent(line: &[u8]) -> TrustAnswer {
    let word = String::from_utf8_lossy(line).trim().to_lowercase();
    match word.trim_end_matches(['.', '!', '。', '！']) {
        "yes" | "ｙｅｓ" | "是" => TrustAnswer::Yes,
        "" | "n" | "no" | "nope" | "ｎ" | "ｎｏ" | "否" | "不" | "不是" => TrustAnswer::No,
        _ => TrustAnswer::Unclear,
    }
}

/// The line that is typed, with its end and whatever else the terminal sent; waits for it. Empty at the end of input.
/// The terminal is not in raw mode: then one line comes with one read, and the lines behind it stay.
pub(crate) fn line(from: impl AsFd) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut typed = Zeroizing::new(vec![0; LINE_MAX]);
    loop {
        match rustix::io::read(from.as_fd(), &mut typed[..]) {
            Ok(length) => {
                typed.truncate(length);
                return Ok(typed);
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_word_is_an_answer() {
        for line in [
            "yes\n",
            " yes\r\n",
            "Yes\n",
            "YES\n",
            "ｙｅｓ\n",
            "yes.\n",
            "是\n",
        ] {
            assert_eq!(consent(line.as_bytes()), TrustAnswer::Yes, "{line:?}");
        }
        for line in ["", "\n", "no\n", "No\n", "n\n", "否\n", "不\n"] {
            assert_eq!(consent(line.as_bytes()), TrustAnswer::No, "{line:?}");
        }
        for line in [
            "y\n",
            "Y\n",
            "ok\n",
            "yep\n",
            "是的\n",
            "好。\n",
            "yesterday\n",
            "yse\n",
            "what?\n",
            "\u{fffd}\n",
        ] {
            assert_eq!(consent(line.as_bytes()), TrustAnswer::Unclear, "{line:?}");
        }
    }
}
