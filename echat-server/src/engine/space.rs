//! Free space of the data folder's file system, and the quotas of the last 24 hours at a start.

use super::Engine;
use crate::clock::{DAY, Now};
use crate::limits::DailyQuota;
use crate::storage::StoreError;

/// Messages that a start looks at, newest first: a second or two.
const MESSAGES: u32 = 2_000_000;
/// Rooms that a start looks at, newest first.
const ROOMS: u32 = 200_000;
/// Rows older than a day, one after another, after which a start looks at no others. More than one,
/// since a clock that was set back makes old rows among new ones.
const OLD: u32 = 1_000;

/// Free space, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Space {
    is_low: bool,
    is_full: bool,
}

impl Space {
    /// Whether less is free than `free_bytes`.
    pub(crate) fn is_low(&self) -> bool {
        self.is_low
    }

    /// Whether nothing is free, whatever `free_bytes` says.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }
}

impl Engine {
    /// Sets how many bytes are free on the data folder's file system. While they are fewer than
    /// `free_bytes`, requests that store are refused with storage_full; until the first call nothing is.
    pub fn set_free_space(&mut self, bytes: u64) {
        let floor = self.state.limits.free_bytes;
        let is_low = bytes < floor;
        if is_low && !self.state.space.is_low {
            tracing::warn!(
                free = bytes,
                free_bytes = floor,
                "the disk is nearly full: requests that store are refused"
            );
        } else if self.state.space.is_low && !is_low {
            tracing::info!(
                free = bytes,
                "the disk has space again: requests are stored"
            );
        }
        self.state.space.is_low = is_low;
        self.state.space.is_full = bytes == 0;
    }

    /// How many bytes stay free on the data folder's file system: what the limits say now.
    pub fn free_bytes(&self) -> u64 {
        self.state.limits.free_bytes
    }

    /// Reads what users stored in the last 24 hours, so that a restart does not reset their quotas. The
    /// first tick does it if it was not done before. A busy database is read by the next call; behind a
    /// damaged page nothing is counted.
    ///
    /// # Errors
    /// `Fatal` only.
    pub fn load_day(&mut self, now: Now) -> Result<(), StoreError> {
        if self.day_is_loaded {
            return Ok(());
        }
        let mut stored = DailyQuota::default();
        let mut rooms = DailyQuota::default();
        match self.read_day(&mut stored, &mut rooms, now) {
            Err(StoreError::Busy) => return Ok(()),
            Err(fatal @ StoreError::Fatal(_)) => return Err(fatal),
            Err(error) => tracing::warn!(%error, "the quotas of the day are not counted in full"),
            Ok(()) => {}
        }
        let rates = &mut self.state.rates;
        (rates.stored, rates.rooms) = (stored, rooms);
        self.day_is_loaded = true;
        Ok(())
    }

    fn read_day(
        &mut self,
        stored: &mut DailyQuota,
        rooms: &mut DailyQuota,
        now: Now,
    ) -> Result<(), StoreError> {
        let batch = self.store.batch();
        let mut scan = DayScan::at(now.unix);
        batch.newest_sizes(MESSAGES, |sender, bytes, at| {
            if let Some(age) = scan.age(at) {
                stored.load(sender, bytes, age, now.running);
            }
            scan.goes_on()
        })?;
        scan = DayScan::at(now.unix);
        batch.newest_rooms(ROOMS, |owner, at| {
            if let Some(age) = scan.age(at) {
                rooms.load(owner, 1, age, now.running);
            }
            scan.goes_on()
        })
    }
}

/// Which rows are of the last 24 hours, newest ones first.
struct DayScan {
    now: i64,
    /// Rows older than a day, one after another.
    old: u32,
}

impl DayScan {
    fn at(now: i64) -> Self {
        Self { now, old: 0 }
    }

    /// The age of a row in seconds; `None` if it is not of the last 24 hours. One that is dated within a day from now
    /// is new: the clock was put right by less. One of a later time is of a clock that ran ahead by more. Nothing says
    /// when that was, and nothing about the rows before it.
    fn age(&mut self, at: i64) -> Option<i64> {
        let age = self.now.saturating_sub(at);
        if age >= DAY {
            self.old += 1;
        } else if age > -DAY {
            self.old = 0;
            return Some(age);
        }
        None
    }

    /// Whether rows before this one may be of the last 24 hours.
    fn goes_on(&self) -> bool {
        self.old < OLD
    }
}
