//! `server.limits`: each bound declared once, with its default, its range and its unit.

use serde::Serialize;

use super::error::{Fault, Reason};
use super::section::Section;

/// Bytes of a frame that are not the content of its message: the other parameters of
/// `SEND_MESSAGE` and the framing around them, generously.
pub const MESSAGE_OVERHEAD: usize = 1024;

/// One row a limit gives the field, its default, its range and its place in config.json.
macro_rules! limits {
    ($(
        $(#[$doc:meta])*
        $name:ident: $type:ty = $default:literal in $low:literal..=$high:literal;
    )*) => {
        /// Every bound an administrator may move. Built from config.json a value is in its range;
        /// built by hand, it is the caller's promise.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub struct Limits {
            $(
                $(#[$doc])*
                #[doc = concat!("\n\nDefault ", stringify!($default), ",")]
                #[doc = concat!("range ", stringify!($low..=$high), ".")]
                pub $name: $type,
            )*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Limits {
            fn read_each(section: &mut Section) -> Result<Self, Fault> {
                Ok(Self {
                    $($name: section
                        .number(stringify!($name), &($low..=$high))?
                        .unwrap_or($default),)*
                })
            }
        }

        #[cfg(test)]
        /// (name, lowest, highest) of each limit.
        const RANGES: &[(&str, u64, u64)] = &[$((stringify!($name), $low, $high),)*];
    };
}

limits! {
    /// The largest ciphertext of a frame from a logged-in client, in bytes.
    frame_bytes: usize = 65_536 in 4_096..=1_048_576;
    /// The longest content of one message, in bytes of UTF-8. It must leave
    /// [`MESSAGE_OVERHEAD`] bytes of `frame_bytes`.
    content_bytes: usize = 4_000 in 1..=65_536;
    /// Friends one user may have; a login names them all.
    friends: usize = 500 in 1..=1_000;
    /// Rooms one user may be in.
    rooms: usize = 200 in 1..=1_000;
    /// Friend requests that may wait for one user's answer.
    pending_requests: usize = 200 in 1..=1_000;
    /// Members of one room.
    room_members: usize = 10_000 in 2..=1_000_000;
    /// The largest room whose members hear of each other's coming and going, in members;
    /// 0: no room does.
    presence_room_members: usize = 200 in 0..=1_000_000;
    /// While more than this waits for a connection, in bytes, its requests are left alone.
    send_queue_soft: usize = 262_144 in 4_096..=1_073_741_824;
    /// A connection for which more than this waits, in bytes, is closed. Not under
    /// `send_queue_soft`; under 512 KiB the longest answers may close an honest one.
    send_queue_hard: usize = 1_048_576 in 4_096..=1_073_741_824;
    /// Connections at one time; the limit on open files may lower it.
    connections: usize = 10_000 in 1..=1_000_000;
    /// Connections at one time from one address, loopback exempt; 0: no limit.
    connections_per_address: usize = 64 in 0..=1_000_000;
    /// Connections at one time that are not logged in, loopback included.
    unauthenticated: usize = 400 in 1..=1_000_000;
    /// Seconds of silence after which a connection is sent a PING; 0: never.
    ping_seconds: u64 = 90 in 0..=86_400;
    /// Seconds of silence after which a connection counts as dead and is closed; 0: never.
    /// Longer than `ping_seconds`.
    dead_seconds: u64 = 150 in 0..=86_400;
    /// Messages a user may send at once before `message_rate` holds.
    message_burst: u64 = 20 in 1..=1_000_000;
    /// Messages a second a user may go on sending; 0: no limit.
    message_rate: u64 = 5 in 0..=1_000_000;
    /// Bytes of message content one user may store in 24 hours; 0: no limit.
    user_bytes_a_day: u64 = 50_000_000 in 0..=1_000_000_000_000;
    /// Rooms one user may make in 24 hours; 0: no limit.
    rooms_a_day: u64 = 20 in 0..=1_000_000;
    /// While fewer bytes than this are free on the data folder's file system, requests that store
    /// are refused; 0: only a full disk refuses them.
    free_bytes: u64 = 67_108_864 in 0..=1_000_000_000_000;
    /// Wrong passwords an account may have in 15 minutes before waiting begins: from all strange
    /// addresses together, and from each that logged in to it in the last 30 days by itself;
    /// 0: no limit.
    login_failures: u64 = 5 in 0..=1_000_000;
    /// Registrations an address may make in 10 minutes; 0: no limit.
    registrations: u64 = 60 in 0..=1_000_000;
    /// Friend requests a user may make in an hour; 0: no limit.
    friend_requests: u64 = 30 in 0..=1_000_000;
}

impl Limits {
    /// Reads `section` to its end; a missing key takes its default.
    pub(super) fn read(mut section: Section) -> Result<Self, Fault> {
        let limits = Self::read_each(&mut section)?;
        limits.agree(&section)?;
        section.finish()?;
        Ok(limits)
    }

    /// Refuses values that are each in range and make no sense together.
    fn agree(&self, section: &Section) -> Result<(), Fault> {
        let refuse = |key, why| Err(section.fault(key, Reason::Invalid(why)));
        let room = self.frame_bytes - MESSAGE_OVERHEAD;
        if self.content_bytes > room {
            let why = format!(
                "must be at most {room}, {MESSAGE_OVERHEAD} under frame_bytes, not {}",
                self.content_bytes
            );
            return refuse("content_bytes", why);
        }
        if self.send_queue_soft > self.send_queue_hard {
            let why = format!(
                "must be at most send_queue_hard ({}), not {}",
                self.send_queue_hard, self.send_queue_soft
            );
            return refuse("send_queue_soft", why);
        }
        let both = self.ping_seconds > 0 && self.dead_seconds > 0;
        if both && self.dead_seconds <= self.ping_seconds {
            let why = format!(
                "must be more than ping_seconds ({}) or 0, not {}",
                self.ping_seconds, self.dead_seconds
            );
            return refuse("dead_seconds", why);
        }
        Ok(())
    }
}

// The subtraction in `agree` cannot go below zero.
const _: () = assert!(MESSAGE_OVERHEAD < 4_096);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Result<Limits, String> {
        let node = serde_json::from_str(&value.to_string()).unwrap();
        Section::root(node)
            .and_then(Limits::read)
            .map_err(|fault| fault.to_string())
    }

    #[test]
    fn the_ends_of_every_range_hold_and_their_neighbours_are_refused() {
        for &(name, low, high) in RANGES {
            let refusal = |value| format!("{name}: must be {low}..={high}, not {value}");
            assert_eq!(
                read(&json!({ name: high + 1 })),
                Err(refusal((high + 1).to_string()))
            );
            let under = i64::try_from(low).unwrap() - 1;
            assert_eq!(
                read(&json!({ name: under })),
                Err(refusal(under.to_string()))
            );
            for end in [low, high] {
                // An end may still quarrel with another limit's default, but not with its range.
                if let Err(text) = read(&json!({ name: end })) {
                    assert!(!text.contains("..="), "{text}");
                }
            }
        }
    }

    #[test]
    fn every_default_is_in_its_range() {
        let defaults = serde_json::to_value(Limits::default()).unwrap();
        assert_eq!(defaults.as_object().unwrap().len(), RANGES.len());
        assert_eq!(read(&defaults), Ok(Limits::default()));
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused() {
        for (given, text) in [
            (
                json!({"frame_bytes": 4096}),
                "content_bytes: must be at most 3072, 1024 under frame_bytes, not 4000",
            ),
            (
                json!({"send_queue_soft": 1_048_577}),
                "send_queue_soft: must be at most send_queue_hard (1048576), not 1048577",
            ),
            (
                json!({"dead_seconds": 90}),
                "dead_seconds: must be more than ping_seconds (90) or 0, not 90",
            ),
        ] {
            assert_eq!(read(&given), Err(text.to_owned()));
        }
        for given in [
            json!({"frame_bytes": 4096, "content_bytes": 3072}),
            json!({"send_queue_soft": 1_048_576}),
            json!({"dead_seconds": 91}),
            json!({"dead_seconds": 0}),
            json!({"dead_seconds": 90, "ping_seconds": 0}),
        ] {
            assert!(read(&given).is_ok(), "{given}");
        }
    }
}
