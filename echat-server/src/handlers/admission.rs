//! Admission: the judgements that rest on memory, made between a handler's decision and its write.
//!
//! A handler of a request that writes is a function of database, request, caller and the time of day: it
//! reads, refuses or decides, and gives back a [`Plan`]. The plan says with its [`Demand`] which rates
//! and quotas it uses up: each demand names the [`Admission`]s that judge it. Only an admitted plan
//! writes; then its demand is counted, and its effects are announced.

use super::effects::Effect;
use super::journal::Entry;
use super::{Answer, Caller, Ctx, Reject};
use crate::config::{Limits, Settings};
use crate::secrets::SecretSeed;
use crate::storage::Batch;
use echat_proto::Value;
use echat_proto::commands::{Event, RequestKind};
use echat_proto::records::Code;

/// What a handler of a request that writes decides with: no roster, no rates, no clock but the time of day.
pub(crate) struct View<'a, 's> {
    pub(crate) batch: &'a Batch<'s>,
    pub(crate) limits: &'a Limits,
    pub(crate) settings: &'a Settings,
    /// The most connections that the system lets this process have; `None` if that is not known.
    pub(crate) places: Option<usize>,
    /// Unix seconds.
    pub(crate) now: i64,
}

/// What a handler decided.
pub(crate) enum Plan {
    /// There is nothing to write: this is the final reply.
    Reply(Event),
    /// To write, if the demand is admitted.
    Write(Demand, Write),
    /// To answer so, if the demand is admitted.
    Answer(Demand, Result<Answer, Reject>),
}

impl Plan {
    /// A plan to write. The closure gets only the database: everything else it needs was decided before.
    pub(super) fn write(
        demand: Demand,
        write: impl FnOnce(&mut Batch<'_>) -> Result<Written, Reject> + 'static,
    ) -> Self {
        Self::Write(demand, Box::new(write))
    }
}

/// Writes the rows of a plan.
pub(crate) type Write = Box<dyn FnOnce(&mut Batch<'_>) -> Result<Written, Reject>>;

/// What was written comes to this.
pub(crate) struct Written {
    /// The final reply.
    pub(crate) reply: Event,
    /// What users who are online learn of it.
    pub(crate) effects: Vec<Effect>,
}

/// What a plan uses up. All need space on the disk, but `Nothing`, `Reappears` and changes that store nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// It stores no more than it removes, or next to nothing.
    Nothing,
    /// It stores, and nothing of it has a rate.
    Space,
    /// A message, with so many bytes of content.
    Message(usize),
    /// A message gets another text, with so many bytes of content: it counts as a message.
    Edit(usize),
    /// A message is deleted, or a reaction to it comes or goes, which counts towards the rate of messages. `stores`: it
    /// stores more than it removes.
    MessageChange { stores: bool },
    /// So many users join a room.
    Joins(usize),
    /// A user that blocked another one becomes visible to it again, in so many rooms.
    Reappears(usize),
    /// A room is made with so many members.
    Room { members: usize },
    /// A friend request is made.
    FriendRequest,
    /// Other users are told of a change that is no message, such as a new topic or a member sent away. `stores`: it
    /// stores more than it removes.
    Change { stores: bool },
    /// An account is made.
    Account,
    /// A bot is made, and joins so many rooms.
    Bot { rooms: usize },
}

impl Demand {
    /// The admissions that judge it, in the order in which they refuse.
    fn admissions(self) -> &'static [Admission] {
        match self {
            Self::Nothing => &[],
            Self::Space => &[Admission::Space],
            Self::Message(_) | Self::Edit(_) => &[
                Admission::Space,
                Admission::MessageRate,
                Admission::StoredQuota,
            ],
            Self::MessageChange { stores: true } => &[Admission::Space, Admission::MessageRate],
            Self::MessageChange { stores: false } => &[Admission::MessageRate],
            Self::Joins(_) => &[Admission::Space, Admission::JoinRate],
            Self::Reappears(_) => &[Admission::JoinRate],
            Self::Room { .. } => &[Admission::Space, Admission::JoinRate, Admission::RoomQuota],
            Self::FriendRequest => &[Admission::FriendRequestRate, Admission::Space],
            Self::Change { stores: true } => &[Admission::Space, Admission::ChangeRate],
            Self::Change { stores: false } => &[Admission::ChangeRate],
            Self::Account | Self::Bot { rooms: 0 } => {
                &[Admission::Space, Admission::RegistrationRate]
            }
            Self::Bot { .. } => &[
                Admission::Space,
                Admission::RegistrationRate,
                Admission::JoinRate,
            ],
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Message(bytes) | Self::Edit(bytes) => bytes,
            _ => 0,
        }
    }

    fn joins(self) -> usize {
        match self {
            Self::Joins(joins)
            | Self::Reappears(joins)
            | Self::Room { members: joins }
            | Self::Bot { rooms: joins } => joins,
            _ => 0,
        }
    }
}

/// One judgement that rests on memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Refuses while less space is free than `free_bytes`.
    Space,
    /// A user's messages in a short time.
    MessageRate,
    /// Bytes that a user stores in a day.
    StoredQuota,
    /// Joins to rooms that a user makes or causes in a short time.
    JoinRate,
    /// Rooms that a user makes in a day.
    RoomQuota,
    /// Friend requests of a user in an hour.
    FriendRequestRate,
    /// Changes of a user that others are told of, in a short time: a rate like that of messages, apart from it.
    ChangeRate,
    /// Accounts that an address asks for in ten minutes.
    RegistrationRate,
}

impl Admission {
    /// Refuses a demand that is over the limit.
    fn judge(
        self,
        ctx: &Ctx<'_, '_>,
        caller: Option<&Caller>,
        demand: Demand,
    ) -> Result<(), Reject> {
        let (throttle, limits, now) = (&ctx.throttle, ctx.limits, ctx.now.running);
        let user = || caller.expect("the route's gate asks for a login").id;
        let too_fast = |wait| Reject::retry_after(Code::RateLimited, wait);
        let refusal = match self {
            Self::Space => ctx.disk_is_low.then(|| Code::StorageFull.into()),
            Self::MessageRate => throttle.message_wait(user(), now, limits).map(too_fast),
            Self::StoredQuota => {
                let bytes = demand.bytes();
                let wait = throttle.stored_wait(user(), bytes, now, limits);
                let said = "You have sent as much as a day allows; try again later.";
                wait.map(|wait| Reject::quota(said, wait))
            }
            Self::JoinRate => {
                let joins = demand.joins();
                throttle.join_wait(user(), joins, now, limits).map(too_fast)
            }
            Self::RoomQuota => {
                let said = "You have made as many rooms as a day allows; try again later.";
                let wait = throttle.room_wait(user(), now, limits);
                wait.map(|wait| Reject::quota(said, wait))
            }
            Self::FriendRequestRate => throttle.request_wait(user(), now, limits).map(too_fast),
            Self::ChangeRate => throttle.change_wait(user(), now, limits).map(too_fast),
            Self::RegistrationRate => {
                let wait = throttle.registration_wait(ctx.address, now, limits);
                wait.map(too_fast)
            }
        };
        refusal.map_or(Ok(()), Err)
    }

    /// Counts an admitted demand.
    fn count(self, ctx: &mut Ctx<'_, '_>, caller: Option<&Caller>, demand: Demand) {
        let (throttle, limits, now) = (&mut *ctx.throttle, ctx.limits, ctx.now.running);
        let user = || caller.expect("the route's gate asks for a login").id;
        match self {
            Self::Space => {}
            Self::MessageRate => throttle.count_message(user(), now, limits),
            Self::StoredQuota => {
                let bytes = demand.bytes();
                throttle.stored.count(user(), bytes as u64, now);
            }
            Self::JoinRate => {
                throttle.count_joins(user(), demand.joins(), now, limits);
            }
            Self::RoomQuota => throttle.rooms.count(user(), 1, now),
            Self::FriendRequestRate => throttle.count_request(user(), now, limits),
            Self::ChangeRate => throttle.count_change(user(), now, limits),
            Self::RegistrationRate => throttle.count_registration(ctx.address, now, limits),
        }
    }
}

/// A request that a plan was made for, as the journal keeps it.
pub(crate) struct Received<'p> {
    pub(crate) kind: RequestKind,
    pub(crate) params: &'p Value,
    pub(crate) caller: Option<Caller>,
    pub(crate) seed: Option<SecretSeed>,
}

impl<'s> Ctx<'_, 's> {
    /// What a handler of a request that writes may see.
    pub(crate) fn view(&self) -> View<'_, 's> {
        View {
            batch: self.batch,
            limits: self.limits,
            places: self.gauges.places,
            settings: self.settings,
            now: self.now.unix,
        }
    }

    /// What a secret is made of, for a request that issues one.
    pub(crate) fn draw(&mut self) -> SecretSeed {
        SecretSeed::draw(self.random)
    }

    /// Judges a plan's demand by its admissions, in their order; then writes, counts and announces. A
    /// refused or failed plan counts nothing.
    pub(crate) fn carry_out(
        &mut self,
        plan: Plan,
        received: &Received<'_>,
    ) -> Result<Answer, Reject> {
        let caller = received.caller.as_ref();
        match plan {
            Plan::Reply(reply) => Ok(reply.into()),
            Plan::Write(demand, write) => {
                self.admit(demand, caller)?;
                let mut written = write(self.batch)?;
                self.journal
                    .record(|| Entry::request(received, self.now.unix));
                self.count(demand, caller);
                self.announce(written.effects, &mut written.reply)?;
                Ok(written.reply.into())
            }
            Plan::Answer(demand, answer) => {
                self.admit(demand, caller)?;
                self.count(demand, caller);
                answer
            }
        }
    }

    /// Lets the admissions of a demand judge it.
    fn admit(&self, demand: Demand, caller: Option<&Caller>) -> Result<(), Reject> {
        let mut admissions = demand.admissions().iter();
        admissions.try_for_each(|one| one.judge(self, caller, demand))
    }

    /// Counts a demand by the admissions that judged it.
    fn count(&mut self, demand: Demand, caller: Option<&Caller>) {
        for one in demand.admissions() {
            one.count(self, caller, demand);
        }
    }
}
