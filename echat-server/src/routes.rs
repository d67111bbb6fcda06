//! The route table: which function handles which request, and who may ask. Knows neither SQL nor
//! sockets.
//!
//! It reads like decorators and is checked whole by the compiler: a missing or doubled row, a
//! misspelt request or handler, a forgotten or unknown parameter, parameters of swapped types are
//! all compile errors. Parameters are filled in by name, as the original's README proposed.
//!
//! A refused gate is told before anything is said of the parameters.

use crate::handlers::{Answer, Ctx, Reject, account, friends, gate, messages, rooms, search};
use echat_proto::Value;
use echat_proto::commands::{Request, RequestKind};

macro_rules! routes {
    ($(#[route($request:ident, $gate:ident)] $module:ident::$handler:ident($($param:ident),*);)*) => {
        /// Lets the gate judge, reads the parameters, calls the handler.
        pub(crate) fn dispatch(
            ctx: &mut Ctx<'_, '_>,
            kind: RequestKind,
            params: &Value,
        ) -> Result<Answer, Reject> {
            match kind {
                $(RequestKind::$request => {
                    let caller = gate::$gate(ctx)?;
                    let Request::$request { $($param),* } = kind.read(params)? else {
                        unreachable!("a kind reads its own request")
                    };
                    $module::$handler(ctx, caller, $($param),*).map(Answer::from)
                })*
            }
        }
    };
}

routes! {
    #[route(QueryServerTime, anyone)]      account::query_server_time();
    #[route(Register, guest)]              account::register(username, password);
    #[route(Login, guest)]                 account::login(username, password);
    #[route(Logout, member)]               account::logout();
    #[route(AddFriend, member)]            friends::add_friend(username);
    #[route(ResolveFriendRequest, member)] friends::resolve_friend_request(username, accepted);
    #[route(SendMessage, member)]          messages::send_message(target_type, target, content, txn_id);
    #[route(QueryHistory, member)]         messages::query_history(target_type, target, before, after, limit);
    #[route(MarkRead, member)]             messages::mark_read(target_type, target, id);
    #[route(CreateRoom, member)]           rooms::create_room(roomname, members);
    #[route(JoinRoom, member)]             rooms::join_room(roomname);
    #[route(LeaveRoom, member)]            rooms::leave_room(roomname);
    #[route(AddMembers, member)]           rooms::add_members(roomname, members);
    #[route(ListRooms, member)]            rooms::list_rooms();
    #[route(ListMembers, member)]          rooms::list_members(roomname);
    #[route(Find, member)]                 search::find(keyword);
}
