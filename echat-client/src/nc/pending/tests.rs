use super::*;
use crate::nc::message::resolve;
use crate::nc::script::parse_line;
use echat_proto::value::Value;

fn message(line: &str) -> Message {
    resolve(&parse_line(line).unwrap()).unwrap()
}

fn owing(lines: &[&str]) -> Pending {
    let mut pending = Pending::default();
    for line in lines {
        assert!(!pending.sent(&message(line).encode().unwrap()));
    }
    pending
}

/// Sends one request, then receives; the last line must be its final reply, none before it.
fn refused(request: &str, answers: &[&str]) -> bool {
    let mut pending = owing(&[request]);
    let (last, before) = answers.split_last().unwrap();
    for line in before {
        assert_eq!(pending.answered(&message(line)), None, "{line}");
        assert!(!pending.is_empty());
    }
    let answer = pending.answered(&message(last)).expect("a final reply");
    assert!(pending.is_empty());
    answer.refused
}

#[test]
fn every_kind_of_final_reply_is_known() {
    assert!(!refused("QUERY_SERVER_TIME", &["SEND_SERVER_TIME 1"]));
    assert!(!refused(
        "LOGIN {}",
        &["LOGIN_SUCCESS \"a\"", "ON_FRIEND_ONLINE \"b\"", "105 {}"]
    ));
    assert!(refused("LOGIN {}", &["LOGIN_FAILURE {}"]));
    assert!(refused("REGISTER {}", &["USERNAME_EXIST {}"]));
    assert!(!refused(
        "JOIN_ROOM \"r\"",
        &["ON_NEW_ROOM \"r\"", "8 {\"success\":true}"]
    ));
    assert!(refused("JOIN_ROOM \"r\"", &["8 {\"success\":false}"]));
    assert!(refused(
        "LIST_ROOMS",
        &["REFUSED {\"command\":18}", "REFUSED {\"command\":17}"]
    ));
    assert!(refused(
        "77",
        &["SEND_SERVER_TIME 1", "COMMAND_WRONG {\"command\":77}"]
    ));
    assert!(refused(
        "SEND_SERVER_TIME 1",
        &["COMMAND_WRONG {\"command\":101}"]
    ));
}

#[test]
fn the_message_of_another_user_is_no_receipt() {
    let (event, receipt) = (
        r#"109 {"content":"a"}"#,
        r#"109 {"content":"a","txn_id":null}"#,
    );
    assert!(!refused("SEND_MESSAGE {}", &[event, receipt]));
    assert!(refused(
        "SEND_MESSAGE {}",
        &[event, "SEND_MESSAGE_FAILURE {}"]
    ));
}

#[test]
fn requests_are_answered_in_their_order() {
    let mut pending = owing(&["QUERY_SERVER_TIME", "LIST_ROOMS", "QUERY_SERVER_TIME"]);
    assert_eq!(pending.answered(&message("ROOMS []")), None);
    let first = pending
        .answered(&message("SEND_SERVER_TIME 1"))
        .unwrap()
        .request;
    assert_eq!(first, PendingRequest { id: 1, command: 1 });
    assert_eq!(
        pending.answered(&message("ROOMS []")).unwrap().request.id,
        2
    );
    assert_eq!(pending.newest_for(101), Some(3));
    assert_eq!(pending.newest_for(122), None);
    assert_eq!(pending.describe(), "QUERY_SERVER_TIME");
}

#[test]
fn an_expectation_finds_the_request_it_is_about() {
    let pending = owing(&["LOGIN {}", "SEND_MESSAGE {}", "SEND_MESSAGE {}"]);
    for (number, id) in [
        (103, Some(1)),
        (105, Some(1)),
        (202, Some(1)),
        (109, Some(3)),
    ] {
        assert_eq!(pending.newest_for(number), id, "{number}");
    }
    assert_eq!(pending.newest_for(205), Some(3));
    assert_eq!(pending.newest_for(111), None);
    assert!(pending.owes_login());
}

#[test]
fn channel_commands_and_bad_frames_await_only_a_pong() {
    let mut pending = owing(&["PONG"]);
    assert!(pending.is_empty() && !pending.pong());
    pending.sent(&message("PING").encode().unwrap());
    assert_eq!(pending.describe(), "PING");
    assert!(!pending.is_empty() && pending.pong() && pending.is_empty());
    for malformed in [
        &b"\0\0\0\x01"[..],
        b"\0",
        b"\0\0\0\x01\x09",
        b"\xff\xff\xff\x01\0",
    ] {
        assert!(!pending.sent(malformed));
        assert!(pending.is_empty());
    }
    assert!(pending.sent(&message("CLOSE_NOTIFY 0").encode().unwrap()));
}

#[test]
fn each_item_of_a_batch_awaits_an_answer() {
    let item = message("QUERY_SERVER_TIME").encode().unwrap();
    let length = u32::try_from(item.len()).unwrap().to_be_bytes();
    let items = [&length[..], &item, &length, &item].concat();
    let batch = Message {
        command: commands::channel::BATCH,
        params: Value::Bytes(items),
    };
    let mut pending = Pending::default();
    pending.sent(&batch.encode().unwrap());
    assert_eq!(pending.describe(), "QUERY_SERVER_TIME, QUERY_SERVER_TIME");
}
