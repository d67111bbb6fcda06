//! How often a conversation may ring.

use std::collections::HashMap;
use std::time::Duration;

use crate::target::Target;

/// The shortest time between two alerts of one conversation.
pub(super) const PAUSE: Duration = Duration::from_secs(3);

/// The conversations that rang within the last [`PAUSE`]. Memory is bounded by what can ring in it:
/// one entry a conversation.
#[derive(Debug, Default)]
pub(super) struct Alerts(HashMap<Target, Duration>);

impl Alerts {
    /// Whether this conversation may ring now. If so, it counts as having rung. `now` is monotonic.
    pub(super) fn is_due(&mut self, conversation: &Target, now: Duration) -> bool {
        self.0.retain(|_, rang| now.saturating_sub(*rang) < PAUSE);
        if self.0.contains_key(conversation) {
            return false;
        }
        self.0.insert(conversation.clone(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_conversation_rings_at_most_once_in_the_pause() {
        let mut alerts = Alerts::default();
        let room = Target::Room("room1".to_owned());
        let rang: Vec<u64> = (0..20_000)
            .step_by(100)
            .filter(|now| alerts.is_due(&room, at(*now)))
            .collect();
        assert_eq!(rang, [0, 3000, 6000, 9000, 12_000, 15_000, 18_000]);
    }

    #[test]
    fn each_conversation_has_its_own_pause() {
        let mut alerts = Alerts::default();
        let name = "ann".to_owned();
        let (room, friend) = (Target::Room(name.clone()), Target::Friend(name));
        assert!(alerts.is_due(&room, at(0)));
        assert!(alerts.is_due(&friend, at(0)));
        assert!(!alerts.is_due(&room, at(2999)));
        assert!(!alerts.is_due(&friend, at(2999)));
        assert!(alerts.is_due(&room, at(3000)));
    }

    #[test]
    fn past_alerts_are_forgotten_after_the_pause() {
        let mut alerts = Alerts::default();
        for number in 0..1000 {
            let room = Target::Room(number.to_string());
            assert!(alerts.is_due(&room, at(number * 1000)));
            assert!(alerts.0.len() <= 3);
        }
    }
}
