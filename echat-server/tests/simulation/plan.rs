//! A case: everything that happens in one simulated world, drawn from a seed ([`crate::draw`]) and then
//! only data, so that it can be printed, replayed, and made smaller piece by piece.
//!
//! Each step carries how often the world moves after it and the seed of the schedule in which it
//! does: taking other steps away changes nothing about it.

use crate::sim::seed::PASSWORD;
use echat_proto::config::{Inviters, Registration};
use echat_proto::names::RoomName;
use echat_server::config::{Limits, Settings};
use std::num::NonZeroUsize;
use std::time::Duration;

/// Names that accounts have or may come to have: first those of people, then those of bots.
pub(crate) const USERS: [&str; 7] = ["ann", "bob", "cat", "dan", "eve", "rob", "zoe"];
/// How many of them are names of people.
pub(crate) const PEOPLE: usize = 5;
/// The passwords that users have, the first one in the beginning.
pub(crate) const PASSWORDS: [&str; 2] = [PASSWORD, "battery staple"];
/// Names that rooms have or may come to have.
pub(crate) const ROOMS: [&str; 4] = ["tea", "den", "hut", "hall"];
/// The one that is the lobby, of servers that have a lobby.
pub(crate) const LOBBY: usize = 3;
/// Clients: more than users, so that some take over from others.
pub(crate) const SEATS: usize = 6;

/// Everything that happens in one world.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) climate: Climate,
    /// Accounts that are there from the beginning, all of them friends if `acquainted`.
    pub(crate) accounts: usize,
    pub(crate) acquainted: bool,
    pub(crate) door: Door,
    /// Connections that one user may be logged in at.
    pub(crate) sessions: NonZeroUsize,
    /// The cost of a turn after which a flow cools down.
    pub(crate) turn_cost: Duration,
    /// Connections of a size class that one round writes.
    pub(crate) portion: usize,
    pub(crate) steps: Vec<Step>,
}

/// What the server's limits are like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Climate {
    /// The defaults.
    Roomy,
    /// A few of everything.
    Tight,
    /// Short queues, and no rate of messages.
    Narrow,
}

/// How accounts are made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Door {
    pub(crate) registration: Registration,
    pub(crate) inviters: Inviters,
    /// Whether there is a lobby.
    pub(crate) lobby: bool,
}

impl Door {
    /// What the administrator chose.
    pub(crate) fn settings(self) -> Settings {
        let lobby = RoomName::new(ROOMS[LOBBY]).expect("a name of a room");
        Settings {
            registration: self.registration,
            invitations: self.inviters,
            lobby: self.lobby.then_some(lobby),
            ..Settings::default()
        }
    }
}

/// Something that is done, and how the world moves after it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) ticks: u8,
    pub(crate) schedule: u32,
}

/// Whose connection: a place in the list of clients.
pub(crate) type Seat = usize;

/// What is done.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Connect(Seat),
    /// Requests, one behind the other without waiting for replies.
    Say(Seat, Vec<PlannedRequest>),
    /// What several say while everything moves at once: one tick handles it all.
    Together(Vec<(Seat, Vec<PlannedRequest>)>),
    /// One request while everything moves at once: its answer can be judged exactly.
    Ask(Seat, PlannedRequest),
    /// Sends again what was never acknowledged, with the same transaction ids.
    Resend(Seat),
    /// Says goodbye.
    Leave(Seat),
    /// Closes the sending half.
    HangUp(Seat),
    /// The connection is reset.
    Reset(Seat),
    /// Reads no more.
    Stall(Seat),
    /// So many more bytes are sent, then none.
    Mute(Seat, usize),
    /// Reads and sends again.
    Wake(Seat),
    /// Workers' results are kept back, or no longer.
    Hold(bool),
    /// The clock that people see jumps by so many seconds.
    Jump(i64),
    /// Milliseconds pass.
    Wait(u64),
    /// An administrator suspends a user, for so many seconds or until it is ended, and sends the user away.
    Suspend(usize, Option<u32>),
    /// An administrator ends a suspension.
    Pardon(usize),
    /// The disk has no place any more.
    Fill,
    /// Another program takes the database.
    Occupy,
    /// Commits fail from now on, those of messages.
    Break,
    /// Messages meet a damaged page from now on.
    Damage,
    /// The disk and the database are well again.
    Mend,
    /// The process dies between two ticks and is started again.
    Crash,
    /// The server is told to stop, says goodbye, and is started again.
    Stop,
    /// Everything is well for a while: every missing reply must arrive.
    Calm,
}

/// A request, by numbers into the names above.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PlannedRequest {
    Time,
    Register(usize),
    /// With the invitation code that was given as the `nth` before the last.
    RegisterBy {
        user: usize,
        nth: usize,
    },
    Login {
        user: usize,
        password: Word,
    },
    /// With the secret that the user was given as the `nth` before the last.
    Resume {
        user: usize,
        nth: usize,
    },
    /// The login of a bot, with the token that was given as the `nth` before the last.
    Token {
        bot: usize,
        nth: usize,
    },
    Logout,
    Befriend(usize),
    Resolve(usize, bool),
    /// The content is made of number and size; `txn` is whether the number is the transaction id. It may answer a message.
    Send {
        to: Target,
        number: u8,
        size: usize,
        txn: bool,
        reply: Option<Nth>,
    },
    /// A room with some friends in it, private or public.
    Create(usize, Vec<usize>, bool),
    Join(usize),
    Part(usize),
    Add(usize, Vec<usize>),
    /// After the newest message that the client knows, or from the first.
    History {
        of: Option<Target>,
        from_known: bool,
        limit: u64,
    },
    /// Around a message.
    Around {
        of: Target,
        nth: Nth,
        limit: u64,
    },
    /// So many messages that name the user.
    Mentions(u64),
    Search(OfSearch),
    /// The next page of what the client searched for last.
    SearchOn,
    /// Up to the newest message that the client knows.
    Read(Target),
    Find(&'static str),
    Rooms,
    Members(usize),
    Account(OfAccount),
    People(OfPeople),
    Room(OfRoom),
    Bot(OfBot),
    Code(OfCode),
    Message(OfMessage),
    /// A command that does not exist.
    Nonsense,
}

/// A message: so many before the newest one that the client knows.
pub(crate) type Nth = u64;

/// Messages that are searched for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OfSearch {
    /// All of them must be there.
    pub(crate) terms: Vec<Term>,
    pub(crate) of: Option<Target>,
    pub(crate) sender: Option<usize>,
    /// Sent so many seconds ago at most.
    pub(crate) since: Option<u32>,
    /// Sent so many seconds ago at least.
    pub(crate) until: Option<u32>,
    /// Before a message.
    pub(crate) before: Option<Nth>,
    pub(crate) limit: u64,
}

/// A part of a query, made of the number of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Term {
    /// The number.
    Number(u8),
    /// The word beside it.
    Word(u8),
    /// The first character of that word.
    Character(u8),
    /// Number and word as a phrase.
    Phrase(u8),
    /// The first digit, as the beginning of a word.
    Prefix(u8),
    /// The name in it.
    Name(u8),
    /// What no text says.
    Absent,
}

/// What users do with a message that is there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OfMessage {
    /// The content is made of the number.
    Edit(Nth, u8),
    Delete(Nth),
    /// With one of [`EMOJI`], added or taken back.
    React(Nth, usize, bool),
}

/// What users react with.
pub(crate) const EMOJI: [&str; 3] = ["👍", "❤️", "🦀"];

/// A password of a user, as it is when it is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Word {
    Right,
    /// The one that the user had before, or will have.
    Other,
    /// One that no user ever has.
    Wrong,
}

/// What users do with their own account.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OfAccount {
    /// The new password is the other one.
    ChangePassword(Word),
    Delete {
        password: Word,
        erase: bool,
    },
    Away(Option<u8>),
    /// Whether friends are told when the last session ended.
    Privacy(bool),
    EndOthers,
    Sessions,
}

/// What users do about other users.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OfPeople {
    Friends,
    WhoIs(usize),
    Unfriend(usize),
    Block(usize),
    Unblock(usize),
    Blocked,
}

/// What members and others do about a room, which comes first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OfRoom {
    Info(usize),
    Set(usize, Setting),
    Close(usize),
    Invite(usize, usize),
    Decline(usize),
    Kick(usize, usize),
    /// For so many seconds.
    Ban(usize, usize, Option<u32>),
    Unban(usize, usize),
    Bans(usize),
    SetRole(usize, usize, Role),
    Public,
}

/// One field of a room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Setting {
    Name(usize),
    Topic(u8),
    Private(bool),
    ReadOnly(bool),
    Slow(u16),
    Keep(Option<u16>),
}

/// What a member may do in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Member,
    Operator,
    Owner,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }
}

/// What owners do about their bots.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OfBot {
    /// With tokens that are good for so many seconds.
    Create(usize, Vec<usize>, Option<u32>),
    List,
    Remove(usize),
    NewToken(usize, Option<u32>),
}

/// What users do about codes to register with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OfCode {
    /// For so many accounts, and good for so many seconds.
    Make(u64, Option<u32>),
    List,
    /// Of the code that was given as the `nth` before the last.
    Revoke(usize),
}

/// A friend or a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    User(usize),
    Room(usize),
}

impl Climate {
    /// The server's limits.
    pub(crate) fn limits(self, acquainted: bool) -> Limits {
        let roomy = Limits::default();
        match self {
            Self::Roomy => roomy,
            Self::Tight => Limits {
                friends: if acquainted { 4 } else { 2 },
                rooms: 2,
                pending_requests: 1,
                friend_requests: 2,
                room_members: 3,
                unauthenticated: 2,
                message_burst: 3,
                message_rate: 1,
                rooms_a_day: 2,
                user_bytes_a_day: 20_000,
                ..roomy
            },
            Self::Narrow => Limits {
                presence_room_members: 2,
                send_queue_soft: 4_096,
                send_queue_hard: 16_384,
                message_rate: 0,
                ..roomy
            },
        }
    }
}

impl PlannedRequest {
    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Register(_) => "register",
            Self::RegisterBy { .. } => "register by code",
            Self::Code(OfCode::Make(..)) => "make code",
            Self::Code(OfCode::List) => "codes",
            Self::Code(OfCode::Revoke(_)) => "revoke code",
            Self::Login { .. } => "login",
            Self::Resume { .. } => "resume",
            Self::Token { .. } => "token",
            Self::Logout => "logout",
            Self::Befriend(_) => "befriend",
            Self::Resolve(..) => "resolve",
            Self::Send { .. } => "send",
            Self::Create(..) => "create",
            Self::Join(_) => "join",
            Self::Part(_) => "part",
            Self::Add(..) => "add",
            Self::History { .. } => "history",
            Self::Around { .. } => "around",
            Self::Mentions(_) => "mentions",
            Self::Search(_) => "search",
            Self::SearchOn => "search on",
            Self::Read(_) => "read",
            Self::Find(_) => "find",
            Self::Rooms => "rooms",
            Self::Members(_) => "members",
            Self::Nonsense => "nonsense",
            Self::Account(of) => of.name(),
            Self::People(of) => of.name(),
            Self::Room(of) => of.name(),
            Self::Bot(of) => of.name(),
            Self::Message(of) => of.name(),
        }
    }

    /// The user that it logs in.
    pub(crate) fn logs_in(&self) -> Option<usize> {
        match self {
            Self::Login { user, .. }
            | Self::Resume { user, .. }
            | Self::Token { bot: user, .. } => Some(*user),
            _ => None,
        }
    }

    /// Whether its connection may be that of a guest afterwards.
    pub(crate) fn ends_session(&self) -> bool {
        matches!(self, Self::Logout | Self::Account(OfAccount::Delete { .. }))
    }

    /// Whether it may undo what another one of the same tick did.
    pub(crate) fn undoes(&self) -> bool {
        match self {
            // The last one may use up what another one made.
            Self::Part(_)
            | Self::Resolve(_, false)
            | Self::Code(OfCode::Revoke(_))
            | Self::Message(_)
            | Self::RegisterBy { .. } => true,
            Self::Account(of) => !matches!(of, OfAccount::Sessions | OfAccount::EndOthers),
            Self::People(of) => !matches!(
                of,
                OfPeople::Friends | OfPeople::WhoIs(_) | OfPeople::Blocked
            ),
            Self::Room(of) => !matches!(of, OfRoom::Info(_) | OfRoom::Bans(_) | OfRoom::Public),
            Self::Bot(of) => matches!(of, OfBot::Remove(_) | OfBot::NewToken(..)),
            _ => false,
        }
    }
}

impl OfAccount {
    fn name(&self) -> &'static str {
        match self {
            Self::ChangePassword(_) => "change password",
            Self::Delete { erase: false, .. } => "delete account",
            Self::Delete { erase: true, .. } => "erase account",
            Self::Away(_) => "away",
            Self::Privacy(_) => "privacy",
            Self::EndOthers => "end others",
            Self::Sessions => "sessions",
        }
    }
}

impl OfPeople {
    fn name(&self) -> &'static str {
        match self {
            Self::Friends => "friends",
            Self::WhoIs(_) => "whois",
            Self::Unfriend(_) => "unfriend",
            Self::Block(_) => "block",
            Self::Unblock(_) => "unblock",
            Self::Blocked => "blocked list",
        }
    }
}

impl OfRoom {
    fn name(&self) -> &'static str {
        match self {
            Self::Info(_) => "info",
            Self::Set(_, setting) => match setting {
                Setting::Name(_) => "rename",
                Setting::Topic(_) => "topic",
                Setting::Private(_) => "private",
                Setting::ReadOnly(_) => "read only",
                Setting::Slow(_) => "slow",
                Setting::Keep(_) => "keep",
            },
            Self::Close(_) => "close",
            Self::Invite(..) => "invite",
            Self::Decline(_) => "decline",
            Self::Kick(..) => "kick",
            Self::Ban(..) => "ban",
            Self::Unban(..) => "unban",
            Self::Bans(_) => "bans",
            Self::SetRole(..) => "role",
            Self::Public => "public rooms",
        }
    }
}

impl OfMessage {
    fn name(&self) -> &'static str {
        match self {
            Self::Edit(..) => "edit",
            Self::Delete(_) => "delete",
            Self::React(_, _, true) => "react",
            Self::React(_, _, false) => "take back",
        }
    }

    /// The message that it means, of a client that knows messages up to an id.
    pub(crate) fn id(&self, known: u64) -> u64 {
        let (Self::Edit(nth, _) | Self::Delete(nth) | Self::React(nth, ..)) = self;
        known.saturating_sub(*nth)
    }
}

impl OfBot {
    fn name(&self) -> &'static str {
        match self {
            Self::Create(..) => "create bot",
            Self::List => "bots",
            Self::Remove(_) => "remove bot",
            Self::NewToken(..) => "new token",
        }
    }
}
