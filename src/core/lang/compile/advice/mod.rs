//! Warnings about rules that are valid and unwise, each with its place and what to do.
//!
//! ```text
//!   compile ---- each expression --------> expressions: never, always, costly
//!           ---- each condition on fields > fields: contradictions
//!           ---- each choice of atoms ---> twice: duplicates, and atoms that another atom includes
//!           ---- each alarm -------------> alarm: keys that events lack, alarms that cannot end
//!           ---- all together -----------> whole: one alarm under two names, captures without use, tried with every record
//!                                        waits: alarms that wait for what never happens
//! ```
//!
//! A warning must be certain: what may be intended is not reported. Nothing here changes the program. The run time of any
//! expression is linear in the text (there is no backtracking), so warnings about cost concern size and how often a condition
//! is tried. Tests: `tests/lang/err/{twice,never,costly,keys,waits}.alarm`, and the shipped rules, which must have no
//! warnings.

mod alarm;
mod expressions;
mod fields;
mod same;
mod twice;
mod waits;
mod whole;
