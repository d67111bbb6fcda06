//! Messages through the real engine into rooms: frames of the senders are opened, stored in a database on the disk,
//! and sealed for every member.
//!
//! `cargo bench -p echat-server --bench tick`. The figure is for all messages of a burst, until the engine is at rest.

#[path = "stage/mod.rs"]
mod stage;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use echat_proto::param::TargetType;
use echat_server::storage::Store;
use stage::Stage;

fn main() {
    divan::main();
}

/// Messages at once in a room of 100, from ten members in turn.
#[divan::bench(args = [1, 32, 1_000], sample_size = 1, sample_count = 50)]
fn room_of_100(bencher: Bencher<'_, '_>, burst: usize) {
    room(bencher, 100, burst);
}

/// The same in a room of ten.
#[divan::bench(args = [1, 32, 1_000], sample_size = 1, sample_count = 50)]
fn room_of_10(bencher: Bencher<'_, '_>, burst: usize) {
    room(bencher, 10, burst);
}

/// Members that send.
const SENDERS: usize = 10;

fn room(bencher: Bencher<'_, '_>, members: usize, burst: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut store = Store::open(&folder.path().join("database.db")).expect("a new database");
    let ids = stage::accounts(&mut store, members);
    stage::room(&mut store, "room", &ids);
    let mut stage = Stage::new(store);
    for number in 0..members {
        stage.log_in(&stage::user(number));
    }
    let stage = std::cell::RefCell::new(stage);
    let request = stage::say(TargetType::Room, "room");
    bencher
        .counter(ItemsCount::new(burst * members))
        .with_inputs(|| {
            let mut stage = stage.borrow_mut();
            let frames = (0..burst).map(|number| {
                let sender = number % SENDERS;
                (sender, stage.seal(sender, &request))
            });
            frames.collect::<Vec<_>>()
        })
        .bench_local_refs(|frames| {
            let mut stage = stage.borrow_mut();
            for (sender, frame) in frames {
                stage.receive(*sender, frame);
            }
            black_box(stage.settle())
        });
}
