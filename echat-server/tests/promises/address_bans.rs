//! The number of address bans is limited.

use crate::sim::script::log_in;
use crate::sim::{Sim, seed};
use echat_proto::Value;
use echat_server::config::Limits;
use echat_server::storage::Store;

/// Bans that hold at most.
const MOST: usize = 1_000;

fn ban(sim: &mut Sim, address: &str, until: i64) -> Option<String> {
    let params = format!(
        r#"{{"command":"ban-address","params":{{"address":"{address}","until":{until}}}}}"#
    );
    let replies = sim.ask("zoe", "ADMIN", &params);
    let code = replies.last().expect("a reply").params.at("code");
    match code {
        Some(Value::Str(code)) => Some(code.clone()),
        _ => None,
    }
}

#[test]
fn a_ban_can_be_changed_when_no_other_one_can_be_added() {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["zoe"]);
    seed::administrators(&mut store, &["zoe"]);
    let mut sim = Sim::new(1, Limits::default(), store);
    log_in(&mut sim, &["zoe"]);
    let until = sim.now.unix + 1_000;
    for number in 0..MOST {
        let address = format!("192.0.{}.{}", number / 256, number % 256);
        assert_eq!(ban(&mut sim, &address, until), None, "{address}");
    }
    let full = Some("too_many".to_owned());
    assert_eq!(ban(&mut sim, "198.51.100.1", until), full);
    assert_eq!(ban(&mut sim, "192.0.1.1", until + 1), None);
    assert_eq!(ban(&mut sim, "198.51.100.1", until), full);
}
