//! What the small listeners of the reactor share: a bounded number of connections in numbered slots, and a stream that
//! remembers what became possible.

use super::tokens::EventSource;
use mio::event::Event;
use mio::{Interest, Registry, event};
use std::io::{self, ErrorKind, Read, Write};

/// A bounded number of connections, each in a numbered slot.
pub(super) struct Slots<C> {
    /// The source of events that the connection in a slot is.
    source: fn(u16) -> EventSource,
    slots: Vec<Option<C>>,
}

impl<C> Slots<C> {
    /// So many slots; `source` gives the source of events of each.
    pub(super) fn new(source: fn(u16) -> EventSource, count: u16) -> Self {
        Self {
            source,
            slots: std::iter::repeat_with(|| None).take(count.into()).collect(),
        }
    }

    /// The number of slots.
    pub(super) fn count(&self) -> u16 {
        u16::try_from(self.slots.len()).expect("it was made with so many")
    }

    /// The source of events of a slot.
    pub(super) fn source(&self, slot: u16) -> EventSource {
        (self.source)(slot)
    }

    /// A free slot, else that of the connection with the lowest rank. A connection without a rank keeps its slot.
    pub(super) fn free_or_lowest<R: Ord>(&self, rank: impl Fn(&C) -> Option<R>) -> Option<u16> {
        let ranks = (0..).zip(&self.slots).filter_map(|(slot, taken)| {
            let rank = match taken {
                None => None,
                Some(connection) => Some(rank(connection)?),
            };
            Some((rank, slot))
        });
        ranks.min().map(|(_, slot)| slot)
    }

    /// The connection in a slot.
    pub(super) fn get_mut(&mut self, slot: u16) -> Option<&mut C> {
        self.slots.get_mut(usize::from(slot))?.as_mut()
    }

    /// Puts a connection into a slot, in place of another one.
    pub(super) fn put(&mut self, slot: u16, connection: Option<C>) {
        self.slots[usize::from(slot)] = connection;
    }

    /// Takes the connection out of a slot.
    pub(super) fn take(&mut self, slot: u16) -> Option<C> {
        self.slots.get_mut(usize::from(slot))?.take()
    }

    /// All connections.
    pub(super) fn iter(&self) -> impl Iterator<Item = &C> {
        self.slots.iter().flatten()
    }

    /// All connections, to change them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut C> {
        self.slots.iter_mut().flatten()
    }

    /// Drops all connections.
    pub(super) fn clear(&mut self) {
        self.slots.iter_mut().for_each(|slot| *slot = None);
    }
}

/// A stream that is read and written when the poll has said that it can be.
pub(super) struct PolledStream<S> {
    pub(super) stream: S,
    can_read: bool,
    can_write: bool,
}

impl<S: Read + Write + event::Source> PolledStream<S> {
    /// A new stream, registered for reads and writes.
    pub(super) fn register(
        mut stream: S,
        registry: &Registry,
        source: EventSource,
    ) -> io::Result<Self> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut stream, source.token(), interest)?;
        Ok(Self {
            stream,
            can_read: true,
            can_write: true,
        })
    }

    /// Takes in what became possible.
    pub(super) fn take_event(&mut self, event: &Event) {
        self.can_read |= event.is_readable() || event.is_read_closed() || event.is_error();
        self.can_write |= event.is_writable();
    }

    /// Whether a read may give something.
    pub(super) fn can_read(&self) -> bool {
        self.can_read
    }

    /// Reads once; `None` if nothing can be read now. After the end and after an error nothing is read any more.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> Option<io::Result<usize>> {
        while self.can_read {
            match self.stream.read(bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.can_read = false,
                read => {
                    self.can_read = read.as_ref().is_ok_and(|length| *length > 0);
                    return Some(read);
                }
            }
        }
        None
    }

    /// Writes as many of the bytes as can be written now; returns how many.
    ///
    /// # Errors
    /// The stream failed, or takes no byte more ([`ErrorKind::WriteZero`]).
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        while self.can_write && written < bytes.len() {
            match self.stream.write(&bytes[written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => written += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.can_write = false,
                Err(error) => return Err(error),
            }
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::Token;

    /// Takes so many bytes, and none after them.
    struct Closed(usize);

    impl Read for Closed {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }
    }

    impl Write for Closed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = self.0.min(bytes.len());
            self.0 -= taken;
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl event::Source for Closed {
        fn register(&mut self, _: &Registry, _: Token, _: Interest) -> io::Result<()> {
            Ok(())
        }

        fn reregister(&mut self, _: &Registry, _: Token, _: Interest) -> io::Result<()> {
            Ok(())
        }

        fn deregister(&mut self, _: &Registry) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stream_that_takes_no_byte_more_is_an_error() {
        let poll = mio::Poll::new().unwrap();
        let source = EventSource::CtlClient(0);
        let mut stream = PolledStream::register(Closed(7), poll.registry(), source).unwrap();
        assert_eq!(stream.write(b"five!").unwrap(), 5);
        let error = stream.write(b"five!").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
    }

    #[test]
    fn a_free_slot_goes_before_the_lowest_rank_and_a_connection_without_one_stays() {
        let mut slots = Slots::new(EventSource::CtlClient, 3);
        let lowest = |slots: &Slots<Option<u64>>| slots.free_or_lowest(|rank| *rank);
        assert_eq!(
            (slots.count(), slots.source(2), lowest(&slots)),
            (3, EventSource::CtlClient(2), Some(0))
        );
        for (slot, rank) in (0..).zip([Some(7), None, Some(5)]) {
            slots.put(slot, Some(rank));
        }
        assert_eq!(lowest(&slots), Some(2));
        assert_eq!(slots.take(0), Some(Some(7)));
        assert_eq!(lowest(&slots), Some(0));
        slots.put(0, Some(None));
        slots.put(2, Some(None));
        assert_eq!(lowest(&slots), None, "none gives way");
        assert!(slots.get_mut(2).is_some());
        assert!(slots.get_mut(3).is_none());
        slots.clear();
        assert_eq!(slots.iter().count(), 0);
    }
}
