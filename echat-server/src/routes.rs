//! The route table: everything that only the server knows of a request. Knows neither SQL nor sockets.
//!
//! A row names, in this order:
//!
//! * the request;
//! * its gate, a function of [`gate`]: which connections may ask;
//! * whether bots may ask: `bots` or `people`, functions of [`gate`], too;
//! * its cost class, a [`Cost`];
//! * its access to the database, an [`Access`]; one that `writes` is judged by the rates and quotas that
//!   its plan's demand names ([`admission`]); one that `issues` a secret writes, too, and its handler gets
//!   a seed; one that `proves` counts an attempt at the caller's password, and writes when a
//!   worker has found it right; one that `administers` is judged by the table of administration; one that `resumes`
//!   reads in as many turns as it takes, and its handler gets what the turns before left;
//! * the handler, and its parameters by name.
//!
//! What clients know too (replies, refusals, pages, secrets, sessions) stands in the row of
//! [`echat_proto::commands`]. The compiler checks the table whole: a missing or doubled row, a misspelt
//! request, handler or policy, a forgotten or unknown parameter and parameters of swapped types do not
//! compile.
//!
//! The gate is asked before the parameters are read.
//!
//! [`admission`]: crate::handlers::admission

use crate::handlers::admission::{Plan, Received, View};
use crate::handlers::gate::Passed;
use crate::handlers::{
    Answer, Caller, Ctx, Reject, Unfinished, account, administration, blocks, bots, deletion,
    friends, gate, invitation_codes, message_changes, messages, moderation, password, people,
    room_settings, rooms, search,
};
use crate::secrets::SecretSeed;
use echat_proto::Value;
use echat_proto::commands::{Request, RequestKind};

/// What a request does with the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Its answer rests on nothing that another request of the same tick wrote, and it writes nothing in
    /// the tick: a tick that is rolled back keeps the answer.
    Memory,
    /// It reads. The compiler gives its handler no way to write.
    Reads,
    /// It may write.
    Writes,
}

/// What the scheduler charges for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    /// Many may share a turn.
    Light,
    /// It ends its turn: the reply may be as long as a page, or the request as long as a frame.
    Heavy,
    /// Many may share a turn, and their work begins no cool-down: the message rate bounds it.
    Sending,
}

/// What the scheduler and the tick ask of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) access: Access,
    pub(crate) cost: Cost,
}

/// The words of the rows: a misspelt one does not compile.
#[expect(
    non_upper_case_globals,
    reason = "rows name policies as they name handlers, in lower case"
)]
mod words {
    use super::{Access, Cost};

    pub(super) const light: Cost = Cost::Light;
    pub(super) const heavy: Cost = Cost::Heavy;
    pub(super) const sending: Cost = Cost::Sending;

    pub(super) const memory: Access = Access::Memory;
    pub(super) const reads: Access = Access::Reads;
    pub(super) const resumes: Access = Access::Reads;
    pub(super) const writes: Access = Access::Writes;
    pub(super) const issues: Access = Access::Writes;
    pub(super) const proves: Access = Access::Writes;
    pub(super) const administers: Access = Access::Writes;
}

/// Calls a handler with the context that its access allows. One that writes gives a plan, which is
/// admitted and carried out.
macro_rules! handle {
    (reads, ($ctx:ident, $kind:ident, $params:ident, $unfinished:ident), $handler:path, $caller:ident $(, $argument:ident)*) => {
        $handler(&*$ctx, $caller $(, $argument)*).map(Answer::from)
    };
    (resumes, ($ctx:ident, $kind:ident, $params:ident, $unfinished:ident), $handler:path, $caller:ident $(, $argument:ident)*) => {
        $handler(&*$ctx, $caller, $unfinished $(, $argument)*).map(Answer::from)
    };
    (memory, ($ctx:ident, $kind:ident, $params:ident, $unfinished:ident), $handler:path, $caller:ident $(, $argument:ident)*) => {
        $handler($ctx, $caller $(, $argument)*).map(Answer::from)
    };
    (proves, ($ctx:ident, $kind:ident, $params:ident, $unfinished:ident), $handler:path, $caller:ident $(, $argument:ident)*) => {
        $handler($ctx, $caller $(, $argument)*)
    };
    (administers, ($ctx:ident, $kind:ident, $params:ident, $unfinished:ident), $handler:path, $caller:ident $(, $argument:ident)*) => {
        $handler($ctx, $caller $(, $argument)*)
    };
    (writes, ($ctx:ident, $kind:ident, $params:ident, $unfinished:ident), $handler:path, $caller:ident $(, $argument:ident)*) => {
        handle!(with None, [], ($ctx, $kind, $params), $handler, $caller $(, $argument)*)
    };
    (issues, ($ctx:ident, $kind:ident, $params:ident, $unfinished:ident), $handler:path, $caller:ident $(, $argument:ident)*) => {{
        let seed = $ctx.draw();
        handle!(with Some(seed.clone()), [&seed], ($ctx, $kind, $params), $handler, $caller $(, $argument)*)
    }};
    (with $seed:expr, [$($issued:expr)?], ($ctx:ident, $kind:ident, $params:ident), $handler:path, $caller:ident $(, $argument:ident)*) => {{
        let received = Received {
            kind: $kind,
            params: $params,
            caller: $caller.caller().cloned(),
            seed: $seed,
        };
        let plan = $handler(&$ctx.view(), $caller $(, $issued)? $(, $argument)*)?;
        $ctx.carry_out(plan, &received)
    }};
}

/// Lets the handler of an authenticated request that writes decide again; `None` for any other row.
macro_rules! decide {
    (writes, authenticated, $seed:ident, $($rest:tt)*) => {
        decide!(with [], $($rest)*)
    };
    (issues, authenticated, $seed:ident, $($rest:tt)*) => {{
        let seed = $seed.expect("the journal has the seed of a request that issues a secret");
        decide!(with [seed], $($rest)*)
    }};
    (with [$($issued:ident)?], $request:ident, ($view:ident, $kind:ident, $params:ident, $caller:ident), $handler:path $(, $argument:ident)*) => {{
        let Request::$request { $($argument),* } = $kind.read($params)? else {
            unreachable!("a kind reads its own request")
        };
        $handler($view, $caller $(, $issued)? $(, $argument)*).map(Some)
    }};
    ($access:ident, $gate:ident, $($rest:tt)*) => {
        Ok(None)
    };
}

macro_rules! routes {
    ($(
        #[route($request:ident, $gate:ident, $bots:ident, $cost:ident, $access:ident)]
        $module:ident::$handler:ident($($param:ident),*);
    )*) => {
        /// The policy of a request.
        pub(crate) const fn policy(kind: RequestKind) -> Policy {
            match kind {
                $(RequestKind::$request => Policy {
                    access: words::$access,
                    cost: words::$cost,
                },)*
            }
        }

        /// Lets the gate judge, reads the parameters, calls the handler. `unfinished` is what the turns before left of
        /// the request; only the handler of a row that `resumes` gets it.
        pub(crate) fn dispatch(
            ctx: &mut Ctx<'_, '_>,
            kind: RequestKind,
            params: &Value,
            unfinished: Option<Unfinished>,
        ) -> Result<Answer, Reject> {
            match kind {
                $(RequestKind::$request => {
                    let caller = gate::$gate(ctx)?;
                    gate::$bots(&caller)?;
                    let Request::$request { $($param),* } = kind.read(params)? else {
                        unreachable!("a kind reads its own request")
                    };
                    handle!($access, (ctx, kind, params, unfinished), $module::$handler, caller $(, $param)*)
                })*
            }
        }

        /// The plan of an authenticated request that writes, without gate and admission; `None` for any
        /// other request. `seed` is that of a request that issues a secret.
        pub(crate) fn decide(
            view: &View<'_, '_>,
            kind: RequestKind,
            params: &Value,
            caller: Caller,
            seed: Option<&SecretSeed>,
        ) -> Result<Option<Plan>, Reject> {
            match kind {
                $(RequestKind::$request => {
                    decide!($access, $gate, seed, $request, (view, kind, params, caller), $module::$handler $(, $param)*)
                })*
            }
        }
    };
}

routes! {
    #[route(QueryServerTime, anyone, bots, light, memory)]
    account::query_server_time();
    #[route(Register, unauthenticated, bots, light, writes)]
    account::register(username, password, invitation);
    #[route(Login, unauthenticated, bots, heavy, memory)]
    account::login(username, password, resume, token, device, messages);
    #[route(Logout, logged_in, bots, light, memory)]
    account::logout();
    #[route(ChangePassword, logged_in, people, light, proves)]
    password::change_password(old, new);
    #[route(DeleteAccount, authenticated, people, light, proves)]
    deletion::delete_account(password, erase);
    #[route(SetAway, authenticated, people, light, writes)]
    people::set_away(text);
    #[route(ListFriends, authenticated, people, heavy, reads)]
    people::list_friends();
    #[route(Whois, authenticated, people, heavy, reads)]
    people::whois(username);
    #[route(ListSessions, authenticated, people, light, memory)]
    people::list_sessions();
    #[route(SetPrivacy, authenticated, people, light, writes)]
    people::set_privacy(last_seen);
    #[route(CreateInvitation, authenticated, people, light, issues)]
    invitation_codes::create_invitation(uses, expires);
    #[route(ListInvitations, authenticated, people, heavy, reads)]
    invitation_codes::list_invitations();
    #[route(RevokeInvitation, authenticated, people, light, writes)]
    invitation_codes::revoke_invitation(code);
    #[route(EndOtherSessions, authenticated, people, light, memory)]
    account::end_other_sessions();
    #[route(AddFriend, authenticated, people, light, writes)]
    friends::add_friend(username);
    #[route(ResolveFriendRequest, authenticated, people, light, writes)]
    friends::resolve_friend_request(username, accepted);
    #[route(RemoveFriend, authenticated, people, light, writes)]
    friends::remove_friend(username);
    #[route(Block, authenticated, people, light, writes)]
    blocks::block(username);
    #[route(Unblock, authenticated, people, light, writes)]
    blocks::unblock(username);
    #[route(ListBlocked, authenticated, people, heavy, reads)]
    blocks::list_blocked();
    #[route(Invite, authenticated, people, light, writes)]
    moderation::invite(roomname, username);
    #[route(DeclineInvitation, authenticated, people, light, writes)]
    moderation::decline_invitation(roomname);
    #[route(Kick, authenticated, people, light, writes)]
    moderation::kick(roomname, username, reason);
    #[route(Ban, authenticated, people, light, writes)]
    moderation::ban(roomname, username, until, reason);
    #[route(Unban, authenticated, people, light, writes)]
    moderation::unban(roomname, username);
    #[route(ListBans, authenticated, people, heavy, reads)]
    moderation::list_bans(roomname);
    #[route(SendMessage, authenticated, bots, sending, writes)]
    messages::send_message(target_type, target, content, txn_id, reply_to);
    #[route(QueryHistory, authenticated, bots, heavy, reads)]
    messages::query_history(target_type, target, before, after, limit, around, at);
    #[route(MarkRead, authenticated, bots, light, writes)]
    messages::mark_read(target_type, target, id);
    #[route(EditMessage, authenticated, bots, sending, writes)]
    message_changes::edit_message(id, content);
    #[route(DeleteMessage, authenticated, bots, sending, writes)]
    message_changes::delete_message(id);
    #[route(React, authenticated, bots, sending, writes)]
    message_changes::react(id, emoji, on);
    #[route(ListMentions, authenticated, bots, heavy, resumes)]
    messages::list_mentions(before, limit);
    #[route(Search, authenticated, bots, heavy, resumes)]
    search::search(query, target_type, target, sender, since, until, before, limit);
    #[route(CreateRoom, authenticated, people, heavy, writes)]
    rooms::create_room(roomname, members, private, topic);
    #[route(JoinRoom, authenticated, people, light, writes)]
    rooms::join_room(roomname);
    #[route(LeaveRoom, authenticated, people, light, writes)]
    rooms::leave_room(roomname);
    #[route(AddMembers, authenticated, people, heavy, writes)]
    rooms::add_members(roomname, members);
    #[route(ListRooms, authenticated, bots, heavy, reads)]
    rooms::list_rooms();
    #[route(ListMembers, authenticated, bots, heavy, reads)]
    rooms::list_members(roomname);
    #[route(RoomInfo, authenticated, bots, light, reads)]
    room_settings::room_info(roomname);
    #[route(SetRoom, authenticated, people, light, writes)]
    room_settings::set_room(roomname, new_name, topic, private, read_only, slow_seconds, keep_days);
    #[route(CloseRoom, authenticated, people, light, writes)]
    room_settings::close_room(roomname);
    #[route(SetRole, authenticated, people, light, writes)]
    room_settings::set_role(roomname, username, role);
    #[route(ListPublicRooms, authenticated, people, heavy, reads)]
    room_settings::list_public_rooms(after, limit);
    #[route(CreateBot, authenticated, people, heavy, issues)]
    bots::create_bot(username, rooms, expires);
    #[route(ListBots, authenticated, people, heavy, reads)]
    bots::list_bots();
    #[route(RemoveBot, authenticated, people, light, writes)]
    bots::remove_bot(username);
    #[route(NewBotToken, authenticated, people, light, issues)]
    bots::new_bot_token(username, expires);
    #[route(Admin, authenticated, people, heavy, administers)]
    administration::admin(command, params);
    #[route(Find, authenticated, people, heavy, reads)]
    search::find(keyword);
}

#[cfg(test)]
mod tests {
    use super::*;
    use echat_proto::commands::{SessionEffect, Shape};

    #[test]
    fn a_request_with_a_page_or_a_list_of_names_is_heavy() {
        for kind in RequestKind::ALL {
            let has_list = match kind.info().shape {
                Shape::Dict(fields) => fields.iter().any(|field| field.kind == "list"),
                Shape::One(field) => field.kind == "list",
                Shape::Null => false,
            };
            let is_heavy = policy(*kind).cost == Cost::Heavy;
            let expected = kind.answers().paged || has_list;
            assert_eq!(is_heavy, expected, "{}", kind.info().name);
        }
    }

    #[test]
    fn a_session_begins_and_ends_without_a_write() {
        for kind in RequestKind::ALL {
            // DELETE_ACCOUNT ends it after the commit.
            let is_deletion = *kind == RequestKind::DeleteAccount;
            let changes = kind.answers().session != SessionEffect::Keeps && !is_deletion;
            let is_kept = policy(*kind).access == Access::Memory;
            assert!(is_kept || !changes, "{}", kind.info().name);
        }
    }
}
