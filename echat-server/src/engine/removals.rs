//! Removes in portions what is hidden already: what is left of closed rooms and deleted accounts, the texts of erased
//! accounts, and messages that are too old.
//!
//! Each portion is a transaction of its own after the answers of a tick, and is written to the journal like other
//! writes that no answer depends on. Removals take turns, one portion each. A process that ends leaves the rest to the
//! next one, which looks for it at its start.
//!
//! Messages become too old by themselves. Each minute a sweep looks at the oldest message of each conversation that has
//! a retention. At a start and once a day it looks at all their messages, since after the clock was put back an old one
//! may follow a newer one.

use super::MemoryState;
use crate::clock::Now;
use crate::handlers::DeferredWrite;
use crate::storage::{ChangedLists, Removal, Retention, Store, StoreError, Sweep};
use std::collections::VecDeque;
use std::time::Duration;

/// The time between two portions, so that requests have most of the processor and of the disk.
const PAUSE: Duration = Duration::from_millis(20);
/// The time until a portion is tried again that the disk or another program did not let through.
const RETRY: Duration = Duration::from_secs(1);
/// The time from the end of a sweep to the next one.
const SWEEP: Duration = Duration::from_mins(1);
/// The same while the database is damaged, and the time from one thorough sweep to the next.
const THOROUGH: Duration = Duration::from_hours(24);

/// What is being removed.
#[derive(Debug, Default)]
pub(super) struct Removals {
    /// The one at the front is next.
    queue: VecDeque<Removal>,
    /// When the next portion is due, by [`Now::running`]; `None` if nothing is left to remove.
    next_at: Option<Duration>,
    /// When the next sweep begins; `None` while one goes on, and while nothing becomes too old.
    sweep_at: Option<Duration>,
    /// When the next sweep is to be a thorough one.
    thorough_at: Duration,
    is_loaded: bool,
}

impl Removals {
    /// Reads what an earlier process left, once.
    ///
    /// # Errors
    /// `Fatal`, which ends the process.
    pub(super) fn load(&mut self, store: &mut Store, now: Now) -> Result<(), StoreError> {
        if self.is_loaded {
            return Ok(());
        }
        match store.batch().removals() {
            Ok(removals) => self.add(removals, now),
            // What is left stays hidden.
            Err(StoreError::Damaged(_)) => {}
            Err(StoreError::Busy) => return Ok(()),
            Err(error) => return Err(error),
        }
        self.thorough_at = now.running + THOROUGH;
        self.is_loaded = true;
        Ok(())
    }

    /// Adds removals, each in place of one that it makes unnecessary.
    pub(super) fn add(&mut self, removals: impl IntoIterator<Item = Removal>, now: Now) {
        for removal in removals {
            self.queue.retain(|other| !removal.replaces(other));
            self.queue.push_back(removal);
            self.next_at.get_or_insert(now.running + PAUSE);
        }
    }

    /// When a tick is needed to remove the next portion.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.next_at.into_iter().chain(self.sweep_at).min()
    }

    /// Removes a portion if one is due. Returns the users whose lists have changed.
    ///
    /// While the search index is damaged, it gives up no words, and few texts are removed before their words: the
    /// others wait until the database is repaired.
    ///
    /// # Errors
    /// `Fatal`, which ends the process. After any other error the portion is tried again.
    pub(super) fn step(
        &mut self,
        store: &mut Store,
        state: &mut MemoryState,
        index_is_damaged: bool,
        now: Now,
    ) -> Result<ChangedLists, StoreError> {
        if self.sweep_at.is_some_and(|at| now.running >= at) {
            self.sweep_at = None;
            let thorough = now.running >= self.thorough_at;
            if thorough {
                self.thorough_at = now.running + THOROUGH;
            }
            self.add([Removal::TooOld(Sweep::of_all(thorough))], now);
        }
        if self.next_at.is_none_or(|at| now.running < at) {
            return Ok(ChangedLists::default());
        }
        let Some(removal) = self.queue.pop_front() else {
            self.next_at = None;
            return Ok(ChangedLists::default());
        };
        let mut pause = PAUSE;
        let mut changed = ChangedLists::default();
        match portion(store, state, &removal, now) {
            Ok(made) => {
                changed = made.lists;
                match made.left {
                    Some(left) => {
                        if index_is_damaged && !made.has_written {
                            pause = RETRY;
                        }
                        self.queue.push_back(left);
                    }
                    None => self.plan_sweep(store, now)?,
                }
            }
            Err(fatal @ StoreError::Fatal(_)) => return Err(fatal),
            Err(StoreError::Damaged(error)) => {
                // What is left stays hidden, and the next start tries again. The error itself, with advice, is logged
                // by the reports of damage.
                tracing::warn!(%error, "not all of what was deleted can be removed from the damaged database");
                if matches!(removal, Removal::TooOld(_)) {
                    self.sweep_at = Some(now.running + THOROUGH);
                }
            }
            Err(StoreError::Busy | StoreError::Full) => {
                self.queue.push_front(removal);
                pause = RETRY;
            }
        }
        self.next_at = (!self.queue.is_empty()).then_some(now.running + pause);
        Ok(changed)
    }

    /// Begins a sweep with the next tick, if none goes on: it has become clear that messages may be too old.
    pub(super) fn sweep_now(&mut self) {
        self.sweep_at = Some(Duration::ZERO);
    }

    /// Plans the next sweep after a removal came to its end, if anything ever becomes too old: messages, or what is
    /// known of those that were removed.
    fn plan_sweep(&mut self, store: &mut Store, now: Now) -> Result<(), StoreError> {
        let is_sweep = |removal: &Removal| matches!(removal, Removal::TooOld(_));
        if self.queue.iter().any(is_sweep) || self.sweep_at.is_some() {
            return Ok(());
        }
        let is_needed = match store.batch().removes_by_age() {
            Err(fatal @ StoreError::Fatal(_)) => return Err(fatal),
            is_needed => is_needed.unwrap_or(true),
        };
        self.sweep_at = is_needed.then_some(now.running + SWEEP);
        Ok(())
    }
}

/// What a portion came to.
struct Portion {
    left: Option<Removal>,
    /// The users whose lists have changed.
    lists: ChangedLists,
    has_written: bool,
}

/// Removes one portion.
fn portion(
    store: &mut Store,
    state: &mut MemoryState,
    removal: &Removal,
    now: Now,
) -> Result<Portion, StoreError> {
    let mut batch = store.batch_at(now.unix);
    let retention: Retention = batch.retention();
    let (left, lists) = batch.remove_portion(removal, retention)?;
    let has_written = batch.writes() > 0;
    let _receipt = batch.commit()?;
    if has_written {
        let write = DeferredWrite::Remove(*removal, retention);
        state.journal.deferred(vec![write]);
    }
    Ok(Portion {
        left,
        lists,
        has_written,
    })
}

#[cfg(test)]
mod tests {
    use super::super::scheduler::cost::Counts;
    use super::*;
    use crate::clock::DAY;
    use crate::storage::{ConversationId, UserId};
    use echat_proto::names::{Content, RoomName, TxnId, Username};

    /// A room in which ann said this text so many times, one a second from the beginning.
    fn talked(messages: usize, text: &str) -> (Store, ConversationId, UserId) {
        let mut store = Store::in_memory().unwrap();
        let mut batch = store.batch();
        let ann = Username::new("ann").unwrap();
        let ann: UserId = batch.create_user(&ann, "phc", 1).unwrap().unwrap();
        let tea = RoomName::new("tea").unwrap();
        let tea = batch.create_room(&tea, ann, 1).unwrap().unwrap();
        batch.add_member(tea, ann, 1).unwrap();
        let text = Content::new(text).unwrap();
        for number in 0..messages {
            let txn = TxnId::new(format!("{number}")).unwrap();
            let time = i64::try_from(number).unwrap();
            let sent = batch.insert_message(tea, ann, &text, Some(&txn), time);
            sent.unwrap();
        }
        let _ = batch.commit().unwrap();
        (store, tea, ann)
    }

    /// The portions of a removal until nothing is left; each is less work than a tick.
    fn portions(store: &mut Store, mut removal: Removal, now: i64) -> usize {
        let mut portions = 0;
        loop {
            let mut batch = store.batch_at(now);
            let retention = batch.retention();
            let left = batch.remove(&removal, retention).unwrap();
            let counts = Counts {
                usage: batch.usage(),
                ..Counts::default()
            };
            let cost = counts.cost();
            assert!(cost < Duration::from_millis(5), "{removal:?}: {cost:?}");
            let _ = batch.commit().unwrap();
            portions += 1;
            match left {
                Some(left) => removal = left,
                None => return portions,
            }
        }
    }

    #[test]
    fn a_portion_is_less_work_than_a_tick_whatever_the_room_holds() {
        let (mut store, ..) = talked(1_000, &"x".repeat(100));
        let mut batch = store.batch();
        let room = batch.find_room("tea").unwrap().unwrap();
        batch.close_room(&room).unwrap();
        let _ = batch.commit().unwrap();
        assert_eq!(portions(&mut store, Removal::ClosedRooms, 1), 11);
    }

    #[test]
    fn a_sweep_removes_what_is_too_old_in_portions_and_stops_at_what_is_kept() {
        for thorough in [false, true] {
            let (mut store, tea, _) = talked(1_000, "hello");
            store.keep(Some(1));
            let sweep = Removal::TooOld(Sweep::of_all(thorough));
            let taken = portions(&mut store, sweep, DAY + 700);
            assert!((11..=16).contains(&taken), "{taken}");
            let first = store.batch().all_ids_of(tea).unwrap();
            assert_eq!(first, (701..=1_000).collect::<Vec<_>>());
            assert_eq!(
                portions(&mut store, sweep, DAY + 700),
                if thorough { 2 } else { 1 }
            );
        }
    }

    #[test]
    fn a_thorough_sweep_goes_on_beside_the_regular_ones() {
        let mut removals = Removals::default();
        let thorough = Removal::TooOld(Sweep::of_all(true));
        let regular = Removal::TooOld(Sweep::of_all(false));
        let room = Removal::TooOld(Sweep::of_room(ConversationId(1)));
        let now = Now {
            running: Duration::ZERO,
            unix: 0,
        };
        removals.add([room, thorough, regular, regular], now);
        assert_eq!(removals.queue, [room, thorough, regular]);
        removals.add([thorough], now);
        assert_eq!(removals.queue, [room, thorough]);
    }

    #[test]
    fn only_a_thorough_sweep_finds_what_is_too_old_behind_what_is_kept() {
        let (mut store, tea, ann) = talked(3, "hello");
        let mut batch = store.batch();
        let text = Content::new("from the future").unwrap();
        let later = batch.insert_message(tea, ann, &text, None, 9 * DAY);
        later.unwrap();
        let old = batch.insert_message(tea, ann, &text, None, 3);
        old.unwrap();
        let _ = batch.commit().unwrap();
        store.keep(Some(1));
        let left = |store: &mut Store| store.batch().all_ids_of(tea).unwrap();
        portions(&mut store, Removal::TooOld(Sweep::of_all(false)), 2 * DAY);
        assert_eq!(left(&mut store), [4, 5]);
        portions(&mut store, Removal::TooOld(Sweep::of_all(true)), 2 * DAY);
        assert_eq!(left(&mut store), [4]);
    }
}
