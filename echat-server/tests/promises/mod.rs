//! Promises that a table or a property states better than a transcript.

mod accounts;
mod address_bans;
mod authorisation;
mod bad_inputs;
mod blocked;
mod bots;
mod clock;
mod closed_rooms;
mod declined;
mod deletion;
mod devices;
mod guessing;
mod lobby;
mod log_lines;
mod malformed;
mod older_clients;
mod params;
mod people;
mod quotas;
mod removed_text;
mod requests;
mod retention;
mod search;
mod splits;
mod storage;
mod storms;

pub(crate) use authorisation::missing;
