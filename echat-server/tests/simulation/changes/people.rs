//! Checks accounts, bots, blocks and friendships.

use super::{Changes, ExpectedEvents};
use crate::client::ExpectedEvent;
use crate::committed::people::{Account, Suspension};
use crate::fail;
use crate::observations::Observations;
use crate::plan::{AccountRequest, BotRequest, PeopleRequest, PlannedRequest, USERS};

impl Changes<'_> {
    pub(super) fn accounts(
        &self,
        observed: &mut Observations,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        for (user, after) in &self.after.accounts {
            match self.before.accounts.get(user) {
                Some(before) => self.check_account(*user, (before, after), observed, events)?,
                None => self.check_new_account(*user, after)?,
            }
        }
        let gone = |user: &usize| !self.after.accounts.contains_key(user);
        if self.before.accounts.keys().any(gone) {
            return fail("an account is removed without a tombstone");
        }
        Ok(())
    }

    fn check_new_account(&self, user: usize, account: &Account) -> Result<(), String> {
        let requested = self.requests.iter().any(|request| match &request.planned {
            PlannedRequest::Register(new) | PlannedRequest::RegisterBy { user: new, .. } => {
                *new == user && account.bot.is_none() && self.may_register(user)
            }
            PlannedRequest::Bot(BotRequest::Create(bot, ..)) => {
                let owner = account.bot.as_ref().map(|bot| bot.owner);
                *bot == user && owner == Some(request.user)
            }
            _ => false,
        });
        if !requested || account.deleted {
            return fail("an account without a request, or without a code");
        }
        if account.bot.is_none() {
            self.check_lobby(user)?;
        }
        Ok(())
    }

    fn check_account(
        &self,
        user: usize,
        (before, after): (&Account, &Account),
        observed: &mut Observations,
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        if before == after {
            return Ok(());
        }
        let requested = |planned: fn(&AccountRequest) -> bool| {
            self.has_request(
                user,
                |requested| matches!(requested, PlannedRequest::Account(of) if planned(of)),
            )
        };
        if after.deleted {
            if !before.deleted {
                observed.cover("an account that was deleted".to_owned());
                self.check_deletion(user, before, after)?;
            }
            let friends = self.before.friends_of(user).into_iter();
            events.extend(friends.map(|friend| {
                (
                    friend,
                    ExpectedEvent::FriendRemoved(user),
                    !self.may_delete_account(friend),
                )
            }));
            return Ok(());
        }
        if before.deleted || before.name != after.name {
            return fail("an account comes back, or changes its name");
        }
        if before.password != after.password {
            observed.note_password_changed(user);
            if !requested(|of| matches!(of, AccountRequest::ChangePassword(_))) {
                return fail("a password changes without a request");
            }
        }
        if before.hides_last_seen != after.hides_last_seen
            && !requested(|of| matches!(of, AccountRequest::Privacy(_)))
        {
            return fail("privacy changes without a request");
        }
        if before.away != after.away && !requested(|of| matches!(of, AccountRequest::Away(_))) {
            return fail("the text of an absence changes without a request");
        }
        self.check_suspension(before.suspended, after.suspended, observed)?;
        Ok(())
    }

    /// Only an administrator suspends a user. A suspension may expire by itself.
    fn check_suspension(
        &self,
        before: Option<Suspension>,
        after: Option<Suspension>,
        observed: &Observations,
    ) -> Result<(), String> {
        let over = before.is_some_and(|before| !before.holds(self.now.unix));
        if before == after || observed.is_administered() || over && after.is_none() {
            Ok(())
        } else {
            fail("a suspension without an administrator")
        }
    }

    /// Nothing is left of a deleted account but a placeholder name.
    fn check_deletion(&self, user: usize, before: &Account, after: &Account) -> Result<(), String> {
        let by_password = self.requests_of(user).any(|request| match request.planned {
            PlannedRequest::Account(AccountRequest::Delete { erase, .. }) => {
                let right = request.password.is_some() && request.password == before.password;
                let changes = |planned: &PlannedRequest| {
                    matches!(
                        planned,
                        PlannedRequest::Account(AccountRequest::ChangePassword(_))
                    )
                };
                // A short erasure may have finished within this tick.
                (right || self.has_request(user, changes)) && (erase || !after.erased)
            }
            _ => false,
        });
        let as_bot = before.bot.as_ref().is_some_and(|bot| {
            let removed = |planned: &PlannedRequest| {
                matches!(planned, PlannedRequest::Bot(BotRequest::Remove(of)) if *of == user)
            };
            self.has_request(bot.owner, removed) || self.was_deleted(bot.owner)
        });
        if !by_password && !as_bot {
            return fail("an account is gone without a request, or by a wrong password");
        }
        if before.bot.is_some() && after.erased {
            return fail("the messages of a bot are erased");
        }
        let number = after.name.strip_prefix("deleted account ");
        if number.is_none_or(|number| number.parse::<u64>().is_err()) {
            return fail("the name of a deleted account is kept");
        }
        let committed = self.after;
        let requested = committed
            .friend_requests
            .iter()
            .chain(committed.declined.keys());
        let related = requested.chain(&committed.blocked);
        let is_of = |(a, b): &(usize, usize)| *a == user || *b == user;
        let kept = !committed.friends_of(user).is_empty()
            || !committed.rooms_of(user).is_empty()
            || related.copied().any(|both| is_of(&both))
            || committed
                .invitations
                .keys()
                .any(|(invited, _)| *invited == user)
            || committed.bots_of(user).next().is_some()
            || committed.codes.values().any(|code| code.maker == user)
            || after.away.is_some();
        if kept {
            return fail("something is left of a deleted account");
        }
        Ok(())
    }

    /// A bot has the token that its owner requested, and is only in rooms that its owner operates.
    pub(super) fn bots(&self) -> Result<(), String> {
        for user in 0..USERS.len() {
            let Some(bot) = self.after.bot(user) else {
                continue;
            };
            if let Some(before) = self.before.bot(user) {
                let renewed = |planned: &PlannedRequest| matches!(planned, PlannedRequest::Bot(BotRequest::NewToken(of, _)) if *of == user);
                let changed = (&before.token, before.expires) != (&bot.token, bot.expires);
                if before.owner != bot.owner || changed && !self.has_request(bot.owner, renewed) {
                    return fail("a bot has another owner or token than before");
                }
            }
            if !self.after.is_active(bot.owner) {
                return fail("a bot outlives its owner");
            }
            for room in self.after.rooms_of(user) {
                if !self.after.operates(bot.owner, room) {
                    return fail("a bot is in a room that its owner does not operate");
                }
            }
            if !self.after.friends_of(user).is_empty() {
                return fail("a bot has friends");
            }
        }
        Ok(())
    }

    pub(super) fn blocks(&self) -> Result<(), String> {
        let requested = |user: usize, of: PeopleRequest| {
            self.has_request(
                user,
                |planned| matches!(planned, PlannedRequest::People(requested) if *requested == of),
            )
        };
        for (user, other) in &self.after.blocked {
            let is_new = !self.before.blocks(*user, *other);
            if is_new && !requested(*user, PeopleRequest::Block(*other)) {
                return fail("a block that was not asked for");
            }
            if self.after.are_friends(*user, *other) {
                return fail("a blocked friend");
            }
        }
        for (user, other) in self.before.blocked.difference(&self.after.blocked) {
            let gone = self.may_delete_account(*user) || self.was_deleted(*other);
            if !gone && !requested(*user, PeopleRequest::Unblock(*other)) {
                return fail("a block that no request ended");
            }
        }
        Ok(())
    }

    /// Whether an account was deleted in this tick.
    pub(super) fn was_deleted(&self, user: usize) -> bool {
        self.before.is_active(user) && !self.after.is_active(user)
    }

    pub(super) fn friendships(&self, events: &mut ExpectedEvents) -> Result<(), String> {
        for (both, conversation) in &self.before.friends {
            if let Some(after) = self.after.friends.get(both) {
                if after != conversation {
                    return fail("two friends have another conversation than before");
                }
                continue;
            }
            self.friendship_ended(*both, events)?;
            if self.after.former_friends.get(both) != Some(conversation) {
                return fail("the conversation of former friends is gone");
            }
        }
        for (both, conversation) in &self.before.former_friends {
            let friends = self.after.friends.get(both);
            if self.after.former_friends.get(both).or(friends) != Some(conversation) {
                return fail("the conversation of former friends is gone, or another one");
            }
        }
        for (a, b) in self.after.friends.keys().copied() {
            if !self.before.are_friends(a, b) {
                self.check_befriended(a, b)?;
                events.push((a, ExpectedEvent::FriendAdded(b), true));
                events.push((b, ExpectedEvent::FriendAdded(a), true));
            }
        }
        self.transient_friendships(events);
        Ok(())
    }

    /// Either friend may end a friendship.
    fn friendship_ended(
        &self,
        (a, b): (usize, usize),
        events: &mut ExpectedEvents,
    ) -> Result<(), String> {
        let ends = |user: usize, other: usize| {
            self.was_deleted(user)
                || self.has_request(user, |planned| ends_friendship(planned, other))
        };
        if !ends(a, b) && !ends(b, a) {
            return fail("a friendship is gone");
        }
        events.push((a, ExpectedEvent::FriendRemoved(b), true));
        events.push((b, ExpectedEvent::FriendRemoved(a), true));
        Ok(())
    }

    fn check_befriended(&self, a: usize, b: usize) -> Result<(), String> {
        let wanted = |user: usize, other: usize| {
            self.before.friend_requests.contains(&(user, other))
                || self.before.counts_as_request(user, other)
                || self.has_request(user, |planned| *planned == PlannedRequest::Befriend(other))
        };
        let agreed = |user: usize, other: usize| {
            self.has_request(user, |planned| {
                *planned == PlannedRequest::Befriend(other)
                    || *planned == PlannedRequest::Resolve(other, true)
            })
        };
        if wanted(a, b) && agreed(b, a) || wanted(b, a) && agreed(a, b) {
            Ok(())
        } else {
            fail("a friendship that was not asked for, or not agreed to")
        }
    }

    /// Friendships that may have begun and ended within the tick.
    fn transient_friendships(&self, events: &mut ExpectedEvents) {
        for request in self.requests {
            for other in 0..USERS.len() {
                if ends_friendship(&request.planned, other) {
                    for (user, friend) in [(request.user, other), (other, request.user)] {
                        events.push((user, ExpectedEvent::FriendRemoved(friend), false));
                        events.push((user, ExpectedEvent::FriendAdded(friend), false));
                    }
                }
            }
        }
    }
}

fn ends_friendship(planned: &PlannedRequest, other: usize) -> bool {
    match planned {
        PlannedRequest::People(PeopleRequest::Unfriend(of) | PeopleRequest::Block(of)) => {
            *of == other
        }
        PlannedRequest::Account(AccountRequest::Delete { .. }) => true,
        _ => false,
    }
}
