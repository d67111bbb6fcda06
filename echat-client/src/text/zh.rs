//! Chinese, with the original's words where it had some.

use echat_proto::limits::{NAME_BYTES, NAME_CHARS, PASSWORD_MAX, PASSWORD_MIN};
use echat_proto::names::{NameError, PasswordError};
use echat_proto::records::Code;

use super::Text;

/// The sentence in Chinese.
#[expect(
    clippy::too_many_lines,
    clippy::match_same_arms,
    reason = "a table, in which sentences may be alike by chance"
)]
pub(super) fn say(text: Text<'_>) -> String {
    let s = str::to_owned;
    match text {
        Text::Hello => s("echat。输入 `help` 查看命令，`\\d` 退出程序。"),
        Text::Bye => s("再见。"),
        Text::HowToLeave => s("输入 `\\d` 或按 C-d 退出程序。"),
        Text::PleaseWait => s("请等待服务器答复。"),
        Text::ModeCommand => s("命令"),
        Text::ModeRegister => s("注册"),
        Text::ModeLogin => s("登录"),
        Text::ModeContact => s("联系人"),
        Text::ModeChat => s("聊天"),
        Text::ModeQuery => s("查询"),
        Text::AUser => s("<用户名>"),
        Text::ARoom => s("<聊天室>"),
        Text::AName => s("<名字>"),
        Text::AText => s("<消息>"),
        Text::AWord => s("<关键字>"),
        Text::HelpHelp => s("显示本列表"),
        Text::HelpBack => s("返回命令模式"),
        Text::HelpLeave => s("退出程序"),
        Text::HelpQuit => s("退出程序"),
        Text::HelpRegister => s("注册"),
        Text::HelpLogin => s("登录"),
        Text::HelpLogout => s("退出登录"),
        Text::HelpContact => s("好友和聊天室"),
        Text::HelpChat => s("与好友或在聊天室中聊天；不写名字则回到上一个聊天"),
        Text::HelpQuery => s("查询服务器"),
        Text::HelpAddFriend => s("申请添加好友"),
        Text::HelpJoinRoom => s("加入聊天室"),
        Text::HelpRooms => s("我的聊天室"),
        Text::HelpFriends => s("我的好友"),
        Text::HelpPending => s("待处理好友请求"),
        Text::HelpAccept => s("接受好友请求"),
        Text::HelpDecline => s("拒绝好友请求"),
        Text::HelpMessages => s("每个会话的最新消息"),
        Text::HelpSendFriend => s("给好友发消息"),
        Text::HelpSendRoom => s("给聊天室发消息"),
        Text::HelpOpenFriend => s("与好友聊天"),
        Text::HelpOpenRoom => s("进入聊天室聊天"),
        Text::HelpUnread => s("未读消息"),
        Text::HelpCreateRoom => s("创建聊天室并邀请这些好友"),
        Text::HelpAddMembers => s("把好友加进自己的聊天室"),
        Text::HelpFind => s("查找用户和聊天室"),
        Text::HelpLeaveRoom => s("退出聊天室"),
        Text::HelpServerTime => s("服务器时间"),
        Text::HelpWho => s("在线的好友"),
        Text::HelpListRooms => s("我的聊天室、成员数和房主"),
        Text::HelpMembers => s("聊天室的成员"),
        Text::HelpHistory => s("更早的消息"),
        Text::HelpMembersHere => s("本聊天室的成员"),
        Text::HelpLeaveSlash => s("退出聊天室，不再是成员；在聊天室中可以不写名字"),
        Text::HelpSayQuit => s("发送 quit 这个词"),
        Text::HelpSlash => s("发送以 / 开头的消息"),
        Text::UserName => s("用户名"),
        Text::Password => s("密码"),
        Text::PasswordAgain => s("确认密码"),
        Text::TooManyTries => s("三次输入的密码都不一致，没有注册。"),
        Text::NoNameTyped => s("没有输入名字；输入 `\\c` 或按 Ctrl-C 返回。"),
        Text::PasswordOfSpaces => s("新密码不能只有空格，请换一个。"),
        Text::NoPasswordTyped => s("没有输入密码；按 Ctrl-C 返回。"),
        Text::LoggedOut => s("已退出登录。"),
        Text::NoPassword => s("指定了用户名，但没有提供密码。"),
        Text::NoUser => s("提供了密码，但没有指定用户名。"),
        Text::Friends => s("好友："),
        Text::NoFriends => s("还没有好友；用 `+f <用户名>` 申请。"),
        Text::Rooms => s("聊天室："),
        Text::NoRooms => s("还没有聊天室；用 `+r <聊天室>` 加入，用 `<聊天室>=<a>+<b>` 创建。"),
        Text::PendingRequests => s("待处理好友请求："),
        Text::NoPending => s("没有待处理好友请求。"),
        Text::Messages => s("消息："),
        Text::NoMessages => s("没有消息。"),
        Text::UnreadHeading => s("未读："),
        Text::NothingUnread => s("没有未读消息。"),
        Text::ChatWithWhom => s("与谁聊天？请输入 `chat <名字>`。"),
        Text::Me => s("我"),
        Text::Says => s(" 说："),
        Text::Comma => s("、"),
        Text::HistoryRule => s("------ 以上是历史消息 ------"),
        Text::OlderRule => s("------ 更早的消息 ------"),
        Text::NoOlder => s("没有更早的消息。"),
        Text::LoadingOlder => s("正在向服务器查询更早的消息……"),
        Text::Pending => s("（待发送）"),
        Text::NotSentMark => s("（未发送）"),
        Text::UnansweredMark => s("（可能已送达）"),
        Text::SendAsText => s("作为消息发送？(Y/N)"),
        Text::NotSent => s("没有发送。"),
        Text::OutgoingLocked => s(
            "另一个客户端正在使用待发送消息的文件：如果本程序在发送之前结束，在这里输入的消息就会丢失。",
        ),
        Text::Online => s("在线："),
        Text::NobodyOnline => s("没有好友在线。"),
        Text::Owner => s("房主"),
        Text::IsOnline => s("在线"),
        Text::IsOffline => s("离线"),
        Text::FoundUsers { word } => format!("名字含有“{word}”的用户："),
        Text::FoundRooms { word } => format!("名字含有“{word}”的聊天室："),
        Text::FoundNothing { word } => format!("没有名字含有“{word}”的用户或聊天室。"),
        Text::FoundMore => s("还有更多结果；用更长的关键字可以缩小范围。"),
        Text::Offline => s("离线"),
        Text::OfflineUntil { seconds } => format!("离线，{seconds} 秒后重试"),
        Text::AskedOffline => s("当前离线，正在尝试连接。连上后会发出你的请求。"),
        Text::ServerSilent => s("服务器没有响应，连接已断开。"),
        Text::ConnectionLost => s("连接已断开。"),
        Text::TryingAgain => {
            s("正在重新连接；按回车键可立即重试。这期间输入的消息会保留，连上后发送。")
        }
        Text::TryingToConnect => s("正在重新连接；按回车键可立即重试。"),
        Text::TryingInPipe => s("正在重新连接。"),
        Text::Kicked => s(
            "你的账号已在别处登录，或者服务器断开了你的连接。输入 `\\c` 再输入 `login` 可重新登录。",
        ),
        Text::ServerSaidBye => s("服务器断开了连接。"),
        Text::ServerIdle => s("太久没有登录，服务器断开了连接。"),
        Text::ServerMalformed => s("服务器无法理解本客户端，断开了连接。"),
        Text::ServerTooManyErrors => s("未知的请求太多，服务器断开了连接。"),
        Text::ServerFull => s("服务器已满。"),
        Text::ServerRestarting => s("服务器正在重启。"),
        Text::ServerTooSlow => s("本连接接收消息太慢，服务器断开了它。消息没有丢失，会重新获取。"),
        Text::Unanswered { commands } => {
            format!("还没有收到 {commands} 的答复，连接就断开了，请再试一次。")
        }
        Text::Dropped { commands } => format!("没有发送：{commands}。"),
        Text::WaitsForConnection { command } => format!("`{command}` 将在连接恢复后发送。"),
        Text::TimeOut => s("已超时。"),
        Text::HelpHeading { mode } => format!("{mode}模式的命令："),
        Text::Unknown { line } => format!("没有这个命令：{line}。输入 `help` 查看命令。"),
        Text::UnknownInChat { line } => {
            format!(
                "这里没有这个命令：{line}。输入 `/help` 查看命令；要作为消息发送，请以 // 开头。"
            )
        }
        Text::OtherMode { line, way } => {
            format!("{line} 是其他模式的命令；请先输入 {way}。")
        }
        Text::Usage { form } => format!("用法：{form}"),
        Text::PasswordsDiffer { left } => format!("两次输入的密码不一致，还可以试 {left} 次。"),
        Text::Registered { name } => format!("注册成功：{name}"),
        Text::LoggedIn { name } => format!("登录成功：{name}"),
        Text::HistoryReplaced => {
            s("服务器的历史记录已被替换（恢复了备份）。消息按服务器现有的记录重新显示。")
        }
        Text::LoggedInAgain { name } => format!("已重新连接，登录成功：{name}"),
        Text::AlreadyLoggedIn { name } => format!("已经以 {name} 登录；用 `logout` 退出登录。"),
        Text::FriendRequest { name } => {
            format!("{name} 申请添加你为好友。输入 `y {name}` 接受，`n {name}` 拒绝。")
        }
        Text::FriendRequestInChat { name } => {
            format!("{name} 申请添加你为好友。输入 `/y {name}` 接受，`/n {name}` 拒绝。")
        }
        Text::HowToAnswer => s(
            "用 `y <用户名>` 或 `+f <用户名>` 接受，用 `n <用户名>` 拒绝；在聊天中用 `/y` 和 `/n`。",
        ),
        Text::Declined { name } => format!("已拒绝 {name} 的好友请求。"),
        Text::RequestSent { name } => format!("好友请求已发送：{name}"),
        Text::NewContact { name } => format!("你和 {name} 已成为好友。"),
        Text::NewRoom { room } => format!("已加入聊天室：{room}"),
        Text::RoomMade { room } => format!("聊天室已创建：{room}"),
        Text::MembersAdded { room, names } => format!("{names} 已加入聊天室 {room}。"),
        Text::LeftRoom { room } => format!("已退出聊天室 {room}。"),
        Text::UnreadOf { target, count } => format!("{target}：{count} 条未读"),
        Text::NoTarget { name } => format!("没有叫 {name} 的好友或聊天室。"),
        Text::TwoTargets { name } => {
            format!(
                "好友和聊天室都叫 {name}：请先输入 `contact`，再用 `&f {name}` 或 `&r {name}`。"
            )
        }
        Text::CameOnline { names } => format!("{names} 上线了"),
        Text::WentOffline { names } => format!("{names} 下线了"),
        Text::NewMessage { from } => format!("你有一条新的消息，来自 {from}。"),
        Text::NewRoomMessage { from, room } => {
            format!("你有一条新的消息，来自聊天室 {room} 的 {from}。")
        }
        Text::SentTo { target } => format!(" 发给 {target}："),
        Text::PendingCount { count } => format!("{count} 条待发送"),
        Text::LooksLikeCommand { line } => {
            format!("这看起来是一个命令：{line}。作为消息发送？(Y/N)")
        }
        Text::NotResent { target, reason } => format!("不再发送给 {target}：{reason}"),
        Text::MessageRefused { target, reason } => format!("没有发送给 {target}：{reason}"),
        Text::MessageWaits {
            target,
            reason,
            seconds,
        } => format!("发给 {target} 的消息将在 {seconds} 秒后重发：{reason}"),
        Text::Paste { count } => {
            format!("粘贴了 {count} 行。Y：逐行发送；O：作为一条消息发送；N：放弃。")
        }
        Text::PasteEach { count } => {
            format!("粘贴了 {count} 行，合在一起超过一条消息的长度。Y：逐行发送；N：放弃。")
        }
        Text::PasteOfCommands { count } => {
            format!("粘贴了 {count} 行。Y：逐行作为命令执行；N：放弃。")
        }
        Text::PasteOne { count, limit } => {
            format!("粘贴了 {count} 行，逐行发送最多 {limit} 行。O：作为一条消息发送；N：放弃。")
        }
        Text::PasteTooMany { count, limit } => {
            format!("没有粘贴：共 {count} 行，超过 {limit} 行的上限。")
        }
        Text::PasteTooLong { bytes, limit } => {
            format!("没有粘贴：其中一行长 {bytes} 字节，超过 {limit} 字节的上限。")
        }
        Text::PasteCut { kept, whole } => {
            format!("粘贴的内容共 {whole} 字节，太长，只保留了前 {kept} 字节。")
        }
        Text::PasteShort { count } => format!("{count} 行 (Y/O/N)"),
        Text::PasteShortEach { count } => format!("{count} 行 (Y/N)"),
        Text::PasteShortOne { count } => format!("{count} 行 (O/N)"),
        Text::NoMatch => s("没有匹配"),
        Text::OutgoingFound { count } => format!("上次运行留下 {count} 条待发送的消息。"),
        Text::OutgoingUnreadable { count } => format!("有 {count} 条保留的消息无法读取。"),
        Text::OutgoingFault { why } => format!("待发送消息的文件：{why}"),
        Text::UnsentAtExit { count } => format!("还有 {count} 条消息没有发送。"),
        Text::UnsentKept { user, file } => {
            format!("它们保存在 {file}，{user} 下次在这里登录时会自动发送。")
        }
        Text::UnsentLost => s("没有文件保存它们，程序退出后就会丢失。"),
        Text::CannotSend { why } => format!("没有发送：{why}"),
        Text::NoText => s("消息是空的。"),
        Text::ControlCharacter { code } => format!("消息不能含有控制字符 U+{code}。"),
        Text::TooLong {
            bytes,
            characters,
            limit,
        } => format!("消息有 {bytes} 字节（{characters} 个字符），上限是 {limit} 字节。"),
        Text::NameTooLong { bytes, characters } => format!(
            "名字有 {characters} 个字符（{bytes} 字节），最多 {NAME_CHARS} 个字符、{NAME_BYTES} 字节。"
        ),
        Text::KeywordTooLong { bytes, limit } => {
            format!("关键字有 {bytes} 字节，上限是 {limit} 字节。")
        }
        Text::TooManyNames { names, limit } => {
            format!("名单里有 {names} 个名字，上限是 {limit} 个。")
        }
        Text::RequestTooLong { bytes, limit } => {
            format!("请求有 {bytes} 字节，上限是 {limit} 字节。")
        }
        Text::InLine { line, why } => format!("第 {line} 行：{why}这一行和后面的内容都没有发送。"),
        Text::LineCutsOff { target } => {
            format!(
                "发给 {target} 的消息连续三次没等到答复，连接就断开了；服务器可能已经收到这条消息。"
            )
        }
        Text::SetAside { count: 1, file } => format!("这条消息不再发送，已移到 {file}。"),
        Text::SetAside { count, file } => {
            format!("以上 {count} 条消息不再发送，已移到 {file}。")
        }
        Text::NotSentAgain { count: 1 } => s("这条消息不再发送，也没有文件保存它。"),
        Text::NotSentAgain { count } => {
            format!("以上 {count} 条消息不再发送，也没有文件保存它们。")
        }
        Text::PendingHeading => s("待发送的消息："),
        Text::NothingWaits => s("没有待发送的消息。"),
        Text::PendingFor { target } => format!("发给 {target}："),
        Text::InFlight => s("（正在发送）"),
        Text::PendingMore { count } => format!("还有 {count} 条"),
        Text::PendingBefore { count } => format!("（待发送）前面还有 {count} 条"),
        Text::Withdrawn { target } => format!("已撤回，原本发给 {target}："),
        Text::WithdrawnLate { target } => {
            format!("不再重发，但对方可能已经收到；这条消息发给 {target}：")
        }
        Text::IsInFlight => s("这条消息正在发送，不能再撤回。"),
        Text::NothingToWithdraw => s("没有可以撤回的消息。"),
        Text::NoSuchLine { number } => {
            format!("没有编号为 {number} 的待发送消息；用 `/pending` 查看。")
        }
        Text::ALineNumber => s("<编号>|全部"),
        Text::HelpWaiting => s("待发送的消息"),
        Text::HelpWithdraw => s("撤回一条或全部待发送的消息"),
        Text::UnknownSlash { line } => format!(
            "没有命令 {line}。作为消息发送？(Y/N) 以 // 开头的消息会直接发送；`/help` 列出全部命令。"
        ),
        Text::LeaveRoom { room } => {
            format!("退出聊天室 {room}？退出后无法再查看其中的消息，重新加入也看不到。(Y/N)")
        }
        Text::LeaveRoomShort { room } => format!("退出 {room}？(Y/N)"),
        Text::Stays { room } => format!("没有退出聊天室 {room}。"),
        Text::ServerTime { time } => format!("服务器时间：{time}"),
        Text::RoomLine {
            room,
            members,
            owner,
            unread,
        } => format!("{room}：{members} 名成员，房主 {owner}，{unread} 条未读"),
        Text::Members { room } => format!("聊天室 {room} 的成员："),
        Text::UnknownServer { address } => format!("{address} 是未知的服务器。尚未发送任何内容。"),
        Text::UnknownServerHint { link } => format!("如果密钥正确，请在地址中写明：{link}"),
        Text::KeyNotKept { link } => format!(
            "无法保存这个密钥，没有发送任何内容。如果不用 known_hosts，请在地址中写明密钥：{link}"
        ),
        Text::TypeYes => s("如果密钥正确，请输入 yes："),
        Text::NoYes => s("输入的不是 yes：不信任该密钥，没有发送任何内容。"),
        Text::KeyChanged { address } => {
            format!("{address} 的密钥变了，可能有人从中拦截。没有发送任何内容。")
        }
        Text::KeyChangedHint { address } => {
            format!("如果服务器管理员确认这是新密钥，请运行：echat-nc --forget-host {address}")
        }
        Text::KeyNotPinned { address } => {
            format!("{address} 出示的不是指定的密钥。没有发送任何内容。")
        }
        Text::KeyShown { key } => format!("出示的密钥 {key}"),
        Text::KeyExpected { key } => format!("预期的密钥 {key}"),
        Text::CannotConnect { address, why } => format!("无法连接 {address}：{why}"),
        Text::ServerReason { number } => format!("服务器断开了连接（原因 {number}）。"),
        Text::RetryAfter { seconds } => format!("请在 {seconds} 秒后再试。"),
        Text::DayLimit => s("一天的额度已用完。"),
        Text::RetryAfterHours { hours } => format!("约 {hours} 小时后可以再试。"),
        Text::Limit { limit } => format!("上限是 {limit}。"),
        Text::Names { names } => format!("（{names}）"),
        Text::OtherRefusal { code, message } => format!("{message}（{code}）"),
        Text::OutgoingNotKept => s("如果本程序在发送之前结束，在这里输入的消息就会丢失。"),
        Text::ConfigIgnored { why } => format!("已忽略：{why}"),
        Text::AddressFromHere => s("这个地址来自当前目录的 ./config.json，谁都可能写了这个文件。"),
        Text::WaitsForLogin => s("登录完成后再执行这一行。"),
        Text::HeldDropped { count } => format!("没有登录，等待中的 {count} 行未执行。"),
        Text::NotTextLine { line } => {
            format!(
                "第 {line} 行不符合 locale 的编码（除非指明 GBK、GB18030 或 Big5，否则是 UTF-8）；这一行和后面的内容都没有发送。"
            )
        }
        Text::InputLineTooLong { line } => {
            format!("第 {line} 行超过 1 MiB；这一行和后面的内容都没有发送。")
        }
        Text::NotCarriedOut { line, count } => {
            format!("从第 {line} 行起有 {count} 行没有执行。")
        }
        Text::NotTextHere => s(
            "没有发送：其中有不符合 locale（LC_ALL、LC_CTYPE、LANG）编码的字节。终端和 locale 的编码必须相同：UTF-8、GBK、GB18030 或 Big5。",
        ),
        Text::InputUtf16 => s("输入是 UTF-16 编码，请另存为 UTF-8。没有发送任何内容。"),
        Text::PasswordAgainOf { name } => {
            format!("请再次输入 {name} 的密码；按 Ctrl-C 返回。")
        }
        Text::CommandRefused { command, reason } => format!("`{command}`：{reason}"),
        Text::NoSuchUser { name } => format!("用户不存在：{name}。"),
        Text::NoSuchRoom { room } => format!("聊天室不存在：{room}。"),
        Text::UserTaken { name } => {
            format!("用户已存在，或与已有的名字过于相似：{name}。请换一个。")
        }
        Text::RoomTaken { room } => format!("聊天室已存在，或与已有的名字过于相似：{room}。"),
        Text::AskedBefore { name } => format!("已经申请过添加 {name} 为好友，对方还没有答复。"),
        Text::FriendsBefore { name } => format!("你和 {name} 已经是好友。"),
        Text::NoRequestOf { name } => {
            format!("{name} 没有申请添加你为好友；用 `+f {name}` 可以向对方申请。")
        }
        Text::NotYourFriend { name } => {
            format!("你和 {name} 还不是好友；用 `+f {name}` 可以向对方申请。")
        }
        Text::NotYourRoom { room } => {
            format!("你还没有加入聊天室 {room}；用 `+r {room}` 加入。")
        }
        Text::OwnerOnly { room } => format!("只有房主可以把人加进聊天室 {room}。"),
        Text::MemberBefore { room } => {
            format!("你已经在聊天室 {room} 中；用 `&r {room}` 打开。")
        }
        Text::MembersBefore { room, names } => format!("已经在聊天室 {room} 中：{names}。"),
        Text::NotYourFriends { names } => {
            format!("还不是你的好友：{names}。只能邀请好友；用 `+f <用户名>` 申请。")
        }
        Text::LeftBefore { room, names } => {
            format!(
                "已主动退出聊天室 {room}，不能再被拉进来：{names}。对方可以自己用 `+r {room}` 加入。"
            )
        }
        Text::OwnFriends { limit } => {
            format!(
                "你的好友数已达服务器的上限（{limit}）。管理员可以调高 `server.limits.friends`。"
            )
        }
        Text::RequestsOfOther { name, limit } => {
            format!(
                "{name} 的好友或待处理请求已达服务器的上限（{limit}）。请等对方处理一些之后再试。"
            )
        }
        Text::FriendsOfOther { name, limit } => {
            format!("{name} 的好友数已达服务器的上限（{limit}）。这个请求仍然保留。")
        }
        Text::OwnRooms { limit } => {
            format!("你加入的聊天室已达服务器的上限（{limit}）。用 `-r <聊天室>` 退出一个。")
        }
        Text::FullRoom { room, limit } => {
            format!("聊天室 {room} 的成员已达服务器的上限（{limit}）。请等有人退出后再试。")
        }
        Text::CreateLimit { room, limit } => {
            format!(
                "没有创建聊天室 {room}：它的成员数、某位成员加入的聊天室数或你创建的聊天室数会超过服务器的上限 {limit}。请少邀请几个人，或使用已有的聊天室。"
            )
        }
        Text::AddLimit { room, limit } => {
            format!(
                "没有加进聊天室 {room}：成员数或其中某人加入的聊天室数会超过服务器的上限 {limit}。请少加几个人。"
            )
        }
        Text::NameCharacter { character } => format!("名字不能含有字符 {character}。"),
        Text::NameStart { character } => {
            format!("名字必须以字母、汉字或数字开头，不能以 {character}开头。")
        }
        Text::NumberedCharacter { character, number } => format!("{character}（{number}）"),
        Text::Space => s("空格"),
        Text::PasswordOf { name } => format!("{name} 的密码："),
    }
}

/// A refusal's code.
pub(super) fn code(code: Code) -> &'static str {
    match code {
        Code::BadParams => "服务器无法理解这个请求。",
        Code::NotLoggedIn => "请先登录。",
        Code::AlreadyLoggedIn => "已经登录；请先退出登录。",
        Code::NameTaken => "用户已存在，或与已有的名字过于相似。",
        Code::BadName => "不能使用这个名字。",
        Code::BadPassword => "不能使用这个密码。",
        Code::BadCredentials => "登录失败：用户名或密码不对。",
        Code::LoginThrottled => "登录失败的次数太多。",
        Code::UnknownUser => "用户不存在。",
        Code::IsSelf => "无法添加自己为好友。",
        Code::AlreadyAsked => "已经申请过。",
        Code::AlreadyFriends => "好友已存在。",
        Code::NoRequest => "没有来自该用户的好友请求。",
        Code::NotAFriend => "还不是好友。",
        Code::NotAMember => "还没有加入聊天室。",
        Code::NotOwner => "只有房主可以这样做。",
        Code::UnknownRoom => "聊天室不存在。",
        Code::AlreadyMember => "已经在聊天室中。",
        Code::RoomExists => "聊天室已存在，或与已有的名字过于相似。",
        Code::NotFriends => "其中有人还不是你的好友。",
        Code::NotAllowed => "其中有人已主动退出该聊天室，不能再被拉进来；对方可以自己用 +r 加入。",
        Code::BadContent => {
            "服务器不接受这条消息。除非管理员另有设置，消息为 1 到 4,000 字节；除换行和制表符外不能含有控制字符。请缩短，或分成几条发送。"
        }
        Code::TxnReused => "服务器上已有另一条使用这个编号的消息。",
        Code::RateLimited => "操作太快。",
        Code::TooMany => "已达到服务器的上限。",
        Code::StorageFull => "服务器的磁盘已满。",
        Code::StorageBusy => "服务器的数据库正忙。",
        Code::StorageDamaged => "服务器的数据库有一部分损坏，要由管理员修复。",
        Code::UnknownCommand => "服务器不认识这个请求。",
    }
}

/// Why a name cannot be had.
pub(super) fn bad_name(error: &NameError) -> String {
    match error {
        NameError::Empty => "名字不能为空。".to_owned(),
        NameError::TooLong => format!("名字最多 {NAME_CHARS} 个字符、{NAME_BYTES} 字节。"),
        NameError::BadStart(_) | NameError::BadCharacter(_) => "不能使用这个名字。".to_owned(),
        NameError::MixedDirections => "名字不能这样混合书写方向。".to_owned(),
        NameError::MixedScripts => "名字不能混用这些文字。".to_owned(),
        NameError::Reserved => "这个名字是保留的。".to_owned(),
        NameError::Unstable => "这个名字没有规范的形式。".to_owned(),
    }
}

/// Why a password cannot be had.
pub(super) fn bad_password(error: &PasswordError) -> String {
    match error {
        PasswordError::Empty => "需要密码。".to_owned(),
        PasswordError::TooShort => format!("密码至少 {PASSWORD_MIN} 字节。"),
        PasswordError::TooLong => format!("密码最多 {PASSWORD_MAX} 字节。"),
        PasswordError::BadCharacter => "密码不能含有控制字符。".to_owned(),
    }
}
