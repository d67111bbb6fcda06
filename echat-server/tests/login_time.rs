//! Whether a name has an account cannot be told from what LOGIN says, nor from how long it takes.
//!
//! The times of both kinds are taken alternately and compared by the Kolmogorov-Smirnov distance. On a busy
//! machine they differ by chance: the test fails only if they differ in each of three runs.
//! `ECHAT_LOGINS=10000` tries so many of each kind in a run.

use std::time::{Duration, Instant};

use echat_proto::channel::Message;
use echat_testkit::campaign;
use echat_testkit::server_process::{ServerFolder, ServerProcess};
use echat_testkit::wire::{Client, line};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Logins of each kind in the ordinary run.
const LOGINS: usize = 10;
/// Runs, each of which has to show a difference before it is believed.
const RUNS: usize = 3;
/// Two samples of one distribution are further apart than this, times sqrt(2 / n), six times in 10,000 runs.
const APART: f64 = 2.0;
/// Rounds over one connection: a guest has a minute, on a slow machine too.
const A_CONNECTION: usize = 20;

fn logins() -> usize {
    campaign::count("ECHAT_LOGINS", LOGINS)
}

#[expect(clippy::disallowed_methods, reason = "this test measures")]
fn timed(client: &mut Client, request: &str) -> (Duration, Message) {
    let before = Instant::now();
    let reply = client.asks(request);
    (before.elapsed(), reply)
}

/// Seconds, sorted.
struct Sample(Vec<f64>);

impl Sample {
    fn new(times: &[Duration]) -> Self {
        let mut seconds: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
        seconds.sort_by(f64::total_cmp);
        Self(seconds)
    }

    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    fn len(&self) -> f64 {
        self.0.len() as f64
    }

    fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.len()
    }

    fn variance(&self) -> f64 {
        let mean = self.mean();
        let squares = self.0.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        squares / (self.len() - 1.0)
    }

    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    fn share_up_to(&self, x: f64) -> f64 {
        self.0.partition_point(|y| *y <= x) as f64 / self.len()
    }

    /// Welch's t: over 2.6 happens by chance once in a hundred times.
    fn welch(&self, other: &Self) -> f64 {
        let error = self.variance() / self.len() + other.variance() / other.len();
        (self.mean() - other.mean()) / error.sqrt()
    }

    /// The largest distance of the two distributions (Kolmogorov and Smirnov).
    fn distance(&self, other: &Self) -> f64 {
        let both = self.0.iter().chain(&other.0);
        let apart = |x: &f64| (self.share_up_to(*x) - other.share_up_to(*x)).abs();
        both.map(apart).fold(0.0, f64::max)
    }
}

/// One run: as many wrong logins with a known name as with an unknown one.
fn run(server: &ServerProcess, rng: &mut StdRng) -> [Sample; 2] {
    let wrong = |name: &str| format!(r#"LOGIN {{"username":"{name}","password":"wrong horse"}}"#);
    let (requests, mut times) = ([wrong("ann"), wrong("eve")], [Vec::new(), Vec::new()]);
    let mut client = Client::connect(server);
    for round in 0..logins() {
        if round % A_CONNECTION == A_CONNECTION - 1 {
            client = Client::connect(server);
        }
        // In no order that the machine could follow.
        let first = rng.random_range(0..2);
        let answers = [first, 1 - first].map(|kind| {
            let (time, answer) = timed(&mut client, &requests[kind]);
            times[kind].push(time);
            answer
        });
        assert!(
            line(&answers[0]).contains("bad_credentials"),
            "{}",
            line(&answers[0])
        );
        assert_eq!(answers[0], answers[1]);
    }
    times.map(|times| Sample::new(&times))
}

#[test]
fn logins_with_a_known_and_an_unknown_name_take_the_same_time() {
    let dir = ServerFolder::new();
    dir.write(
        "config.json",
        r#"{"server":{"limits":{"login_failures":0}}}"#,
    );
    let server = dir.start(&["--log", "off", "--config", "config.json"]);
    drop(Client::register(&server, "ann"));
    let mut rng = StdRng::seed_from_u64(18);
    let told_apart = (0..RUNS).all(|_| {
        let [known, unknown] = run(&server, &mut rng);
        let (distance, limit) = (known.distance(&unknown), APART * (2.0 / known.len()).sqrt());
        println!(
            "{} logins of each kind: medians {:.6} s known, {:.6} s unknown; Welch's t {:.2}; \
             Kolmogorov-Smirnov {distance:.4} (chance goes over {limit:.4} six times in 10,000)",
            known.0.len(),
            known.median(),
            unknown.median(),
            known.welch(&unknown),
        );
        distance > limit
    });
    assert!(!told_apart, "{RUNS} runs of {RUNS} told them apart");
    assert_eq!(server.stop().status.code(), Some(0));
}
