//! A second server without load. Messages are sent in both by turns, so that a busy machine delays both rooms;
//! a delay of the first one alone is its server's.

use echat_testkit::server_process::{ServerFolder, ServerProcess};

use super::room::{Room, Talk};
use super::start_with_limits;
use super::watch::Times;

/// Comparisons, each of which has to find the room slower before that is believed.
const COMPARISONS: usize = 5;
/// A room is delayed if its deliveries take so many times as long as in the other one. Without a fault the ratio
/// is about 1, on a busy machine too.
pub(crate) const TROUBLED: u32 = 4;
/// The same beside users whose requests each take their share of a tick: the ratio is 1 to 7.
pub(crate) const BESIDE_MUCH_WORK: u32 = 12;
/// Messages of a comparison, in each room.
const MESSAGES: u64 = 20;

/// The other server, and a room in it.
pub(crate) struct Control {
    server: ServerProcess,
    room: Room,
    _place: ServerFolder,
}

impl Control {
    /// Starts it, with a room of this many members.
    pub(crate) fn new(size: usize) -> Self {
        let dir = ServerFolder::on_disk();
        let server = start_with_limits(&dir, r#"{"message_rate": 0, "registrations": 0}"#);
        let room = Room::gather(&server, size);
        Self {
            server,
            room,
            _place: dir,
        }
    }

    /// Fails if deliveries in `room` take more than `times` as long as here, by the median, in each of several
    /// comparisons.
    #[track_caller]
    pub(crate) fn keeps_pace(&mut self, room: &mut Room, times: u32) {
        let mut slower = Vec::new();
        for _ in 0..COMPARISONS {
            let [here, there] = self.compare(room);
            if there.percentile(50) <= here.percentile(50) * times {
                return;
            }
            slower.push(format!("{there}; in the other room {here}"));
        }
        panic!("over {times} times as slow each time: {slower:#?}");
    }

    fn compare(&mut self, room: &mut Room) -> [Times; 2] {
        let mut both = [Times::default(), Times::default()];
        for _ in 0..MESSAGES {
            for (times, room) in both.iter_mut().zip([&mut self.room, room]) {
                times.append(room.talk(&Talk::messages(1)));
            }
        }
        both
    }

    /// Stops it in order.
    pub(crate) fn stop(self) {
        assert_eq!(self.server.stop().status.code(), Some(0));
    }
}
