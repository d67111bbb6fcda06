//! Writing to a descriptor that may be non-blocking.

use std::io::{self, Write};
use std::os::fd::AsFd;

use super::wait_for_room;

/// Writes as to a blocking descriptor. `O_NONBLOCK` belongs to the open file: another program that shares the terminal
/// or the pipe may have set it, and a write would fail where the system takes no more bytes for now.
#[derive(Debug)]
pub struct BlockingWriter<W>(W);

impl<W: Write + AsFd> BlockingWriter<W> {
    /// Writes to this.
    pub fn new(out: W) -> Self {
        Self(out)
    }

    /// Tries until it does not fail for want of room.
    fn retry<T>(&mut self, mut act: impl FnMut(&mut W) -> io::Result<T>) -> io::Result<T> {
        loop {
            match act(&mut self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_for_room(&self.0)?,
                done => return done,
            }
        }
    }
}

impl<W: Write + AsFd> Write for BlockingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.retry(|out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.retry(Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, pipe};
    use std::os::fd::OwnedFd;
    use std::thread;

    use rustix::io::ioctl_fionbio;

    use super::*;

    #[test]
    fn a_writer_waits_for_room() {
        let (mut reader, writer) = pipe().unwrap();
        ioctl_fionbio(&writer, true).unwrap();
        let mut out = File::from(OwnedFd::from(writer));
        let mut filled = 0;
        while let Ok(some) = out.write(&[0; 4096]) {
            filled += some;
        }
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(1_000_000).collect();
        let expected = bytes.clone();
        let writing = thread::spawn(move || BlockingWriter::new(out).write_all(&bytes));
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        writing.join().unwrap().unwrap();
        assert_eq!(read.len(), filled + expected.len());
        assert!(read[filled..] == expected);
    }
}
