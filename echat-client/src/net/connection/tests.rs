use super::*;
use proptest::prelude::*;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn seconds(range: std::ops::RangeInclusive<u64>) -> std::ops::RangeInclusive<Duration> {
    at(*range.start())..=at(*range.end())
}

/// Connects at `now`.
fn open(connection: &mut Connection, now: Duration) {
    assert_eq!(connection.connect(true), Some(Action::Dial));
    connection.opened(now);
}

/// The wait that begins with a loss at `now`.
fn wait(connection: &mut Connection, now: Duration) -> Duration {
    connection.lost(now);
    match connection.state() {
        State::Waiting(until) => until.saturating_sub(now),
        other => panic!("{other:?}"),
    }
}

type Event = fn(&mut Connection);

/// Every event in every state: where it leads.
#[test]
fn the_table_of_states() {
    let requested = State::Dialling { requested: true };
    let dialling = State::Dialling { requested: false };
    let (out, online) = (State::LoggedOut, State::Online(at(5)));
    let waiting = State::Waiting(at(9));
    let table: [(&str, Event, [State; 5]); 6] = [
        // from:       Offline  Waiting  Dialling  LoggedOut  Online
        (
            "wish",
            |c| _ = c.connect(true),
            [requested, requested, dialling, out, online],
        ),
        ("opened", |c| c.opened(at(5)), [out, out, out, out, out]),
        ("logged_in", |c| c.logged_in(at(5)), [online; 5]),
        (
            "logged_out",
            Connection::logged_out,
            [State::Offline, waiting, dialling, out, out],
        ),
        ("closed", Connection::closed, [State::Offline; 5]),
        (
            "due",
            |c| _ = c.due(at(9), true),
            [State::Offline, dialling, dialling, out, online],
        ),
    ];
    for (name, event, leads) in table {
        let from = [State::Offline, waiting, dialling, out, online];
        for (from, to) in from.into_iter().zip(leads) {
            let mut connection = Connection::new(1);
            connection.state = from;
            event(&mut connection);
            assert_eq!(connection.state(), to, "{name} in {from:?}");
            connection.lost(at(20));
            assert!(connection.is_coming() && !connection.is_open(), "{from:?}");
        }
    }
}

#[test]
fn waits_double_up_to_half_a_minute_with_jitter() {
    let waits = |seed| -> Vec<Duration> {
        let mut connection = Connection::new(seed);
        (0..10).map(|_| wait(&mut connection, at(0))).collect()
    };
    let longest = [1, 2, 4, 8, 16, 30, 30, 30, 30, 30];
    for (wait, longest) in waits(1).into_iter().zip(longest) {
        let longest = at(longest);
        assert!(longest / 2 <= wait && wait <= longest, "{wait:?}");
    }
    assert_ne!(waits(1), waits(2));
    assert_eq!(waits(1), waits(1));
}

#[test]
fn delivered_requests_end_the_back_off_and_a_login_does_not() {
    let failed = |useful: fn(&mut Connection)| {
        let mut connection = Connection::new(1);
        for _ in 0..8 {
            connection.lost(at(0));
        }
        assert_eq!(connection.due(at(60), false), Some(Action::Dial));
        connection.opened(at(60));
        connection.logged_in(at(61));
        useful(&mut connection);
        wait(&mut connection, at(62))
    };
    assert!(seconds(15..=30).contains(&failed(|_| ())));
    // A PONG to no PING is nothing that got through.
    assert!(seconds(15..=30).contains(&failed(Connection::pong)));
    assert!(failed(Connection::got_through) <= at(1));
    let pinged = |connection: &mut Connection| {
        connection.woke(at(61));
        assert_eq!(connection.due(at(61), false), Some(Action::Ping));
        connection.pong();
    };
    assert!(failed(pinged) <= at(1));
}

#[test]
fn a_long_session_ends_the_back_off() {
    let mut connection = Connection::new(1);
    for _ in 0..8 {
        connection.lost(at(0));
    }
    open(&mut connection, at(60));
    connection.logged_in(at(60));
    assert!(wait(&mut connection, at(60 + 60)) <= at(1));
}

#[test]
fn a_user_reconnects_at_once() {
    let mut connection = Connection::new(1);
    for _ in 0..6 {
        connection.lost(at(0));
    }
    assert_eq!(connection.connect(true), Some(Action::Dial));
    assert_eq!(connection.connect(true), None, "one try at a time");
    // The back-off goes on where it was.
    assert!(wait(&mut connection, at(1)) >= at(15));
}

#[test]
fn waking_ends_a_wait_and_pings_an_open_connection() {
    let mut connection = Connection::new(1);
    connection.lost(at(10));
    connection.woke(at(10));
    assert_eq!(connection.due(at(10), false), Some(Action::Dial));
    connection.opened(at(10));
    assert_eq!(connection.due(at(10), false), None);
    connection.woke(at(11));
    assert_eq!(connection.due(at(11), false), Some(Action::Ping));
    assert_eq!(connection.due(at(26), false), Some(Action::GiveUp));
}

/// What a server does with a connection before it closes it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Refuses,
    Opens,
    LogsIn,
    /// Logs in, says something, sends PONGs that were not asked for.
    Talks,
}

#[test]
fn early_attempts_do_not_lengthen_later_waits() {
    let mut connection = Connection::new(1);
    assert_eq!(connection.connect(true), Some(Action::Dial));
    connection.lost(Duration::ZERO);
    let failures = connection.failures();
    for second in 1..50 {
        assert_eq!(connection.connect(true), Some(Action::Dial));
        connection.lost(Duration::from_secs(second));
        assert_eq!(connection.failures(), failures);
    }
    // One that opens and is lost counts.
    assert_eq!(connection.connect(true), Some(Action::Dial));
    connection.opened(Duration::from_mins(1));
    connection.lost(Duration::from_mins(1));
    assert_eq!(connection.failures(), failures + 1);
}

proptest! {
    /// Whatever a server says, if it closes after each login and nothing got through, it is called
    /// at growing intervals.
    #[test]
    fn a_server_that_closes_after_each_login_is_dialled_ever_less(
        seed: u64,
        actions in prop::collection::vec(
            prop::sample::select(vec![Step::Refuses, Step::Opens, Step::LogsIn, Step::Talks]),
            1..40,
        ),
        lasts in 0..50_u64,
    ) {
        let mut connection = Connection::new(seed);
        let mut now = Duration::ZERO;
        let mut last = Duration::ZERO;
        prop_assert_eq!(connection.connect(false), Some(Action::Dial));
        for action in actions {
            if !matches!(action, Step::Refuses) {
                connection.opened(now);
            }
            if matches!(action, Step::LogsIn | Step::Talks) {
                connection.logged_in(now);
            }
            if matches!(action, Step::Talks) {
                for _ in 0..3 {
                    connection.heard(now);
                    connection.pong();
                }
            }
            now += Duration::from_millis(lasts);
            connection.lost(now);
            let until = connection.due_at(false).expect("it waits");
            let wait = until.saturating_sub(now);
            prop_assert!(wait >= last.min(LONGEST / 2), "{:?} after {:?}", wait, last);
            prop_assert!(wait <= LONGEST);
            prop_assert_eq!(connection.due(until.saturating_sub(Duration::from_millis(1)), false), None);
            prop_assert_eq!(connection.due(until, false), Some(Action::Dial));
            (now, last) = (until, wait);
        }
    }
}
