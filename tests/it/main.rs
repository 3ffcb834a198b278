//! What the house does as a whole, seen from outside: one file for each area.

mod cli;
mod config;
mod control;
mod decode;
mod engine;
mod grammar;
mod lang;
mod runs;
mod script;
mod sim;
mod support;
