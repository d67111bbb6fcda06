//! What a tick did to requests for friendship, judged: those that wait, those that were declined, and
//! those that gave way.

use super::{Changes, Dues};
use crate::client::Due;
use crate::facts::Facts;
use crate::fail;
use crate::plan::{OfPeople, PlannedRequest};
use crate::truth::Truth;

type Pair = (usize, usize);

impl Changes<'_> {
    /// Judges every request that came, changed or went.
    pub(crate) fn requests(&self, facts: &mut Facts, dues: &mut Dues) -> Result<(), String> {
        for pair in &self.after.asked {
            facts.asked.insert(*pair);
            let at = (
                self.before.asked_at.get(pair),
                self.after.asked_at.get(pair),
            );
            if at.0 != at.1 || !self.before.asked.contains(pair) {
                self.came(*pair, facts)?;
                if self.is_hidden(*pair) {
                    facts.meet("a request that a block hides".to_owned());
                } else {
                    dues.push((pair.1, Due::Asked(pair.0), !self.may_hide(*pair)));
                }
            }
        }
        for pair in &self.before.asked {
            if !self.after.asked.contains(pair) {
                self.gone(*pair, facts)?;
            }
        }
        self.declined(facts)?;
        // One that was made and resolved in one tick was told, too; one that was declined before was not.
        for ask in self.asked {
            if let PlannedRequest::Befriend(receiver) = ask.planned
                && !self.is_silenced((ask.user, receiver))
            {
                facts.asked.insert((ask.user, receiver));
                if !self.is_hidden((ask.user, receiver)) {
                    dues.push((receiver, Due::Asked(ask.user), false));
                }
            }
        }
        Ok(())
    }

    /// Whether the receiver has blocked the sender, before this tick and after it.
    fn is_hidden(&self, (sender, receiver): Pair) -> bool {
        self.before.blocks(receiver, sender) && self.after.blocks(receiver, sender)
    }

    /// Whether a block may hide a request of this tick.
    fn may_hide(&self, (sender, receiver): Pair) -> bool {
        let blocks = |truth: &Truth| truth.blocks(receiver, sender);
        blocks(self.before) || blocks(self.after) || self.blocks_now(receiver, sender)
    }

    /// Whether a user may have blocked or unblocked another in this tick: hidden requests are dropped.
    fn blocks_now(&self, user: usize, other: usize) -> bool {
        self.was_asked(user, |planned| {
            matches!(planned, PlannedRequest::People(OfPeople::Block(of) | OfPeople::Unblock(of)) if *of == other)
        })
    }

    /// Whether a request may have ended with a block, a friendship or an account.
    fn may_drop(&self, (sender, receiver): Pair) -> bool {
        self.blocks_now(receiver, sender)
            || self.blocks_now(sender, receiver)
            || self.is_gone(sender)
            || self.is_gone(receiver)
    }

    fn asks(&self, (sender, receiver): Pair) -> bool {
        self.was_asked(sender, |planned| {
            *planned == PlannedRequest::Befriend(receiver)
        })
    }

    /// Whether a request of this tick was to tell its receiver nothing. Who declined and asks back ends
    /// the silence.
    fn is_silenced(&self, (sender, receiver): Pair) -> bool {
        let declined = self.before.silenced(sender, receiver, self.now.unix);
        declined.is_some() && !self.asks((receiver, sender))
    }

    fn came(&self, pair: Pair, facts: &mut Facts) -> Result<(), String> {
        if !self.asks(pair) {
            return fail("a friend request that was not made");
        }
        if self.is_silenced(pair) {
            return fail("a friend request that was declined a short while ago");
        }
        if self.before.declined.contains_key(&pair) {
            facts.meet("a declined request that was told again".to_owned());
        }
        self.count(pair.0, facts)
    }

    fn count(&self, sender: usize, facts: &mut Facts) -> Result<(), String> {
        if facts.request(sender, self.now.running, self.limits) {
            Ok(())
        } else {
            fail("more friend requests in an hour than may be")
        }
    }

    /// A request waits no longer: it was answered, or it was old and gave way to another.
    fn gone(&self, pair: Pair, facts: &mut Facts) -> Result<(), String> {
        let (sender, receiver) = pair;
        let resolved = |planned: &PlannedRequest| matches!(planned, PlannedRequest::Resolve(of, _) if *of == sender);
        if self.after.are_friends(sender, receiver) || self.was_asked(receiver, resolved) {
            return Ok(());
        }
        // Two who asked each other may be friends no more.
        let parted = self
            .after
            .parted
            .contains_key(&crate::truth::pair(sender, receiver));
        if (parted || self.asks(pair)) && self.asks((receiver, sender)) {
            return Ok(());
        }
        if self.may_drop(pair) {
            facts.vanished.insert(pair);
            return Ok(());
        }
        let asked = |planned: &PlannedRequest| *planned == PlannedRequest::Befriend(receiver);
        let newer = self
            .asked
            .iter()
            .any(|ask| ask.user != sender && asked(&ask.planned));
        if newer && self.before.is_old(pair, self.now.unix) {
            facts.vanished.insert(pair);
            facts.meet("a request that gave way".to_owned());
            return Ok(());
        }
        fail("a friend request is gone")
    }

    fn declined(&self, facts: &mut Facts) -> Result<(), String> {
        for (pair, after) in &self.after.declined {
            let before = self
                .before
                .declined
                .get(pair)
                .filter(|before| before.at == after.at);
            let refused =
                |planned: &PlannedRequest| *planned == PlannedRequest::Resolve(pair.0, false);
            let anew = before.is_none();
            if anew && (after.at != self.now.unix || !self.was_asked(pair.1, refused)) {
                return fail("a request was declined without an answer, or at another time");
            }
            if after.again && !before.is_some_and(|before| before.again) {
                if !self.asks(*pair) {
                    return fail("a declined request came again by itself");
                }
                facts.meet("a declined request that was made again in silence".to_owned());
                self.count(pair.0, facts)?;
            }
            let withdrawn = self.blocks_now(pair.0, pair.1);
            if before.is_some_and(|before| before.again && !after.again) && !withdrawn {
                return fail("a declined request was taken back");
            }
        }
        for (pair, before) in &self.before.declined {
            let (sender, receiver) = *pair;
            let over = !before.is_silent(self.now.unix) && (!before.again || self.asks(*pair));
            let ended = over
                || self.after.are_friends(sender, receiver)
                || self.asks((receiver, sender))
                || self.may_drop(*pair);
            if !self.after.declined.contains_key(pair) && !ended {
                return fail("a declined request is forgotten too early");
            }
        }
        Ok(())
    }
}
