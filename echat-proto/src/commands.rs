//! The one table of commands (PROTOCOL.md, section 5). Typed requests, replies and events, the JSON
//! form, `describe` and the lists in PROTOCOL.md come from it.
//!
//! A row holds what both sides of the wire know of a command: number, name, direction, parameters by
//! name and type, final reply and refusals, whether the reply may be as long as a page, and what the
//! request does to the session. What only the server knows (the gate, what the request writes and
//! costs) stands in the server's route of the command.

#[macro_use]
mod table;
mod info;
mod pending;
mod shown;

pub use info::{
    Answers, CommandInfo, Direction, FieldInfo, SessionEffect, Shape, by_name, by_number,
};
pub use pending::{Answered, Ending, PendingReplies, Reply, ending, may_answer, may_be_event};

use crate::codec::{EncodeError, Encoder};
use crate::message::Message;
use crate::names::{
    BotToken, Content, DeviceSecret, InvitationCode, NameQuery, Password, ReasonText, ResumeSecret,
    RoomName, Topic, TxnId, Username,
};
use crate::param::{
    AwayText, Dict, Emoji, Fields, KeepDays, Keyword, Mark, MembersOf, Names, NewPassword, Param,
    ParamError, Part, RequestState, RoomRole, SearchText, TargetType, encode_entry, put,
};
use crate::records::{
    AwayLine, BanLine, BotLine, ChatMessage, Code, Fail, FriendLine, GivenLimits,
    InvitationCodeLine, InvitationLine, Keeps, MemberList, Older, Outcome, PublicRoom, Reacted,
    Reaction, RoomInfo, RoomLine, SessionLine, TxnEcho, Unread,
};
use crate::value::Value;

/// Commands of the channel itself: never routed to a handler, never inside a BATCH.
pub mod channel {
    /// The first number of the channel's own commands.
    pub const FIRST: u32 = 0xFFFF_FF00;
    /// The first frame of each direction; proves that both sides saw the same handshake.
    pub const FINISHED: u32 = 0xFFFF_FF01;
    /// The last frame of a direction, with a [`super::CloseReason`].
    pub const CLOSE_NOTIFY: u32 = 0xFFFF_FF02;
    /// Requests a PONG.
    pub const PING: u32 = 0xFFFF_FF03;
    /// Answers a PING.
    pub const PONG: u32 = 0xFFFF_FF04;
    /// Several messages in one frame.
    pub const BATCH: u32 = 0xFFFF_FF05;
}

/// Why a channel is closed (CLOSE_NOTIFY; PROTOCOL.md, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CloseReason {
    /// A normal end.
    Bye = 0,
    /// Not logged in for too long.
    Idle = 1,
    /// A frame with a correct tag was malformed.
    Malformed = 2,
    /// Too many unknown commands.
    TooManyErrors = 3,
    /// The server is full.
    Full = 4,
    /// The server stops or restarts.
    Restarting = 5,
    /// The user logged in elsewhere, or was sent away.
    Kicked = 6,
    /// The peer reads too slowly.
    TooSlow = 7,
    /// A key has reached its limit; a new connection makes new ones.
    KeyWornOut = 8,
}

impl CloseReason {
    /// The reason for a number; `None` for unknown numbers.
    pub const fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Bye,
            1 => Self::Idle,
            2 => Self::Malformed,
            3 => Self::TooManyErrors,
            4 => Self::Full,
            5 => Self::Restarting,
            6 => Self::Kicked,
            7 => Self::TooSlow,
            8 => Self::KeyWornOut,
            _ => return None,
        })
    }
}

requests! {
    /// Returns the server's clock. It needs no login, and serves as a barrier.
    1 QUERY_SERVER_TIME QueryServerTime null {}
        => SEND_SERVER_TIME | REFUSED; short, Keeps;
    /// Creates an account.
    2 REGISTER Register dict {
        username: Username, password: NewPassword, invitation: Option<InvitationCode>
    }
        => REGISTER_SUCCESS | REFUSED, NameTaken: USERNAME_EXIST; short, Keeps;
    /// Authenticates this connection as a user, by exactly one of the secrets.
    3 LOGIN Login dict {
        username: NameQuery, password: Option<Password>, resume: Option<ResumeSecret>,
        device: Option<DeviceSecret>, messages: Option<bool>,
        token: Option<BotToken>
    }
        => LOGIN_BUNDLE | LOGIN_FAILURE; paged, Begins;
    /// Sends a friend request. If the other user has asked already, the two become friends.
    4 ADD_FRIEND AddFriend one { username: NameQuery }
        => ADD_FRIEND_RESULT | ADD_FRIEND_RESULT; short, Keeps;
    /// Answers a friend request.
    5 RESOLVE_FRIEND_REQUEST ResolveFriendRequest dict { username: NameQuery, accepted: bool }
        => RESOLVE_RESULT | RESOLVE_RESULT; short, Keeps;
    /// Sends a message to a friend or a room.
    6 SEND_MESSAGE SendMessage dict {
        target_type: TargetType, target: NameQuery, content: Content, txn_id: Option<TxnId>,
        reply_to: Option<u64>
    }
        => ON_NEW_MESSAGE | SEND_MESSAGE_FAILURE; short, Keeps;
    /// Joins a room.
    7 JOIN_ROOM JoinRoom one { roomname: NameQuery }
        => JOIN_ROOM_RESULT | JOIN_ROOM_RESULT; short, Keeps;
    /// Creates a room with some friends as members.
    9 CREATE_ROOM CreateRoom dict {
        roomname: RoomName, members: Names, private: Option<bool>, topic: Option<Topic>
    }
        => CREATE_ROOM_RESULT | CREATE_ROOM_RESULT; short, Keeps;
    /// Ends the session and keeps the connection.
    11 LOGOUT Logout null {}
        => LOGGED_OUT | REFUSED; short, Ends;
    /// Returns messages of one conversation, or of all after an id.
    12 QUERY_HISTORY QueryHistory dict {
        target_type: Option<TargetType>, target: Option<NameQuery>,
        before: Option<u64>, after: Option<u64>, limit: Option<u64>,
        around: Option<u64>, at: Option<u64>
    }
        => HISTORY | REFUSED; paged, Keeps;
    /// Moves a conversation's read marker forward.
    13 MARK_READ MarkRead dict { target_type: TargetType, target: NameQuery, id: u64 }
        => MARKED | REFUSED; short, Keeps;
    /// Leaves a room. Its history is not readable afterwards. The last member's leaving closes it.
    14 LEAVE_ROOM LeaveRoom one { roomname: NameQuery }
        => LEFT_ROOM | REFUSED; short, Keeps;
    /// Adds friends to the user's own room.
    15 ADD_MEMBERS AddMembers dict { roomname: NameQuery, members: Names }
        => ADD_MEMBERS_RESULT | ADD_MEMBERS_RESULT; short, Keeps;
    /// Finds users and rooms by a part of their names.
    16 FIND Find dict { keyword: Keyword }
        => FOUND | REFUSED; paged, Keeps;
    /// Returns the user's rooms.
    17 LIST_ROOMS ListRooms null {}
        => ROOMS | REFUSED; paged, Keeps;
    /// Returns the members of one of the user's rooms.
    18 LIST_MEMBERS ListMembers one { roomname: MembersOf }
        => MEMBERS | REFUSED; paged, Keeps;
    /// Changes the user's password, and ends the user's other sessions.
    19 CHANGE_PASSWORD ChangePassword dict { old: Password, new: NewPassword }
        => DONE | REFUSED; short, Keeps;
    /// Deletes the user's account, with `erase` also the messages that the user sent.
    20 DELETE_ACCOUNT DeleteAccount dict { password: Password, erase: bool }
        => LOGGED_OUT | REFUSED; short, Ends;
    /// Says that the user is away, with a text for friends and members of the user's rooms, or that the user is back.
    21 SET_AWAY SetAway one { text: AwayText }
        => DONE | REFUSED; short, Keeps;
    /// Returns the user's friends.
    22 LIST_FRIENDS ListFriends null {}
        => FRIENDS | REFUSED; paged, Keeps;
    /// Returns what the user may know of another user.
    23 WHOIS Whois one { username: NameQuery }
        => USER | REFUSED; paged, Keeps;
    /// Ends a friendship. Both keep the conversation and can read it.
    24 REMOVE_FRIEND RemoveFriend one { username: NameQuery }
        => DONE | REFUSED; short, Keeps;
    /// Blocks a user: ends the friendship, and hides requests, invitations and the user's own presence.
    25 BLOCK Block one { username: NameQuery }
        => DONE | REFUSED; short, Keeps;
    /// Ends a block, and drops what it hid.
    26 UNBLOCK Unblock one { username: NameQuery }
        => DONE | REFUSED; short, Keeps;
    /// Returns the users that the user blocks.
    27 LIST_BLOCKED ListBlocked null {}
        => BLOCKED | REFUSED; paged, Keeps;
    /// Returns the properties of a room.
    28 ROOM_INFO RoomInfo one { roomname: NameQuery }
        => ROOM | REFUSED; short, Keeps;
    /// Changes the name and the properties of a room.
    29 SET_ROOM SetRoom dict {
        roomname: NameQuery, new_name: Option<RoomName>, topic: Option<Topic>, private: Option<bool>,
        read_only: Option<bool>, slow_seconds: Option<u64>, keep_days: KeepDays
    }
        => DONE | REFUSED; short, Keeps;
    /// Closes a room. Its members and its history are gone, and its name is free.
    30 CLOSE_ROOM CloseRoom one { roomname: NameQuery }
        => DONE | REFUSED; short, Keeps;
    /// Invites a user to a room.
    31 INVITE Invite dict { roomname: NameQuery, username: NameQuery }
        => DONE | REFUSED; short, Keeps;
    /// Declines an invitation to a room.
    32 DECLINE_INVITATION DeclineInvitation one { roomname: NameQuery }
        => DONE | REFUSED; short, Keeps;
    /// Removes a member from a room.
    33 KICK Kick dict { roomname: NameQuery, username: NameQuery, reason: Option<ReasonText> }
        => DONE | REFUSED; short, Keeps;
    /// Bans a user from a room, member or not, until a time in unix seconds or until it is lifted.
    34 BAN Ban dict {
        roomname: NameQuery, username: NameQuery, until: Option<u64>, reason: Option<ReasonText>
    }
        => DONE | REFUSED; short, Keeps;
    /// Lifts a ban.
    35 UNBAN Unban dict { roomname: NameQuery, username: NameQuery }
        => DONE | REFUSED; short, Keeps;
    /// Returns the bans of a room.
    36 LIST_BANS ListBans one { roomname: NameQuery }
        => BANS | REFUSED; paged, Keeps;
    /// Changes the role of a member.
    37 SET_ROLE SetRole dict { roomname: NameQuery, username: NameQuery, role: RoomRole }
        => DONE | REFUSED; short, Keeps;
    /// Returns the rooms that every user may join, by name.
    38 LIST_PUBLIC_ROOMS ListPublicRooms dict { after: Option<String>, limit: Option<u64> }
        => PUBLIC_ROOMS | REFUSED; paged, Keeps;
    /// Changes the text of one of the user's messages.
    39 EDIT_MESSAGE EditMessage dict { id: u64, content: Content }
        => DONE | REFUSED; short, Keeps;
    /// Deletes the text of a message: one of the user's, or any in a room that the user operates.
    40 DELETE_MESSAGE DeleteMessage dict { id: u64 }
        => DONE | REFUSED; short, Keeps;
    /// Adds the user's reaction to a message, or takes it back.
    41 REACT React dict { id: u64, emoji: Emoji, on: bool }
        => DONE | REFUSED; short, Keeps;
    /// Returns messages that name the user, from the newest back.
    42 LIST_MENTIONS ListMentions dict { before: Option<u64>, limit: Option<u64> }
        => HISTORY | REFUSED; paged, Keeps;
    /// Finds messages by their words, from the newest back.
    43 SEARCH Search dict {
        query: SearchText, target_type: Option<TargetType>, target: Option<NameQuery>, sender: Option<NameQuery>,
        since: Option<u64>, until: Option<u64>, before: Option<u64>, limit: Option<u64>
    }
        => FOUND_MESSAGES | REFUSED; paged, Keeps;
    /// Creates a bot, in rooms that the user owns or operates.
    44 CREATE_BOT CreateBot dict { username: Username, rooms: Names, expires: Option<u64> }
        => BOT_TOKEN | REFUSED; short, Keeps;
    /// Returns the user's bots.
    45 LIST_BOTS ListBots null {}
        => BOTS | REFUSED; paged, Keeps;
    /// Removes one of the user's bots.
    46 REMOVE_BOT RemoveBot one { username: NameQuery }
        => DONE | REFUSED; short, Keeps;
    /// Replaces the token of one of the user's bots.
    47 NEW_BOT_TOKEN NewBotToken dict { username: NameQuery, expires: Option<u64> }
        => BOT_TOKEN | REFUSED; short, Keeps;
    /// Makes an invitation code.
    48 CREATE_INVITATION CreateInvitation dict { uses: Option<u64>, expires: Option<u64> }
        => INVITATION | REFUSED; short, Keeps;
    /// Ends the user's other sessions, and voids the secrets that resume sessions.
    49 END_OTHER_SESSIONS EndOtherSessions null {}
        => DONE | REFUSED; short, Keeps;
    /// Returns the user's sessions.
    50 LIST_SESSIONS ListSessions null {}
        => SESSIONS | REFUSED; short, Keeps;
    /// Chooses what friends are shown.
    51 SET_PRIVACY SetPrivacy dict { last_seen: Option<bool> }
        => DONE | REFUSED; short, Keeps;
    /// Returns the open invitation codes: the user's, or an administrator's view of all.
    52 LIST_INVITATIONS ListInvitations null {}
        => INVITATIONS | REFUSED; paged, Keeps;
    /// Revokes an invitation code.
    53 REVOKE_INVITATION RevokeInvitation one { code: InvitationCode }
        => DONE | REFUSED; short, Keeps;
    /// Has the server's administration carry out a command, for administrators.
    54 ADMIN Admin dict { command: String, params: Dict }
        => ADMIN_RESULT | REFUSED; paged, Keeps;
}

events! {
    /// Refuses or confirms JOIN_ROOM.
    8 JOIN_ROOM_RESULT JoinRoomResult Reply one { result: Outcome };
    /// Refuses or confirms CREATE_ROOM.
    10 CREATE_ROOM_RESULT CreateRoomResult Reply one { result: Outcome };
    /// The server's clock in unix seconds.
    101 SEND_SERVER_TIME SendServerTime Reply one { time: u64 };
    /// The name as stored.
    102 REGISTER_SUCCESS RegisterSuccess Reply one { username: String };
    /// The login succeeded; LOGIN_BUNDLE follows.
    103 LOGIN_SUCCESS LoginSuccess Event one { username: String };
    /// The user logged in elsewhere; CLOSE_NOTIFY(6) follows.
    104 SERVER_KICK ServerKick Event null {};
    /// The state at login.
    105 LOGIN_BUNDLE LoginBundle Reply dict {
        chat_rooms: Vec<String>, friends: Vec<String>, online: Vec<String>,
        pending_requests: Vec<String>, messages: Vec<ChatMessage>, unread: Vec<Unread>, more: Vec<Older>,
        newest: Option<u64>, history: Option<String>, resume: Option<ResumeSecret>,
        must_change_password: Option<bool>, away: Option<Vec<AwayLine>>,
        device: Option<DeviceSecret>, invitations: Option<Vec<InvitationLine>>, blocked: Option<Vec<String>>
    };
    /// Refuses or confirms ADD_FRIEND.
    106 ADD_FRIEND_RESULT AddFriendResult Reply one { result: Outcome };
    /// Another user sent a friend request.
    107 INCOMMING_FRIEND_REQUEST IncommingFriendRequest Event one { username: String };
    /// Another user became a friend.
    108 NEW_CONTACT NewContact Event one { username: String };
    /// A new message; with `txn_id`, the acknowledgement of SEND_MESSAGE.
    109 ON_NEW_MESSAGE OnNewMessage ReplyOrEvent dict {
        id: u64, content: String, sender: String, target_type: TargetType, send_time: u64,
        target: String, txn_id: Option<TxnEcho>, deleted: Option<bool>, bot: Mark,
        reply_to: Option<u64>, edited: Option<u64>, mentions: Option<Vec<String>>
    };
    /// The user became a member of this room.
    110 ON_NEW_ROOM OnNewRoom Event one { roomname: String };
    /// A friend came online.
    111 ON_FRIEND_ONLINE OnFriendOnline Event one { username: String };
    /// A friend went offline.
    112 ON_FRIEND_OFFLINE OnFriendOffline Event one { username: String };
    /// A member came online or joined.
    113 ON_MEMBER_ONLINE OnMemberOnline Event dict {
        roomname: String, membername: String, joined: Option<bool>
    };
    /// A member went offline or left.
    114 ON_MEMBER_OFFLINE OnMemberOffline Event dict {
        roomname: String, membername: String, left: Option<bool>
    };
    /// Refuses or confirms RESOLVE_FRIEND_REQUEST.
    115 RESOLVE_RESULT ResolveResult Reply one { result: Outcome };
    /// The session on this connection has ended.
    116 LOGGED_OUT LoggedOut Reply null {};
    /// Messages, oldest first.
    117 HISTORY History Reply dict { messages: Vec<ChatMessage>, more: bool, newer: Option<bool> };
    /// The position of the read marker.
    118 MARKED Marked Reply dict { target_type: TargetType, target: String, id: u64 };
    /// The room that was left.
    119 LEFT_ROOM LeftRoom Reply one { roomname: String };
    /// Refuses or confirms ADD_MEMBERS.
    120 ADD_MEMBERS_RESULT AddMembersResult Reply one { result: Outcome };
    /// The results of FIND.
    121 FOUND Found Reply dict { users: Vec<String>, rooms: Vec<String>, more: bool };
    /// The user's rooms, by name.
    122 ROOMS Rooms Reply one { rooms: Vec<RoomLine> };
    /// The members of a room, by name.
    123 MEMBERS Members Reply one { members: MemberList };
    /// The request with this number was done.
    124 DONE Done Reply dict { command: u64 };
    /// The user's friends, by name.
    126 FRIENDS Friends Reply one { friends: Vec<FriendLine> };
    /// What the user may know of another user.
    127 USER User Reply dict {
        username: String, online: bool, away: Option<String>, last_seen: Option<u64>, friend: bool,
        bot: bool, owner: Option<String>, rooms: Vec<String>
    };
    /// The users that the user blocks, by name.
    128 BLOCKED Blocked Reply one { usernames: Vec<String> };
    /// A room with its properties.
    129 ROOM Room Reply one { room: RoomInfo };
    /// The bans of a room, by name.
    130 BANS Bans Reply one { bans: Vec<BanLine> };
    /// Rooms that every user may join, by name.
    131 PUBLIC_ROOMS PublicRooms Reply dict { rooms: Vec<PublicRoom>, more: bool };
    /// Messages that SEARCH found, newest first; `next` is the `before` of the next page.
    132 FOUND_MESSAGES FoundMessages Reply dict {
        messages: Vec<ChatMessage>, more: bool, next: Option<u64>, indexed: Option<u64>
    };
    /// A new token of a bot, which is shown only once.
    133 BOT_TOKEN BotToken Reply dict { username: String, token: BotToken };
    /// The user's bots, by name.
    134 BOTS Bots Reply one { bots: Vec<BotLine> };
    /// An invitation code.
    135 INVITATION Invitation Reply dict { code: String, uses: u64, expires: Option<u64> };
    /// The user's sessions, oldest first.
    136 SESSIONS Sessions Reply one { sessions: Vec<SessionLine> };
    /// The open invitation codes.
    137 INVITATIONS Invitations Reply one { invitations: Vec<InvitationCodeLine> };
    /// What a command of the administration came to: by key, and as text for people.
    138 ADMIN_RESULT AdminResult Reply dict { result: Dict, text: String };
    /// What a client needs to know of the server; it comes between LOGIN_SUCCESS and LOGIN_BUNDLE.
    140 ON_WELCOME OnWelcome Event dict {
        server: String, message_of_the_day: Option<String>, keeps: Keeps, limits: GivenLimits
    };
    /// A friend, or a member of one of the user's rooms, is away (a text) or is back (null).
    141 ON_AWAY OnAway Event dict { username: String, text: AwayText };
    /// A friendship with another user ended.
    142 ON_FRIEND_REMOVED OnFriendRemoved Event one { username: String };
    /// The name or the properties of a room changed.
    143 ON_ROOM_CHANGED OnRoomChanged Event dict { was: String, by: Option<String>, room: RoomInfo };
    /// A room was closed.
    144 ON_ROOM_CLOSED OnRoomClosed Event dict { roomname: String, by: Option<String> };
    /// The user is invited to a room.
    145 ON_INVITATION OnInvitation Event dict { roomname: String, by: Option<String> };
    /// An operator removed a member.
    146 ON_MEMBER_REMOVED OnMemberRemoved Event dict {
        roomname: String, membername: String, by: String, reason: Option<String>, banned: bool
    };
    /// The role of a member changed.
    147 ON_ROLE OnRole Event dict {
        roomname: String, membername: String, role: RoomRole, by: Option<String>
    };
    /// A message as it is now that it was edited or deleted, or that a reaction came or went.
    148 ON_MESSAGE_CHANGED OnMessageChanged Event dict {
        id: u64, sender: String, send_time: u64, target: String, target_type: TargetType, content: String,
        deleted: Option<bool>, bot: Mark, reply_to: Option<u64>, edited: Option<u64>,
        mentions: Option<Vec<String>>, reactions: Option<Vec<Reaction>>, by: String, reacted: Option<Reacted>
    };
    /// Another session of the user moved a read marker.
    149 ON_READ OnRead Event dict { target_type: TargetType, target: String, id: u64 };
    /// Another session of the user sent or answered a friend request.
    150 ON_REQUEST_CHANGED OnRequestChanged Event dict { username: String, state: RequestState };
    /// An administrator says something to everybody.
    151 ON_BROADCAST OnBroadcast Event dict { text: String };
    /// What the user set or has was changed, in another session or by others. Keys that are left out did not change.
    152 ON_SELF_CHANGED OnSelfChanged Event dict {
        blocked: Option<Vec<String>>, invitations: Option<Vec<InvitationLine>>,
        away: Option<AwayText>, last_seen: Option<bool>
    };
    /// A user has another name from now on: a friend, a member of one of the user's rooms, or the user.
    153 ON_USER_RENAMED OnUserRenamed Event dict { was: String, username: String };
    /// REGISTER: the name, or a confusable one, is taken.
    201 USERNAME_EXIST UsernameExist Refusal one { fail: Fail };
    /// LOGIN is refused.
    202 LOGIN_FAILURE LoginFailure Refusal one { fail: Fail };
    /// SEND_MESSAGE is refused.
    203 SEND_MESSAGE_FAILURE SendMessageFailure Refusal one { fail: Fail };
    /// The command is not a request.
    204 COMMAND_WRONG CommandWrong Refusal one { fail: Fail };
    /// The request is refused; `command` is its number.
    205 REFUSED Refused Refusal one { fail: Fail };
}

/// Receivers ignore unknown keys in replies and events.
#[expect(
    clippy::unnecessary_wraps,
    reason = "stands where Fields::finish stands in requests"
)]
fn drop_rest(_: Fields<'_>) -> Result<(), ParamError> {
    Ok(())
}

/// Every command of the table, by number; the channel's own at the end.
pub static COMMANDS: &[&[CommandInfo]] = &[REQUESTS, EVENTS, info::CHANNEL];

#[cfg(test)]
mod tests;
