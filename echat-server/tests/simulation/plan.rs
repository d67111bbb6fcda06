//! A case: everything that happens in one simulated world, drawn from a seed and then only data, so
//! that it can be printed, replayed, and made smaller piece by piece.
//!
//! Each step carries how often the world moves after it and the seed of the weather in which it
//! does: taking other steps away changes nothing about it.

use echat_server::config::Limits;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

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
    pub(crate) steps: Vec<Step>,
}

/// What the server's limits are like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Climate {
    /// The defaults.
    Roomy,
    /// A few of everything.
    Tight,
    /// Short queues, and nobody is told to send slowly.
    Narrow,
}

/// Something that is done, and how the world moves after it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) deed: Deed,
    pub(crate) ticks: u8,
    pub(crate) weather: u32,
}

/// Whose connection: a place in the list of clients.
pub(crate) type Seat = usize;

/// What is done.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Connect(Seat),
    /// Requests, one behind the other without waiting for replies.
    Say(Seat, Vec<Said>),
    /// One request while everything moves at once: its answer can be judged exactly.
    Ask(Seat, Said),
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
    /// Helpers' results are kept back, or no longer.
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
    /// The disk and the database are well again.
    Mend,
    /// The process dies between two ticks and is started again.
    Crash,
    /// The server is told to stop, says goodbye, and is started again.
    Stop,
    /// Everything is well for a while: all that is owed must come.
    Calm,
}

/// A request, by numbers into the names above.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    Time,
    Register(usize),
    Login {
        user: usize,
        right: bool,
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
                room_members: 3,
                unauthenticated: 2,
                message_burst: 3,
                message_rate: 1,
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

impl Case {
    /// The case of a seed.
    pub(crate) fn draw(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let climate = match rng.random_range(0..4) {
            0 | 1 => Climate::Roomy,
            2 => Climate::Tight,
            _ => Climate::Narrow,
        };
        let accounts = rng.random_range(2..=USERS.len());
        let acquainted = rng.random_range(0..3) > 0;
        let present = rng.random_range(2..=4);
        let mut steps = Vec::new();
        for seat in 0..present {
            steps.push(Deed::Connect(seat));
            let login = Said::Login {
                user: seat,
                right: true,
            };
            steps.push(Deed::Say(seat, vec![login]));
        }
        let members = if acquainted { 1..accounts } else { 0..0 };
        steps.push(Deed::Say(0, vec![Said::Create(0, members.collect())]));
        while steps.len() < 50 {
            // Most of what happens, happens to those who are there.
            let most = if rng.random_range(0..6) == 0 {
                SEATS
            } else {
                present
            };
            let seat = rng.random_range(0..most);
            match rng.random_range(0..16) {
                0 => steps.extend(again(&mut rng, seat)),
                1 => steps.extend(meeting(&mut rng, seat, present)),
                2 => steps.extend(storm(&mut rng, seat, present)),
                _ => steps.push(deed(&mut rng, seat)),
            }
            if rng.random_range(0..30) == 0 {
                break;
            }
        }
        let steps = steps.into_iter().map(|deed| step(&mut rng, deed));
        Self {
            seed,
            climate,
            accounts,
            acquainted,
            steps: steps.collect(),
        }
    }
}

impl Said {
    /// What it is called.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Said::Time => "time",
            Said::Register(_) => "register",
            Said::Login { .. } => "login",
            Said::Logout => "logout",
            Said::Befriend(_) => "befriend",
            Said::Resolve(..) => "resolve",
            Said::Send { .. } => "send",
            Said::Create(..) => "create",
            Said::Join(_) => "join",
            Said::Part(_) => "part",
            Said::Add(..) => "add",
            Said::History { .. } => "history",
            Said::Read(_) => "read",
            Said::Find(_) => "find",
            Said::Rooms => "rooms",
            Said::Members(_) => "members",
            Said::Nonsense => "nonsense",
        }
    }
}

fn step(rng: &mut StdRng, deed: Deed) -> Step {
    Step {
        deed,
        ticks: rng.random_range(0..5),
        weather: rng.random(),
    }
}

/// A client comes, or comes back, or takes over from another.
fn again(rng: &mut StdRng, seat: Seat) -> [Deed; 3] {
    let own = rng.random_range(0..3) > 0;
    let login = Said::Login {
        user: if own {
            seat % USERS.len()
        } else {
            rng.random_range(0..USERS.len())
        },
        right: true,
    };
    let missed = Said::History {
        of: None,
        from_known: true,
        limit: 20,
    };
    [
        Deed::Connect(seat),
        Deed::Say(seat, vec![login, missed]),
        Deed::Resend(seat),
    ]
}

/// Two become friends: one asks and the other agrees, or both ask.
fn meeting(rng: &mut StdRng, seat: Seat, present: usize) -> [Deed; 2] {
    let other = (seat + rng.random_range(1..present)) % present;
    let (me, you) = (seat % USERS.len(), other % USERS.len());
    let answer = match rng.random_range(0..3) {
        0 => Said::Befriend(me),
        _ => Said::Resolve(me, rng.random_range(0..4) > 0),
    };
    let question = Said::Befriend(you);
    if rng.random_range(0..2) == 0 {
        [
            Deed::Say(seat, vec![question]),
            Deed::Say(other, vec![answer]),
        ]
    } else {
        [Deed::Ask(seat, question), Deed::Ask(other, answer)]
    }
}

/// Much is sent to a room while something stands in its way.
fn storm(rng: &mut StdRng, seat: Seat, present: usize) -> Vec<Deed> {
    let other = (seat + 1) % present;
    let trouble = match rng.random_range(0..5) {
        0 | 1 => Deed::Stall(other),
        2 => Deed::Fill,
        3 => Deed::Occupy,
        _ => Deed::Break,
    };
    let many = |rng: &mut StdRng| {
        let first: u8 = rng.random_range(0..200);
        let send = |n| Said::Send {
            to: Target::Room(0),
            number: first + n,
            size: 3_900,
            txn: true,
        };
        (0..rng.random_range(1..12)).map(send).collect()
    };
    let mut deeds = vec![trouble, Deed::Say(seat, many(rng))];
    match rng.random_range(0..4) {
        0 => deeds.push(Deed::Say(other, vec![Said::Part(0), Said::Logout])),
        1 => deeds.push(Deed::Say(other, many(rng))),
        _ => {}
    }
    if rng.random_range(0..2) == 0 {
        deeds.push(Deed::Wait(rng.random_range(100..40_000)));
    }
    deeds
}

fn deed(rng: &mut StdRng, seat: Seat) -> Deed {
    match rng.random_range(0..100) {
        0..14 => Deed::Ask(seat, said(rng)),
        14..62 => {
            let count = rng.random_range(1..4);
            Deed::Say(seat, (0..count).map(|_| said(rng)).collect())
        }
        62..64 => {
            let again = said(rng);
            Deed::Say(seat, vec![again; rng.random_range(5..50)])
        }
        64..66 => Deed::Resend(seat),
        66 => Deed::Leave(seat),
        67..69 => Deed::HangUp(seat),
        69..71 => Deed::Reset(seat),
        71..74 => Deed::Stall(seat),
        74 => Deed::Mute(seat, rng.random_range(0..200)),
        75..78 => Deed::Wake(seat),
        78 => Deed::Hold(true),
        79 => Deed::Hold(false),
        80 => Deed::Jump(rng.random_range(-315_360_000..315_360_000)),
        81 => Deed::Jump(-4_000_000_000),
        82..86 => Deed::Wait(rng.random_range(1..3_000)),
        86 => Deed::Wait(rng.random_range(10_000..200_000)),
        87..89 => Deed::Fill,
        89 => Deed::Occupy,
        90 => Deed::Break,
        91..93 => Deed::Mend,
        93..95 => Deed::Crash,
        95 => Deed::Stop,
        _ => Deed::Calm,
    }
}

fn said(rng: &mut StdRng) -> Said {
    let user = rng.random_range(0..USERS.len());
    let room = room(rng);
    match rng.random_range(0..60) {
        0 => Said::Time,
        1..3 => Said::Register(user),
        3..7 => Said::Login {
            user,
            right: rng.random_range(0..4) > 0,
        },
        7 => Said::Logout,
        8..12 => Said::Befriend(user),
        12..15 => Said::Resolve(user, rng.random_range(0..3) > 0),
        15..36 => Said::Send {
            to: target(rng),
            number: rng.random_range(0..40),
            size: *pick(rng, &[3_usize, 8, 60, 700, 3_900]),
            txn: rng.random_range(0..4) > 0,
        },
        36..39 => Said::Create(room, some(rng)),
        39..42 => Said::Join(room),
        42..44 => Said::Part(room),
        44..46 => Said::Add(room, some(rng)),
        46..51 => Said::History {
            of: (rng.random_range(0..2) == 0).then(|| target(rng)),
            from_known: rng.random_range(0..2) == 0,
            limit: rng.random_range(1..30),
        },
        51..53 => Said::Read(target(rng)),
        53 => Said::Find(*pick(rng, &["a", "e", "an", "tea", "zzz"])),
        54..56 => Said::Rooms,
        56..59 => Said::Members(room),
        _ => Said::Nonsense,
    }
}

fn target(rng: &mut StdRng) -> Target {
    if rng.random_range(0..3) == 0 {
        Target::User(rng.random_range(0..USERS.len()))
    } else {
        Target::Room(room(rng))
    }
}

/// Most talk is in the first room.
fn room(rng: &mut StdRng) -> usize {
    *pick(rng, &[0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
}

fn some(rng: &mut StdRng) -> Vec<usize> {
    (0..rng.random_range(0..3))
        .map(|_| rng.random_range(0..USERS.len()))
        .collect()
}

fn pick<'t, T>(rng: &mut StdRng, of: &'t [T]) -> &'t T {
    &of[rng.random_range(0..of.len())]
}
