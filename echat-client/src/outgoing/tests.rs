use super::*;
use proptest::prelude::*;

fn entry(user: &str, number: usize) -> Entry {
    Entry {
        user: user.to_owned(),
        txn_id: TxnId::new(format!("{user}-{number}")).unwrap(),
        target: Target::Room("room1".to_owned()),
        content: Content::new(format!("line {number}\n\"quoted\" 你好")).unwrap(),
        typed_at: 7,
    }
}

#[test]
fn the_file_gives_back_what_was_written() {
    let mut outgoing = Outgoing::default();
    for number in 0..3 {
        outgoing.push(entry("ann", number));
    }
    outgoing.push(entry("bob", 9));
    let lines = outgoing.to_lines("ann");
    assert_eq!(lines.lines().count(), 3);
    let mut again = Outgoing::default();
    again.push(entry("ann", 3));
    assert_eq!(
        again.load("ann", &format!("{lines}{{}}\nnonsense\n\n{lines}")),
        (3, 2)
    );
    assert_eq!(again.waiting("ann"), 4);
    for number in 0..4 {
        assert_eq!(again.next("ann"), Some(&entry("ann", number)));
        assert_eq!(again.done(), Some(entry("ann", number)));
    }
    assert_eq!(again.to_lines("ann"), "");
}

#[test]
fn nobody_sends_the_lines_of_another() {
    let mut outgoing = Outgoing::default();
    outgoing.push(entry("ann", 0));
    assert_eq!(outgoing.next("bob"), None);
    assert_eq!(outgoing.to_lines("bob"), "");
    assert_eq!(outgoing.next("ann"), Some(&entry("ann", 0)));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Type,
    Send,
    Acknowledge,
    Cut,
    CutBeforeAcknowledgement,
    Restart,
}

proptest! {
    #[test]
    fn every_line_arrives_once_and_in_order(steps in prop::collection::vec(
        prop::sample::select(vec![
            Step::Type, Step::Send, Step::Acknowledge, Step::Cut,
            Step::CutBeforeAcknowledgement, Step::Restart,
        ]), 0..60,
    )) {
        let mut outgoing = Outgoing::default();
        // What the server stored, by txn_id; and what is on the way to it.
        let (mut stored, mut on_the_way) = (Vec::<Entry>::new(), None::<Entry>);
        let mut typed = 0;
        let store = |stored: &mut Vec<Entry>, entry: Entry| {
            if !stored.iter().any(|other| other.txn_id == entry.txn_id) {
                stored.push(entry);
            }
        };
        for step in steps.into_iter().chain([Step::Cut]).chain([Step::Send, Step::Acknowledge].repeat(61)) {
            match step {
                Step::Type => {
                    outgoing.push(entry("ann", typed));
                    typed += 1;
                }
                Step::Send => on_the_way = outgoing.next("ann").cloned().or(on_the_way),
                Step::Acknowledge => if let Some(entry) = on_the_way.take() {
                    store(&mut stored, entry.clone());
                    prop_assert_eq!(outgoing.done(), Some(entry));
                },
                Step::Cut => {
                    on_the_way = None;
                    outgoing.again();
                }
                Step::CutBeforeAcknowledgement => {
                    if let Some(entry) = on_the_way.take() {
                        store(&mut stored, entry);
                    }
                    outgoing.again();
                }
                Step::Restart => {
                    on_the_way = None;
                    let lines = outgoing.to_lines("ann");
                    outgoing = Outgoing::default();
                    outgoing.load("ann", &lines);
                }
            }
        }
        let expected: Vec<Entry> = (0..typed).map(|number| entry("ann", number)).collect();
        prop_assert_eq!(stored, expected);
        prop_assert_eq!(outgoing.waiting("ann"), 0);
    }
}
