//! Storms of logins, takeovers and farewells leave nothing behind.

use crate::world::{HOME, World, seed};
use echat_proto::json::from_json;
use echat_server::config::Limits;
use echat_server::store::Store;
use proptest::prelude::*;

/// Something that a client does.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Connect,
    Login,
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

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => Just(Deed::Connect),
        4 => Just(Deed::Login),
        2 => Just(Deed::Logout),
        2 => Just(Deed::Send),
        1 => Just(Deed::Goodbye),
        1 => Just(Deed::HangUp),
        1 => Just(Deed::Sever),
        1 => Just(Deed::Hold),
        1 => Just(Deed::Release),
        1 => Just(Deed::Reverse),
        1 => Just(Deed::Stall),
        2 => Just(Deed::Settle),
        1 => (1_u64..70).prop_map(Deed::Wait),
    ]
}

fn world() -> World {
    let mut store = Store::in_memory().expect("memory is there");
    seed::accounts(&mut store, &["ann", "bob"]);
    seed::friends(&mut store, &["ann", "bob"]);
    seed::room(&mut store, "tea", &["ann", "bob"]);
    World::new(1, Limits::default(), store)
}

/// Six connections; the even ones are ann, the odd ones bob.
fn act(world: &mut World, seat: usize, deed: Deed) {
    let name = format!("c{seat}");
    let user = ["ann", "bob"][seat % 2];
    if let Deed::Connect = deed {
        // A name has one connection at a time.
        if world
            .ends
            .get(&name)
            .is_none_or(crate::world::end::End::is_closed)
        {
            world.connect(&name, HOME);
        }
        return;
    }
    let Some(end) = world.ends.get(&name) else {
        return;
    };
    let (conn, stalled) = (end.conn.expect("it was taken in"), end.stalled);
    let mut say = |number, params: &str| world.say(&name, number, from_json(params).expect("JSON"));
    match deed {
        Deed::Connect => {}
        Deed::Login => {
            say(
                3,
                &format!(r#"{{"username":"{user}","password":"{}"}}"#, seed::PASSWORD),
            );
        }
        Deed::Logout => say(11, "null"),
        Deed::Send => say(6, r#"{"target_type":1,"target":"tea","content":"hi"}"#),
        Deed::Goodbye => say(0xFFFF_FF02, "0"),
        Deed::HangUp => world.end(&name).hang_up(),
        Deed::Sever => world.engine.sever(conn),
        Deed::Hold => world.hold = true,
        Deed::Release => world.hold = false,
        Deed::Reverse => world.reverse_results(),
        Deed::Stall => world.end(&name).stalled = !stalled,
        Deed::Settle => world.settle(),
        Deed::Wait(seconds) => world.advance(std::time::Duration::from_secs(seconds)),
    }
}

fn drain(world: &mut World) {
    for end in world.ends.values_mut() {
        // Asserts that no reply is one too many.
        end.take_messages();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]
    #[test]
    fn a_storm_of_logins_leaves_nothing_behind(
        deeds in prop::collection::vec((0_usize..6, deed()), 1..60),
    ) {
        let mut world = world();
        for (seat, deed) in deeds {
            act(&mut world, seat, deed);
        }
        world.hold = false;
        for end in world.ends.values_mut() {
            end.stalled = false;
        }
        world.settle();
        for (name, end) in &mut world.ends {
            end.take_messages();
            prop_assert!(!end.is_open() || end.owed() == 0, "{} waits", name);
        }
        world.clear();
        drain(&mut world);
        prop_assert!(world.engine.is_empty());
        prop_assert!(world.engine.roster().is_empty());
        prop_assert_eq!(world.engine.deadline(), None);
        prop_assert!(!world.engine.has_work());
    }
}
