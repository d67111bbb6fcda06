//! A seed becomes a case.

mod scenes;

use crate::plan::{
    Action, Case, Climate, Door, EMOJI, LOBBY, OfAccount, OfBot, OfCode, OfMessage, OfPeople,
    OfRoom, OfSearch, PEOPLE, PlannedRequest, Role, SEATS, Seat, Setting, Step, Target, Term,
    USERS, Word,
};
use echat_proto::config::{Inviters, Registration};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use scenes::{Cast, scene};
use std::num::NonZeroUsize;
use std::time::Duration;

/// The cost of a turn where databases are small: most requests cost more.
const SHORT_TURN: Duration = Duration::from_nanos(1_500);

impl Case {
    /// The case of a seed.
    pub(crate) fn draw(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let climate = match rng.random_range(0..4) {
            0 | 1 => Climate::Roomy,
            2 => Climate::Tight,
            _ => Climate::Narrow,
        };
        let accounts = rng.random_range(2..=PEOPLE);
        let acquainted = rng.random_range(0..3) > 0;
        let present = rng.random_range(2..=4);
        let door = door(&mut rng);
        let sessions = if seed.is_multiple_of(3) { 2 } else { 1 };
        let mut steps = Vec::new();
        for seat in 0..present {
            steps.push(Action::Connect(seat));
            let login = PlannedRequest::Login {
                user: seat / sessions,
                password: Word::Right,
            };
            steps.push(Action::Say(seat, vec![login]));
        }
        let members = if acquainted { 1..accounts } else { 0..0 };
        steps.push(Action::Say(
            0,
            vec![PlannedRequest::Create(0, members.collect(), false)],
        ));
        // A client that has listed a room's members gets an event for each that logs in or out.
        let asked = PlannedRequest::Members(0);
        steps.extend((0..present).map(|seat| Action::Ask(seat, asked.clone())));
        let cast = Cast { present, sessions };
        while steps.len() < 44 {
            // Most actions are those of clients that are connected.
            let most = if rng.random_range(0..6) == 0 {
                SEATS
            } else {
                present
            };
            let seat = rng.random_range(0..most);
            match rng.random_range(0..22) {
                20 => steps.extend(silent(&mut rng, present)),
                16..20 => steps.extend(scene(&mut rng, seat % present, cast)),
                0 => steps.extend(again(&mut rng, seat)),
                1 => steps.extend(meeting(&mut rng, seat, present)),
                2 | 21 => steps.extend(storm(&mut rng, seat, present)),
                3 => steps.extend(waiting(&mut rng, present)),
                4..8 if !acquainted => steps.extend(declining(&mut rng, seat, present)),
                _ => steps.push(action(&mut rng, seat)),
            }
            if rng.random_range(0..30) == 0 {
                break;
            }
        }
        let steps = steps.into_iter().map(|action| step(&mut rng, action));
        Self {
            seed,
            climate,
            accounts,
            acquainted,
            door,
            sessions: NonZeroUsize::new(sessions).expect("one or two"),
            turn_cost: if seed.is_multiple_of(5) {
                SHORT_TURN
            } else {
                Duration::from_millis(1)
            },
            portion: if seed % 4 == 1 { 1 } else { 128 },
            steps: steps.collect(),
        }
    }
}

/// How accounts are made.
fn door(rng: &mut StdRng) -> Door {
    use Registration::{Closed, Invitation, Open};
    Door {
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

/// A client comes, or comes back, or takes over from another.
fn again(rng: &mut StdRng, seat: Seat) -> [Action; 3] {
    let own = rng.random_range(0..3) > 0;
    let user = if own {
        seat % PEOPLE
    } else {
        rng.random_range(0..PEOPLE)
    };
    let login = if rng.random_range(0..2) == 0 {
        resume(rng, user)
    } else {
        PlannedRequest::Login {
            user,
            password: Word::Right,
        }
    };
    let missed = PlannedRequest::History {
        of: None,
        from_known: true,
        limit: 20,
    };
    [
        Action::Connect(seat),
        Action::Say(seat, vec![login, missed]),
        Action::Resend(seat),
    ]
}

/// Mostly with the newest secret.
fn resume(rng: &mut StdRng, user: usize) -> PlannedRequest {
    let nth = *pick(rng, &[0, 0, 0, 0, 1, 2, 99]);
    PlannedRequest::Resume { user, nth }
}

/// Two become friends: one asks and the other agrees, or both ask.
fn meeting(rng: &mut StdRng, seat: Seat, present: usize) -> Vec<Action> {
    let other = (seat + rng.random_range(1..present)) % present;
    let (me, you) = (seat % PEOPLE, other % PEOPLE);
    let answer = match rng.random_range(0..3) {
        0 => PlannedRequest::Befriend(me),
        _ => PlannedRequest::Resolve(me, rng.random_range(0..4) > 0),
    };
    let question = PlannedRequest::Befriend(you);
    match rng.random_range(0..3) {
        0 => {
            let both = [(seat, vec![question]), (other, vec![answer])];
            at_once(rng, both.into())
        }
        _ => vec![Action::Ask(seat, question), Action::Ask(other, answer)],
    }
}

/// One is declined and asks again, soon or late; others ask too, and the decliner may think again.
fn declining(rng: &mut StdRng, seat: Seat, present: usize) -> Vec<Action> {
    let other = (seat + rng.random_range(1..present)) % present;
    let (me, you) = (seat % PEOPLE, other % PEOPLE);
    let ask = |of: Seat| Action::Ask(of, PlannedRequest::Befriend(you));
    let mut actions = vec![ask(seat)];
    if rng.random_range(0..2) == 0 {
        // Another one asks, at once or when the first has waited for long.
        if rng.random_range(0..2) == 0 {
            actions.push(Action::Jump(86_400 + rng.random_range(0..5)));
        }
        actions.push(ask((other + 1) % present));
    }
    if rng.random_range(0..4) > 0 {
        actions.push(Action::Ask(other, PlannedRequest::Resolve(me, false)));
    }
    for _ in 0..rng.random_range(2..6) {
        // A bit over or under the bounds of a day and of seven.
        if rng.random_range(0..2) == 0 {
            let days = *pick(rng, &[1, 7]);
            actions.push(Action::Jump(days * 86_400 + rng.random_range(-5..5)));
        }
        actions.push(match rng.random_range(0..5) {
            0 => ask((seat + 1) % present),
            1 => Action::Ask(other, PlannedRequest::Befriend(me)),
            2 => Action::Ask(
                other,
                PlannedRequest::Resolve(me, rng.random_range(0..2) == 0),
            ),
            _ => ask(seat),
        });
    }
    actions
}

/// A client that does not get to the end of its handshake, or one that is heard of no more.
fn silent(rng: &mut StdRng, present: usize) -> [Action; 3] {
    if rng.random_range(0..3) == 0 {
        let seat = rng.random_range(0..present);
        return [
            Action::Mute(seat, 0),
            Action::Wait(170_000),
            Action::Wake(seat),
        ];
    }
    let seat = rng.random_range(0..2) + present.min(SEATS - 2);
    [
        Action::Connect(seat),
        Action::Mute(seat, rng.random_range(0..60)),
        Action::Wait(6_000),
    ]
}

/// What several say, in one tick or as it comes.
fn at_once(rng: &mut StdRng, planned: Vec<(Seat, Vec<PlannedRequest>)>) -> Vec<Action> {
    if rng.random_range(0..2) == 0 {
        return vec![Action::Together(planned)];
    }
    let each = planned
        .into_iter()
        .map(|(seat, planned)| Action::Say(seat, planned));
    each.collect()
}

/// Two wait for workers, and one does not wait long enough; or one guesses passwords.
fn waiting(rng: &mut StdRng, present: usize) -> Vec<Action> {
    let (one, two) = (present, (present + 1) % SEATS);
    let ask = |rng: &mut StdRng| match rng.random_range(0..3) {
        0 => PlannedRequest::Register(rng.random_range(0..PEOPLE)),
        right => PlannedRequest::Login {
            user: rng.random_range(0..PEOPLE),
            password: word(right == 1),
        },
    };
    if rng.random_range(0..4) == 0 {
        let guess = PlannedRequest::Login {
            user: rng.random_range(0..PEOPLE),
            password: Word::Wrong,
        };
        return vec![Action::Connect(one), Action::Say(one, vec![guess; 8])];
    }
    let both = vec![(one, vec![ask(rng)]), (two, vec![ask(rng)])];
    vec![
        Action::Connect(one),
        Action::Connect(two),
        Action::Hold(false),
        Action::Together(vec![]),
        Action::Hold(true),
        Action::Together(both),
        Action::Reset(one),
        Action::Hold(false),
    ]
}

/// Much is sent to a room while something stands in its way.
fn storm(rng: &mut StdRng, seat: Seat, present: usize) -> Vec<Action> {
    let other = (seat + 1) % present;
    let trouble = match rng.random_range(0..7) {
        0 | 1 => Action::Stall(other),
        2 => Action::Fill,
        3 => Action::Occupy,
        4 | 5 => Action::Damage,
        _ => Action::Break,
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
    let mut planned = vec![(seat, many(rng))];
    if matches!(trouble, Action::Damage) && rng.random_range(0..2) == 0 {
        // Both in one tick, which is rolled back.
        planned.insert(0, (other, vec![PlannedRequest::Part(0)]));
        return vec![trouble, Action::Together(planned)];
    }
    match rng.random_range(0..5) {
        0 => planned.push((other, vec![PlannedRequest::Part(0), PlannedRequest::Logout])),
        4 => planned.insert(0, (other, vec![PlannedRequest::Part(0)])),
        1 => planned.push((other, many(rng))),
        2 => planned.push((other, vec![self::planned(rng), self::planned(rng)])),
        _ => {}
    }
    let mut actions = vec![trouble];
    actions.extend(at_once(rng, planned));
    if rng.random_range(0..2) == 0 {
        actions.push(Action::Wait(rng.random_range(100..40_000)));
    }
    actions
}

fn action(rng: &mut StdRng, seat: Seat) -> Action {
    match rng.random_range(0..100) {
        0..14 => Action::Ask(seat, planned(rng)),
        14..62 => {
            let count = rng.random_range(1..4);
            Action::Say(seat, (0..count).map(|_| planned(rng)).collect())
        }
        62..64 => {
            let again = planned(rng);
            Action::Say(seat, vec![again; rng.random_range(5..50)])
        }
        64..66 => Action::Resend(seat),
        66 => Action::Leave(seat),
        67..69 => Action::HangUp(seat),
        69..71 => Action::Reset(seat),
        71..74 => Action::Stall(seat),
        74 => Action::Mute(seat, rng.random_range(0..200)),
        75..78 => Action::Wake(seat),
        78 => Action::Hold(true),
        79 => Action::Hold(false),
        80 => Action::Jump(rng.random_range(-315_360_000..315_360_000)),
        81 => Action::Jump(-4_000_000_000),
        82 => Action::Damage,
        83..86 => Action::Wait(rng.random_range(1..3_000)),
        86 => Action::Wait(rng.random_range(10_000..200_000)),
        87..89 => Action::Fill,
        89 => Action::Occupy,
        90 => Action::Break,
        91..93 => Action::Mend,
        93..95 => Action::Crash,
        95 => Action::Stop,
        96 => Action::Pardon(rng.random_range(0..PEOPLE)),
        _ => Action::Calm,
    }
}

fn planned(rng: &mut StdRng) -> PlannedRequest {
    let user = rng.random_range(0..PEOPLE);
    let room = room(rng);
    match rng.random_range(0..108) {
        0 => PlannedRequest::Time,
        1..3 => PlannedRequest::Register(user),
        3..6 => PlannedRequest::Login {
            user,
            password: word(rng.random_range(0..4) > 0),
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
        36..39 => PlannedRequest::Create(room, some(rng), rng.random_range(0..3) == 0),
        39..42 => PlannedRequest::Join(room),
        42..44 => PlannedRequest::Part(room),
        44..46 => PlannedRequest::Add(room, some(rng)),
        46..51 => PlannedRequest::History {
            of: (rng.random_range(0..2) == 0).then(|| target(rng)),
            from_known: rng.random_range(0..2) == 0,
            limit: rng.random_range(1..30),
        },
        51..53 => PlannedRequest::Read(target(rng)),
        53 => PlannedRequest::Find(pick::<&str>(rng, &["a", "e", "an", "tea", "zzz"])),
        54..56 => PlannedRequest::Rooms,
        56..59 => PlannedRequest::Members(room),
        59..63 => PlannedRequest::Account(of_account(rng)),
        63..69 => PlannedRequest::People(of_people(rng, user)),
        69..79 => PlannedRequest::Room(of_room(rng, room, user)),
        79..82 => PlannedRequest::Bot(of_bot(rng, room)),
        87..97 => PlannedRequest::Message(of_message(rng)),
        97..99 => PlannedRequest::Mentions(rng.random_range(1..5)),
        102..107 => PlannedRequest::Search(search(rng)),
        107 => PlannedRequest::SearchOn,
        99 => PlannedRequest::Around {
            of: target(rng),
            nth: rng.random_range(0..5),
            limit: rng.random_range(1..8),
        },
        82 => PlannedRequest::Token {
            bot: rng.random_range(PEOPLE..USERS.len()),
            nth: rng.random_range(0..2),
        },
        83..86 => PlannedRequest::Code(of_code(rng)),
        86 => PlannedRequest::RegisterBy {
            user,
            nth: *pick(rng, &[0, 0, 1, 99]),
        },
        _ => PlannedRequest::Nonsense,
    }
}

fn of_code(rng: &mut StdRng) -> OfCode {
    match rng.random_range(0..5) {
        0..3 => {
            let seconds = *pick(rng, &[None, Some(2), Some(600)]);
            OfCode::Make(rng.random_range(1..4), seconds)
        }
        3 => OfCode::List,
        _ => OfCode::Revoke(rng.random_range(0..2)),
    }
}

fn search(rng: &mut StdRng) -> OfSearch {
    let now_and_then = |rng: &mut StdRng| rng.random_range(0..5) == 0;
    let terms = *pick(rng, &[0, 1, 1, 1, 2]);
    OfSearch {
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
fn of_message(rng: &mut StdRng) -> OfMessage {
    let nth = *pick(rng, &[0, 0, 0, 1, 1, 2, 3, 7]);
    match rng.random_range(0..8) {
        0..3 => OfMessage::Edit(nth, rng.random()),
        3 => OfMessage::Delete(nth),
        _ => {
            let on = rng.random_range(0..4) > 0;
            OfMessage::React(nth, rng.random_range(0..EMOJI.len()), on)
        }
    }
}

fn of_account(rng: &mut StdRng) -> OfAccount {
    match rng.random_range(0..16) {
        0..6 => OfAccount::Away((rng.random_range(0..3) > 0).then(|| rng.random_range(0..3))),
        6..9 => OfAccount::Privacy(rng.random()),
        9..11 => OfAccount::EndOthers,
        11..13 => OfAccount::Sessions,
        13..15 => OfAccount::ChangePassword(*pick(rng, &[Word::Right, Word::Wrong])),
        _ => OfAccount::Delete {
            password: *pick(rng, &[Word::Right, Word::Wrong]),
            erase: rng.random(),
        },
    }
}

fn of_people(rng: &mut StdRng, user: usize) -> OfPeople {
    match rng.random_range(0..12) {
        0..2 => OfPeople::Friends,
        2..5 => OfPeople::WhoIs(user),
        5..7 => OfPeople::Unfriend(user),
        7..9 => OfPeople::Block(user),
        9..11 => OfPeople::Unblock(user),
        _ => OfPeople::Blocked,
    }
}

fn of_room(rng: &mut StdRng, room: usize, user: usize) -> OfRoom {
    match rng.random_range(0..20) {
        0..2 => OfRoom::Info(room),
        2..6 => OfRoom::Set(room, setting(rng)),
        6 => OfRoom::Close(room),
        7..10 => OfRoom::Invite(room, user),
        10 => OfRoom::Decline(room),
        11..13 => OfRoom::Kick(room, user),
        13..15 => OfRoom::Ban(room, user, *pick(rng, &[None, Some(2), Some(600)])),
        15 => OfRoom::Unban(room, user),
        16 => OfRoom::Bans(room),
        17..19 => {
            let role = *pick(
                rng,
                &[Role::Member, Role::Operator, Role::Operator, Role::Owner],
            );
            OfRoom::SetRole(room, user, role)
        }
        _ => OfRoom::Public,
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

fn of_bot(rng: &mut StdRng, room: usize) -> OfBot {
    let bot = rng.random_range(PEOPLE..USERS.len());
    match rng.random_range(0..6) {
        0..2 => OfBot::Create(bot, vec![room], None),
        2 => OfBot::List,
        3 => OfBot::Remove(bot),
        _ => OfBot::NewToken(bot, *pick(rng, &[None, Some(5)])),
    }
}

fn target(rng: &mut StdRng) -> Target {
    if rng.random_range(0..3) == 0 {
        Target::User(rng.random_range(0..PEOPLE))
    } else {
        Target::Room(room(rng))
    }
}

/// Most talk is in the first room.
fn room(rng: &mut StdRng) -> usize {
    *pick(rng, &[0, 0, 0, 0, 0, 0, 1, 1, 1, 2, LOBBY])
}

fn some(rng: &mut StdRng) -> Vec<usize> {
    (0..rng.random_range(0..3))
        .map(|_| rng.random_range(0..PEOPLE))
        .collect()
}

fn pick<'t, T>(rng: &mut StdRng, of: &'t [T]) -> &'t T {
    &of[rng.random_range(0..of.len())]
}

fn word(right: bool) -> Word {
    if right { Word::Right } else { Word::Wrong }
}
