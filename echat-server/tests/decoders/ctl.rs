//! A line of the administration's socket.

use std::cell::RefCell;
use std::time::Duration;

use echat_proto::Value;
use echat_proto::json::from_json;
use echat_server::clock::Now;
use echat_server::config::Limits;
use echat_server::ctl::{read_line, refusal_line, reply_line};
use echat_server::engine::{AdminAnswer, Engine};
use echat_server::storage::Store;
use echat_testkit::decoders::memory::bounded;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Commands that an engine carries out before another takes its place: what is stored stays small.
const COMMANDS: usize = 1_000;

thread_local! {
    static SERVER: RefCell<(usize, Option<Engine>)> = const { RefCell::new((0, None)) };
}

fn engine() -> Engine {
    let store = Store::in_memory().expect("memory is there");
    Engine::new(Limits::default(), store, StdRng::seed_from_u64(0))
}

/// A line is refused, or is a command, which has one answer: a line of JSON.
pub fn check(bytes: &[u8]) {
    let Ok((command, given)) = bounded(bytes.len(), || read_line(bytes)) else {
        return;
    };
    let now = Now {
        running: Duration::ZERO,
        unix: 1_000_000_000,
    };
    SERVER.with_borrow_mut(|(carried_out, server)| {
        *carried_out += 1;
        if carried_out.is_multiple_of(COMMANDS) {
            *server = None;
        }
        let server = server.get_or_insert_with(engine);
        let answer = server.administer(Some(0), &command, given, now);
        let line = match answer.expect("the database is sound") {
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
