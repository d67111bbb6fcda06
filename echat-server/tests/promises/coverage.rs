//! Which refusals each request has; a transcript shows each of them.

use crate::sim::script::Ending;
use echat_proto::commands::RequestKind::{self, *};
use echat_proto::records::Code;
use std::collections::BTreeSet;

/// Every request and the codes that can refuse it, but for `storage_full` and `storage_busy`, which
/// `storage.rs` shows, `storage_damaged`, which `damaged.rs` shows, and `not_logged_in`, `bad_params` and `not_for_bots`, which [`expected`]
/// adds where they belong.
const ROWS: &[(RequestKind, &[&str])] = &[
    (QueryServerTime, &[]),
    (
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
    ),
    (
        Login,
        &[
            "already_logged_in",
            "bad_credentials",
            "login_throttled",
            "suspended",
        ],
    ),
    (
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
    ),
    (
        ResolveFriendRequest,
        &["unknown_user", "no_request", "too_many"],
    ),
    (
        SendMessage,
        &[
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
    ),
    (
        JoinRoom,
        &[
            "unknown_room",
            "already_member",
            "banned",
            "too_many",
            "rate_limited",
        ],
    ),
    (
        CreateRoom,
        &[
            "bad_name",
            "room_exists",
            "not_friends",
            "too_many",
            "rate_limited",
        ],
    ),
    (Logout, &[]),
    (
        QueryHistory,
        &[
            "unknown_user",
            "not_a_friend",
            "unknown_room",
            "not_a_member",
        ],
    ),
    (
        MarkRead,
        &[
            "unknown_user",
            "not_a_friend",
            "unknown_room",
            "not_a_member",
        ],
    ),
    (LeaveRoom, &["unknown_room", "not_a_member"]),
    (
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
    ),
    (Find, &[]),
    (ListRooms, &[]),
    (ListMembers, &["unknown_room", "not_a_member"]),
    (
        ChangePassword,
        &["bad_credentials", "bad_password", "login_throttled"],
    ),
    (DeleteAccount, &["bad_credentials", "login_throttled"]),
    (SetAway, &["rate_limited"]),
    (ListFriends, &[]),
    (Whois, &["unknown_user"]),
    (RemoveFriend, &["unknown_user", "not_a_friend"]),
    (Block, &["unknown_user", "is_self", "too_many"]),
    (Unblock, &["unknown_user", "rate_limited"]),
    (ListBlocked, &[]),
    (RoomInfo, &["unknown_room"]),
    (
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
    ),
    (
        CloseRoom,
        &["unknown_room", "not_a_member", "not_owner", "not_allowed"],
    ),
    (
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
    ),
    (DeclineInvitation, &["unknown_room", "no_request"]),
    (
        Kick,
        &[
            "unknown_room",
            "unknown_user",
            "not_a_member",
            "not_operator",
            "rate_limited",
        ],
    ),
    (
        Ban,
        &[
            "unknown_room",
            "unknown_user",
            "not_a_member",
            "not_operator",
            "too_many",
            "rate_limited",
        ],
    ),
    (
        Unban,
        &[
            "unknown_room",
            "unknown_user",
            "not_a_member",
            "not_operator",
            "rate_limited",
        ],
    ),
    (ListBans, &["unknown_room", "not_a_member", "not_operator"]),
    (
        SetRole,
        &[
            "unknown_room",
            "not_a_member",
            "not_owner",
            "not_allowed",
            "too_many",
            "rate_limited",
        ],
    ),
    (ListPublicRooms, &[]),
    (
        CreateBot,
        &[
            "bad_name",
            "unknown_room",
            "not_operator",
            "name_taken",
            "too_many",
            "rate_limited",
        ],
    ),
    (ListBots, &[]),
    (RemoveBot, &["unknown_user"]),
    (NewBotToken, &["unknown_user"]),
    (CreateInvitation, &["not_allowed", "too_many"]),
    (EndOtherSessions, &[]),
    (ListSessions, &[]),
    (SetPrivacy, &[]),
    (ListInvitations, &["not_allowed"]),
    (RevokeInvitation, &["not_allowed"]),
];

/// The requests that bots may make, and those without a login. SEND_MESSAGE is among the others: it is refused for a
/// friend.
const FOR_BOTS: &[RequestKind] = &[
    QueryServerTime,
    Register,
    Login,
    Logout,
    QueryHistory,
    MarkRead,
    ListRooms,
    ListMembers,
    RoomInfo,
];

/// Everything that the transcripts should have shown of the table.
fn expected() -> BTreeSet<Ending> {
    let mut expected = BTreeSet::from([("(unknown)", 204, Some("unknown_command".to_owned()))]);
    for (kind, codes) in ROWS {
        let (info, answers) = (kind.info(), kind.answers());
        expected.insert((info.name, answers.reply, None));
        let mut codes = codes.to_vec();
        codes.push("bad_params");
        if !matches!(kind, QueryServerTime | Register | Login) {
            codes.push("not_logged_in");
        }
        if !FOR_BOTS.contains(kind) {
            codes.push("not_for_bots");
        }
        for code in codes {
            let known = Code::ALL.iter().find(|known| known.as_str() == code);
            let refusal = answers.refusal_for(*known.expect("a code"));
            expected.insert((info.name, refusal, Some(code.to_owned())));
        }
    }
    expected
}

/// What the transcripts did not show, and what they showed that the table does not have.
pub(crate) fn missing(seen: &BTreeSet<Ending>) -> (Vec<Ending>, Vec<Ending>) {
    // A RESULT that says success has the code null, which counts as none.
    let expected = expected();
    let missing = expected.difference(seen).cloned().collect();
    let undeclared = seen.difference(&expected).cloned().collect();
    (missing, undeclared)
}

#[test]
fn every_row_is_present_and_every_code_is_used() {
    let kinds: Vec<RequestKind> = ROWS.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, RequestKind::ALL);
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
