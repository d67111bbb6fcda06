//! Many logins, takeovers and disconnects leave no state behind.

use crate::sim::{HOME, Sim, seed};
use echat_proto::json::from_json;
use echat_server::config::Limits;
use echat_server::storage::Store;
use proptest::prelude::*;

/// An action of a client.
#[derive(Clone, Copy, Debug)]
enum Action {
    Connect,
    Login,
    Resume,
    Logout,
    Send,
    Goodbye,
    HangUp,
    Sever,
    Hold,
    Release,
    Reverse,
    Stall,
    Settle,
    Wait(u64),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => Just(Action::Connect),
        4 => Just(Action::Login),
        3 => Just(Action::Resume),
        2 => Just(Action::Logout),
        2 => Just(Action::Send),
        1 => Just(Action::Goodbye),
        1 => Just(Action::HangUp),
        1 => Just(Action::Sever),
        1 => Just(Action::Hold),
        1 => Just(Action::Release),
        1 => Just(Action::Reverse),
        1 => Just(Action::Stall),
        2 => Just(Action::Settle),
        1 => (1_u64..70).prop_map(Action::Wait),
    ]
}

fn sim() -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::friends(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    Sim::new(1, Limits::default(), store)
}

/// Six connections: the even ones are ann's, the odd ones bob's.
fn act(sim: &mut Sim, client: usize, action: Action) {
    let name = format!("c{client}");
    let user = ["ann", "bob"][client % 2];
    if let Action::Connect = action {
        // A name has one connection at a time.
        if sim
            .ends
            .get(&name)
            .is_none_or(crate::sim::client_end::ClientEnd::is_closed)
        {
            sim.connect(&name, HOME);
        }
        return;
    }
    let Some(end) = sim.ends.get(&name) else {
        return;
    };
    let (conn, stalled) = (end.conn.expect("it was taken in"), end.stalled);
    // There are two users with their secrets, most of which are old.
    let known = sim.ends.values().find_map(|end| end.secret_of(user));
    let mut say = |number, params: &str| sim.say(&name, number, from_json(params).expect("JSON"));
    match action {
        Action::Connect => {}
        Action::Login => {
            say(
                3,
                &format!(r#"{{"username":"{user}","password":"{}"}}"#, seed::PASSWORD),
            );
        }
        Action::Resume => {
            let secret = known.unwrap_or_default();
            say(
                3,
                &format!(r#"{{"username":"{user}","resume":"{secret}"}}"#),
            );
        }
        Action::Logout => say(11, "null"),
        Action::Send => say(6, r#"{"target_type":1,"target":"tea","content":"hi"}"#),
        Action::Goodbye => say(0xFFFF_FF02, "0"),
        Action::HangUp => sim.end(&name).hang_up(),
        Action::Sever => sim.engine.sever(conn),
        Action::Hold => sim.hold = true,
        Action::Release => sim.hold = false,
        Action::Reverse => sim.reverse_results(),
        Action::Stall => sim.end(&name).stalled = !stalled,
        Action::Settle => sim.settle(),
        Action::Wait(seconds) => sim.advance(std::time::Duration::from_secs(seconds)),
    }
}

fn drain(sim: &mut Sim) {
    for end in sim.ends.values_mut() {
        // Asserts that no reply is superfluous.
        end.take_messages();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]
    #[test]
    fn many_logins_and_disconnects_leave_no_state(
        actions in prop::collection::vec((0_usize..6, action()), 1..60),
    ) {
        let mut sim = sim();
        for (client, action) in actions {
            act(&mut sim, client, action);
        }
        sim.hold = false;
        for end in sim.ends.values_mut() {
            end.stalled = false;
        }
        sim.settle();
        for (name, end) in &mut sim.ends {
            end.take_messages();
            prop_assert!(!end.is_open() || end.unanswered() == 0, "{} waits", name);
        }
        sim.clear();
        drain(&mut sim);
        prop_assert!(sim.engine.is_empty());
        prop_assert!(sim.engine.roster().is_empty());
        prop_assert_eq!(sim.engine.deadline(), None);
        prop_assert!(!sim.engine.has_work());
    }
}
