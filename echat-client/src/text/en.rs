//! English.

use echat_proto::limits::{NAME_BYTES, NAME_CHARS};
use echat_proto::records::Code;

use super::Text;

/// The sentence in English.
#[expect(
    clippy::too_many_lines,
    clippy::match_same_arms,
    reason = "a table, in which sentences may be alike by chance"
)]
pub(super) fn say(text: Text<'_>) -> String {
    let s = str::to_owned;
    match text {
        Text::Hello => s("echat: type `help` for a list of commands, `\\d` to quit."),
        Text::Bye => s("Goodbye."),
        Text::HowToLeave => s("Type `\\d` or press Ctrl-D to quit."),
        Text::PleaseWait => s("Please wait for the server's answer."),
        Text::ModeCommand => s("command"),
        Text::ModeRegister => s("register"),
        Text::ModeLogin => s("login"),
        Text::ModeContact => s("contact"),
        Text::ModeChat => s("chat"),
        Text::ModeQuery => s("query"),
        Text::AUser => s("<user>"),
        Text::ARoom => s("<room>"),
        Text::AName => s("<name>"),
        Text::AText => s("<text>"),
        Text::AWord => s("<word>"),
        Text::HelpHelp => s("show this list"),
        Text::HelpBack => s("return to command mode"),
        Text::HelpLeave => s("quit echat"),
        Text::HelpQuit => s("quit echat"),
        Text::HelpRegister => s("create an account"),
        Text::HelpLogin => s("log in"),
        Text::HelpLogout => s("log out"),
        Text::HelpContact => s("go to your friends and rooms"),
        Text::HelpChat => {
            s("chat with a friend or in a room; without a name, return to the last chat")
        }
        Text::HelpQuery => s("query the server"),
        Text::HelpAddFriend => s("send a friend request"),
        Text::HelpJoinRoom => s("join a room"),
        Text::HelpRooms => s("list your rooms"),
        Text::HelpFriends => s("list your friends"),
        Text::HelpPending => s("list pending friend requests"),
        Text::HelpAccept => s("accept a friend request"),
        Text::HelpDecline => s("decline a friend request"),
        Text::HelpMessages => s("show the newest message of each conversation"),
        Text::HelpSendFriend => s("send a message to a friend"),
        Text::HelpSendRoom => s("send a message to a room"),
        Text::HelpOpenFriend => s("chat with a friend"),
        Text::HelpOpenRoom => s("chat in a room"),
        Text::HelpUnread => s("list conversations with unread messages"),
        Text::HelpCreateRoom => s("create a room with these friends"),
        Text::HelpAddMembers => s("add friends to your room"),
        Text::HelpFind => s("find users and rooms"),
        Text::HelpLeaveRoom => s("leave a room"),
        Text::HelpServerTime => s("show the server's time"),
        Text::HelpWho => s("list friends who are online"),
        Text::HelpListRooms => s("list your rooms with their members and owners"),
        Text::HelpMembers => s("list the members of a room"),
        Text::HelpHistory => s("show older messages"),
        Text::HelpMembersHere => s("list the members of this room"),
        Text::HelpLeaveSlash => s("leave a room for good; in its chat the name is optional"),
        Text::HelpSayQuit => s("send the word quit as a message"),
        Text::HelpSlash => s("send a message that starts with /"),
        Text::UserName => s("user name"),
        Text::Password => s("password"),
        Text::PasswordAgain => s("password again"),
        Text::TooManyTries => s("The passwords did not match three times. No account was created."),
        Text::NoNameTyped => s("No name entered. Type `\\c` or press Ctrl-C to go back."),
        Text::PasswordOfSpaces => {
            s("A password cannot consist of spaces only. Please choose another one.")
        }
        Text::NoPasswordTyped => s("No password entered. Press Ctrl-C to go back."),
        Text::LoggedOut => s("Logged out."),
        Text::NoPassword => s("A user name was given, but no password."),
        Text::NoUser => s("A password was given, but no user name."),
        Text::Friends => s("Friends:"),
        Text::NoFriends => s("No friends yet. Type `+f <user>` to send a friend request."),
        Text::Rooms => s("Rooms:"),
        Text::NoRooms => {
            s("No rooms yet. Type `+r <room>` to join one, or `<room>=<a>+<b>` to create one.")
        }
        Text::PendingRequests => s("Pending friend requests:"),
        Text::NoPending => s("No pending friend requests."),
        Text::Messages => s("Messages:"),
        Text::NoMessages => s("No messages."),
        Text::UnreadHeading => s("Unread:"),
        Text::NothingUnread => s("No unread messages."),
        Text::ChatWithWhom => s("Which chat? Type `chat <name>`."),
        Text::Me => s("me"),
        Text::Says => s(": "),
        Text::AsksFor => s(": "),
        Text::Comma => s(", "),
        Text::HistoryRule => s("------ history above ------"),
        Text::OlderRule => s("------ older messages ------"),
        Text::NoOlder => s("There are no older messages."),
        Text::LoadingOlder => s("Loading older messages ..."),
        Text::Pending => s("(pending) "),
        Text::NotSentMark => s("(not sent) "),
        Text::UnansweredMark => s("(may have been received) "),
        Text::SendAsText => s("send as text? (Y/N)"),
        Text::NotSent => s("Not sent."),
        Text::NotAnAnswer => s("That is not an answer. Please answer first."),
        Text::OutgoingLocked => s(
            "Another client is using the file of unsent lines. Lines typed here are lost if this client quits before they are sent.",
        ),
        Text::Online => s("Online:"),
        Text::NoFriendsOnline => s("No friends are online."),
        Text::Owner => s("owner"),
        Text::IsOnline => s("online"),
        Text::IsOffline => s("offline"),
        Text::FoundUsers { word } => format!("Users whose name contains {word}:"),
        Text::FoundRooms { word } => format!("Rooms whose name contains {word}:"),
        Text::FoundNothing { word } => format!("No user or room name contains {word}."),
        Text::FoundMore => s("There are more results. Use a longer word to narrow the search."),
        Text::Offline => s("offline"),
        Text::OfflineUntil { seconds } => format!("offline, retrying in {seconds} s"),
        Text::AskedOffline => {
            s("You are offline. Your request will be sent when the connection is back.")
        }
        Text::ServerSilent => s("The server is not responding. The connection was closed."),
        Text::ConnectionLost => s("Connection lost."),
        Text::TryingAgain => {
            s("Reconnecting; press Enter to retry now. Lines you type are sent later.")
        }
        Text::TryingToConnect => s("Reconnecting; press Enter to retry now."),
        Text::TryingInPipe => s("Reconnecting."),
        Text::Kicked => s(
            "You logged in elsewhere, or the server ended your session. Type `\\c`, then `login` to log in again.",
        ),
        Text::ServerSaidBye => s("The server closed the connection."),
        Text::ServerIdle => s("The server closed the connection: no login for too long."),
        Text::ServerMalformed => {
            s("The server did not understand this client and closed the connection.")
        }
        Text::ServerTooManyErrors => {
            s("The server closed the connection: too many unknown requests.")
        }
        Text::ServerFull => s("The server is full."),
        Text::ServerRestarting => s("The server is restarting."),
        Text::ServerTooSlow => s(
            "The server closed the connection because it was too slow for the messages that arrived. Nothing is lost; they will be fetched again.",
        ),
        Text::Unanswered { commands } => {
            format!("The connection was lost before the answer to {commands}. Please try again.")
        }
        Text::NotRun { commands } => format!("Not run: {commands}."),
        Text::Dropped { commands } => format!("Not sent: {commands}."),
        Text::WaitsForConnection { command } => {
            format!("`{command}` will be sent when the connection is back.")
        }
        Text::TimeOut => s("Timed out."),
        Text::HelpHeading { mode } => format!("Commands in {mode} mode:"),
        Text::Unknown { line } => format!("Unknown command: {line}. Type `help` for a list."),
        Text::UnknownInChat { line } => {
            format!(
                "Unknown command: {line}. Type `/help` for a list, or start with // to send it as text."
            )
        }
        Text::OnlyInRooms { line } => format!("{line} works only in the chat of a room."),
        Text::OtherMode { command, way } => {
            format!("`{command}` is a command of another mode. Type `{way}` first.")
        }
        Text::ModeViaCommand { command, way } => {
            format!("`{command}` is a command of another mode. Type `\\c`, then `{way}`.")
        }
        Text::AtLine { line, why } => format!("line {line}: {why}"),
        Text::Usage { form } => format!("Usage: {form}"),
        Text::PasswordsDiffer { left } => {
            format!("The passwords do not match. Tries left: {left}.")
        }
        Text::Registered { name } => format!("Registered as {name}."),
        Text::LoggedIn { name } => format!("Logged in as {name}."),
        Text::HistoryReplaced => s(
            "The server's history was replaced, probably from a backup. Showing what the server has now.",
        ),
        Text::LoggedInAgain { name } => format!("Reconnected. Logged in as {name}."),
        Text::AlreadyLoggedIn { name } => {
            format!("You are already logged in as {name}. Type `logout` to log out.")
        }
        Text::FriendRequest { name } => {
            format!(
                "{name} sent you a friend request. Type `y {name}` to accept or `n {name}` to decline."
            )
        }
        Text::FriendRequestInChat { name } => {
            format!(
                "{name} sent you a friend request. Type `/y {name}` to accept or `/n {name}` to decline."
            )
        }
        Text::HowToAnswer => s(
            "Type `y <user>` or `+f <user>` to accept, `n <user>` to decline (in a chat `/y` and `/n`).",
        ),
        Text::Declined { name } => format!("Friend request from {name} declined."),
        Text::RequestSent { name } => format!("Friend request sent to {name}."),
        Text::NewContact { name } => format!("You and {name} are now friends."),
        Text::NewRoom { room } => format!("You joined {room}."),
        Text::RoomMade { room } => format!("Room {room} created."),
        Text::MembersAdded { room, names } => format!("Added to {room}: {names}."),
        Text::LeftRoom { room } => format!("You left {room}."),
        Text::UnreadOf { target, count } => format!("{target}: {count} unread"),
        Text::NoTarget { name } => format!("You have no friend or room named {name}."),
        Text::TwoTargets { name } => {
            format!(
                "Both a friend and a room are named {name}. Type `contact`, then `&f {name}` or `&r {name}`."
            )
        }
        Text::CameOnline { names } => format!("{names} came online"),
        Text::MembersLeft { names, room } => format!("{names} left {room}"),
        Text::LeftOrWentOffline { names } => format!("{names} left or went offline"),
        Text::WentOffline { names } => format!("{names} went offline"),
        Text::NewMessages { from, count } => format!("{from}: {}", new_messages(count)),
        Text::NewRoomMessages { room, count } => format!("{room}: {}", new_messages(count)),
        Text::NewElsewhere { count } => format!("and {} elsewhere", new_messages(count)),
        Text::SentTo { target } => format!(" to {target}: "),
        Text::PendingCount { count } => format!("{count} pending"),
        Text::AcceptOrSend { line } => {
            format!("To accept, type `/{line}`. Send `{line}` as text? (Y/N)")
        }
        Text::DeclineOrSend { line } => {
            format!("To decline, type `/{line}`. Send `{line}` as text? (Y/N)")
        }
        Text::LooksLikeCommand { line } => {
            format!("This looks like a command: {line}. Send it as text? (Y/N)")
        }
        Text::NotResent { target, reason } => format!("Not sent again to {target}: {reason}"),
        Text::MessageRefused { target, reason } => format!("Not sent to {target}: {reason}"),
        Text::MessageWaits {
            target,
            reason,
            seconds,
        } => format!("The message to {target} will be sent in {seconds} s: {reason}"),
        Text::Paste { count } => {
            let pasted = pasted(count);
            format!("{pasted}. Y: send each line; O: send as one message; N: discard.")
        }
        Text::PasteEach { count } => {
            let pasted = pasted(count);
            format!("{pasted}, too long for one message. Y: send each line; N: discard.")
        }
        Text::PasteOfCommands { count } => {
            let pasted = pasted(count);
            format!("{pasted}. Y: run each line as a command; N: discard.")
        }
        Text::PasteOne { count, limit } => {
            let pasted = pasted(count);
            format!(
                "{pasted}; at most {limit} can be sent one by one. O: send as one message; N: discard."
            )
        }
        Text::PasteTooMany { count, limit } => {
            let pasted = pasted(count);
            format!("Not accepted: {pasted}; the limit is {limit}.")
        }
        Text::PasteTooLong { bytes, limit } => {
            format!("Not accepted: a pasted line has {bytes} bytes; the limit is {limit}.")
        }
        Text::PasteCut { kept, whole } => {
            format!("The paste was cut: it has {whole} bytes, and only the first {kept} were kept.")
        }
        Text::PasteShort { count } => format!("{} (Y/O/N)", lines(count)),
        Text::PasteShortEach { count } => format!("{} (Y/N)", lines(count)),
        Text::PasteShortOne { count } => format!("{} (O/N)", lines(count)),
        Text::NoMatch => s("no match"),
        Text::OutgoingFound { count } => format!("Unsent lines from an earlier session: {count}."),
        Text::OutgoingUnreadable { count: 1 } => s("A saved line cannot be read."),
        Text::OutgoingUnreadable { count } => format!("{count} saved lines cannot be read."),
        Text::OutgoingFault { why } => format!("File of unsent lines: {why}"),
        Text::UnsentAtExit { count } => format!("Unsent lines: {count}."),
        Text::UnsentKept { user, file } => {
            format!("They are kept in {file} and will be sent when {user} next logs in here.")
        }
        Text::UnsentLost => s("They are not saved and will be lost when the program ends."),
        Text::CannotSend { why } => format!("Not sent: {why}"),
        Text::NoText => s("the message is empty."),
        Text::ControlCharacter { code } => {
            format!("a message cannot contain the control character U+{code}.")
        }
        Text::TooLong {
            bytes,
            characters,
            limit,
        } => format!(
            "the text is {bytes} bytes long ({characters} characters); the limit is {limit} bytes."
        ),
        Text::NameTooLong { bytes, characters } => format!(
            "The name is {characters} characters ({bytes} bytes) long; the limit is {NAME_CHARS} characters and {NAME_BYTES} bytes."
        ),
        Text::KeywordTooLong { bytes, limit } => {
            format!("the word is {bytes} bytes long; the limit is {limit} bytes.")
        }
        Text::TooManyNames { names, limit } => {
            format!("the list has {names} names; the limit is {limit}.")
        }
        Text::RequestTooLong { bytes, limit } => {
            format!("the request is {bytes} bytes long; the limit is {limit} bytes.")
        }
        Text::InLine { line, why } => {
            format!("Line {line}: {why} This line and everything after it were not sent.")
        }
        Text::LineCutsOff { target } => {
            format!(
                "The connection was lost three times in a row while a line to {target} was being sent. The server may have received it."
            )
        }
        Text::SetAside { count: 1, file } => {
            format!("The line will not be sent again. It is kept in {file}.")
        }
        Text::SetAside { count, file } => {
            format!("These {count} lines will not be sent again. They are kept in {file}.")
        }
        Text::NotSentAgain { count: 1 } => s("The line will not be sent again and is not saved."),
        Text::NotSentAgain { count } => {
            format!("These {count} lines will not be sent again and are not saved.")
        }
        Text::PendingHeading => s("Unsent lines:"),
        Text::NothingWaits => s("No unsent lines."),
        Text::PendingFor { target } => format!("to {target}: "),
        Text::InFlight => s("(sending) "),
        Text::PendingMore { count } => format!("and {count} more"),
        Text::PendingBefore { count } => format!("(pending) {count} more before these"),
        Text::Withdrawn { target } => format!("Withdrawn (to {target}):"),
        Text::WithdrawnLate { target } => {
            format!("It will not be sent again, but may have been received already (to {target}):")
        }
        Text::IsInFlight => s("This line is being sent and can no longer be withdrawn."),
        Text::NothingToWithdraw => s("Nothing to withdraw."),
        Text::NoSuchLine { number } => {
            format!("There is no unsent line {number}. Type `/pending` for a list.")
        }
        Text::HowToWithdraw => s("Type `/withdraw <number>` to withdraw one, or `/withdraw all`."),
        Text::ALineNumber => s("<number>|all"),
        Text::HelpWaiting => s("list unsent lines"),
        Text::HelpWithdraw => s("withdraw an unsent line, or all of them"),
        Text::UnknownSlash { line } => format!(
            "Unknown command: {line}. Start with // to send it without being asked. Send it as text? (Y/N)"
        ),
        Text::LeaveRoom { room } => format!(
            "Leave {room}? You will not be able to read its messages any more, even if you join again. (Y/N)"
        ),
        Text::LeaveRoomShort { room } => format!("leave {room}? (Y/N)"),
        Text::Stays { room } => format!("You did not leave {room}."),
        Text::ServerTime { time } => format!("Server time: {time}"),
        Text::RoomLine {
            room,
            members,
            owner,
            unread,
        } => {
            let noun = if members == 1 { "member" } else { "members" };
            format!("{room}: {members} {noun}, owner {owner}, {unread} unread")
        }
        Text::Members { room } => format!("Members of {room}:"),
        Text::UnknownServer { address } => {
            format!("{address} is an unknown server. Nothing has been sent yet.")
        }
        Text::UnknownServerHint { link } => {
            format!("If this is the right key, include it in the address: {link}")
        }
        Text::KeyNotKept { link } => format!(
            "The key cannot be saved, and nothing was sent. To connect without known_hosts, include the \
             key in the address: {link}"
        ),
        Text::TypeYes => s("Type yes if this is the right key: "),
        Text::NoYes => s("The answer was not yes: the key is not trusted, and nothing was sent."),
        Text::YesOrNo => s("Please type yes or no."),
        Text::KeyChanged { address } => format!(
            "The key of {address} has changed: someone may be intercepting the connection. Nothing was sent."
        ),
        Text::KeyChangedHint { address } => {
            format!(
                "If the server's operator confirms the new key, run: echat-nc --forget-host {address}"
            )
        }
        Text::KeyNotPinned { address } => {
            format!("{address} does not have the expected key. Nothing was sent.")
        }
        Text::KeyShown { key } => format!("server key   {key}"),
        Text::KeyExpected { key } => format!("expected key {key}"),
        Text::CannotConnect { address, why } => format!("Cannot connect to {address}: {why}"),
        Text::ServerReason { number } => {
            format!("The server closed the connection (reason {number}).")
        }
        Text::RetryAfter { seconds } => format!(" Try again in {seconds} s."),
        Text::DayLimit => s("The daily limit is reached."),
        Text::RetryAfterHours { hours } => format!(" Try again in about {hours} h."),
        Text::Limit { limit } => format!(" The limit is {limit}."),
        Text::Names { names } => format!(" ({names})"),
        Text::OtherRefusal { code, message } => format!("{message} ({code})"),
        Text::OutgoingNotKept => {
            s("Lines typed here are lost if this client quits before they are sent.")
        }
        Text::ConfigIgnored { why } => format!("ignored: {why}"),
        Text::AddressFromHere => s(
            "The address comes from ./config.json in the current folder, which anyone may have written.",
        ),
        Text::WaitsForLogin => s("This line will run after the login."),
        Text::HeldDropped { count } => {
            format!("Not logged in; lines not run: {count}.")
        }
        Text::NotTextLine { line } => {
            format!(
                "Line {line} is not valid in the encoding of the locale, which is UTF-8 unless it names GBK, GB18030 or Big5. This line and everything after it were not sent."
            )
        }
        Text::InputLineTooLong { line } => {
            format!(
                "Line {line} is longer than 1 MiB. This line and everything after it were not sent."
            )
        }
        Text::NotCarriedOut { line, count } => {
            let were = if count == 1 { "was" } else { "were" };
            format!("{} {were} not run (from line {line}).", lines(count))
        }
        Text::NotTextHere => s(
            "Not sent: it contains bytes that are not valid in the encoding of the locale (LC_ALL, LC_CTYPE, LANG). Terminal and locale must use the same encoding: UTF-8, GBK, GB18030 or Big5.",
        ),
        Text::InputUtf16 => s("The input is UTF-16; save it as UTF-8. Nothing was sent."),
        Text::PasswordAgainOf { name } => {
            format!("Enter the password of {name} again, or press Ctrl-C to go back.")
        }
        Text::CommandRefused { command, reason } => format!("`{command}`: {reason}"),
        Text::NoSuchUser { name } => format!("User {name} does not exist."),
        Text::NoSuchRoom { room } => format!("Room {room} does not exist."),
        Text::UserTaken { name } => {
            format!(
                "The name {name}, or one that looks like it, is taken. Please choose another one."
            )
        }
        Text::RoomTaken { room } => {
            format!("A room named {room}, or a name that looks like it, already exists.")
        }
        Text::AskedBefore { name } => {
            format!("You have already sent {name} a friend request. It has not been answered yet.")
        }
        Text::FriendsBefore { name } => format!("You and {name} are already friends."),
        Text::NoRequestOf { name } => {
            format!("{name} has not sent you a friend request. Type `+f {name}` to send one.")
        }
        Text::NotYourFriend { name } => {
            format!("You and {name} are not friends. Type `+f {name}` to send a friend request.")
        }
        Text::NotYourRoom { room } => {
            format!("You are not a member of {room}. Type `+r {room}` to join it.")
        }
        Text::OwnerOnly { room } => format!("Only the owner of {room} can add members."),
        Text::MemberBefore { room } => {
            format!("You are already a member of {room}. Type `&r {room}` to open it.")
        }
        Text::MembersBefore { room, names } => format!("Already members of {room}: {names}."),
        Text::NotYourFriends { names } => {
            format!(
                "Not your friends: {names}. Only friends can be added; type `+f <user>` to send a friend request."
            )
        }
        Text::LeftBefore { room, names } => {
            format!(
                "Cannot be added because they left {room}: {names}. They can rejoin with `+r {room}`."
            )
        }
        Text::OwnFriends { limit } => {
            format!(
                "You have reached the server's limit of {limit} friends. The operator can raise `server.limits.friends`."
            )
        }
        Text::RequestsOfOther { name, limit } => {
            format!(
                "{name} has reached the server's limit of {limit} friends or open requests. Try again when {name} has answered some."
            )
        }
        Text::FriendsOfOther { name, limit } => {
            format!(
                "{name} has reached the server's limit of {limit} friends. The request stays open."
            )
        }
        Text::OwnRooms { limit } => {
            format!(
                "You have reached the server's limit of {limit} rooms. Type `-r <room>` to leave one."
            )
        }
        Text::FullRoom { room, limit } => {
            format!(
                "{room} has reached the server's limit of {limit} members. Try again when one has left."
            )
        }
        Text::CreateLimit { room, limit } => {
            format!(
                "Room {room} was not created: it would exceed the server's limit of {limit} for its members, for the rooms of one of them, or for the rooms you have created. Name fewer users, or use an existing room."
            )
        }
        Text::AddLimit { room, limit } => {
            format!(
                "Not added to {room}: it would exceed the server's limit of {limit} for the members of a room, or for the rooms of one of these users. Add fewer users."
            )
        }
        Text::NameCharacter { character } => {
            format!("A name cannot contain {character}.")
        }
        Text::NameStart { character } => {
            format!("A name must start with a letter or a digit, not with {character}.")
        }
        Text::NumberedCharacter { character, number } => format!("\"{character}\" ({number})"),
        Text::SpaceCharacter { number } => format!("a space ({number})"),
        Text::PasswordOf { name } => format!("Password of {name}: "),
    }
}

/// A refusal's code.
pub(super) fn code(code: Code) -> &'static str {
    match code {
        Code::BadParams => "The server did not understand the request.",
        Code::NotLoggedIn => "Please log in first.",
        Code::AlreadyLoggedIn => "You are already logged in; log out first.",
        Code::NameTaken => "This name, or one that looks like it, is taken.",
        Code::BadName => "This name is not allowed.",
        Code::BadPassword => "This password is not allowed.",
        Code::BadCredentials => "Login failed: wrong user name or password.",
        Code::LoginThrottled => "Too many failed logins.",
        Code::UnknownUser => "No such user.",
        Code::IsSelf => "You cannot add yourself as a friend.",
        Code::AlreadyAsked => "You have already sent a friend request.",
        Code::AlreadyFriends => "You are already friends.",
        Code::NoRequest => "This user has not sent you a friend request.",
        Code::NotAFriend => "You are not friends.",
        Code::NotAMember => "You are not a member of this room.",
        Code::NotOwner => "Only the owner of the room can do this.",
        Code::UnknownRoom => "No such room.",
        Code::AlreadyMember => "You are already a member of this room.",
        Code::RoomExists => "A room with this name, or one that looks like it, already exists.",
        Code::NotFriends => "Some of these users are not your friends.",
        Code::NotAllowed => {
            "Some of these users left the room; they can only rejoin themselves, with +r."
        }
        Code::BadContent => {
            "The server does not accept this message. Unless its operator set another limit, a message has 1 to 4,000 bytes, and no control characters except newline and tab. Shorten it, or send it in parts."
        }
        Code::TxnReused => "The server already has another message with this number.",
        Code::RateLimited => "Too fast.",
        Code::TooMany => "A limit of the server has been reached.",
        Code::StorageFull => "The server's disk is full.",
        Code::StorageBusy => "The server's database is busy.",
        Code::StorageDamaged => {
            "Part of the server's database is damaged; its operator must repair it."
        }
        Code::UnknownCommand => "The server does not know this request.",
    }
}

/// So many lines.
fn lines(count: u64) -> String {
    let noun = if count == 1 { "line" } else { "lines" };
    format!("{count} {noun}")
}

/// So many new messages.
fn new_messages(count: u64) -> String {
    let noun = if count == 1 { "message" } else { "messages" };
    format!("{count} new {noun}")
}

/// So many lines, and that they were pasted.
fn pasted(count: u64) -> String {
    format!("{} pasted", lines(count))
}
