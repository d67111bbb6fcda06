//! A case: everything that happens in one simulated world, drawn from a seed ([`crate::draw`]) and then
//! only data, so that it can be printed, replayed, and made smaller piece by piece.
//!
//! Each step carries how often the world moves after it and the seed of the schedule in which it
//! does: taking other steps away changes nothing about it.

use echat_server::config::Limits;
use std::num::NonZeroUsize;
use std::time::Duration;

/// Names that accounts have or may come to have.
pub(crate) const USERS: [&str; 5] = ["ann", "bob", "cat", "dan", "eve"];
/// Names that rooms have or may come to have.
pub(crate) const ROOMS: [&str; 3] = ["tea", "den", "hut"];
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
    Login {
        user: usize,
        right: bool,
    },
    /// With the secret that the user was given as the `nth` before the last.
    Resume {
        user: usize,
        nth: usize,
    },
    Logout,
    Befriend(usize),
    Resolve(usize, bool),
    /// The content is made of number and size; `txn` is whether the number is the transaction id.
    Send {
        to: Target,
        number: u8,
        size: usize,
        txn: bool,
    },
    Create(usize, Vec<usize>),
    Join(usize),
    Part(usize),
    Add(usize, Vec<usize>),
    /// After the newest message that the client knows, or from the first.
    History {
        of: Option<Target>,
        from_known: bool,
        limit: u64,
    },
    /// Up to the newest message that the client knows.
    Read(Target),
    Find(&'static str),
    Rooms,
    Members(usize),
    /// A command that does not exist.
    Nonsense,
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
            PlannedRequest::Time => "time",
            PlannedRequest::Register(_) => "register",
            PlannedRequest::Login { .. } => "login",
            PlannedRequest::Resume { .. } => "resume",
            PlannedRequest::Logout => "logout",
            PlannedRequest::Befriend(_) => "befriend",
            PlannedRequest::Resolve(..) => "resolve",
            PlannedRequest::Send { .. } => "send",
            PlannedRequest::Create(..) => "create",
            PlannedRequest::Join(_) => "join",
            PlannedRequest::Part(_) => "part",
            PlannedRequest::Add(..) => "add",
            PlannedRequest::History { .. } => "history",
            PlannedRequest::Read(_) => "read",
            PlannedRequest::Find(_) => "find",
            PlannedRequest::Rooms => "rooms",
            PlannedRequest::Members(_) => "members",
            PlannedRequest::Nonsense => "nonsense",
        }
    }
}
