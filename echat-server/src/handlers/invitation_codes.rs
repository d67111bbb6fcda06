//! New accounts and the codes that they are made with: CREATE_INVITATION, LIST_INVITATIONS, REVOKE_INVITATION, and what
//! REGISTER writes.

use super::administration::{audited, first_administrator};
use super::admission::{Demand, Plan, View, Written};
use super::lobby::Lobby;
use super::{Caller, Ctx, Reject, done_with, page};
use crate::config::{Inviters, Registration, Settings};
use crate::secrets::{PasswordHash, SecretSeed};
use crate::storage::{Batch, InvitationCode as StoredCode, StoreError, administrator_code_hash};
use echat_proto::commands::{Event, RequestKind};
use echat_proto::limits::PAGE_BYTES;
use echat_proto::names::{InvitationCode, Username};
use echat_proto::records::{Code, InvitationCodeLine};
use std::fmt;

/// Codes that one user may have open.
const OPEN_CODES: usize = 10;
/// Accounts that can be made with one code at most: as many as a room has members.
pub(super) const USES_MAX: u64 = 10_000;
/// What a line of LIST_INVITATIONS takes, in bytes: code, keys, types and lengths, rounded up.
const LINE_BYTES: usize = 96;
/// Values of a line of LIST_INVITATIONS: three in a dict.
const LINE_VALUES: usize = 4;

/// What lets a client register.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum RegistrationGrant {
    /// The server takes all new accounts.
    Open,
    /// A code that an account uses up, in its stored form.
    Invitation(String),
    /// The code of the first administrator.
    Administrator,
}

/// Does not show the code.
impl fmt::Debug for RegistrationGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::Invitation(_) => "Invitation(..)",
            Self::Administrator => "Administrator",
        })
    }
}

/// What lets a client register that gives this code, or the refusal. A code that is given has to be good also where
/// none is needed: its owner expects something of it.
pub(super) fn grant(
    batch: &Batch<'_>,
    settings: &Settings,
    given: Option<&InvitationCode>,
    now: i64,
) -> Result<RegistrationGrant, Reject> {
    let key = given.and_then(InvitationCode::key);
    if let Some(key) = &key
        && batch.administrator_code()? == Some(administrator_code_hash(key))
    {
        return Ok(RegistrationGrant::Administrator);
    }
    if settings.registration == Registration::Closed {
        return Err(Code::RegistrationClosed.into());
    }
    if given.is_none() && settings.registration == Registration::Open {
        return Ok(RegistrationGrant::Open);
    }
    let Some(key) = key else {
        return Err(Code::BadInvitation.into());
    };
    let found = batch.invitation(&key)?;
    let is_good = |code: &StoredCode| code.expires_at.is_none_or(|at| at > now);
    let good = found.filter(is_good).ok_or(Code::BadInvitation)?;
    if let Some(maker) = good.maker
        && batch.suspension(maker, now)?.is_some()
    {
        return Err(Code::BadInvitation.into());
    }
    Ok(RegistrationGrant::Invitation(good.code))
}

/// An account that is made, with everything that decides its rows besides the database.
#[derive(Clone, Debug)]
pub(crate) struct NewAccount {
    pub(crate) name: Username,
    pub(crate) hash: PasswordHash,
    pub(crate) grant: RegistrationGrant,
    /// The lobby of the server.
    pub(crate) lobby: Option<Lobby>,
    /// Unix seconds.
    pub(crate) now: i64,
}

impl NewAccount {
    /// Makes the account, uses up its grant, which was judged in the same transaction, and lets it into the lobby
    /// unless that is full. False if the name, or a confusable one, is taken.
    pub(crate) fn make(&self, batch: &mut Batch<'_>) -> Result<bool, StoreError> {
        let Some(user) = batch.create_user(&self.name, self.hash.as_str(), self.now)? else {
            return Ok(false);
        };
        match &self.grant {
            RegistrationGrant::Open => {}
            RegistrationGrant::Invitation(code) => batch.use_invitation(code)?,
            RegistrationGrant::Administrator => {
                batch.delete_administrator_code()?;
                batch.set_administrator(user, true)?;
                batch.note_audit(&first_administrator(&self.name, self.now))?;
            }
        }
        if let Some(lobby) = &self.lobby {
            lobby.admit(batch, user, self.now)?;
        }
        Ok(true)
    }
}

/// A user that may make codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inviter {
    /// Lists and revokes the codes of all. What it does is in the audit.
    Administrator,
    /// Lists and revokes the own codes.
    User,
}

impl Inviter {
    /// Refuses users that the server does not let make codes.
    fn require(batch: &Batch<'_>, settings: &Settings, me: &Caller) -> Result<Self, Reject> {
        if batch.is_administrator(me.id)? {
            return Ok(Self::Administrator);
        }
        match settings.invitations {
            Inviters::Users => Ok(Self::User),
            Inviters::Administrator => Err(Code::NotAllowed.into()),
        }
    }
}

/// CREATE_INVITATION.
pub(crate) fn create_invitation(
    view: &View<'_, '_>,
    me: Caller,
    seed: &SecretSeed,
    uses: Option<u64>,
    expires: Option<u64>,
) -> Result<Plan, Reject> {
    let uses = uses.unwrap_or(1);
    if !(1..=USES_MAX).contains(&uses) {
        let message = format!("must be 1 to {USES_MAX}");
        return Err(Reject::bad_params("uses", &message));
    }
    let now = view.now;
    let expires_at = expires.map(i64::try_from).transpose();
    let Some(expires_at) = expires_at.ok().filter(|at| at.is_none_or(|at| at > now)) else {
        return Err(Reject::bad_params("expires", "must be a time to come"));
    };
    let inviter = Inviter::require(view.batch, view.settings, &me)?;
    if view.batch.invitation_count(Some(me.id), now)? >= OPEN_CODES as u64 {
        return Err(Reject::too_many(OPEN_CODES));
    }
    let code = InvitationCode::from_bytes(seed.first());
    let code = code.key().expect("a code of its own form").to_string();
    let maker = Some(me.id);
    let plan = Plan::write(Demand::Space, move |batch| {
        let new = StoredCode {
            code,
            uses,
            expires_at,
            maker,
        };
        batch.add_invitation(&new, now)?;
        Ok(Written {
            reply: Event::Invitation {
                code: new.code,
                uses,
                expires,
            },
            effects: Vec::new(),
        })
    });
    Ok(match inviter {
        Inviter::Administrator => {
            let what = format!("uses {uses}");
            audited(plan, view, &me, RequestKind::CreateInvitation, &what)
        }
        Inviter::User => plan,
    })
}

/// LIST_INVITATIONS: as many, the newest first, as fit into one frame. The reply has no pages.
pub(crate) fn list_invitations(ctx: &Ctx<'_, '_>, me: Caller) -> Result<Event, Reject> {
    let maker = match Inviter::require(ctx.batch, ctx.settings, &me)? {
        Inviter::Administrator => None,
        Inviter::User => Some(me.id),
    };
    let most = page::most(LINE_VALUES);
    let found = ctx
        .batch
        .open_invitations(maker, None, ctx.now.unix, most)?;
    let lines = found.into_iter().map(|code| InvitationCodeLine {
        code: code.code,
        uses: code.uses,
        expires: code.expires_at.and_then(|at| u64::try_from(at).ok()),
    });
    Ok(Event::Invitations {
        invitations: page::fitting(lines.collect(), PAGE_BYTES, LINE_VALUES, |_| LINE_BYTES),
    })
}

/// REVOKE_INVITATION. A code that does not exist is revoked already. The code of another user gets the same answer,
/// since codes are not to be found by trying.
pub(crate) fn revoke_invitation(
    view: &View<'_, '_>,
    me: Caller,
    code: InvitationCode,
) -> Result<Plan, Reject> {
    let Some(key) = code.key() else {
        return Err(Reject::bad_params("code", "is not an invitation code"));
    };
    let done = done_with(RequestKind::RevokeInvitation);
    let Some(found) = view.batch.invitation(&key)? else {
        return Ok(Plan::Reply(done));
    };
    let is_administrator = view.batch.is_administrator(me.id)?;
    if found.maker != Some(me.id) && !is_administrator {
        return Ok(Plan::Reply(done));
    }
    let plan = Plan::write(Demand::Nothing, move |batch| {
        batch.delete_invitation_code(&found.code)?;
        Ok(Written {
            reply: done,
            effects: Vec::new(),
        })
    });
    Ok(if is_administrator {
        // The code is a secret.
        audited(plan, view, &me, RequestKind::RevokeInvitation, "...")
    } else {
        plan
    })
}
