//! The table of commands: the result of each command for each kind of caller, and every code that can refuse it. A test
//! fails for a command that is missing here.

use crate::sim::script::{Ending, log_in};
use crate::sim::{HOME, Sim, seed};
use echat_proto::Value;
use echat_proto::channel::Message;
use echat_proto::commands::RequestKind::{self, *};
use echat_proto::json::from_json;
use echat_proto::names::BotToken;
use echat_proto::records::{Code, MUST_CHANGE_PASSWORD};
use echat_server::config::Limits;
use echat_server::storage::Store;
use std::collections::BTreeSet;

/// A command.
struct Command {
    kind: RequestKind,
    /// The codes that can refuse it. Not listed are `storage_full`, `storage_busy` and `storage_damaged`, which other
    /// tests show, `bad_params`, and `not_logged_in` and `not_for_bots`, which are in the cells.
    codes: &'static [&'static str],
    requests: &'static [RequestCase],
}

/// One request, and its result for each of the [`CALLERS`]: `ok` or the code of a refusal.
struct RequestCase {
    params: &'static str,
    ends: Ends,
    /// The results while the room tea is private; `None` if they are the same.
    private: Option<Ends>,
}

type Ends = [&'static str; CALLERS.len()];

/// Bob is a friend of `invited`, `left`, `member`, `deputy` and `owner`. Tea is a room of its operators `owner`,
/// `deputy` and `op2`, and of `member`, bob and `clerk`. Its messages 1 to 3 are from bob, `member` and `clerk`.
const CALLERS: [&str; 10] = [
    // A connection without a login: fresh, or after LOGOUT.
    "guest", // Nothing to do with bob and tea.
    "stranger",
    // The same, and bob, joe, kim and the owner block this one. Every answer is that to a stranger.
    "blocked", // Invited to tea.
    "invited", // Banned from tea.
    "banned",  // Was a member of tea.
    "left",    // A bot of the owner, in tea.
    "clerk",   //
    "member", "deputy", "owner",
];

const fn command(
    kind: RequestKind,
    codes: &'static [&'static str],
    requests: &'static [RequestCase],
) -> Command {
    Command {
        kind,
        codes,
        requests,
    }
}

/// A request with the same results for a public and a private tea.
const fn request(params: &'static str, ends: Ends) -> RequestCase {
    let private = None;
    RequestCase {
        params,
        ends,
        private,
    }
}

/// A request about tea, with the results while it is public and while it is private.
const fn about_tea(params: &'static str, ends: Ends, private: Ends) -> RequestCase {
    let private = Some(private);
    RequestCase {
        params,
        ends,
        private,
    }
}

/// A request that only members of tea may make, with the results for a member, an operator and the owner.
const fn in_tea(params: &'static str, [member, operator, owner]: [&'static str; 3]) -> RequestCase {
    about_tea(
        params,
        [NO, OUT, OUT, OUT, OUT, OUT, BOT, member, operator, owner],
        [
            NO, GONE, GONE, OUT, GONE, GONE, BOT, member, operator, owner,
        ],
    )
}

/// The same for a request that names the bot of tea, which does not exist for users outside of tea.
const fn for_bot_in_tea(params: &'static str, ends: [&'static str; 3]) -> RequestCase {
    const UNKNOWN: &str = "unknown_user";
    let [member, operator, owner] = ends;
    about_tea(
        params,
        [
            NO, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, BOT, member, operator, owner,
        ],
        [
            NO, GONE, GONE, UNKNOWN, GONE, GONE, BOT, member, operator, owner,
        ],
    )
}

/// A request that members of tea may make, including bots.
const fn for_members(params: &'static str) -> RequestCase {
    about_tea(
        params,
        [NO, OUT, OUT, OUT, OUT, OUT, OK, OK, OK, OK],
        [NO, GONE, GONE, OUT, GONE, GONE, OK, OK, OK, OK],
    )
}

/// A request with the same result for all people with a login.
const fn people(params: &'static str, end: &'static str) -> RequestCase {
    request(params, [NO, end, end, end, end, end, BOT, end, end, end])
}

/// A request for friends of bob.
const fn friends(params: &'static str, bot: &'static str) -> RequestCase {
    request(params, [NO, ALONE, ALONE, OK, ALONE, OK, bot, OK, OK, OK])
}

const NO: &str = "not_logged_in";
const IN: &str = "already_logged_in";
const OUT: &str = "not_a_member";
const GONE: &str = "unknown_room";
const ALONE: &str = "not_a_friend";
const BOT: &str = "not_for_bots";
const OK: &str = "ok";
const LOST: &str = "unknown_message";
const OTHERS_OWN: &str = "not_yours";
const LOW: &str = "not_operator";
const LOWER: &str = "not_owner";
/// A request of connections without a login.
const GUESTS: Ends = [OK, IN, IN, IN, IN, IN, IN, IN, IN, IN];
const ALL: Ends = [OK; CALLERS.len()];
/// Including bots.
const USERS: Ends = [NO, OK, OK, OK, OK, OK, OK, OK, OK, OK];

const TABLE: &[Command] = &[
    command(QueryServerTime, &[], &[request("null", ALL)]),
    command(
        Register,
        &[
            "already_logged_in",
            "name_taken",
            "bad_name",
            "bad_password",
            "bad_invitation",
            "registration_closed",
            "rate_limited",
        ],
        &[request(
            r#"{"username":"new","password":"correct horse"}"#,
            GUESTS,
        )],
    ),
    command(
        Login,
        &[
            "already_logged_in",
            "bad_credentials",
            "login_throttled",
            "suspended",
        ],
        &[
            request(r#"{"username":"joe","password":"correct horse"}"#, GUESTS),
            request(
                r#"{"username":"spammer","password":"correct horse"}"#,
                ["suspended", IN, IN, IN, IN, IN, IN, IN, IN, IN],
            ),
        ],
    ),
    command(
        AddFriend,
        &[
            "unknown_user",
            "is_self",
            "blocked",
            "already_asked",
            "already_friends",
            "too_many",
            "rate_limited",
        ],
        &[
            people(r#""joe""#, OK),
            request(
                r#""bob""#,
                [
                    NO,
                    OK,
                    OK,
                    "already_friends",
                    OK,
                    "already_friends",
                    BOT,
                    "already_friends",
                    "already_friends",
                    "already_friends",
                ],
            ),
            people(r#""spammer""#, "unknown_user"),
        ],
    ),
    command(
        ResolveFriendRequest,
        &["unknown_user", "no_request", "too_many"],
        &[people(
            r#"{"username":"joe","accepted":true}"#,
            "no_request",
        )],
    ),
    command(
        SendMessage,
        &[
            "unknown_message",
            "unknown_user",
            "not_a_friend",
            "unknown_room",
            "not_a_member",
            "bad_content",
            "txn_reused",
            "read_only",
            "slow_mode",
            "rate_limited",
        ],
        &[
            friends(r#"{"target_type":0,"target":"bob","content":"hi"}"#, BOT),
            for_members(r#"{"target_type":1,"target":"tea","content":"hi"}"#),
        ],
    ),
    command(
        JoinRoom,
        &[
            "unknown_room",
            "already_member",
            "banned",
            "too_many",
            "rate_limited",
        ],
        &[about_tea(
            r#""tea""#,
            [
                NO,
                OK,
                OK,
                OK,
                "banned",
                OK,
                BOT,
                "already_member",
                "already_member",
                "already_member",
            ],
            [
                NO,
                GONE,
                GONE,
                OK,
                GONE,
                GONE,
                BOT,
                "already_member",
                "already_member",
                "already_member",
            ],
        )],
    ),
    command(
        CreateRoom,
        &[
            "bad_name",
            "room_exists",
            "not_friends",
            "too_many",
            "rate_limited",
        ],
        &[
            request(
                r#"{"roomname":"den","members":["bob"]}"#,
                [
                    NO,
                    "not_friends",
                    "not_friends",
                    OK,
                    "not_friends",
                    OK,
                    BOT,
                    OK,
                    OK,
                    OK,
                ],
            ),
            about_tea(
                r#"{"roomname":"tea","members":[]}"#,
                [
                    NO,
                    "room_exists",
                    "room_exists",
                    "room_exists",
                    "room_exists",
                    "room_exists",
                    BOT,
                    "room_exists",
                    "room_exists",
                    "room_exists",
                ],
                [
                    NO,
                    "room_exists",
                    "room_exists",
                    "room_exists",
                    "room_exists",
                    "room_exists",
                    BOT,
                    "room_exists",
                    "room_exists",
                    "room_exists",
                ],
            ),
        ],
    ),
    command(Logout, &[], &[request("null", USERS)]),
    command(
        QueryHistory,
        &[
            "unknown_message",
            "unknown_user",
            "not_a_friend",
            "unknown_room",
            "not_a_member",
        ],
        &[
            request("{}", USERS),
            friends(r#"{"target_type":0,"target":"bob"}"#, ALONE),
            for_members(r#"{"target_type":1,"target":"tea"}"#),
        ],
    ),
    command(
        MarkRead,
        &[
            "unknown_user",
            "not_a_friend",
            "unknown_room",
            "not_a_member",
        ],
        &[
            friends(r#"{"target_type":0,"target":"bob","id":1}"#, ALONE),
            for_members(r#"{"target_type":1,"target":"tea","id":1}"#),
        ],
    ),
    command(
        LeaveRoom,
        &["unknown_room", "not_a_member"],
        &[in_tea(r#""tea""#, [OK, OK, OK])],
    ),
    command(
        AddMembers,
        &[
            "unknown_room",
            "not_a_member",
            "not_owner",
            "not_friends",
            "already_member",
            "not_allowed",
            "banned",
            "too_many",
            "rate_limited",
        ],
        &[
            in_tea(
                r#"{"roomname":"tea","members":["kim"]}"#,
                [LOWER, LOWER, OK],
            ),
            in_tea(
                r#"{"roomname":"tea","members":["joe"]}"#,
                [LOWER, LOWER, "not_friends"],
            ),
        ],
    ),
    command(Find, &[], &[people(r#"{"keyword":"tea"}"#, OK)]),
    command(ListRooms, &[], &[request("null", USERS)]),
    command(
        ListMembers,
        &["unknown_room", "not_a_member"],
        &[
            for_members(r#""tea""#),
            for_members(r#"{"roomname":"tea"}"#),
        ],
    ),
    command(
        ChangePassword,
        &["bad_credentials", "bad_password", "login_throttled"],
        &[
            people(r#"{"old":"correct horse","new":"better horse"}"#, OK),
            people(
                r#"{"old":"wrong horse","new":"better horse"}"#,
                "bad_credentials",
            ),
        ],
    ),
    command(
        DeleteAccount,
        &["bad_credentials", "login_throttled"],
        &[people(r#"{"password":"correct horse","erase":true}"#, OK)],
    ),
    command(
        SetAway,
        &["rate_limited"],
        &[people(r#""gone for tea""#, OK)],
    ),
    command(ListFriends, &[], &[people("null", OK)]),
    command(
        Whois,
        &["unknown_user"],
        &[
            people(r#""bob""#, OK),
            request(
                r#""clerk""#,
                [
                    NO,
                    "unknown_user",
                    "unknown_user",
                    "unknown_user",
                    "unknown_user",
                    "unknown_user",
                    BOT,
                    OK,
                    OK,
                    OK,
                ],
            ),
        ],
    ),
    command(
        RemoveFriend,
        &["unknown_user", "not_a_friend"],
        &[friends(r#""bob""#, BOT)],
    ),
    command(
        Block,
        &["unknown_user", "is_self", "too_many"],
        &[
            people(r#""bob""#, OK),
            request(
                r#""clerk""#,
                [
                    NO,
                    "unknown_user",
                    "unknown_user",
                    "unknown_user",
                    "unknown_user",
                    "unknown_user",
                    BOT,
                    OK,
                    OK,
                    OK,
                ],
            ),
        ],
    ),
    command(
        Unblock,
        &["unknown_user", "rate_limited"],
        &[people(r#""bob""#, OK)],
    ),
    command(ListBlocked, &[], &[people("null", OK)]),
    command(
        RoomInfo,
        &["unknown_room"],
        &[about_tea(
            r#""tea""#,
            USERS,
            [NO, GONE, GONE, OK, GONE, GONE, OK, OK, OK, OK],
        )],
    ),
    command(
        SetRoom,
        &[
            "unknown_room",
            "not_a_member",
            "not_operator",
            "not_owner",
            "not_allowed",
            "bad_name",
            "room_exists",
            "rate_limited",
        ],
        &[
            in_tea(r#"{"roomname":"tea","topic":"green"}"#, [LOW, OK, OK]),
            in_tea(
                r#"{"roomname":"tea","read_only":true,"slow_seconds":5}"#,
                [LOW, OK, OK],
            ),
            in_tea(r#"{"roomname":"tea","private":true}"#, [LOWER, LOWER, OK]),
            in_tea(r#"{"roomname":"tea","new_name":"cup"}"#, [LOWER, LOWER, OK]),
            in_tea(
                r#"{"roomname":"tea","keep_days":null,"topic":"green"}"#,
                [LOWER, LOWER, OK],
            ),
        ],
    ),
    command(
        CloseRoom,
        &["unknown_room", "not_a_member", "not_owner", "not_allowed"],
        &[in_tea(r#""tea""#, [LOWER, LOWER, OK])],
    ),
    command(
        Invite,
        &[
            "unknown_room",
            "unknown_user",
            "not_a_member",
            "not_operator",
            "already_member",
            "banned",
            "too_many",
            "rate_limited",
        ],
        &[
            about_tea(
                r#"{"roomname":"tea","username":"joe"}"#,
                [NO, OUT, OUT, OUT, OUT, OUT, BOT, OK, OK, OK],
                [NO, GONE, GONE, OUT, GONE, GONE, BOT, LOW, OK, OK],
            ),
            about_tea(
                r#"{"roomname":"tea","username":"banned"}"#,
                [
                    NO, OUT, OUT, OUT, OUT, OUT, BOT, "banned", "banned", "banned",
                ],
                [
                    NO, GONE, GONE, OUT, GONE, GONE, BOT, LOW, "banned", "banned",
                ],
            ),
        ],
    ),
    command(
        DeclineInvitation,
        &["unknown_room", "no_request"],
        &[about_tea(
            r#""tea""#,
            [
                NO,
                "no_request",
                "no_request",
                OK,
                "no_request",
                "no_request",
                BOT,
                "no_request",
                "no_request",
                "no_request",
            ],
            [
                NO,
                GONE,
                GONE,
                OK,
                GONE,
                GONE,
                BOT,
                "no_request",
                "no_request",
                "no_request",
            ],
        )],
    ),
    command(
        Kick,
        &[
            "unknown_room",
            "unknown_user",
            "not_a_member",
            "not_operator",
            "rate_limited",
        ],
        &[
            in_tea(r#"{"roomname":"tea","username":"bob"}"#, [LOW, OK, OK]),
            in_tea(r#"{"roomname":"tea","username":"op2"}"#, [LOW, LOW, OK]),
            in_tea(r#"{"roomname":"tea","username":"owner"}"#, [LOW, LOW, LOW]),
            for_bot_in_tea(r#"{"roomname":"tea","username":"clerk"}"#, [LOW, OK, OK]),
            in_tea(r#"{"roomname":"tea","username":"joe"}"#, [LOW, OUT, OUT]),
        ],
    ),
    command(
        Ban,
        &[
            "unknown_room",
            "unknown_user",
            "not_a_member",
            "not_operator",
            "too_many",
            "rate_limited",
        ],
        &[
            in_tea(r#"{"roomname":"tea","username":"bob"}"#, [LOW, OK, OK]),
            in_tea(r#"{"roomname":"tea","username":"op2"}"#, [LOW, LOW, OK]),
            in_tea(r#"{"roomname":"tea","username":"owner"}"#, [LOW, LOW, LOW]),
            for_bot_in_tea(r#"{"roomname":"tea","username":"clerk"}"#, [LOW, OK, OK]),
            in_tea(r#"{"roomname":"tea","username":"joe"}"#, [LOW, OK, OK]),
        ],
    ),
    command(
        Unban,
        &[
            "unknown_room",
            "unknown_user",
            "not_a_member",
            "not_operator",
            "rate_limited",
        ],
        &[in_tea(
            r#"{"roomname":"tea","username":"banned"}"#,
            [LOW, OK, OK],
        )],
    ),
    command(
        ListBans,
        &["unknown_room", "not_a_member", "not_operator"],
        &[in_tea(r#""tea""#, [LOW, OK, OK])],
    ),
    command(
        SetRole,
        &[
            "unknown_room",
            "not_a_member",
            "not_owner",
            "not_allowed",
            "too_many",
            "rate_limited",
        ],
        &[
            in_tea(
                r#"{"roomname":"tea","username":"bob","role":"operator"}"#,
                [LOWER, LOWER, OK],
            ),
            in_tea(
                r#"{"roomname":"tea","username":"op2","role":"member"}"#,
                [LOWER, LOWER, OK],
            ),
            in_tea(
                r#"{"roomname":"tea","username":"bob","role":"owner"}"#,
                [LOWER, LOWER, OK],
            ),
            in_tea(
                r#"{"roomname":"tea","username":"joe","role":"operator"}"#,
                [LOWER, LOWER, OUT],
            ),
            in_tea(
                r#"{"roomname":"tea","username":"clerk","role":"operator"}"#,
                [LOWER, LOWER, "not_allowed"],
            ),
        ],
    ),
    command(ListPublicRooms, &[], &[people("{}", OK)]),
    command(
        EditMessage,
        &[
            "unknown_message",
            "bad_content",
            "not_yours",
            "not_a_friend",
            "read_only",
            "too_late",
            "rate_limited",
        ],
        &[
            request(
                r#"{"id":1,"content":"other"}"#,
                [
                    NO, LOST, LOST, LOST, LOST, LOST, OTHERS_OWN, OTHERS_OWN, OTHERS_OWN,
                    OTHERS_OWN,
                ],
            ),
            request(
                r#"{"id":2,"content":"other"}"#,
                [
                    NO, LOST, LOST, LOST, LOST, LOST, OTHERS_OWN, OK, OTHERS_OWN, OTHERS_OWN,
                ],
            ),
            request(
                r#"{"id":3,"content":"other"}"#,
                [
                    NO, LOST, LOST, LOST, LOST, LOST, OK, OTHERS_OWN, OTHERS_OWN, OTHERS_OWN,
                ],
            ),
        ],
    ),
    command(
        DeleteMessage,
        &["unknown_message", "not_yours", "rate_limited"],
        &[
            request(
                r#"{"id":1}"#,
                [
                    NO, LOST, LOST, LOST, LOST, LOST, OTHERS_OWN, OTHERS_OWN, OK, OK,
                ],
            ),
            request(
                r#"{"id":2}"#,
                [NO, LOST, LOST, LOST, LOST, LOST, OTHERS_OWN, OK, OK, OK],
            ),
            request(
                r#"{"id":3}"#,
                [NO, LOST, LOST, LOST, LOST, LOST, OK, OTHERS_OWN, OK, OK],
            ),
        ],
    ),
    command(
        React,
        &[
            "unknown_message",
            "not_a_friend",
            "read_only",
            "too_many",
            "rate_limited",
        ],
        &[request(
            r#"{"id":1,"emoji":"👍","on":true}"#,
            [NO, LOST, LOST, LOST, LOST, LOST, OK, OK, OK, OK],
        )],
    ),
    command(ListMentions, &[], &[request("{}", USERS)]),
    command(
        Search,
        &[
            "unknown_user",
            "not_a_friend",
            "unknown_room",
            "not_a_member",
        ],
        &[
            request(r#"{"query":"hi"}"#, USERS),
            friends(r#"{"query":"hi","target_type":0,"target":"bob"}"#, ALONE),
            for_members(r#"{"query":"hi","target_type":1,"target":"tea"}"#),
        ],
    ),
    command(
        CreateBot,
        &[
            "bad_name",
            "unknown_room",
            "not_operator",
            "name_taken",
            "too_many",
            "rate_limited",
        ],
        &[about_tea(
            r#"{"username":"helper","rooms":["tea"]}"#,
            [NO, LOW, LOW, LOW, LOW, LOW, BOT, LOW, OK, OK],
            [NO, GONE, GONE, LOW, GONE, GONE, BOT, LOW, OK, OK],
        )],
    ),
    command(ListBots, &[], &[people("null", OK)]),
    command(
        RemoveBot,
        &["unknown_user"],
        &[request(
            r#""clerk""#,
            [
                NO,
                "unknown_user",
                "unknown_user",
                "unknown_user",
                "unknown_user",
                "unknown_user",
                BOT,
                "unknown_user",
                "unknown_user",
                OK,
            ],
        )],
    ),
    command(
        NewBotToken,
        &["unknown_user"],
        &[request(
            r#"{"username":"clerk"}"#,
            [
                NO,
                "unknown_user",
                "unknown_user",
                "unknown_user",
                "unknown_user",
                "unknown_user",
                BOT,
                "unknown_user",
                "unknown_user",
                OK,
            ],
        )],
    ),
    command(
        CreateInvitation,
        &["not_allowed", "too_many"],
        &[people("{}", "not_allowed")],
    ),
    command(EndOtherSessions, &[], &[people("null", OK)]),
    command(ListSessions, &[], &[people("null", OK)]),
    command(SetPrivacy, &[], &[people(r#"{"last_seen":false}"#, OK)]),
    command(
        ListInvitations,
        &["not_allowed"],
        &[people("null", "not_allowed")],
    ),
    command(
        RevokeInvitation,
        &[],
        &[people(r#""2345-6789-ABCD-EFGH""#, OK)],
    ),
    // The result is the same for every command: only administrators learn which commands exist.
    command(
        Admin,
        &[
            "not_allowed",
            "unknown_user",
            "unknown_room",
            "unknown_message",
            "not_a_member",
            "name_taken",
            "bad_name",
            "too_many",
            "bad_invitation",
        ],
        &[
            people(r#"{"command":"status","params":{}}"#, "not_allowed"),
            people(
                r#"{"command":"make-admin","params":{"words":["member"]}}"#,
                "not_allowed",
            ),
            people(r#"{"command":"","params":{}}"#, "not_allowed"),
        ],
    ),
];

/// Users besides the callers.
const OTHERS: [&str; 7] = ["bob", "joe", "kim", "op2", "gone", "kicked", "spammer"];
/// The token of the bot.
const TOKEN: [u8; 32] = [7; 32];

/// The state of the room tea.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tea {
    Public,
    Private,
    /// The room does not exist.
    Missing,
}

/// The setup of the table, without sessions.
fn sim(tea: Tea) -> Sim {
    let mut store = Store::in_memory().expect("memory is there");
    let people = CALLERS
        .iter()
        .filter(|name| !matches!(**name, "guest" | "clerk"));
    let names: Vec<&str> = people.chain(&OTHERS).copied().collect();
    seed::accounts(&mut store, &names);
    for friend in [
        "invited", "left", "member", "deputy", "owner", "gone", "kicked",
    ] {
        seed::friends(&mut store, &[friend, "bob"]);
    }
    seed::friends(&mut store, &["owner", "kim"]);
    let members = [
        "owner", "deputy", "op2", "member", "bob", "left", "gone", "kicked", "spammer",
    ];
    let room = if tea == Tea::Missing { "other" } else { "tea" };
    seed::room(&mut store, room, &members);
    seed::operators(&mut store, room, &["deputy", "op2"]);
    seed::remove_member(&mut store, room, "left");
    seed::invite(&mut store, room, "invited");
    seed::ban(&mut store, (room, "banned"), (None, None), 0);
    seed::bot(&mut store, ("clerk", "owner"), room, &TOKEN);
    for by in ["bob", "joe", "kim", "owner"] {
        seed::block(&mut store, by, "blocked");
    }
    seed::suspend(&mut store, "spammer", None, None);
    // Message 1 is bob's, 2 the member's, 3 the bot's.
    for sender in ["bob", "member", "clerk"] {
        seed::message(&mut store, room, sender, "hi");
    }
    if tea != Tea::Public {
        seed::private(&mut store, room);
    }
    Sim::new(1, Limits::default(), store)
}

/// Connects a caller and logs it in, unless it is `guest` or has logged out.
fn enter(sim: &mut Sim, caller: &str) {
    match caller {
        "guest" => sim.connect(caller, HOME),
        "clerk" => {
            sim.connect(caller, HOME);
            let token = BotToken::from_bytes(&TOKEN).to_text();
            let login = format!(r#"{{"username":"clerk","token":"{token}"}}"#);
            let replies = sim.ask(caller, "LOGIN", &login);
            assert_eq!(replies.last().map(|reply| reply.command), Some(105));
        }
        _ => log_in(sim, &[caller]),
    }
    if caller == "gone" {
        sim.ask(caller, "LOGOUT", "null");
    }
    sim.end(caller).take_messages();
}

/// The final reply.
fn reply(sim: &mut Sim, caller: &str, kind: RequestKind, params: &str) -> Message {
    let info = kind.info();
    let replies = sim.ask(caller, info.name, params);
    let last = replies
        .into_iter()
        .rfind(|reply| info.is_ended_by(reply.command));
    last.unwrap_or_else(|| panic!("{caller}: {} has no reply", info.name))
}

/// The result of a request.
fn ending(reply: &Message) -> String {
    match reply.params.at("code") {
        Some(_) if reply.params.at(MUST_CHANGE_PASSWORD) == Some(&Value::Bool(true)) => {
            assert_eq!(reply.params.at("code"), Some(&"not_allowed".into()));
            MUST_CHANGE_PASSWORD.to_owned()
        }
        Some(Value::Str(code)) => code.clone(),
        _ => OK.to_owned(),
    }
}

#[test]
fn every_command_is_in_the_table() {
    let kinds: Vec<RequestKind> = TABLE.iter().map(|command| command.kind).collect();
    for kind in RequestKind::ALL {
        assert!(kinds.contains(kind), "the table has no row of {kind:?}");
    }
    assert_eq!(kinds, RequestKind::ALL, "the order is that of the commands");
    for command in TABLE {
        assert!(!command.requests.is_empty(), "{:?}", command.kind);
        for end in command.requests.iter().flat_map(RequestCase::cells) {
            let declared = [OK, NO, BOT].contains(&end) || command.codes.contains(&end);
            assert!(declared, "{:?} is not refused by {end}", command.kind);
        }
    }
}

impl RequestCase {
    fn cells(&self) -> impl Iterator<Item = &'static str> {
        self.ends
            .into_iter()
            .chain(self.private.into_iter().flatten())
    }

    /// The states of tea in which the request is made, with the results.
    fn variants(&self) -> impl Iterator<Item = (Tea, Ends)> {
        [(Tea::Public, self.ends)]
            .into_iter()
            .chain(self.private.map(|ends| (Tea::Private, ends)))
    }
}

#[test]
fn each_kind_of_caller_may_do_what_the_table_says_and_nothing_else() {
    for command in TABLE {
        for request in command.requests {
            for (tea, ends) in request.variants() {
                each_caller(command.kind, request.params, tea, ends);
            }
        }
    }
}

/// Whether a request changes nothing.
fn reads(kind: RequestKind) -> bool {
    let name = kind.info().name;
    let reads = ["LIST_", "QUERY_", "FIND", "WHOIS", "ROOM_INFO"];
    reads.iter().any(|beginning| name.starts_with(beginning))
}

/// Refused requests change nothing, so these callers share a simulation. A request that succeeds could change the
/// results of others.
fn each_caller(kind: RequestKind, params: &str, tea: Tea, ends: Ends) {
    let mut shared = None;
    let mut told = Vec::new();
    let logged_out = ("gone", ends[0]);
    for (caller, expected) in CALLERS.into_iter().zip(ends).chain([logged_out]) {
        let mut own = None;
        let sim = if expected == OK && !reads(kind) {
            own.insert(sim(tea))
        } else {
            shared.get_or_insert_with(|| sim(tea))
        };
        enter(sim, caller);
        let reply = reply(sim, caller, kind, params);
        let ended = ending(&reply);
        assert_eq!(ended, expected, "{caller}: {kind:?} {params} {tea:?}");
        told.push(format!("{reply:?}").replace(caller, "caller"));
    }
    assert_eq!(
        told[1], told[2],
        "a stranger and a blocked user: {kind:?} {params}"
    );
}

#[test]
fn a_private_room_looks_nonexistent_to_others() {
    for command in TABLE.iter().filter(|row| row.kind != CreateRoom) {
        for request in command.requests {
            for caller in ["stranger", "banned", "left"] {
                let [private, missing] = [Tea::Private, Tea::Missing].map(|tea| {
                    let mut sim = sim(tea);
                    enter(&mut sim, caller);
                    format!(
                        "{:?}",
                        reply(&mut sim, caller, command.kind, request.params)
                    )
                });
                assert_eq!(private, missing, "{caller}: {:?}", command.kind);
            }
        }
    }
}

/// The part of the state that the requests of the table could change, as a member sees it.
fn view(sim: &mut Sim, caller: &str) -> String {
    let questions = [
        ("LIST_ROOMS", "null"),
        ("LIST_MEMBERS", r#"{"roomname":"tea"}"#),
        ("QUERY_HISTORY", "{}"),
        ("LIST_FRIENDS", "null"),
        ("LIST_BLOCKED", "null"),
        ("ROOM_INFO", r#""tea""#),
        ("FIND", r#"{"keyword":"new"}"#),
    ];
    let answers = questions.map(|(command, params)| {
        let answers = sim.ask(caller, command, params);
        answers.last().map(|answer| answer.params.clone())
    });
    format!("{answers:?}")
}

/// The numbers of the messages that a connection received.
fn received(sim: &mut Sim, caller: &str) -> Vec<u32> {
    let told = sim.end(caller).take_messages();
    told.iter().map(|message| message.command).collect()
}

#[test]
fn after_a_takeover_the_old_connection_may_do_nothing() {
    let mut sim = sim(Tea::Public);
    let credentials = format!(r#"{{"username":"kicked","password":"{}"}}"#, seed::PASSWORD);
    let requests = TABLE.iter().flat_map(|row| {
        row.requests
            .iter()
            .map(|request| (row.kind, request.params))
    });
    for (index, (kind, params)) in requests.enumerate() {
        log_in(&mut sim, &["kicked"]);
        let before = view(&mut sim, "kicked");
        sim.connect("two", HOME);
        sim.settle();
        sim.hold = true;
        sim.ask("two", "LOGIN", &credentials);
        sim.hold = false;
        if index % 2 == 0 {
            // Otherwise both are handled in one tick, the takeover first.
            sim.settle();
        }
        let params = from_json(params).expect("JSON");
        sim.say("kicked", kind.info().number, params);
        sim.settle();
        assert_eq!(received(&mut sim, "kicked"), [104], "{kind:?}");
        assert!(sim.end("kicked").is_closed(), "{kind:?}");
        sim.end("two").take_messages();
        assert_eq!(view(&mut sim, "two"), before, "{kind:?}");
        sim.end("two").hang_up();
    }
}

#[test]
fn a_suspended_user_may_do_nothing() {
    let mut sim = sim(Tea::Public);
    enter(&mut sim, "member");
    let before = view(&mut sim, "member");
    for command in TABLE {
        for request in command.requests {
            seed::unsuspend(sim.engine.store(), "kicked");
            log_in(&mut sim, &["kicked"]);
            seed::suspend(sim.engine.store(), "kicked", None, None);
            let params = from_json(request.params).expect("JSON");
            sim.say("kicked", command.kind.info().number, params);
            let now = sim.now;
            sim.engine.send_away("kicked", now).expect("a store");
            sim.settle();
            assert_eq!(received(&mut sim, "kicked"), [104], "{:?}", command.kind);
            assert!(sim.end("kicked").is_closed(), "{:?}", command.kind);
            assert_eq!(view(&mut sim, "member"), before, "{:?}", command.kind);
        }
    }
}

/// The requests that a session with a temporary password may make. All others are refused.
const WITH_TEMPORARY_PASSWORD: [RequestKind; 3] = [QueryServerTime, Logout, ChangePassword];

#[test]
fn a_user_with_a_temporary_password_may_change_it_and_log_out_and_nothing_else() {
    for command in TABLE {
        for request in command.requests {
            let mut sim = sim(Tea::Public);
            seed::temporary_password(sim.engine.store(), "owner");
            enter(&mut sim, "owner");
            let ended = ending(&reply(&mut sim, "owner", command.kind, request.params));
            let at_owner = request.ends[CALLERS.len() - 1];
            let is_allowed = WITH_TEMPORARY_PASSWORD.contains(&command.kind) || at_owner == IN;
            let expected = if is_allowed {
                at_owner
            } else {
                MUST_CHANGE_PASSWORD
            };
            assert_eq!(ended, expected, "{:?} {}", command.kind, request.params);
        }
    }
}

/// All results of the table that the transcripts should have shown.
fn expected() -> BTreeSet<Ending> {
    let mut expected = BTreeSet::from([("(unknown)", 204, Some("unknown_command".to_owned()))]);
    for command in TABLE {
        let (info, answers) = (command.kind.info(), command.kind.answers());
        expected.insert((info.name, answers.reply, None));
        let ends = command.requests.iter().flat_map(RequestCase::cells);
        let gates = ends.filter(|end| [NO, BOT].contains(end));
        let codes = command.codes.iter().copied().chain(gates);
        for code in codes.chain(["bad_params"]) {
            let known = Code::ALL.iter().find(|known| known.as_str() == code);
            let refusal = answers.refusal_for(*known.expect("a code"));
            expected.insert((info.name, refusal, Some(code.to_owned())));
        }
    }
    expected
}

/// Results that the transcripts did not show, and results that they showed and the table does not have.
pub(crate) fn missing(seen: &BTreeSet<Ending>) -> (Vec<Ending>, Vec<Ending>) {
    // The RESULT of a success has the code null, which counts as no code.
    let expected = expected();
    let missing = expected.difference(seen).cloned().collect();
    // Temporary passwords have a test of their own, for every request.
    let is_temporary = |ending: &&Ending| ending.2.as_deref() == Some(MUST_CHANGE_PASSWORD);
    let undeclared = seen.difference(&expected);
    let undeclared = undeclared
        .filter(|ending| !is_temporary(ending))
        .cloned()
        .collect();
    (missing, undeclared)
}

#[test]
fn every_command_has_a_benchmark() {
    let bench = include_str!("../../benches/dispatch.rs");
    for kind in RequestKind::ALL {
        let arm = format!("        RequestKind::{kind:?} => ");
        assert!(
            bench.contains(&arm),
            "benches/dispatch.rs has no request of {kind:?}"
        );
    }
}

#[test]
fn every_code_is_used() {
    let elsewhere = ["storage_full", "storage_busy", "storage_damaged"];
    let used: BTreeSet<_> = expected()
        .into_iter()
        .filter_map(|(_, _, code)| code)
        .collect();
    for code in Code::ALL {
        let known = used.contains(code.as_str()) || elsewhere.contains(&code.as_str());
        assert!(known, "no row is refused by {code}");
    }
}
