//! The sentences of refusals. Each names the user or room that it is about, because it may appear long after
//! the command. A refusal about another user does not address the reader.

use echat_proto::commands::RequestKind;
use echat_proto::records::{Code, Fail};
use echat_proto::value::Value;

use super::{Language, Text, code_of};

/// What was asked of the server.
#[derive(Clone, Copy, Debug)]
pub struct RefusedRequest<'a> {
    /// The request.
    pub kind: RequestKind,
    /// The command, as it could be typed.
    pub command: &'a str,
    /// The user that it is about.
    pub user: Option<&'a str>,
    /// The room that it is about.
    pub room: Option<&'a str>,
    /// The users in its list, as they were typed.
    pub names: &'a [String],
}

impl Language {
    /// What the refusal of a request means. `own` is how many friends the asker has, if it was about
    /// friends, or else how many rooms.
    pub fn refusal_of(self, doing: RefusedRequest<'_>, fail: &Fail, own: u64) -> String {
        let names = self.names_of(doing, fail);
        let specific = code_of(fail)
            .and_then(|code| specific(doing, code, &names))
            .or_else(|| limit(doing, fail, own));
        if let Some(text) = specific {
            return self.say(text);
        }
        let reason = self.refusal(fail);
        let is_plain = doing.user.is_none()
            && doing.room.is_none()
            && !doing.command.contains(char::is_whitespace);
        // A name that was to be registered was typed last.
        if is_plain || doing.kind == RequestKind::Register {
            return reason;
        }
        self.say(Text::CommandRefused {
            command: doing.command,
            reason: &reason,
        })
    }

    /// The users whom a refusal is about: those that the server names, or all that were named.
    fn names_of(self, doing: RefusedRequest<'_>, fail: &Fail) -> String {
        let listed = fail.detail.iter().find_map(|(key, value)| match value {
            Value::List(names) if key == "names" => {
                let names = names.iter().filter_map(|name| match name {
                    Value::Str(name) => Some(name.as_str()),
                    _ => None,
                });
                let names: Vec<&str> = names.collect();
                Some(names.join(&self.say(Text::BetweenNames)))
            }
            _ => None,
        });
        match listed {
            Some(names) => names,
            None if doing.kind == RequestKind::AddMembers => {
                doing.names.join(&self.say(Text::BetweenNames))
            }
            None => String::new(),
        }
    }
}

/// The sentence of a code that names the user or the room. A row of the table of commands can have others for its
/// request, which come before these.
fn specific<'a>(doing: RefusedRequest<'a>, code: Code, names: &'a str) -> Option<Text<'a>> {
    use RequestKind as K;
    Some(match (code, doing.kind, doing.user, doing.room) {
        (Code::BadCredentials, K::ChangePassword | K::DeleteAccount, ..) => Text::WrongPassword,
        (Code::BadPassword, K::ChangePassword, ..) => Text::NewPasswordRefused,
        (Code::NotAllowed, K::CreateInvitation | K::ListInvitations | K::RevokeInvitation, ..) => {
            Text::InvitationsNotAllowed
        }
        (Code::NotAllowed, K::SetRoom | K::CloseRoom, _, Some(room)) => Text::LobbyStays { room },
        // For operators the rows say it.
        (Code::NotAllowed, K::SetRole, _, Some(room)) => Text::NoOwnerFor { room },
        (Code::NameTaken, K::Register, Some(name), _) => Text::UserTaken { name },
        (Code::UnknownUser, K::QueryHistory, Some(name), _)
        | (Code::NotAFriend, _, Some(name), _) => Text::NotYourFriend { name },
        (Code::UnknownUser, _, Some(name), _) => Text::NoSuchUser { name },
        (Code::AlreadyFriends, _, Some(name), _) => Text::FriendsBefore { name },
        (Code::NoRequest, _, Some(name), _) => Text::NoRequestOf { name },
        (Code::UnknownRoom, _, _, Some(room)) => Text::NoSuchRoom { room },
        // With a user it may be that user who is no member.
        (Code::NotAMember, _, None, Some(room)) => Text::NotYourRoom { room },
        (Code::AlreadyMember, K::AddMembers, _, Some(room)) => Text::MembersBefore { room, names },
        (Code::NotFriends, ..) if !names.is_empty() => Text::NotYourFriends { names },
        (Code::NotAllowed, K::AddMembers, _, Some(room)) if !names.is_empty() => {
            Text::LeftBefore { room, names }
        }
        _ => return None,
    })
}

/// The sentence for a limit that is reached: the user's own, if `own`, the user's count, is at the limit; else that of
/// the other user or of the room.
fn limit<'a>(doing: RefusedRequest<'a>, fail: &Fail, own: u64) -> Option<Text<'a>> {
    use RequestKind as K;
    if code_of(fail) != Some(Code::TooMany) {
        return None;
    }
    let limit = fail.detail.iter().find_map(|(key, value)| match value {
        Value::Int(limit) if key == "limit" => Some(*limit),
        _ => None,
    })?;
    let is_own = own >= limit;
    Some(match (doing.kind, doing.user, doing.room) {
        (K::AddFriend | K::ResolveFriendRequest, ..) if is_own => Text::OwnFriends { limit },
        (K::AddFriend, Some(name), _) => Text::RequestsOfOther { name, limit },
        (K::ResolveFriendRequest, Some(name), _) => Text::FriendsOfOther { name, limit },
        (K::JoinRoom | K::CreateRoom, ..) if is_own => Text::OwnRooms { limit },
        (K::JoinRoom, _, Some(room)) => Text::FullRoom { room, limit },
        (K::CreateRoom, _, Some(room)) => Text::CreateLimit { room, limit },
        (K::AddMembers, _, Some(room)) => Text::AddLimit { room, limit },
        _ => return None,
    })
}

macro_rules! codes {
    ($($code:ident en $english:literal zh $chinese:literal;)*) => {
        impl Language {
            /// What a code means, where no sentence names what it is about.
            pub(super) fn code(self, code: Code) -> &'static str {
                match (self, code) {
                    $((Self::English, Code::$code) => $english,
                    (Self::Chinese, Code::$code) => $chinese,)*
                }
            }
        }
    };
}

codes! {
    BadParams
        en "The server did not understand the request."
        zh "服务器无法识别这个请求。";
    NotLoggedIn
        en "Please log in first."
        zh "请先登录。";
    AlreadyLoggedIn
        en "You are already logged in; log out first."
        zh "已经登录，请先退出登录。";
    NameTaken
        en "This name, or one that looks like it, is taken."
        zh "用户已存在，或与已有的名字过于相似。";
    BadName
        en "This name is not allowed."
        zh "不能使用这个名字。";
    BadPassword
        en "This password is not allowed."
        zh "不能使用这个密码。";
    BadCredentials
        en "Login failed: wrong user name or password."
        zh "登录失败：用户名或密码错误。";
    LoginThrottled
        en "Too many failed logins."
        zh "登录失败的次数太多。";
    UnknownUser
        en "No such user."
        zh "用户不存在。";
    IsSelf
        en "You cannot add yourself as a friend."
        zh "不能添加自己为好友。";
    AlreadyAsked
        en "You have already sent a friend request."
        zh "已经发送过好友请求。";
    AlreadyFriends
        en "You are already friends."
        zh "你们已经是好友。";
    NoRequest
        en "This user has not sent you a friend request."
        zh "没有来自该用户的好友请求。";
    NotAFriend
        en "You are not friends."
        zh "你们还不是好友。";
    NotAMember
        en "You are not a member of this room."
        zh "还没有加入聊天室。";
    NotOwner
        en "Only the owner of the room can do this."
        zh "只有房主可以这样做。";
    UnknownRoom
        en "No such room."
        zh "聊天室不存在。";
    AlreadyMember
        en "You are already a member of this room."
        zh "已经在聊天室中。";
    RoomExists
        en "A room with this name, or one that looks like it, already exists."
        zh "聊天室已存在，或与已有的名字过于相似。";
    NotFriends
        en "Some of these users are not your friends."
        zh "其中有人还不是你的好友。";
    NotAllowed
        en "This is not allowed."
        zh "不允许这样做。";
    UnknownMessage
        en "There is no such message."
        zh "没有这条消息。";
    NotYours
        en "This message was sent by another user."
        zh "这条消息不是你发的。";
    TooLate
        en "It is too late to edit this message."
        zh "这条消息已超过可编辑的时间。";
    BadContent
        en "The server does not accept this message. Unless its operator set another limit, a message has 1 to 4,000 bytes, and no control characters except newline and tab. Shorten it, or send it in parts."
        zh "服务器不接受这条消息。除非运维人员另有设置，消息为 1 到 4,000 字节；除换行和制表符外不能含有控制字符。请缩短，或分成几条发送。";
    TxnReused
        en "The server already has another message with this number."
        zh "服务器上已有另一条使用这个编号的消息。";
    RateLimited
        en "Too fast."
        zh "操作太快。";
    TooMany
        en "A limit of the server has been reached."
        zh "已达到服务器的上限。";
    StorageFull
        en "The server's disk is full."
        zh "服务器的磁盘已满。";
    StorageBusy
        en "The server's database is busy."
        zh "服务器的数据库正忙。";
    StorageDamaged
        en "Part of the server's database is damaged; its operator must repair it."
        zh "服务器的数据库部分损坏，需要运维人员修复。";
    UnknownCommand
        en "The server does not know this request."
        zh "服务器不认识这个请求。";
    NotOperator
        en "Only operators and the owner of the room can do this."
        zh "只有聊天室的房主和房间管理员可以这样做。";
    Blocked
        en "You have blocked this user."
        zh "你已屏蔽该用户。";
    Banned
        en "Banned from this room; its owner and operators can lift the ban."
        zh "已被该聊天室封禁，房主和房间管理员可以解除。";
    Suspended
        en "This account is suspended."
        zh "该账号已被停用。";
    BadInvitation
        en "To register on this server, you need a valid invitation code."
        zh "注册需要有效的邀请码。";
    RegistrationClosed
        en "This server takes no new accounts."
        zh "该服务器不开放注册。";
    NotForBots
        en "A bot cannot do this."
        zh "机器人不能执行此操作。";
    ReadOnly
        en "This room is read-only: only its operators and its owner can write."
        zh "该聊天室是只读的，只有房主和房间管理员可以发言。";
    SlowMode
        en "This room has slow mode: members wait between two messages."
        zh "该聊天室开启了慢速模式，两次发言之间需要间隔。";
}
