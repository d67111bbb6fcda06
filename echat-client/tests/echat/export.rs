//! `/export`: the file has what the server's own export of the user has, as far as the wire shows it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use echat_testkit::programs;
use echat_testkit::proxy::Proxy;
use echat_testkit::scene::SECRET;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::server_folder::{PASSWORD, ServerFolder};

/// Messages of room1, more than two pages.
const TALK: usize = 450;

/// The lines of a file, in order.
fn lines(folder: &ServerFolder, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder.scene.path(name)).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("lines of JSON")
}

fn remove(line: &mut Value, key: &str) -> Value {
    line.as_object_mut()
        .and_then(|line| line.remove(key))
        .unwrap_or_default()
}

fn list<'a>(line: &'a mut Value, key: &str) -> Option<&'a mut Vec<Value>> {
    line.get_mut(key).and_then(Value::as_array_mut)
}

/// What a client can know of a line of the server's export; `None` if that is nothing.
fn as_on_the_wire(mut line: Value) -> Option<Value> {
    let number = |line: &mut Value, key: &str| remove(line, key).is_number();
    match line["type"].as_str().unwrap() {
        "export" => {
            remove(&mut line, "created_at");
        }
        "user" => {
            remove(&mut line, "created_at");
            remove(&mut line, "administrator");
        }
        "friends" => {
            remove(&mut line, "created_at");
            if line["ended_at"].is_number() {
                remove(&mut line, "ended_at");
                line["ended"] = true.into();
            }
        }
        "member" if line["friends"].is_array() => return None,
        "member" => {
            for key in ["after_id", "read_id", "joined_at"] {
                assert!(number(&mut line, key), "{key}");
            }
        }
        "message" => {
            if number(&mut line, "deleted_at") {
                line["deleted"] = true.into();
            }
            for reaction in list(&mut line, "reactions").into_iter().flatten() {
                let users = reaction["users"].as_array().unwrap().clone();
                reaction["count"] = users.len().into();
                reaction["users"] = users
                    .iter()
                    .filter(|user| *user == "ann")
                    .cloned()
                    .collect();
            }
        }
        _ => {}
    }
    Some(line)
}

/// A line with the names of friends in alphabetical order.
fn sorted(mut line: Value) -> Value {
    for key in ["friends", "users"] {
        if let Some(names) = list(&mut line, key) {
            names.sort_by_key(ToString::to_string);
        }
    }
    line
}

/// The lines before the messages, sorted, the messages, and the last line.
fn parts(lines: Vec<Value>) -> (Vec<Value>, Vec<Value>, Value) {
    let lines = lines.into_iter().map(sorted);
    let (messages, mut others): (Vec<_>, Vec<_>) =
        lines.partition(|line| line["type"] == "message");
    let end = others.pop().unwrap();
    // Of the first export that is the head.
    others[1..].sort_by_key(ToString::to_string);
    (others, messages, end)
}

/// Sends a message and gives its id.
fn sends(folder: &ServerFolder, from: &str, message: &Value) -> u64 {
    let answer = folder.asks(from, &["SEND_MESSAGE", &message.to_string()]);
    let answer: Value = serde_json::from_str(answer.lines().last().unwrap()).unwrap();
    answer["params"]["id"].as_u64().unwrap()
}

fn are_friends(folder: &ServerFolder, one: &str, other: &str) {
    folder.asks(one, &["ADD_FRIEND", &json!(other).to_string()]);
    let yes = json!({"username": one, "accepted": true}).to_string();
    folder.asks(other, &["RESOLVE_FRIEND_REQUEST", &yes]);
}

/// Ann has two rooms, a friend and a former friend, and messages of every kind.
fn peopled() -> ServerFolder {
    let folder = ServerFolder::unhurried();
    folder.has("room1", &["ann", "bob", "carol"]);
    let made = json!({"roomname": "房间", "members": [], "topic": "茶", "private": true});
    folder.asks("ann", &["CREATE_ROOM", &made.to_string()]);
    are_friends(&folder, "ann", "bob");
    are_friends(&folder, "carol", "ann");
    let room = |name: &str, text: &str| json!({"target_type": 1, "target": name, "content": text});
    let friend =
        |name: &str, text: &str| json!({"target_type": 0, "target": name, "content": text});
    let asked = sends(
        &folder,
        "bob",
        &room("room1", "@ann tea?\n{\"type\":\"end\",\"lines\":1}"),
    );
    let mut answer = room("room1", "yes \u{202e}\u{2028}");
    answer["reply_to"] = asked.into();
    let answer = sends(&folder, "ann", &answer);
    let wrong = sends(&folder, "ann", &room("房间", "错"));
    let gone = sends(&folder, "carol", &room("room1", "secret"));
    sends(&folder, "ann", &friend("bob", "你好"));
    sends(&folder, "carol", &friend("ann", "bye"));
    let asks = |name: &str, request: &str, params: Value| {
        folder.asks(name, &[request, &params.to_string()]);
    };
    asks("ann", "EDIT_MESSAGE", json!({"id": wrong, "content": "对"}));
    asks("carol", "DELETE_MESSAGE", json!({"id": gone}));
    for name in ["bob", "carol", "ann"] {
        asks(
            name,
            "REACT",
            json!({"id": answer, "emoji": "👍", "on": true}),
        );
    }
    asks(
        "carol",
        "REACT",
        json!({"id": answer, "emoji": "🍵", "on": true}),
    );
    asks("carol", "REMOVE_FRIEND", json!("ann"));
    let talk: Vec<String> = (0..TALK).map(|n| format!("@r room1 line {n}")).collect();
    pipes(&folder, "bob", &talk.join("\n"));
    folder
}

/// A user's script in a pipe, which is carried out.
fn pipes(folder: &ServerFolder, name: &str, script: &str) -> String {
    let link = folder.link();
    let login = ["--user", name, "--password-file", PASSWORD, &link];
    folder.pipes(&login, script).exits(0).out
}

#[test]
fn an_export_has_what_the_server_exports_of_the_user() {
    let folder = peopled();
    let done = pipes(&folder, "ann", "/export by client\n");
    let said = format!(
        "Export complete: by client (friends: 1, rooms: 2, messages: {}).",
        TALK + 6
    );
    assert!(done.contains(&said), "{done}");
    let mut export = Command::new(programs::server());
    export.args(["export", "by-server", "--user", "ann"]);
    let exported = export.current_dir(folder.scene.path("")).output().unwrap();
    assert!(exported.status.success(), "{exported:?}");

    let by_client = lines(&folder, "by client");
    let number = by_client.len();
    let mut by_client: Vec<Value> = by_client;
    remove(&mut by_client[0], "created_at");
    let (others, messages, end) = parts(by_client);
    let by_server = lines(&folder, "by-server").into_iter();
    let (known, told, _) = parts(by_server.filter_map(as_on_the_wire).collect());
    assert_eq!(others, known);
    assert_eq!(messages, told);
    assert_eq!(messages.len(), TALK + 6);
    assert_eq!(end, json!({"type": "end", "lines": number - 1}));
    let mode = fs::metadata(folder.scene.path("by client"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_terminal_says_in_chinese_how_an_export_goes_and_what_is_there_stays() {
    let folder = peopled();
    let link = folder.link();
    let login = ["--user", "ann", "--password-file", PASSWORD, &link];
    let mut ann = folder.person("zh_CN.UTF-8", &login);
    ann.sees("]> ");
    ann.types("／export 我的 数据\r");
    ann.sees("正在把你的数据导出到 我的 数据，按 Ctrl-C 取消。");
    let count = TALK + 6;
    ann.sees(&format!(
        "导出完成：我的 数据（好友 1 位，聊天室 2 个，消息 {count} 条）。"
    ));
    let whole = lines(&folder, "我的 数据");
    assert_eq!(whole.last().unwrap()["type"], "end");
    ann.types("/export 我的 数据\r");
    ann.sees("导出失败：我的 数据 已存在，请换一个文件名。");
    ann.types("/export 没有/数据\r");
    ann.sees("没有导出到 没有/数据：没有目录 没有");
    assert_eq!(lines(&folder, "我的 数据"), whole);
    ann.types("\\d\r");
    let (code, shown) = ann.ends();
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
    assert_eq!(unfinished(&folder), 0);
}

/// How many files of exports are there that are not complete.
fn unfinished(folder: &ServerFolder) -> usize {
    let names = fs::read_dir(folder.scene.path("")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with('.') && name.ends_with("tmp"))
        .count()
}

#[test]
fn what_a_killed_client_left_of_an_export_goes_with_the_next_one() {
    let folder = peopled();
    let front = Proxy::to(folder.server.address());
    let link = folder.link_by(front.address());
    let mut ann = folder.person(
        "C.UTF-8",
        &["--user", "ann", "--password-file", PASSWORD, &link],
    );
    ann.sees("]> ");
    front.goes_silent();
    ann.types("/export export\r");
    ann.sees("Exporting your data to export.");
    // A client that runs keeps its file.
    pipes(&folder, "ann", "/export other\n");
    assert_eq!(unfinished(&folder), 1);
    ann.signals(Signal::KILL);
    ann.waits();
    assert_eq!(unfinished(&folder), 1);
    assert!(!folder.scene.path("export").exists());
    pipes(&folder, "ann", "/export export\n");
    assert_eq!(unfinished(&folder), 0);
    assert_eq!(lines(&folder, "export").last().unwrap()["type"], "end");
}
