//! What is legal in rules and unwise: warnings, each with its place and what to do.
//!
//! ```text
//!   compile ---- each expression --------> expressions: never, always, costly
//!           ---- each condition on fields > fields: contradictions
//!           ---- each choice of atoms ---> twice: what stands twice, or within something else
//!           ---- each alarm -------------> alarm: keys that events lack, what can't end
//!           ---- all together -----------> whole: one alarm under two names, captures without use, tried with every record
//!                                        waits: alarms that wait for what never is
//! ```
//!
//! A warning must be certain: what may be meant so is not told. Nothing here changes the program. An expression's run time
//! is linear in the text whatever it is (there is no backtracking), so what is told about its cost is size and being tried.
//! Tests: `tests/lang/err/{twice,never,costly,keys,waits}.alarm`, and the shipped rules, of which nothing may be told.

mod alarm;
mod expressions;
mod fields;
mod same;
mod twice;
mod waits;
mod whole;
