//! The system tests, one module for each area.

mod decode;
