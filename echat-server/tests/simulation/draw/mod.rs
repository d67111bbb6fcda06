//! Draws a case from a seed. The order of the random draws determines the case of each seed: append new choices, do not
//! reorder.

mod scenarios;

use crate::plan::{
    AccountRequest, Action, BotRequest, CLIENTS, Case, ClientIndex, EMOJI, InvitationCodeRequest,
    LOBBY, LimitsProfile, MessageRequest, PEOPLE, PasswordChoice, PeopleRequest, PlannedRequest,
    RegistrationPolicy, Role, RoomRequest, SearchRequest, Setting, Step, Target, Term, USERS,
};
use echat_proto::config::{Inviters, Registration};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use scenarios::{InitialClients, scenario};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::Duration;

/// A cost limit of a turn that most requests exceed, although the databases are small.
const SHORT_TURN_COST: Duration = Duration::from_nanos(1_500);

impl Case {
    /// The case of a seed.
    pub(crate) fn draw(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let profile = match rng.random_range(0..4) {
            0 | 1 => LimitsProfile::Defaults,
            2 => LimitsProfile::Small,
            _ => LimitsProfile::ShortQueues,
        };
        let accounts = rng.random_range(2..=PEOPLE);
        let all_friends = rng.random_range(0..3) > 0;
        let present = rng.random_range(2..=4);
        let policy = registration_policy(&mut rng);
        let sessions = if seed.is_multiple_of(3) { 2 } else { 1 };
        let clients = InitialClients {
            count: present,
            sessions_per_user: sessions,
        };
        let mut steps = opening(clients, if all_friends { 1..accounts } else { 0..0 });
        while steps.len() < 44 {
            // Most actions belong to clients that are connected from the start.
            let most = if rng.random_range(0..6) == 0 {
                CLIENTS
            } else {
                present
            };
            let client = rng.random_range(0..most);
            match rng.random_range(0..22) {
                20 => steps.extend(silent_client(&mut rng, present)),
                16..20 => steps.extend(scenario(&mut rng, client % present, clients)),
                0 => steps.extend(reconnect(&mut rng, client)),
                1 => steps.extend(befriending(&mut rng, client, present)),
                2 | 21 => steps.extend(message_burst(&mut rng, client, present)),
                3 => steps.extend(worker_jobs(&mut rng, present)),
                4..8 if !all_friends => steps.extend(declining(&mut rng, client, present)),
                _ => steps.push(action(&mut rng, client)),
            }
            if rng.random_range(0..30) == 0 {
                break;
            }
        }
        let steps = steps.into_iter().map(|action| step(&mut rng, action));
        Self {
            seed,
            profile,
            accounts,
            all_friends,
            policy,
            sessions: NonZeroUsize::new(sessions).expect("one or two"),
            turn_cost: if seed.is_multiple_of(5) {
                SHORT_TURN_COST
            } else {
                Duration::from_millis(1)
            },
            portion: if seed % 4 == 1 { 1 } else { 128 },
            steps: steps.collect(),
        }
    }
}

/// The first steps: the initial clients log in, and the first of them creates a room with these members.
fn opening(clients: InitialClients, members: Range<usize>) -> Vec<Action> {
    let mut steps = Vec::new();
    for client in 0..clients.count {
        let login = PlannedRequest::Login {
            user: clients.user(client),
            password: PasswordChoice::Current,
        };
        steps.push(Action::Connect(client));
        steps.push(Action::Pipeline(client, vec![login]));
    }
    let create = PlannedRequest::Create(0, members.collect(), false);
    steps.push(Action::Pipeline(0, vec![create]));
    // A client that has listed a room's members receives their presence events.
    let list = PlannedRequest::Members(0);
    steps.extend((0..clients.count).map(|client| Action::RoundTrip(client, list.clone())));
    steps
}

/// How accounts can be registered.
fn registration_policy(rng: &mut StdRng) -> RegistrationPolicy {
    use Registration::{Closed, Invitation, Open};
    RegistrationPolicy {
        registration: *pick(rng, &[Open, Open, Invitation, Closed]),
        inviters: *pick(
            rng,
            &[Inviters::Users, Inviters::Users, Inviters::Administrator],
        ),
        lobby: rng.random(),
    }
}

fn step(rng: &mut StdRng, action: Action) -> Step {
    Step {
        action,
        ticks: rng.random_range(0..5),
        schedule: rng.random(),
    }
}

/// A client connects, reconnects, or takes over another user's session.
fn reconnect(rng: &mut StdRng, client: ClientIndex) -> [Action; 3] {
    let own = rng.random_range(0..3) > 0;
    let user = if own {
        client % PEOPLE
    } else {
        rng.random_range(0..PEOPLE)
    };
    let login = if rng.random_range(0..2) == 0 {
        resume(rng, user)
    } else {
        PlannedRequest::Login {
            user,
            password: PasswordChoice::Current,
        }
    };
    let missed = PlannedRequest::History {
        of: None,
        from_known: true,
        limit: 20,
    };
    [
        Action::Connect(client),
        Action::Pipeline(client, vec![login, missed]),
        Action::Resend(client),
    ]
}

/// Mostly the newest secret.
fn resume(rng: &mut StdRng, user: usize) -> PlannedRequest {
    let nth = *pick(rng, &[0, 0, 0, 0, 1, 2, 99]);
    PlannedRequest::Resume { user, nth }
}

/// Two users become friends: one requests and the other accepts, or both request.
fn befriending(rng: &mut StdRng, client: ClientIndex, present: usize) -> Vec<Action> {
    let other = (client + rng.random_range(1..present)) % present;
    let (me, you) = (client % PEOPLE, other % PEOPLE);
    let answer = match rng.random_range(0..3) {
        0 => PlannedRequest::Befriend(me),
        _ => PlannedRequest::Resolve(me, rng.random_range(0..4) > 0),
    };
    let question = PlannedRequest::Befriend(you);
    match rng.random_range(0..3) {
        0 => {
            let both = [(client, vec![question]), (other, vec![answer])];
            at_once(rng, both.into())
        }
        _ => vec![
            Action::RoundTrip(client, question),
            Action::RoundTrip(other, answer),
        ],
    }
}

/// A request is declined and repeated, before or after the silence ends. Other users send requests too, and the
/// decliner may change its mind.
fn declining(rng: &mut StdRng, client: ClientIndex, present: usize) -> Vec<Action> {
    let other = (client + rng.random_range(1..present)) % present;
    let (me, you) = (client % PEOPLE, other % PEOPLE);
    let send_request = |of: ClientIndex| Action::RoundTrip(of, PlannedRequest::Befriend(you));
    let mut actions = vec![send_request(client)];
    if rng.random_range(0..2) == 0 {
        // Another user sends a request, at once or when the first request is old.
        if rng.random_range(0..2) == 0 {
            actions.push(Action::ClockJump(86_400 + rng.random_range(0..5)));
        }
        actions.push(send_request((other + 1) % present));
    }
    if rng.random_range(0..4) > 0 {
        actions.push(Action::RoundTrip(other, PlannedRequest::Resolve(me, false)));
    }
    for _ in 0..rng.random_range(2..6) {
        // Slightly below or above the bounds of one day and of seven.
        if rng.random_range(0..2) == 0 {
            let days = *pick(rng, &[1, 7]);
            actions.push(Action::ClockJump(days * 86_400 + rng.random_range(-5..5)));
        }
        actions.push(match rng.random_range(0..5) {
            0 => send_request((client + 1) % present),
            1 => Action::RoundTrip(other, PlannedRequest::Befriend(me)),
            2 => Action::RoundTrip(
                other,
                PlannedRequest::Resolve(me, rng.random_range(0..2) == 0),
            ),
            _ => send_request(client),
        });
    }
    actions
}

/// A client that does not finish its handshake, or stops sending.
fn silent_client(rng: &mut StdRng, present: usize) -> [Action; 3] {
    if rng.random_range(0..3) == 0 {
        let client = rng.random_range(0..present);
        return [
            Action::StopSending(client, 0),
            Action::Wait(170_000),
            Action::Unstall(client),
        ];
    }
    let client = rng.random_range(0..2) + present.min(CLIENTS - 2);
    [
        Action::Connect(client),
        Action::StopSending(client, rng.random_range(0..60)),
        Action::Wait(6_000),
    ]
}

/// The requests of several clients, in one tick or spread over time.
fn at_once(rng: &mut StdRng, planned: Vec<(ClientIndex, Vec<PlannedRequest>)>) -> Vec<Action> {
    if rng.random_range(0..2) == 0 {
        return vec![Action::InOneTick(planned)];
    }
    let each = planned
        .into_iter()
        .map(|(client, planned)| Action::Pipeline(client, planned));
    each.collect()
}

/// Two clients wait for workers, and one of them disconnects early; or one client guesses passwords.
fn worker_jobs(rng: &mut StdRng, present: usize) -> Vec<Action> {
    let (one, two) = (present, (present + 1) % CLIENTS);
    let login = |rng: &mut StdRng| match rng.random_range(0..3) {
        0 => PlannedRequest::Register(rng.random_range(0..PEOPLE)),
        right => PlannedRequest::Login {
            user: rng.random_range(0..PEOPLE),
            password: password_choice(right == 1),
        },
    };
    if rng.random_range(0..4) == 0 {
        let guess = PlannedRequest::Login {
            user: rng.random_range(0..PEOPLE),
            password: PasswordChoice::Wrong,
        };
        return vec![Action::Connect(one), Action::Pipeline(one, vec![guess; 8])];
    }
    let both = vec![(one, vec![login(rng)]), (two, vec![login(rng)])];
    vec![
        Action::Connect(one),
        Action::Connect(two),
        Action::HoldResults(false),
        Action::InOneTick(vec![]),
        Action::HoldResults(true),
        Action::InOneTick(both),
        Action::Reset(one),
        Action::HoldResults(false),
    ]
}

/// Many messages to a room during a fault.
fn message_burst(rng: &mut StdRng, client: ClientIndex, present: usize) -> Vec<Action> {
    let other = (client + 1) % present;
    let trouble = match rng.random_range(0..7) {
        0 | 1 => Action::StopReading(other),
        2 => Action::FillDisk,
        3 => Action::LockDatabase,
        4 | 5 => Action::DamageMessages,
        _ => Action::FailCommits,
    };
    let many = |rng: &mut StdRng| {
        let first: u8 = rng.random_range(0..200);
        let send = |n| PlannedRequest::Send {
            to: Target::Room(0),
            number: first + n,
            size: 3_900,
            txn: true,
            reply: None,
        };
        (0..rng.random_range(1..12)).map(send).collect()
    };
    let mut planned = vec![(client, many(rng))];
    if matches!(trouble, Action::DamageMessages) && rng.random_range(0..2) == 0 {
        // Both in one tick, which is rolled back.
        planned.insert(0, (other, vec![PlannedRequest::Part(0)]));
        return vec![trouble, Action::InOneTick(planned)];
    }
    match rng.random_range(0..5) {
        0 => planned.push((other, vec![PlannedRequest::Part(0), PlannedRequest::Logout])),
        4 => planned.insert(0, (other, vec![PlannedRequest::Part(0)])),
        1 => planned.push((other, many(rng))),
        2 => planned.push((other, vec![request(rng), request(rng)])),
        _ => {}
    }
    let mut actions = vec![trouble];
    actions.extend(at_once(rng, planned));
    if rng.random_range(0..2) == 0 {
        actions.push(Action::Wait(rng.random_range(100..40_000)));
    }
    actions
}

fn action(rng: &mut StdRng, client: ClientIndex) -> Action {
    match rng.random_range(0..100) {
        0..14 => Action::RoundTrip(client, request(rng)),
        14..62 => {
            let count = rng.random_range(1..4);
            Action::Pipeline(client, (0..count).map(|_| request(rng)).collect())
        }
        62..64 => {
            let repeated = request(rng);
            Action::Pipeline(client, vec![repeated; rng.random_range(5..50)])
        }
        64..66 => Action::Resend(client),
        66 => Action::CloseNotify(client),
        67..69 => Action::HalfClose(client),
        69..71 => Action::Reset(client),
        71..74 => Action::StopReading(client),
        74 => Action::StopSending(client, rng.random_range(0..200)),
        75..78 => Action::Unstall(client),
        78 => Action::HoldResults(true),
        79 => Action::HoldResults(false),
        80 => Action::ClockJump(rng.random_range(-315_360_000..315_360_000)),
        81 => Action::ClockJump(-4_000_000_000),
        82 => Action::DamageMessages,
        83..86 => Action::Wait(rng.random_range(1..3_000)),
        86 => Action::Wait(rng.random_range(10_000..200_000)),
        87..89 => Action::FillDisk,
        89 => Action::LockDatabase,
        90 => Action::FailCommits,
        91..93 => Action::RepairStorage,
        93..95 => Action::Crash,
        95 => Action::Stop,
        96 => Action::Unsuspend(rng.random_range(0..PEOPLE)),
        _ => Action::Quiesce,
    }
}

fn request(rng: &mut StdRng) -> PlannedRequest {
    let user = rng.random_range(0..PEOPLE);
    let room = room(rng);
    match rng.random_range(0..108) {
        0 => PlannedRequest::Time,
        1..3 => PlannedRequest::Register(user),
        3..6 => PlannedRequest::Login {
            user,
            password: password_choice(rng.random_range(0..4) > 0),
        },
        6 => resume(rng, user),
        7 => PlannedRequest::Logout,
        8..12 => PlannedRequest::Befriend(user),
        12..15 => PlannedRequest::Resolve(user, rng.random_range(0..3) > 0),
        15..36 => PlannedRequest::Send {
            to: target(rng),
            number: rng.random_range(0..40),
            size: *pick(rng, &[3_usize, 8, 60, 700, 3_900]),
            txn: rng.random_range(0..4) > 0,
            reply: (rng.random_range(0..6) == 0).then(|| rng.random_range(0..4)),
        },
        36..39 => PlannedRequest::Create(room, some_users(rng), rng.random_range(0..3) == 0),
        39..42 => PlannedRequest::Join(room),
        42..44 => PlannedRequest::Part(room),
        44..46 => PlannedRequest::Add(room, some_users(rng)),
        46..51 => PlannedRequest::History {
            of: (rng.random_range(0..2) == 0).then(|| target(rng)),
            from_known: rng.random_range(0..2) == 0,
            limit: rng.random_range(1..30),
        },
        51..53 => PlannedRequest::Read(target(rng)),
        53 => PlannedRequest::Find(pick::<&str>(rng, &["a", "e", "an", "tea", "zzz"])),
        54..56 => PlannedRequest::Rooms,
        56..59 => PlannedRequest::Members(room),
        59..63 => PlannedRequest::Account(account_request(rng)),
        63..69 => PlannedRequest::People(people_request(rng, user)),
        69..79 => PlannedRequest::Room(room_request(rng, room, user)),
        79..82 => PlannedRequest::Bot(bot_request(rng, room)),
        87..97 => PlannedRequest::Message(message_request(rng)),
        97..99 => PlannedRequest::Mentions(rng.random_range(1..5)),
        102..107 => PlannedRequest::Search(search_request(rng)),
        107 => PlannedRequest::SearchNextPage,
        99 => PlannedRequest::Around {
            of: target(rng),
            nth: rng.random_range(0..5),
            limit: rng.random_range(1..8),
        },
        82 => PlannedRequest::Token {
            bot: rng.random_range(PEOPLE..USERS.len()),
            nth: rng.random_range(0..2),
        },
        83..86 => PlannedRequest::InvitationCode(invitation_code_request(rng)),
        86 => PlannedRequest::RegisterBy {
            user,
            nth: *pick(rng, &[0, 0, 1, 99]),
        },
        _ => PlannedRequest::UnknownCommand,
    }
}

fn invitation_code_request(rng: &mut StdRng) -> InvitationCodeRequest {
    match rng.random_range(0..5) {
        0..3 => {
            let seconds = *pick(rng, &[None, Some(2), Some(600)]);
            InvitationCodeRequest::Make(rng.random_range(1..4), seconds)
        }
        3 => InvitationCodeRequest::List,
        _ => InvitationCodeRequest::Revoke(rng.random_range(0..2)),
    }
}

fn search_request(rng: &mut StdRng) -> SearchRequest {
    let now_and_then = |rng: &mut StdRng| rng.random_range(0..5) == 0;
    let terms = *pick(rng, &[0, 1, 1, 1, 2]);
    SearchRequest {
        terms: (0..terms).map(|_| term(rng)).collect(),
        of: now_and_then(rng).then(|| target(rng)),
        sender: now_and_then(rng).then(|| rng.random_range(0..USERS.len())),
        since: now_and_then(rng).then(|| *pick(rng, &[0, 2, 60, 86_400])),
        until: now_and_then(rng).then(|| *pick(rng, &[0, 1, 3, 60])),
        before: now_and_then(rng).then(|| rng.random_range(0..4)),
        limit: rng.random_range(1..6),
    }
}

fn term(rng: &mut StdRng) -> Term {
    let number = rng.random_range(0..40);
    match rng.random_range(0..10) {
        0..2 => Term::Number(number),
        2..5 => Term::Word(number),
        5 => Term::Character(number),
        6 => Term::Phrase(number),
        7 => Term::Prefix(number),
        8 => Term::Name(4 * (number / 4) + 3),
        _ => Term::Absent,
    }
}

/// Mostly the newest messages.
fn message_request(rng: &mut StdRng) -> MessageRequest {
    let nth = *pick(rng, &[0, 0, 0, 1, 1, 2, 3, 7]);
    match rng.random_range(0..8) {
        0..3 => MessageRequest::Edit(nth, rng.random()),
        3 => MessageRequest::Delete(nth),
        _ => {
            let on = rng.random_range(0..4) > 0;
            MessageRequest::React(nth, rng.random_range(0..EMOJI.len()), on)
        }
    }
}

fn account_request(rng: &mut StdRng) -> AccountRequest {
    match rng.random_range(0..16) {
        0..6 => AccountRequest::Away((rng.random_range(0..3) > 0).then(|| rng.random_range(0..3))),
        6..9 => AccountRequest::Privacy(rng.random()),
        9..11 => AccountRequest::EndOthers,
        11..13 => AccountRequest::Sessions,
        13..15 => AccountRequest::ChangePassword(*pick(
            rng,
            &[PasswordChoice::Current, PasswordChoice::Wrong],
        )),
        _ => AccountRequest::Delete {
            password: *pick(rng, &[PasswordChoice::Current, PasswordChoice::Wrong]),
            erase: rng.random(),
        },
    }
}

fn people_request(rng: &mut StdRng, user: usize) -> PeopleRequest {
    match rng.random_range(0..12) {
        0..2 => PeopleRequest::Friends,
        2..5 => PeopleRequest::WhoIs(user),
        5..7 => PeopleRequest::Unfriend(user),
        7..9 => PeopleRequest::Block(user),
        9..11 => PeopleRequest::Unblock(user),
        _ => PeopleRequest::Blocked,
    }
}

fn room_request(rng: &mut StdRng, room: usize, user: usize) -> RoomRequest {
    match rng.random_range(0..20) {
        0..2 => RoomRequest::Info(room),
        2..6 => RoomRequest::Set(room, setting(rng)),
        6 => RoomRequest::Close(room),
        7..10 => RoomRequest::Invite(room, user),
        10 => RoomRequest::Decline(room),
        11..13 => RoomRequest::Kick(room, user),
        13..15 => RoomRequest::Ban(room, user, *pick(rng, &[None, Some(2), Some(600)])),
        15 => RoomRequest::Unban(room, user),
        16 => RoomRequest::Bans(room),
        17..19 => {
            let role = *pick(
                rng,
                &[Role::Member, Role::Operator, Role::Operator, Role::Owner],
            );
            RoomRequest::SetRole(room, user, role)
        }
        _ => RoomRequest::Public,
    }
}

fn setting(rng: &mut StdRng) -> Setting {
    match rng.random_range(0..8) {
        0 => Setting::Name(room(rng)),
        1..3 => Setting::Topic(rng.random_range(0..3)),
        3 => Setting::Private(rng.random()),
        4 => Setting::ReadOnly(rng.random_range(0..3) == 0),
        5..7 => Setting::Slow(*pick(rng, &[0, 0, 2, 30])),
        _ => Setting::Keep(*pick(rng, &[None, Some(1), Some(30), Some(36_500)])),
    }
}

fn bot_request(rng: &mut StdRng, room: usize) -> BotRequest {
    let bot = rng.random_range(PEOPLE..USERS.len());
    match rng.random_range(0..6) {
        0..2 => BotRequest::Create(bot, vec![room], None),
        2 => BotRequest::List,
        3 => BotRequest::Remove(bot),
        _ => BotRequest::NewToken(bot, *pick(rng, &[None, Some(5)])),
    }
}

fn target(rng: &mut StdRng) -> Target {
    if rng.random_range(0..3) == 0 {
        Target::User(rng.random_range(0..PEOPLE))
    } else {
        Target::Room(room(rng))
    }
}

/// Most requests are about the first room.
fn room(rng: &mut StdRng) -> usize {
    *pick(rng, &[0, 0, 0, 0, 0, 0, 1, 1, 1, 2, LOBBY])
}

fn some_users(rng: &mut StdRng) -> Vec<usize> {
    (0..rng.random_range(0..3))
        .map(|_| rng.random_range(0..PEOPLE))
        .collect()
}

fn pick<'t, T>(rng: &mut StdRng, of: &'t [T]) -> &'t T {
    &of[rng.random_range(0..of.len())]
}

fn password_choice(is_current: bool) -> PasswordChoice {
    if is_current {
        PasswordChoice::Current
    } else {
        PasswordChoice::Wrong
    }
}
