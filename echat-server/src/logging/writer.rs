//! Writes the entries of the queue. A line is written completely or, if the stream fails, counted as lost.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::sync::OnceLock;

use tracing::Level;

use super::form::Style;
use super::queue::{LogItem, LogQueue, lines};

/// Where lines go.
pub(super) trait Sink: Write {
    /// Goes on in another file; without an effect on a stream.
    fn continue_in(&mut self, _: File) {}
}

/// The writer of a queue.
pub(super) struct Writer<W> {
    out: W,
    /// The form of the writer's own lines, once it is known.
    style: &'static OnceLock<Style>,
    /// Lost lines that are not reported yet.
    lost: u64,
    /// Whether a failure cut the last line.
    is_torn: bool,
}

impl<W: Sink> Writer<W> {
    pub(super) fn new(out: W, style: &'static OnceLock<Style>) -> Self {
        Self {
            out,
            style,
            lost: 0,
            is_torn: false,
        }
    }

    /// Writes entries until the process ends.
    pub(super) fn run(mut self, queue: &LogQueue) -> ! {
        loop {
            self.put(queue.take());
        }
    }

    fn put(&mut self, entry: LogItem) {
        let text = match entry {
            LogItem::Text(text) => text,
            LogItem::Dropped(count) => {
                self.lost += count;
                Vec::new()
            }
            LogItem::GoOnIn(file) => return self.out.continue_in(file),
        };
        if (self.lost == 0 || self.tells_of_lost_lines()) && self.writes(&text) {
            return;
        }
        self.lost += lines(&text) as u64;
    }

    fn tells_of_lost_lines(&mut self) -> bool {
        let words = "lines of the log are missing here: they could not be written in time";
        let told = self.writes(&self.notice(&format!("{} {words}", self.lost)));
        if told {
            self.lost = 0;
        }
        told
    }

    /// A line of the writer's own. It is written whatever the filter, since it may stand for answers of the console.
    fn notice(&self, words: &str) -> Vec<u8> {
        let style = self.style.get().copied().unwrap_or_default();
        style
            .line(Level::WARN, "echat_server::logging", words)
            .into_bytes()
    }

    /// Writes a text; false if a part of it was not written.
    fn writes(&mut self, text: &[u8]) -> bool {
        let end: &[u8] = if self.is_torn { b"\n" } else { b"" };
        let bytes = [end, text].concat();
        let mut written = 0;
        while written < bytes.len() {
            match self.out.write(&bytes[written..]) {
                Ok(length) if length > 0 => {
                    written += length;
                    self.is_torn = bytes[written - 1] != b'\n';
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A file on a full disk may accept lines again later; a closed pipe never does.
                _ => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LogFormat;
    use std::io;

    static STYLE: OnceLock<Style> = OnceLock::new();

    /// A stream that takes a number of bytes, then fails; one byte a write, so that a line can be cut
    /// anywhere.
    #[derive(Default)]
    struct FillingDisk {
        free: usize,
        content: Vec<u8>,
    }

    impl Write for FillingDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.free == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.free -= 1;
            self.content.push(bytes[0]);
            Ok(1)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Sink for FillingDisk {}

    #[test]
    fn the_writer_s_own_lines_have_the_form_of_the_log() {
        static JSON: OnceLock<Style> = OnceLock::new();
        let _ = JSON.set(Style::new(LogFormat::Json, false));
        let mut writer = Writer::new(FillingDisk::default(), &JSON);
        writer.out.free = 1_000;
        writer.put(LogItem::Dropped(7));
        let content = String::from_utf8(writer.out.content).expect("UTF-8");
        assert!(
            content.contains(r#""message":"7 lines of the log are missing here"#),
            "{content}"
        );
        assert!(content.starts_with(r#"{"time":""#), "{content}");
    }

    #[test]
    fn lines_lost_to_a_full_disk_are_counted_when_it_has_space() {
        for free in 0..=12 {
            let mut writer = Writer::new(FillingDisk::default(), &STYLE);
            writer.out.free = free;
            for line in ["first\n", "second\n", "third\n"] {
                writer.put(LogItem::Text(line.into()));
            }
            writer.out.free = 1_000;
            writer.put(LogItem::Text(b"fourth\n".into()));
            let content = String::from_utf8(writer.out.content).expect("UTF-8");
            let lost = if free < 6 { 3 } else { 2 };
            let whole = if free < 6 { "" } else { "first\n" };
            assert!(content.starts_with(whole), "{content}");
            let told = format!(": {lost} lines of the log are missing here");
            let at = content.find(&told).expect("the count");
            assert!(content[at..].ends_with("time\nfourth\n"), "{content}");
            // The line that was cut has its own end: the notice begins a line.
            let line = content.lines().find(|line| line.contains(&told));
            assert!(line.expect("a line").starts_with("20"), "{content}");
        }
    }
}
