//! Accounts, bots, blocks and friendships.

use super::{Changes, Dues};
use crate::client::Due;
use crate::facts::Facts;
use crate::fail;
use crate::plan::{OfAccount, OfBot, OfPeople, PlannedRequest, USERS};
use crate::truth::people::{Account, Suspension};

impl Changes<'_> {
    pub(super) fn accounts(&self, facts: &mut Facts, dues: &mut Dues) -> Result<(), String> {
        for (user, after) in &self.after.accounts {
            match self.before.accounts.get(user) {
                Some(before) => self.account(*user, (before, after), facts, dues)?,
                None => self.made(*user, after)?,
            }
        }
        let gone = |user: &usize| !self.after.accounts.contains_key(user);
        if self.before.accounts.keys().any(gone) {
            return fail("an account is gone without a trace");
        }
        Ok(())
    }

    fn made(&self, user: usize, account: &Account) -> Result<(), String> {
        let asked = self.asked.iter().any(|ask| match &ask.planned {
            PlannedRequest::Register(new) | PlannedRequest::RegisterBy { user: new, .. } => {
                *new == user && account.bot.is_none() && self.is_let_register(user)
            }
            PlannedRequest::Bot(OfBot::Create(bot, ..)) => {
                let owner = account.bot.as_ref().map(|bot| bot.owner);
                *bot == user && owner == Some(ask.user)
            }
            _ => false,
        });
        if !asked || account.deleted {
            return fail("an account without a request, or without a code");
        }
        if account.bot.is_none() {
            self.is_in_lobby(user)?;
        }
        Ok(())
    }

    fn account(
        &self,
        user: usize,
        (before, after): (&Account, &Account),
        facts: &mut Facts,
        dues: &mut Dues,
    ) -> Result<(), String> {
        if before == after {
            return Ok(());
        }
        let asked = |planned: fn(&OfAccount) -> bool| {
            self.was_asked(
                user,
                |asked| matches!(asked, PlannedRequest::Account(of) if planned(of)),
            )
        };
        if after.deleted {
            if !before.deleted {
                facts.meet("an account that was deleted".to_owned());
                self.ended(user, before, after)?;
            }
            let friends = self.before.friends_of(user).into_iter();
            dues.extend(friends.map(|friend| (friend, Due::Parted(user), !self.may_end(friend))));
            return Ok(());
        }
        if before.deleted || before.name != after.name {
            return fail("an account comes back, or changes its name");
        }
        if before.password != after.password {
            facts.changed_password(user);
            if !asked(|of| matches!(of, OfAccount::ChangePassword(_))) {
                return fail("a password that no request changed");
            }
        }
        if before.hides_last_seen != after.hides_last_seen
            && !asked(|of| matches!(of, OfAccount::Privacy(_)))
        {
            return fail("a privacy that no request changed");
        }
        if before.away != after.away && !asked(|of| matches!(of, OfAccount::Away(_))) {
            return fail("a text of an absence that no request changed");
        }
        self.suspension(before.suspended, after.suspended, facts)?;
        Ok(())
    }

    /// Suspensions are the administrator's, and end by themselves.
    fn suspension(
        &self,
        before: Option<Suspension>,
        after: Option<Suspension>,
        facts: &Facts,
    ) -> Result<(), String> {
        let over = before.is_some_and(|before| !before.holds(self.now.unix));
        if before == after || facts.administers() || over && after.is_none() {
            Ok(())
        } else {
            fail("a suspension without an administrator")
        }
    }

    /// An account is gone: nothing is left of it but a name that tells nothing.
    fn ended(&self, user: usize, before: &Account, after: &Account) -> Result<(), String> {
        let by_password = self.of(user).any(|ask| match ask.planned {
            PlannedRequest::Account(OfAccount::Delete { erase, .. }) => {
                let right = ask.password.is_some() && ask.password == before.password;
                let changes = |planned: &PlannedRequest| {
                    matches!(
                        planned,
                        PlannedRequest::Account(OfAccount::ChangePassword(_))
                    )
                };
                // A short erasure may have come to its end in this tick.
                (right || self.was_asked(user, changes)) && (erase || !after.erased)
            }
            _ => false,
        });
        let as_bot = before.bot.as_ref().is_some_and(|bot| {
            let removed = |planned: &PlannedRequest| {
                matches!(planned, PlannedRequest::Bot(OfBot::Remove(of)) if *of == user)
            };
            self.was_asked(bot.owner, removed) || self.is_gone(bot.owner)
        });
        if !by_password && !as_bot {
            return fail("an account is gone without a request, or by a wrong password");
        }
        let number = after.name.strip_prefix("deleted account ");
        if number.is_none_or(|number| number.parse::<u64>().is_err()) {
            return fail("the name of a deleted account is kept");
        }
        let truth = self.after;
        let asked = truth.asked.iter().chain(truth.declined.keys());
        let related = asked.chain(&truth.blocked);
        let is_of = |(a, b): &(usize, usize)| *a == user || *b == user;
        let kept = !truth.friends_of(user).is_empty()
            || !truth.rooms_of(user).is_empty()
            || related.copied().any(|both| is_of(&both))
            || truth
                .invitations
                .keys()
                .any(|(invited, _)| *invited == user)
            || truth.bots_of(user).next().is_some()
            || truth.codes.values().any(|code| code.maker == user)
            || after.away.is_some();
        if kept {
            return fail("something is left of a deleted account");
        }
        Ok(())
    }

    /// A bot has the token that its owner asked for, and is only in rooms that its owner operates.
    pub(super) fn bots(&self) -> Result<(), String> {
        for user in 0..USERS.len() {
            let Some(bot) = self.after.bot(user) else {
                continue;
            };
            if let Some(before) = self.before.bot(user) {
                let renewed = |planned: &PlannedRequest| matches!(planned, PlannedRequest::Bot(OfBot::NewToken(of, _)) if *of == user);
                let changed = (&before.token, before.expires) != (&bot.token, bot.expires);
                if before.owner != bot.owner || changed && !self.was_asked(bot.owner, renewed) {
                    return fail("a bot has another owner or token than before");
                }
            }
            if !self.after.is_there(bot.owner) {
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
        let asked = |user: usize, of: OfPeople| {
            self.was_asked(
                user,
                |planned| matches!(planned, PlannedRequest::People(asked) if *asked == of),
            )
        };
        for (user, other) in &self.after.blocked {
            let is_new = !self.before.blocks(*user, *other);
            if is_new && !asked(*user, OfPeople::Block(*other)) {
                return fail("a block that was not asked for");
            }
            if self.after.are_friends(*user, *other) {
                return fail("a blocked friend");
            }
        }
        for (user, other) in self.before.blocked.difference(&self.after.blocked) {
            let gone = self.may_end(*user) || self.is_gone(*other);
            if !gone && !asked(*user, OfPeople::Unblock(*other)) {
                return fail("a block that no request ended");
            }
        }
        Ok(())
    }

    /// Whether an account was deleted in this tick.
    pub(super) fn is_gone(&self, user: usize) -> bool {
        self.before.is_there(user) && !self.after.is_there(user)
    }

    pub(super) fn friendships(&self, dues: &mut Dues) -> Result<(), String> {
        for (both, conversation) in &self.before.friends {
            if let Some(after) = self.after.friends.get(both) {
                if after != conversation {
                    return fail("two friends have another conversation than before");
                }
                continue;
            }
            self.parted(*both, dues)?;
            if self.after.parted.get(both) != Some(conversation) {
                return fail("the conversation of former friends is gone");
            }
        }
        for (both, conversation) in &self.before.parted {
            let friends = self.after.friends.get(both);
            if self.after.parted.get(both).or(friends) != Some(conversation) {
                return fail("the conversation of former friends is gone, or another one");
            }
        }
        for (a, b) in self.after.friends.keys().copied() {
            if !self.before.are_friends(a, b) {
                self.befriended(a, b)?;
                dues.push((a, Due::Contact(b), true));
                dues.push((b, Due::Contact(a), true));
            }
        }
        self.flickering(dues);
        Ok(())
    }

    /// A friendship ends by either side's will.
    fn parted(&self, (a, b): (usize, usize), dues: &mut Dues) -> Result<(), String> {
        let ends = |user: usize, other: usize| {
            self.is_gone(user) || self.was_asked(user, |planned| ends_friendship(planned, other))
        };
        if !ends(a, b) && !ends(b, a) {
            return fail("a friendship is gone");
        }
        dues.push((a, Due::Parted(b), true));
        dues.push((b, Due::Parted(a), true));
        Ok(())
    }

    fn befriended(&self, a: usize, b: usize) -> Result<(), String> {
        let wanted = |user: usize, other: usize| {
            self.before.asked.contains(&(user, other))
                || self.before.counts_as_asked(user, other)
                || self.was_asked(user, |planned| *planned == PlannedRequest::Befriend(other))
        };
        let agreed = |user: usize, other: usize| {
            self.was_asked(user, |planned| {
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
    fn flickering(&self, dues: &mut Dues) {
        for ask in self.asked {
            for other in 0..USERS.len() {
                if ends_friendship(&ask.planned, other) {
                    for (user, friend) in [(ask.user, other), (other, ask.user)] {
                        dues.push((user, Due::Parted(friend), false));
                        dues.push((user, Due::Contact(friend), false));
                    }
                }
            }
        }
    }
}

fn ends_friendship(planned: &PlannedRequest, other: usize) -> bool {
    match planned {
        PlannedRequest::People(OfPeople::Unfriend(of) | OfPeople::Block(of)) => *of == other,
        PlannedRequest::Account(OfAccount::Delete { .. }) => true,
        _ => false,
    }
}
