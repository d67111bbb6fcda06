//! A line of the administration's socket.

use std::cell::RefCell;
use std::time::Duration;

use echat_proto::Value;
use echat_proto::json::from_json;
use echat_proto::names::{Content, RoomName, Username};
use echat_server::clock::Now;
use echat_server::config::Limits;
use echat_server::ctl::{CtlRequest, read_line, refusal_line, reply_line};
use echat_server::engine::{AdminAnswer, Engine};
use echat_server::storage::{Store, StoreError};
use echat_testkit::decoders::memory::bounded;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Commands that an engine carries out before another takes its place: what is stored stays small.
const COMMANDS: usize = 100;

thread_local! {
    static SERVER: RefCell<(usize, Option<Engine>)> = const { RefCell::new((0, None)) };
}

/// The time of all commands.
const NOW: Now = Now {
    running: Duration::ZERO,
    unix: 1_000_000_000,
};

/// An engine with the users ann and bob, and their room tea with one message: the names in the corpus.
pub fn engine() -> Engine {
    let mut store = Store::in_memory().expect("memory is there");
    fill(&mut store).expect("the database is sound");
    Engine::new(Limits::default(), store, StdRng::seed_from_u64(0))
}

fn fill(store: &mut Store) -> Result<(), StoreError> {
    let mut batch = store.batch();
    let mut user = |name| batch.create_user(&Username::new(name).expect("a name"), "no login", 0);
    let (ann, bob) = (
        user("ann")?.expect("it is new"),
        user("bob")?.expect("it is new"),
    );
    let tea = RoomName::new("tea").expect("a name");
    let tea = batch.create_room(&tea, ann, 0)?.expect("it is new");
    batch.add_member(tea, ann, 0)?;
    batch.add_member(tea, bob, 0)?;
    let hello = Content::new("hello").expect("a text");
    batch.insert_message(tea, bob, &hello, None, 0)?;
    batch.commit().map(drop)
}

/// What an engine answers to a line; `None` if the line is no command.
pub fn answer(server: &mut Engine, line: &[u8]) -> Option<AdminAnswer> {
    let CtlRequest {
        command, arguments, ..
    } = bounded(line.len(), || read_line(line)).ok()?;
    let answer = server.administer(Some(0), &command, arguments, NOW);
    Some(answer.expect("the database is sound"))
}

/// A line is refused, or is a command, which has one answer: a line of JSON.
pub fn check(bytes: &[u8]) {
    SERVER.with_borrow_mut(|(carried_out, server)| {
        let Some(answer) = answer(server.get_or_insert_with(engine), bytes) else {
            return;
        };
        *carried_out += 1;
        if carried_out.is_multiple_of(COMMANDS) {
            *server = None;
        }
        let line = match answer {
            AdminAnswer::Done(report) => reply_line(&report),
            AdminAnswer::Refused(refused) => refusal_line(&refused),
            AdminAnswer::Task(..) => return,
        };
        let (answer, end) = line.split_at(line.len() - 1);
        assert!(
            end == "\n" && !answer.contains(char::is_control),
            "{line:?}"
        );
        let Ok(Value::Dict(entries)) = from_json(answer) else {
            panic!("{line:?}");
        };
        assert!(
            matches!(entries[0], (ref key, Value::Bool(_)) if key == "ok"),
            "{line:?}"
        );
    });
}
