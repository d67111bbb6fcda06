//! Sessions that end with a write. A full disk may roll the write back, so they end after its commit, and the tick ends
//! with the request: no other request of these sessions is handled in between.

use super::account::{audience_or_none, displace, go_offline};
use super::presence::{Presence, PresenceAudience};
use super::{Caller, Ctx, Reject, resume};
use crate::conn::{ConnId, Departure};
use crate::storage::{User, UserId};

/// Sessions of a user that end when the tick is committed. All secrets that resume one are revoked.
#[derive(Debug)]
pub(crate) struct SessionsEnd {
    user: User,
    /// The connection of the request.
    asked_by: ConnId,
    /// Why they end, for the log.
    why: Departure,
    /// Whether the session that asked, if it is one of the user's, ends too.
    all: bool,
    /// What others are told when all end.
    farewell: Option<Farewell>,
    /// What the write deleted, and no deferred write of the same tick may bring back.
    deleted: Deleted,
}

/// What a write deleted of a user's notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// None.
    Nothing,
    /// The devices: the password was changed.
    Devices,
    /// All: the account was deleted.
    Account,
}

/// What the friends and rooms of a user are told.
#[derive(Debug)]
pub(crate) enum Farewell {
    /// The user went offline, if the user was online.
    Offline(PresenceAudience),
    /// The account was deleted.
    Deleted(PresenceAudience),
}

impl SessionsEnd {
    /// The sessions of the caller but this one, whose password was changed.
    pub(super) fn others(asked_by: ConnId, me: &Caller) -> Self {
        Self {
            user: me.user(),
            asked_by,
            why: Departure::PasswordChanged,
            all: false,
            farewell: None,
            deleted: Deleted::Devices,
        }
    }

    /// All sessions of a user. That of the request, if it is one of them, ends as by LOGOUT.
    pub(super) fn all(
        asked_by: ConnId,
        user: User,
        (why, farewell): (Departure, Option<Farewell>),
    ) -> Self {
        Self {
            user,
            asked_by,
            why,
            all: true,
            farewell,
            deleted: Deleted::Nothing,
        }
    }

    /// All sessions of a bot whose account was deleted by its owner.
    pub(super) fn of_removed_bot(asked_by: ConnId, bot: User) -> Self {
        Self {
            deleted: Deleted::Account,
            ..Self::all(asked_by, bot, (Departure::TokenEnded, None))
        }
    }

    /// All sessions of a user, or of its bot, whose account was deleted.
    pub(super) fn of_deleted(
        asked_by: ConnId,
        user: User,
        audience: Option<PresenceAudience>,
    ) -> Self {
        Self {
            deleted: Deleted::Account,
            ..Self::all(
                asked_by,
                user,
                (Departure::Deleted, audience.map(Farewell::Deleted)),
            )
        }
    }

    /// All sessions of a user, of whom others are told that the user went offline, and of the user's bots: for a
    /// suspended user, or one that an administrator sends away.
    pub(crate) fn of_user(
        ctx: &Ctx<'_, '_>,
        user: User,
        why: Departure,
    ) -> Result<Vec<Self>, Reject> {
        let bots = ctx.batch.bots_of(user.id)?.into_iter();
        let mut ends: Vec<Self> = bots
            .map(|bot| Self::all(ctx.conn, bot.user, (why, None)))
            .collect();
        // A bot comes and goes without an event.
        let farewell = if ctx.batch.is_bot(user.id)? {
            None
        } else {
            audience_or_none(ctx, user.id)?.map(Farewell::Offline)
        };
        ends.push(Self::all(ctx.conn, user, (why, farewell)));
        Ok(ends)
    }

    /// The same of a user whose password and devices the write replaces, with or without the user's bots.
    pub(super) fn of_reset(
        ctx: &Ctx<'_, '_>,
        user: User,
        with_bots: bool,
    ) -> Result<Vec<Self>, Reject> {
        let mut ends = Self::of_user(ctx, user, Departure::PasswordReset)?;
        if !with_bots {
            ends.drain(..ends.len() - 1);
        }
        if let Some(own) = ends.last_mut() {
            own.deleted = Deleted::Devices;
        }
        Ok(ends)
    }

    /// All sessions of a user whose account the write deletes, and of the user's bots. Called before the write, which
    /// ends the friendships of those who are told.
    pub(super) fn of_account(ctx: &Ctx<'_, '_>, user: User) -> Result<Vec<Self>, Reject> {
        let mut ends = Vec::new();
        for bot in ctx.batch.bots_of(user.id)? {
            let audience = audience_or_none(ctx, bot.user.id)?;
            ends.push(Self::of_deleted(ctx.conn, bot.user, audience));
        }
        let audience = audience_or_none(ctx, user.id)?;
        ends.push(Self::of_deleted(ctx.conn, user, audience));
        Ok(ends)
    }

    /// The user.
    pub(super) fn user(&self) -> UserId {
        self.user.id
    }

    /// The connection of the request.
    pub(crate) fn asked_by(&self) -> ConnId {
        self.asked_by
    }

    /// Ends them, each with SERVER_KICK and CLOSE_NOTIFY(6) but that of the request.
    pub(crate) fn carry_out(self, ctx: &mut Ctx<'_, '_>) {
        // Deferred writes of the tick come after this commit: a device that logged in before it would be known again.
        let (user, deleted) = (self.user.id, self.deleted);
        ctx.deferred_writes
            .retain(|write| match write.notes_login_of() {
                Some((of, is_device)) if of == user => match deleted {
                    Deleted::Nothing => true,
                    Deleted::Devices => !is_device,
                    Deleted::Account => false,
                },
                _ => true,
            });
        let was_online = ctx.roster.is_online(self.user.id);
        for conn in ctx.roster.conns_of(self.user.id).to_vec() {
            if conn != self.asked_by {
                displace(ctx, &self.user, conn, self.why);
            } else if self.all {
                ctx.roster.end_session(conn);
                ctx.outbox.unauthenticated(conn);
                let user = (self.user.id, self.user.name.as_str());
                ctx.session_log
                    .logged_out(user, conn, Departure::Logout, ctx.now.running);
            }
        }
        resume::revoke_secrets(ctx, self.user.id);
        match self.farewell {
            Some(Farewell::Offline(audience)) if was_online => {
                go_offline(ctx, &self.user, Some(audience));
            }
            Some(Farewell::Deleted(audience)) => {
                audience.announce(ctx, self.user.id, &self.user.name, Presence::Deleted);
            }
            // No event tells of a bot, but its owner sees when it was there last.
            None if was_online && !ctx.roster.is_online(user) && deleted != Deleted::Account => {
                go_offline(ctx, &self.user, None);
            }
            Some(Farewell::Offline(_)) | None => {}
        }
    }
}
