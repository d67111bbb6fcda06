//! Authorisation: every command by each kind of caller, each cell declared.

use crate::sim::script::log_in;
use crate::sim::{HOME, Sim, seed};
use echat_proto::Value;
use echat_proto::commands::RequestKind::{self, *};
use echat_proto::json::from_json;
use echat_server::config::Limits;
use echat_server::storage::Store;

/// How a request ends for each kind of caller: `ok` or a refusal's code.
struct Row {
    kind: RequestKind,
    params: &'static str,
    /// A connection without a login: fresh, after LOGOUT, or replaced.
    no_login: &'static str,
    /// A user who has nothing to do with bob and the room tea.
    stranger: &'static str,
    /// Bob's friend, who was a member of the room and has left it.
    left: &'static str,
    /// Bob's friend, a member of the room.
    member: &'static str,
    /// Bob's friend, who owns the room.
    owner: &'static str,
}

const fn row(kind: RequestKind, params: &'static str, ends: [&'static str; 5]) -> Row {
    let [no_login, stranger, left, member, owner] = ends;
    Row {
        kind,
        params,
        no_login,
        stranger,
        left,
        member,
        owner,
    }
}

const NO: &str = "not_logged_in";
const IN: &str = "already_logged_in";
const OUT: &str = "not_a_member";
const OK: &str = "ok";

const TABLE: &[Row] = &[
    row(QueryServerTime, "null", [OK, OK, OK, OK, OK]),
    row(
        Register,
        r#"{"username":"new","password":"correct horse"}"#,
        [OK, IN, IN, IN, IN],
    ),
    row(
        Login,
        r#"{"username":"joe","password":"correct horse"}"#,
        [OK, IN, IN, IN, IN],
    ),
    row(AddFriend, r#""joe""#, [NO, OK, OK, OK, OK]),
    row(
        ResolveFriendRequest,
        r#"{"username":"joe","accepted":true}"#,
        [NO, "no_request", "no_request", "no_request", "no_request"],
    ),
    row(
        SendMessage,
        r#"{"target_type":0,"target":"bob","content":"hi"}"#,
        [NO, "not_a_friend", OK, OK, OK],
    ),
    row(
        SendMessage,
        r#"{"target_type":1,"target":"tea","content":"hi"}"#,
        [NO, OUT, OUT, OK, OK],
    ),
    row(
        JoinRoom,
        r#""tea""#,
        [NO, OK, OK, "already_member", "already_member"],
    ),
    row(
        CreateRoom,
        r#"{"roomname":"den","members":["bob"]}"#,
        [NO, "not_friends", OK, OK, OK],
    ),
    row(Logout, "null", [NO, OK, OK, OK, OK]),
    row(QueryHistory, "{}", [NO, OK, OK, OK, OK]),
    row(
        QueryHistory,
        r#"{"target_type":0,"target":"bob"}"#,
        [NO, "not_a_friend", OK, OK, OK],
    ),
    row(
        QueryHistory,
        r#"{"target_type":1,"target":"tea"}"#,
        [NO, OUT, OUT, OK, OK],
    ),
    row(
        MarkRead,
        r#"{"target_type":0,"target":"bob","id":1}"#,
        [NO, "not_a_friend", OK, OK, OK],
    ),
    row(
        MarkRead,
        r#"{"target_type":1,"target":"tea","id":1}"#,
        [NO, OUT, OUT, OK, OK],
    ),
    row(LeaveRoom, r#""tea""#, [NO, OUT, OUT, OK, OK]),
    row(
        AddMembers,
        r#"{"roomname":"tea","members":["kim"]}"#,
        [NO, OUT, OUT, "not_owner", OK],
    ),
    row(Find, r#"{"keyword":"tea"}"#, [NO, OK, OK, OK, OK]),
    row(ListRooms, "null", [NO, OK, OK, OK, OK]),
    row(ListMembers, r#""tea""#, [NO, OUT, OUT, OK, OK]),
    row(RemoveFriend, r#""bob""#, [NO, "not_a_friend", OK, OK, OK]),
    row(Block, r#""bob""#, [NO, OK, OK, OK, OK]),
    row(Unblock, r#""bob""#, [NO, OK, OK, OK, OK]),
    row(ListBlocked, "null", [NO, OK, OK, OK, OK]),
    row(
        Invite,
        r#"{"roomname":"tea","username":"joe"}"#,
        [NO, OUT, OUT, OK, OK],
    ),
    row(
        DeclineInvitation,
        r#""tea""#,
        [NO, "no_request", "no_request", "no_request", "no_request"],
    ),
    row(
        Kick,
        r#"{"roomname":"tea","username":"bob"}"#,
        [NO, OUT, OUT, "not_operator", OK],
    ),
    row(
        Ban,
        r#"{"roomname":"tea","username":"bob"}"#,
        [NO, OUT, OUT, "not_operator", OK],
    ),
    row(
        Unban,
        r#"{"roomname":"tea","username":"bob"}"#,
        [NO, OUT, OUT, "not_operator", OK],
    ),
    row(ListBans, r#""tea""#, [NO, OUT, OUT, "not_operator", OK]),
    row(
        ChangePassword,
        r#"{"old":"correct horse","new":"better horse"}"#,
        [NO, OK, OK, OK, OK],
    ),
    row(
        DeleteAccount,
        r#"{"password":"correct horse","erase":true}"#,
        [NO, OK, OK, OK, OK],
    ),
    row(SetAway, r#""gone for tea""#, [NO, OK, OK, OK, OK]),
    row(ListFriends, "null", [NO, OK, OK, OK, OK]),
    row(Whois, r#""bob""#, [NO, OK, OK, OK, OK]),
    row(ListSessions, "null", [NO, OK, OK, OK, OK]),
    row(SetPrivacy, r#"{"last_seen":false}"#, [NO, OK, OK, OK, OK]),
    row(
        CreateInvitation,
        "{}",
        [
            NO,
            "not_allowed",
            "not_allowed",
            "not_allowed",
            "not_allowed",
        ],
    ),
    row(
        CreateBot,
        r#"{"username":"helper","rooms":["tea"]}"#,
        [NO, "not_operator", "not_operator", "not_operator", OK],
    ),
    row(ListBots, "null", [NO, OK, OK, OK, OK]),
    row(
        RemoveBot,
        r#""joe""#,
        [
            NO,
            "unknown_user",
            "unknown_user",
            "unknown_user",
            "unknown_user",
        ],
    ),
    row(
        NewBotToken,
        r#"{"username":"joe"}"#,
        [
            NO,
            "unknown_user",
            "unknown_user",
            "unknown_user",
            "unknown_user",
        ],
    ),
    row(RoomInfo, r#""tea""#, [NO, OK, OK, OK, OK]),
    row(
        SetRoom,
        r#"{"roomname":"tea","topic":"green"}"#,
        [NO, OUT, OUT, "not_operator", OK],
    ),
    row(
        SetRoom,
        r#"{"roomname":"tea","private":true}"#,
        [NO, OUT, OUT, "not_owner", OK],
    ),
    row(CloseRoom, r#""tea""#, [NO, OUT, OUT, "not_owner", OK]),
    row(
        SetRole,
        r#"{"roomname":"tea","username":"bob","role":"operator"}"#,
        [NO, OUT, OUT, "not_owner", OK],
    ),
    row(ListPublicRooms, "{}", [NO, OK, OK, OK, OK]),
    row(EndOtherSessions, "null", [NO, OK, OK, OK, OK]),
    row(
        ListInvitations,
        "null",
        [
            NO,
            "not_allowed",
            "not_allowed",
            "not_allowed",
            "not_allowed",
        ],
    ),
    row(
        RevokeInvitation,
        r#""2345-6789-ABCD-EFGH""#,
        [NO, OK, OK, OK, OK],
    ),
];

fn sim() -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    let names = [
        "owner", "member", "stranger", "bob", "joe", "kim", "gone", "left", "kicked",
    ];
    seed::accounts(&mut store, &names);
    seed::friends(&mut store, &["owner", "member", "bob"]);
    seed::friends(&mut store, &["owner", "kim"]);
    seed::friends(&mut store, &["gone", "bob"]);
    seed::friends(&mut store, &["left", "bob"]);
    seed::friends(&mut store, &["kicked", "bob"]);
    seed::room(
        &mut store,
        "tea",
        &["owner", "member", "bob", "gone", "left", "kicked"],
    );
    seed::leaves(&mut store, "tea", "left");
    let mut sim = Sim::new(1, Limits::default(), store);
    sim.believes = true;
    sim
}

/// How the request ended.
fn ending(sim: &mut Sim, caller: &str, row: &Row) -> String {
    let info = row.kind.info();
    let replies = sim.ask(caller, info.name, row.params);
    let last = replies
        .iter()
        .rfind(|reply| info.is_ended_by(reply.command));
    let last = last.unwrap_or_else(|| panic!("{caller}: {} has no reply", info.name));
    match last.params.at("code") {
        Some(Value::Str(code)) => code.clone(),
        _ => OK.to_owned(),
    }
}

#[test]
fn every_command_is_in_the_table() {
    for kind in RequestKind::ALL {
        assert!(
            TABLE.iter().any(|row| row.kind == *kind),
            "{}",
            kind.info().name
        );
    }
}

#[test]
fn each_kind_of_caller_may_do_what_the_table_says_and_nothing_else() {
    for row in TABLE {
        let mut sim = sim();
        log_in(&mut sim, &["stranger", "left", "member", "owner", "gone"]);
        sim.connect("fresh", HOME);
        sim.ask("gone", "LOGOUT", "null");
        // Each in the order of the power to change the world for those behind.
        for (caller, expected) in [
            ("gone", row.no_login),
            ("fresh", row.no_login),
            ("stranger", row.stranger),
            ("left", row.left),
            ("member", row.member),
            ("owner", row.owner),
        ] {
            // What one of them made the next cannot make again; they have a world each.
            if expected == OK && caller != "owner" && row.changes() {
                let mut sim = self::sim();
                match caller {
                    "fresh" => sim.connect(caller, HOME),
                    "gone" => {
                        log_in(&mut sim, &[caller]);
                        sim.ask(caller, "LOGOUT", "null");
                    }
                    _ => log_in(&mut sim, &[caller]),
                }
                assert_eq!(
                    ending(&mut sim, caller, row),
                    expected,
                    "{caller}: {:?}",
                    row.kind
                );
                continue;
            }
            assert_eq!(
                ending(&mut sim, caller, row),
                expected,
                "{caller}: {:?}",
                row.kind
            );
        }
    }
}

/// How each row ends for a bot in the room tea.
fn for_a_bot(row: &Row) -> &'static str {
    let to_friend = row.params.contains(r#""target_type":0"#);
    match row.kind {
        QueryHistory | MarkRead if to_friend => "not_a_friend",
        SendMessage if to_friend => "not_for_bots",
        QueryServerTime | ListRooms | ListMembers | RoomInfo | Logout | QueryHistory | MarkRead
        | SendMessage => OK,
        Register | Login => IN,
        _ => "not_for_bots",
    }
}

#[test]
fn a_bot_may_do_what_is_for_bots_and_nothing_else() {
    for row in TABLE {
        let mut sim = sim();
        log_in(&mut sim, &["owner"]);
        let bot = r#"{"username":"clerk","rooms":["tea"]}"#;
        let made = sim.ask("owner", "CREATE_BOT", bot);
        let Some(Value::Str(token)) = made[0].params.at("token") else {
            panic!("no token")
        };
        sim.connect("clerk", HOME);
        let login = format!(r#"{{"username":"clerk","token":"{token}"}}"#);
        assert_eq!(sim.ask("clerk", "LOGIN", &login)[0].command, 103);
        let ended = ending(&mut sim, "clerk", row);
        assert_eq!(ended, for_a_bot(row), "{:?}", row.kind);
    }
}

impl Row {
    fn changes(&self) -> bool {
        matches!(
            self.kind,
            Register | CreateRoom | CreateBot | JoinRoom | AddMembers | LeaveRoom | Login
        )
    }
}

/// What a member sees of what the table's rows could change.
fn view(sim: &mut Sim, caller: &str) -> String {
    let questions = [
        ("LIST_ROOMS", "null"),
        ("LIST_MEMBERS", r#""tea""#),
        ("QUERY_HISTORY", "{}"),
        ("FIND", r#"{"keyword":"new"}"#),
    ];
    let answers = questions.map(|(command, params)| sim.ask(caller, command, params));
    format!("{answers:?}")
}

#[test]
fn after_a_takeover_the_old_connection_may_do_nothing() {
    let mut sim = sim();
    let credentials = format!(r#"{{"username":"kicked","password":"{}"}}"#, seed::PASSWORD);
    for (index, row) in TABLE.iter().enumerate() {
        log_in(&mut sim, &["kicked"]);
        let before = view(&mut sim, "kicked");
        sim.connect("two", HOME);
        sim.settle();
        sim.hold = true;
        sim.ask("two", "LOGIN", &credentials);
        sim.hold = false;
        if index % 2 == 0 {
            // Else both are handled in one tick, the takeover first.
            sim.settle();
        }
        let params = from_json(row.params).expect("JSON");
        sim.say("kicked", row.kind.info().number, params);
        sim.settle();
        let told: Vec<u32> = sim
            .end("kicked")
            .take_messages()
            .iter()
            .map(|m| m.command)
            .collect();
        assert_eq!(told, [104], "{:?}", row.kind);
        assert!(sim.end("kicked").is_closed(), "{:?}", row.kind);
        sim.end("two").take_messages();
        assert_eq!(view(&mut sim, "two"), before, "{:?}", row.kind);
        sim.end("two").hang_up();
    }
    log_in(&mut sim, &["kicked"]);
    let asked = sim.ask("kicked", "ADD_FRIEND", r#""joe""#);
    assert_eq!(
        asked[0].params.at("success"),
        Some(&Value::Bool(true)),
        "there was no request yet"
    );
}
