//! A case: all that happens in one simulated run, drawn from a seed by [`crate::draw`]. It is plain data, so it can be
//! printed, replayed and shrunk.
//!
//! Each step carries the number of ticks that follow it and the seed of their schedule, so removing one step changes no
//! other.

use crate::sim::seed::PASSWORD;
use echat_proto::config::{Inviters, Registration};
use echat_proto::names::RoomName;
use echat_server::config::{Limits, Settings};
use std::num::NonZeroUsize;
use std::time::Duration;

/// Names of users: first people, then bots. Requests name users by the index in this list.
pub(crate) const USERS: [&str; 7] = ["ann", "bob", "cat", "dan", "eve", "rob", "zoe"];
/// How many of them are people.
pub(crate) const PEOPLE: usize = 5;
/// The passwords that users have. All accounts begin with the first.
pub(crate) const PASSWORDS: [&str; 2] = [PASSWORD, "battery staple"];
/// Names of rooms.
pub(crate) const ROOMS: [&str; 4] = ["tea", "den", "hut", "hall"];
/// The room that is the lobby, if the server has one.
pub(crate) const LOBBY: usize = 3;
/// Clients. There are more than users, so that some take over sessions.
pub(crate) const CLIENTS: usize = 6;

/// One case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) profile: LimitsProfile,
    /// Accounts that exist from the start, all of them friends if `all_friends`.
    pub(crate) accounts: usize,
    pub(crate) all_friends: bool,
    pub(crate) policy: RegistrationPolicy,
    /// Sessions that one user may have.
    pub(crate) sessions: NonZeroUsize,
    /// The cost of a turn after which a flow cools down.
    pub(crate) turn_cost: Duration,
    /// Connections of a size class that one round writes.
    pub(crate) portion: usize,
    pub(crate) steps: Vec<Step>,
}

/// A set of limits for the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LimitsProfile {
    /// The defaults.
    Defaults,
    /// Small values, so that cases reach the limits.
    Small,
    /// Short send queues, and no rate of messages.
    ShortQueues,
}

/// How accounts can be registered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RegistrationPolicy {
    pub(crate) registration: Registration,
    pub(crate) inviters: Inviters,
    /// Whether there is a lobby.
    pub(crate) lobby: bool,
}

impl RegistrationPolicy {
    /// The server's settings.
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

/// An action, and the ticks after it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) ticks: u8,
    pub(crate) schedule: u32,
}

/// Index of a client.
pub(crate) type ClientIndex = usize;

/// What happens in a step.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Connect(ClientIndex),
    /// Requests without waiting for replies.
    Pipeline(ClientIndex, Vec<PlannedRequest>),
    /// Requests of several clients, handled in one tick: the simulation settles first, and delivers all bytes at once.
    InOneTick(Vec<(ClientIndex, Vec<PlannedRequest>)>),
    /// One request and its reply, with the simulation settled before and after, so that the expected reply is exact.
    RoundTrip(ClientIndex, PlannedRequest),
    /// Sends unacknowledged messages again, with the same transaction ids.
    Resend(ClientIndex),
    /// Sends CLOSE_NOTIFY.
    CloseNotify(ClientIndex),
    /// Closes the sending half.
    HalfClose(ClientIndex),
    /// Resets the connection.
    Reset(ClientIndex),
    /// Stops reading.
    StopReading(ClientIndex),
    /// Sends so many more bytes, then none.
    StopSending(ClientIndex, usize),
    /// Reads and sends again.
    Unstall(ClientIndex),
    /// Holds the results of workers back, or no longer.
    HoldResults(bool),
    /// The wall clock jumps by so many seconds.
    ClockJump(i64),
    /// Milliseconds pass.
    Wait(u64),
    /// An administrator suspends a user, for so many seconds or without an end, and closes the user's sessions.
    Suspend(usize, Option<u32>),
    /// An administrator ends a suspension.
    Unsuspend(usize),
    /// The disk is full.
    FillDisk,
    /// Another program locks the database.
    LockDatabase,
    /// Commits with messages fail.
    FailCommits,
    /// Messages meet a damaged page.
    DamageMessages,
    /// Ends all storage faults.
    RepairStorage,
    /// The process is killed between two ticks, and a new one starts.
    Crash,
    /// The server is stopped, sends CLOSE_NOTIFY to all, and is started again.
    Stop,
    /// Ends all faults and delays, then settles: every missing reply must arrive.
    Quiesce,
}

/// A request. Users, rooms and passwords are indexes into the lists above.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PlannedRequest {
    Time,
    Register(usize),
    /// With the `nth` invitation code counted back from the newest.
    RegisterBy {
        user: usize,
        nth: usize,
    },
    Login {
        user: usize,
        password: PasswordChoice,
    },
    /// With the `nth` secret of the user counted back from the newest.
    Resume {
        user: usize,
        nth: usize,
    },
    /// The login of a bot, with the `nth` token counted back from the newest.
    Token {
        bot: usize,
        nth: usize,
    },
    Logout,
    Befriend(usize),
    Resolve(usize, bool),
    /// `number` and `size` determine the content; with `txn` the number is also the transaction id. `reply` is the
    /// message that it answers.
    Send {
        to: Target,
        number: u8,
        size: usize,
        txn: bool,
        reply: Option<MessageOffset>,
    },
    /// Room, members, and whether it is private.
    Create(usize, Vec<usize>, bool),
    Join(usize),
    Part(usize),
    Add(usize, Vec<usize>),
    /// Messages after the newest that the client knows, or from the first.
    History {
        of: Option<Target>,
        from_known: bool,
        limit: u64,
    },
    /// Messages around one.
    Around {
        of: Target,
        nth: MessageOffset,
        limit: u64,
    },
    /// The newest mentions.
    Mentions(u64),
    Search(SearchRequest),
    /// The next page of the client's last search.
    SearchNextPage,
    /// Moves the read marker to the newest message that the client knows.
    Read(Target),
    Find(&'static str),
    Rooms,
    Members(usize),
    Account(AccountRequest),
    People(PeopleRequest),
    Room(RoomRequest),
    Bot(BotRequest),
    InvitationCode(InvitationCodeRequest),
    Message(MessageRequest),
    /// A command that does not exist.
    UnknownCommand,
}

/// A message, counted back from the newest that the client knows.
pub(crate) type MessageOffset = u64;

/// A search for messages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SearchRequest {
    /// All of them must occur.
    pub(crate) terms: Vec<Term>,
    pub(crate) of: Option<Target>,
    pub(crate) sender: Option<usize>,
    /// Sent at most so many seconds ago.
    pub(crate) since: Option<u32>,
    /// Sent at least so many seconds ago.
    pub(crate) until: Option<u32>,
    /// Older than this message.
    pub(crate) before: Option<MessageOffset>,
    pub(crate) limit: u64,
}

/// A term of a query, derived from the number of a text; see [`crate::request::content`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Term {
    /// The number.
    Number(u8),
    /// The word after it.
    Word(u8),
    /// The first character of that word.
    Character(u8),
    /// Number and word as a phrase.
    Phrase(u8),
    /// The first digit as a prefix.
    Prefix(u8),
    /// The mentioned name.
    Name(u8),
    /// A word that no text has.
    Absent,
}

/// A change of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum MessageRequest {
    /// The number determines the new content.
    Edit(MessageOffset, u8),
    Delete(MessageOffset),
    /// Adds or removes one of [`EMOJI`].
    React(MessageOffset, usize, bool),
}

/// Emoji of reactions.
pub(crate) const EMOJI: [&str; 3] = ["👍", "❤️", "🦀"];

/// Which password a request presents, resolved when it is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum PasswordChoice {
    Current,
    /// The previous or next one of [`PASSWORDS`].
    Other,
    /// One that no user ever has.
    Wrong,
}

/// Requests about the user's own account.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AccountRequest {
    /// Changes the password to the other one of [`PASSWORDS`].
    ChangePassword(PasswordChoice),
    Delete {
        password: PasswordChoice,
        erase: bool,
    },
    Away(Option<u8>),
    /// Whether friends see when the last session ended.
    Privacy(bool),
    EndOthers,
    Sessions,
}

/// Requests about other users.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PeopleRequest {
    Friends,
    WhoIs(usize),
    Unfriend(usize),
    Block(usize),
    Unblock(usize),
    Blocked,
}

/// Requests about a room, which comes first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RoomRequest {
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

/// One setting of a room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Setting {
    Name(usize),
    Topic(u8),
    Private(bool),
    ReadOnly(bool),
    Slow(u16),
    Keep(Option<u16>),
}

/// The role of a member, lowest first.
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

/// Requests of owners about their bots.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum BotRequest {
    /// With a token that is valid for so many seconds.
    Create(usize, Vec<usize>, Option<u32>),
    List,
    Remove(usize),
    NewToken(usize, Option<u32>),
}

/// Requests about invitation codes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum InvitationCodeRequest {
    /// For so many accounts, valid for so many seconds.
    Make(u64, Option<u32>),
    List,
    /// The `nth` code counted back from the newest.
    Revoke(usize),
}

/// A friend or a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    User(usize),
    Room(usize),
}

impl LimitsProfile {
    /// The server's limits.
    pub(crate) fn limits(self, all_friends: bool) -> Limits {
        let defaults = Limits::default();
        match self {
            Self::Defaults => defaults,
            Self::Small => Limits {
                friends: if all_friends { 4 } else { 2 },
                rooms: 2,
                pending_requests: 1,
                friend_requests: 2,
                room_members: 3,
                unauthenticated: 2,
                message_burst: 3,
                message_rate: 1,
                rooms_a_day: 2,
                user_bytes_a_day: 20_000,
                ..defaults
            },
            Self::ShortQueues => Limits {
                presence_room_members: 2,
                send_queue_soft: 4_096,
                send_queue_hard: 16_384,
                message_rate: 0,
                ..defaults
            },
        }
    }
}

impl PlannedRequest {
    /// The name in failure messages and coverage labels.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Register(_) => "register",
            Self::RegisterBy { .. } => "register by code",
            Self::InvitationCode(InvitationCodeRequest::Make(..)) => "make code",
            Self::InvitationCode(InvitationCodeRequest::List) => "codes",
            Self::InvitationCode(InvitationCodeRequest::Revoke(_)) => "revoke code",
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
            Self::SearchNextPage => "next search page",
            Self::Read(_) => "read",
            Self::Find(_) => "find",
            Self::Rooms => "rooms",
            Self::Members(_) => "members",
            Self::UnknownCommand => "unknown command",
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

    /// Whether the connection may be unauthenticated afterwards.
    pub(crate) fn ends_session(&self) -> bool {
        matches!(
            self,
            Self::Logout | Self::Account(AccountRequest::Delete { .. })
        )
    }

    /// Whether it may revert the effect of another request of the same tick.
    pub(crate) fn may_revert(&self) -> bool {
        match self {
            // REGISTER may use up a code that another request made.
            Self::Part(_)
            | Self::Resolve(_, false)
            | Self::InvitationCode(InvitationCodeRequest::Revoke(_))
            | Self::Message(_)
            | Self::RegisterBy { .. } => true,
            Self::Account(of) => {
                !matches!(of, AccountRequest::Sessions | AccountRequest::EndOthers)
            }
            Self::People(of) => !matches!(
                of,
                PeopleRequest::Friends | PeopleRequest::WhoIs(_) | PeopleRequest::Blocked
            ),
            Self::Room(of) => !matches!(
                of,
                RoomRequest::Info(_) | RoomRequest::Bans(_) | RoomRequest::Public
            ),
            Self::Bot(of) => matches!(of, BotRequest::Remove(_) | BotRequest::NewToken(..)),
            _ => false,
        }
    }
}

impl AccountRequest {
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

impl PeopleRequest {
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

impl RoomRequest {
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

impl MessageRequest {
    fn name(&self) -> &'static str {
        match self {
            Self::Edit(..) => "edit",
            Self::Delete(_) => "delete",
            Self::React(_, _, true) => "react",
            Self::React(_, _, false) => "take back",
        }
    }

    /// The id of the message, for a client that knows messages up to `known`.
    pub(crate) fn id(&self, known: u64) -> u64 {
        let (Self::Edit(nth, _) | Self::Delete(nth) | Self::React(nth, ..)) = self;
        known.saturating_sub(*nth)
    }
}

impl BotRequest {
    fn name(&self) -> &'static str {
        match self {
            Self::Create(..) => "create bot",
            Self::List => "bots",
            Self::Remove(_) => "remove bot",
            Self::NewToken(..) => "new token",
        }
    }
}
