//! A seed becomes a case.

use crate::plan::{Case, Climate, Deed, SEATS, Said, Seat, Step, Target, USERS};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
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
        let accounts = rng.random_range(2..=USERS.len());
        let acquainted = rng.random_range(0..3) > 0;
        let present = rng.random_range(2..=4);
        let sessions = if seed.is_multiple_of(3) { 2 } else { 1 };
        let mut steps = Vec::new();
        for seat in 0..present {
            steps.push(Deed::Connect(seat));
            let login = Said::Login {
                user: seat / sessions,
                right: true,
            };
            steps.push(Deed::Say(seat, vec![login]));
        }
        let members = if acquainted { 1..accounts } else { 0..0 };
        steps.push(Deed::Say(0, vec![Said::Create(0, members.collect())]));
        // Who knows a room's members is told of each that comes and goes.
        let asked = Said::Members(0);
        steps.extend((0..present).map(|seat| Deed::Ask(seat, asked.clone())));
        while steps.len() < 36 {
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
                3 => steps.extend(waiting(&mut rng, present)),
                4..8 if !acquainted => steps.extend(declining(&mut rng, seat, present)),
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
            sessions: NonZeroUsize::new(sessions).expect("one or two"),
            turn_cost: if seed.is_multiple_of(5) {
                SHORT_TURN
            } else {
                Duration::from_millis(1)
            },
            steps: steps.collect(),
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
fn meeting(rng: &mut StdRng, seat: Seat, present: usize) -> Vec<Deed> {
    let other = (seat + rng.random_range(1..present)) % present;
    let (me, you) = (seat % USERS.len(), other % USERS.len());
    let answer = match rng.random_range(0..3) {
        0 => Said::Befriend(me),
        _ => Said::Resolve(me, rng.random_range(0..4) > 0),
    };
    let question = Said::Befriend(you);
    match rng.random_range(0..3) {
        0 => {
            let both = [(seat, vec![question]), (other, vec![answer])];
            at_once(rng, both.into())
        }
        _ => vec![Deed::Ask(seat, question), Deed::Ask(other, answer)],
    }
}

/// One is declined and asks again, soon or late; others ask too, and the decliner may think again.
fn declining(rng: &mut StdRng, seat: Seat, present: usize) -> Vec<Deed> {
    let other = (seat + rng.random_range(1..present)) % present;
    let (me, you) = (seat % USERS.len(), other % USERS.len());
    let ask = |of: Seat| Deed::Ask(of, Said::Befriend(you));
    let mut deeds = vec![ask(seat)];
    if rng.random_range(0..4) > 0 {
        deeds.push(Deed::Ask(other, Said::Resolve(me, false)));
    }
    for _ in 0..rng.random_range(2..6) {
        // A bit over or under the bounds of a day and of seven.
        if rng.random_range(0..2) == 0 {
            let days = *pick(rng, &[1, 7]);
            deeds.push(Deed::Jump(days * 86_400 + rng.random_range(-5..5)));
        }
        deeds.push(match rng.random_range(0..5) {
            0 => ask((seat + 1) % present),
            1 => Deed::Ask(other, Said::Befriend(me)),
            2 => Deed::Ask(other, Said::Resolve(me, rng.random_range(0..2) == 0)),
            _ => ask(seat),
        });
    }
    deeds
}

/// What several say, in one tick or as it comes.
fn at_once(rng: &mut StdRng, said: Vec<(Seat, Vec<Said>)>) -> Vec<Deed> {
    if rng.random_range(0..2) == 0 {
        return vec![Deed::Together(said)];
    }
    let each = said.into_iter().map(|(seat, said)| Deed::Say(seat, said));
    each.collect()
}

/// Two wait for workers, and one does not wait long enough; or one guesses passwords.
fn waiting(rng: &mut StdRng, present: usize) -> Vec<Deed> {
    let (one, two) = (present, (present + 1) % SEATS);
    let ask = |rng: &mut StdRng| match rng.random_range(0..3) {
        0 => Said::Register(rng.random_range(0..USERS.len())),
        right => Said::Login {
            user: rng.random_range(0..USERS.len()),
            right: right == 1,
        },
    };
    if rng.random_range(0..4) == 0 {
        let guess = Said::Login {
            user: rng.random_range(0..USERS.len()),
            right: false,
        };
        return vec![Deed::Connect(one), Deed::Say(one, vec![guess; 8])];
    }
    let both = vec![(one, vec![ask(rng)]), (two, vec![ask(rng)])];
    vec![
        Deed::Connect(one),
        Deed::Connect(two),
        Deed::Hold(false),
        Deed::Together(vec![]),
        Deed::Hold(true),
        Deed::Together(both),
        Deed::Reset(one),
        Deed::Hold(false),
    ]
}

/// Much is sent to a room while something stands in its way.
fn storm(rng: &mut StdRng, seat: Seat, present: usize) -> Vec<Deed> {
    let other = (seat + 1) % present;
    let trouble = match rng.random_range(0..6) {
        0 | 1 => Deed::Stall(other),
        2 => Deed::Fill,
        3 => Deed::Occupy,
        4 => Deed::Damage,
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
    let mut said = vec![(seat, many(rng))];
    match rng.random_range(0..4) {
        0 => said.push((other, vec![Said::Part(0), Said::Logout])),
        1 => said.push((other, many(rng))),
        2 => said.push((other, vec![self::said(rng), self::said(rng)])),
        _ => {}
    }
    let mut deeds = vec![trouble];
    deeds.extend(at_once(rng, said));
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
        82 => Deed::Damage,
        83..86 => Deed::Wait(rng.random_range(1..3_000)),
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
        53 => Said::Find(pick::<&str>(rng, &["a", "e", "an", "tea", "zzz"])),
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
