//! Checks friend requests: open ones, declined ones, and those that gave way to newer ones.

use super::{Changes, ExpectedEvents};
use crate::client::ExpectedEvent;
use crate::committed::CommittedState;
use crate::fail;
use crate::observations::Observations;
use crate::plan::{PeopleRequest, PlannedRequest};

type Pair = (usize, usize);

impl Changes<'_> {
    /// Checks every request that was added, changed or removed.
    pub(crate) fn friend_requests(
        &self,
        observed: &mut Observations,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        for pair in &self.after.friend_requests {
            observed.friend_requests.insert(*pair);
            let at = (
                self.before.requested_at.get(pair),
                self.after.requested_at.get(pair),
            );
            if at.0 != at.1 || !self.before.friend_requests.contains(pair) {
                self.check_new(*pair, observed)?;
                if self.is_hidden(*pair) {
                    observed.cover("a request hidden by a block".to_owned());
                } else {
                    events.push((
                        pair.1,
                        ExpectedEvent::FriendRequest(pair.0),
                        !self.may_hide(*pair),
                    ));
                }
            }
        }
        for pair in &self.before.friend_requests {
            if !self.after.friend_requests.contains(pair) {
                self.check_ended(*pair, observed)?;
            }
        }
        self.check_declined(observed)?;
        self.check_unhidden()?;
        // A request that was made and answered within one tick has an event, too. A request that was declined before
        // has none.
        for request in self.requests {
            if let PlannedRequest::Befriend(receiver) = request.planned
                && !self.is_silenced((request.user, receiver))
            {
                observed.friend_requests.insert((request.user, receiver));
                if !self.is_hidden((request.user, receiver)) {
                    events.push((receiver, ExpectedEvent::FriendRequest(request.user), false));
                }
            }
        }
        Ok(())
    }

    /// Whether the receiver blocks the sender both before and after this tick.
    fn is_hidden(&self, (sender, receiver): Pair) -> bool {
        self.before.blocks(receiver, sender) && self.after.blocks(receiver, sender)
    }

    /// Whether a block may hide a request of this tick.
    fn may_hide(&self, (sender, receiver): Pair) -> bool {
        let blocks = |committed: &CommittedState| committed.blocks(receiver, sender);
        blocks(self.before) || blocks(self.after) || self.may_change_block(receiver, sender)
    }

    /// Whether `user` may have blocked or unblocked `other` in this tick. Unblocking drops hidden requests.
    fn may_change_block(&self, user: usize, other: usize) -> bool {
        self.has_request(user, |planned| {
            matches!(planned, PlannedRequest::People(PeopleRequest::Block(of) | PeopleRequest::Unblock(of)) if *of == other)
        })
    }

    /// Whether a request may have ended with a block, a friendship or an account.
    fn may_drop(&self, (sender, receiver): Pair) -> bool {
        self.may_change_block(receiver, sender)
            || self.may_change_block(sender, receiver)
            || self.was_deleted(sender)
            || self.was_deleted(receiver)
    }

    fn requests_friendship(&self, (sender, receiver): Pair) -> bool {
        self.has_request(sender, |planned| {
            *planned == PlannedRequest::Befriend(receiver)
        })
    }

    /// Whether a request of this tick must cause no event. A request in the other direction, by the user who declined,
    /// ends the silence.
    fn is_silenced(&self, (sender, receiver): Pair) -> bool {
        let declined = self.before.silenced(sender, receiver, self.now.unix);
        declined.is_some() && !self.requests_friendship((receiver, sender))
    }

    fn check_new(&self, pair: Pair, observed: &mut Observations) -> Result<(), String> {
        if !self.requests_friendship(pair) {
            return fail("a friend request that was not made");
        }
        if self.is_silenced(pair) {
            return fail("a friend request that was declined a short while ago");
        }
        if self.before.declined.contains_key(&pair) {
            observed.cover("a declined request with a new event".to_owned());
        }
        self.check_rate(pair.0, observed)
    }

    fn check_rate(&self, sender: usize, observed: &mut Observations) -> Result<(), String> {
        if observed.note_friend_request(sender, self.now.running, self.limits) {
            Ok(())
        } else {
            fail("more friend requests in an hour than the limit")
        }
    }

    /// Checks a request that is no longer open: it was answered, or it was old and gave way to another one.
    fn check_ended(&self, pair: Pair, observed: &mut Observations) -> Result<(), String> {
        let (sender, receiver) = pair;
        let resolved = |planned: &PlannedRequest| matches!(planned, PlannedRequest::Resolve(of, _) if *of == sender);
        if self.after.are_friends(sender, receiver) || self.has_request(receiver, resolved) {
            return Ok(());
        }
        // Two users who asked each other may have ended the friendship already.
        let former_friends = self
            .after
            .former_friends
            .contains_key(&crate::committed::pair(sender, receiver));
        if (former_friends || self.requests_friendship(pair))
            && self.requests_friendship((receiver, sender))
        {
            return Ok(());
        }
        if self.may_drop(pair) {
            observed.vanished.insert(pair);
            return Ok(());
        }
        let requested = |planned: &PlannedRequest| *planned == PlannedRequest::Befriend(receiver);
        let newer = self
            .requests
            .iter()
            .any(|request| request.user != sender && requested(&request.planned));
        if newer && self.before.is_replaceable(pair, self.now.unix) {
            observed.vanished.insert(pair);
            observed.cover("a request replaced by a newer one".to_owned());
            return Ok(());
        }
        fail("a friend request is gone")
    }

    /// The end of a block drops what it hid: an open request, and the repetition of a declined one.
    fn check_unhidden(&self) -> Result<(), String> {
        let ends = |(sender, receiver): Pair| {
            self.before.blocks(receiver, sender)
                && !self.after.blocks(receiver, sender)
                && !self.requests_friendship((sender, receiver))
        };
        let repeated = self.after.declined.iter().filter(|(_, of)| of.again);
        let repeated = repeated.map(|(pair, _)| pair);
        let mut requests = self.after.friend_requests.iter().chain(repeated);
        if requests.any(|pair| ends(*pair)) {
            return fail("a request that a block hid outlives the block");
        }
        Ok(())
    }

    fn check_declined(&self, observed: &mut Observations) -> Result<(), String> {
        for (pair, after) in &self.after.declined {
            let before = self
                .before
                .declined
                .get(pair)
                .filter(|before| before.at == after.at);
            let refused =
                |planned: &PlannedRequest| *planned == PlannedRequest::Resolve(pair.0, false);
            let anew = before.is_none();
            if anew && (after.at != self.now.unix || !self.has_request(pair.1, refused)) {
                return fail("a request was declined without an answer, or at another time");
            }
            if after.again && !before.is_some_and(|before| before.again) {
                if !self.requests_friendship(*pair) {
                    return fail("a declined request was repeated without a request");
                }
                observed.cover("a declined request repeated without an event".to_owned());
                self.check_rate(pair.0, observed)?;
            }
            let withdrawn =
                self.may_change_block(pair.0, pair.1) || self.may_change_block(pair.1, pair.0);
            if before.is_some_and(|before| before.again && !after.again) && !withdrawn {
                return fail("a declined request was taken back");
            }
        }
        for (pair, before) in &self.before.declined {
            let (sender, receiver) = *pair;
            let over = !before.is_silent(self.now.unix)
                && (!before.again || self.requests_friendship(*pair));
            let ended = over
                || self.after.are_friends(sender, receiver)
                || self.requests_friendship((receiver, sender))
                || self.may_drop(*pair);
            if !self.after.declined.contains_key(pair) && !ended {
                return fail("a declined request is forgotten too early");
            }
        }
        Ok(())
    }
}
