use super::*;
use proptest::prelude::*;

fn entry(user: &str, number: usize) -> UnsentLine {
    UnsentLine {
        user: user.to_owned(),
        txn_id: TxnId::new(format!("{user}-{number}")).unwrap(),
        target: Target::Room("room1".to_owned()),
        content: Content::new(format!("line {number}\n\"quoted\" 你好")).unwrap(),
        reply_to: None,
        typed_at: 7,
        room_created: None,
        is_current: false,
        was_sent: false,
    }
}

/// The same after its answer did not come.
fn unanswered(user: &str, number: usize) -> UnsentLine {
    UnsentLine {
        was_sent: true,
        ..entry(user, number)
    }
}

/// Whatever can be a message on any server.
fn any(_: &Target, text: &str) -> Option<Content> {
    Content::new(text).ok()
}

/// Lines 0 to `count` of ann's.
fn queue(count: usize) -> Outgoing {
    let mut outgoing = Outgoing::default();
    for number in 0..count {
        outgoing.push(entry("ann", number));
    }
    outgoing
}

#[test]
fn written_lines_are_read_back() {
    let mut outgoing = Outgoing::default();
    for number in 0..3 {
        outgoing.push(entry("ann", number));
    }
    outgoing.push(entry("bob", 9));
    let lines = outgoing.to_lines("ann");
    assert_eq!(lines.lines().count(), 3);
    let mut again = Outgoing::default();
    again.push(entry("ann", 3));
    let loaded = again.load(
        "ann",
        format!("{lines}{{}}\nnonsense\n\n{lines}").as_bytes(),
        any,
    );
    assert_eq!(loaded.found, 3);
    let aside: Vec<&[u8]> = loaded
        .aside
        .iter()
        .map(|aside| aside.line.as_slice())
        .collect();
    assert_eq!(aside, [&b"{}\n"[..], b"nonsense\n"]);
    assert_eq!(again.waiting("ann"), 4);
    for number in 0..4 {
        let expected = match number {
            0 => unanswered("ann", 0),
            _ => entry("ann", number),
        };
        assert_eq!(again.next("ann"), Some(&expected));
        assert_eq!(again.done(), Some(expected));
    }
    assert_eq!(again.to_lines("ann"), "");
}

#[test]
fn an_invalid_byte_loses_only_its_line() {
    let file = queue(3).to_lines("ann");
    let mut bytes = file.into_bytes();
    let second = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let at = second
        + bytes[second..]
            .iter()
            .position(|byte| *byte == b'7')
            .unwrap();
    bytes[at] = 0xff;
    let mut again = Outgoing::default();
    let loaded = again.load("ann", &bytes, any);
    assert_eq!(loaded.found, 2);
    assert_eq!(loaded.aside.len(), 1);
    let bad = bytes.split_inclusive(|byte| *byte == b'\n').nth(1).unwrap();
    assert_eq!(loaded.aside[0].line, bad);
    let escaped = loaded.aside[0].escaped();
    assert!(
        escaped.contains("你好") && escaped.ends_with(r":\xff}"),
        "{escaped}"
    );
    let left: Vec<&UnsentLine> = again.listed("ann").map(|(_, entry, _)| entry).collect();
    assert_eq!(left, [&unanswered("ann", 0), &entry("ann", 2)]);
}

#[test]
fn a_user_never_sends_the_lines_of_another() {
    let mut outgoing = Outgoing::default();
    outgoing.push(entry("ann", 0));
    assert_eq!(outgoing.next("bob"), None);
    assert_eq!(outgoing.to_lines("bob"), "");
    assert_eq!(outgoing.next("ann"), Some(&entry("ann", 0)));
}

#[test]
fn a_line_of_a_file_that_cannot_be_sent_is_set_aside_whole() {
    let file = queue(3).to_lines("ann");
    let second = file.lines().nth(1).unwrap();
    let mut again = Outgoing::default();
    let loaded = again.load("ann", file.as_bytes(), |target, text| {
        any(target, text).filter(|_| !text.starts_with("line 1"))
    });
    assert_eq!(loaded.found, 2);
    let text = (entry("ann", 1).target, entry("ann", 1).content.to_string());
    let aside = AsideLine {
        line: format!("{second}\n").into_bytes(),
        text: Some(text),
        was_sent: false,
    };
    assert_eq!(loaded.aside, [aside]);
    assert!(!again.to_lines("ann").contains("line 1"));
}

#[test]
fn a_line_that_loses_three_connections_is_set_aside() {
    let mut outgoing = queue(2);
    for _ in 0..2 {
        outgoing.next("ann");
        assert_eq!(outgoing.cut(true), None);
    }
    // A connection that is lost with nothing in flight is no line's fault.
    assert_eq!(outgoing.cut(true), None);
    outgoing.next("ann");
    assert_eq!(outgoing.cut(true), Some(unanswered("ann", 0)));
    assert_eq!(outgoing.next("ann"), Some(&entry("ann", 1)));
    assert_eq!(outgoing.cut(true), None);
}

#[test]
fn a_loss_that_no_line_causes_is_not_counted() {
    let mut outgoing = queue(1);
    for _ in 0..9 {
        outgoing.next("ann");
        assert_eq!(outgoing.cut(false), None);
    }
    for lost in [None, None, Some(unanswered("ann", 0))] {
        outgoing.next("ann");
        assert_eq!(outgoing.cut(true), lost);
    }
}

#[test]
fn an_answer_between_losses_resets_the_count() {
    let mut outgoing = queue(1);
    for _ in 0..5 {
        outgoing.next("ann");
        assert_eq!(outgoing.cut(true), None);
        outgoing.next("ann");
        assert_eq!(outgoing.again(), Some(&unanswered("ann", 0)));
    }
}

#[test]
fn lines_that_are_listed_are_numbered_from_1() {
    let mut outgoing = queue(2);
    outgoing.push(entry("bob", 0));
    outgoing.next("ann");
    outgoing.done();
    outgoing.push(entry("ann", 2));
    let numbers = |outgoing: &Outgoing, user: &str| -> Vec<u64> {
        outgoing.listed(user).map(|listed| listed.0).collect()
    };
    assert_eq!(numbers(&outgoing, "ann"), [2, 4]);
    outgoing.renumber("ann");
    assert_eq!(numbers(&outgoing, "ann"), [1, 2]);
    assert_eq!(numbers(&outgoing, "bob"), [3]);
    // The first one is sent, and another one typed: those that were listed keep their numbers.
    outgoing.next("ann");
    outgoing.done();
    outgoing.push(entry("ann", 3));
    assert_eq!(numbers(&outgoing, "ann"), [2, 4]);
    assert_eq!(
        outgoing.withdraw("ann", Some(1)),
        Err(WithdrawError::Unknown)
    );
    assert_eq!(outgoing.withdraw("ann", Some(2)), Ok(vec![entry("ann", 2)]));
}

#[test]
fn a_number_is_never_used_for_another_line() {
    let mut outgoing = queue(3);
    outgoing.push(entry("bob", 0));
    outgoing.next("ann");
    assert_eq!(
        outgoing.withdraw("ann", Some(1)),
        Err(WithdrawError::InFlight)
    );
    for unknown in [0, 4, 9] {
        let withdrawn = outgoing.withdraw("ann", Some(unknown));
        assert_eq!(withdrawn, Err(WithdrawError::Unknown), "{unknown}");
    }
    outgoing.done();
    assert_eq!(
        outgoing.withdraw("ann", Some(1)),
        Err(WithdrawError::Unknown)
    );
    assert_eq!(outgoing.withdraw("ann", Some(2)), Ok(vec![entry("ann", 1)]));
    outgoing.push(entry("ann", 5));
    let numbers: Vec<u64> = outgoing.listed("ann").map(|listed| listed.0).collect();
    assert_eq!(numbers, [3, 5]);
    outgoing.next("ann");
    assert_eq!(outgoing.withdraw("ann", None), Ok(vec![entry("ann", 5)]));
    assert_eq!(outgoing.withdraw("ann", None), Err(WithdrawError::Unknown));
    assert_eq!(outgoing.waiting("bob"), 1);
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
        let (mut stored, mut on_the_way) = (Vec::<UnsentLine>::new(), None::<UnsentLine>);
        let mut typed = 0;
        let store = |stored: &mut Vec<UnsentLine>, entry: UnsentLine| {
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
                    outgoing.cut(true);
                    // How often is another test's.
                    outgoing.lost = None;
                }
                Step::CutBeforeAcknowledgement => {
                    if let Some(entry) = on_the_way.take() {
                        store(&mut stored, entry);
                    }
                    outgoing.cut(true);
                    outgoing.lost = None;
                }
                Step::Restart => {
                    on_the_way = None;
                    let lines = outgoing.to_lines("ann");
                    outgoing = Outgoing::default();
                    outgoing.load("ann", lines.as_bytes(), any);
                }
            }
        }
        for entry in &mut stored {
            entry.was_sent = false;
        }
        let expected: Vec<UnsentLine> = (0..typed).map(|number| entry("ann", number)).collect();
        prop_assert_eq!(stored, expected);
        prop_assert_eq!(outgoing.waiting("ann"), 0);
    }
}
