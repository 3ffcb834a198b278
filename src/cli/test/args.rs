//! The arguments of `pointsman test`.

use std::path::PathBuf;

use super::super::given::Given;
use super::super::output::OutputFormat;
use super::coverage::CoverageFormat;

const EXAMPLES: &str = "\
Examples:
  pointsman test -c pointsman.yaml                 the tests beside the rules that it names
  pointsman test rules/ip_takeover                 the tests of a folder
  pointsman test rules --only 'primary failure'    those with this in their name
  pointsman test rules -v                          with the timeline of each that fails
  pointsman test rules --coverage                  what of the rules no test exercises
  pointsman test rules --junit results.xml         for a build server
  pointsman test rules --update                    writes what happens now as expectations; review the diff
  pointsman test -c pointsman.yaml --from app.log  a first test from a log, on standard output
  pointsman test -c pointsman.yaml --from-samples  a first test of each alarm whose pattern has a sample
  pointsman test rules --watch                     again after each change
  pointsman test rules --mutate                    changes of the rules that no test notices

A test file (*.test.yaml) may name its configuration and rules. Otherwise those given here apply, or else the rules of its folder.";

/// Runs rule tests
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    pub(super) given: Given,
    /// Only tests with this text in their name
    #[arg(long, value_name = "TEXT")]
    pub(super) only: Option<String>,
    /// Show the timeline of tests that fail; given twice, of all tests
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// How to print
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(super) format: OutputFormat,
    /// Show which parts of the rules no test exercises: as a table, for lcov, or as JSON
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, default_missing_value = "table", require_equals = true)]
    pub(super) coverage: Option<CoverageFormat>,
    /// Write the results for a build server as well (JUnit's XML)
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Replace expectations that fail by what happens now, and show the difference
    #[arg(long, conflicts_with_all = ["coverage", "junit", "from", "mutate"])]
    pub(super) update: bool,
    /// Write a first test to standard output, from this log and what the rules do with it
    #[arg(long, value_name = "LOG", conflicts_with_all = ["coverage", "junit", "mutate"])]
    pub(super) from: Option<PathBuf>,
    /// Write a first test of each alarm, from the samples of its pattern or its self events, to standard output
    #[arg(long, conflicts_with_all = ["coverage", "junit", "from", "update", "mutate"])]
    pub(super) from_samples: bool,
    /// Change the rules in many ways, one at a time, and show the changes that no test notices
    #[arg(long, conflicts_with_all = ["coverage", "junit"])]
    pub(super) mutate: bool,
    /// Run the tests again whenever rules, tests, scripts or the configuration change
    #[arg(long, conflicts_with_all = ["update", "from", "from_samples", "mutate"])]
    pub(super) watch: bool,
    /// Test files, or folders of them [default: where the rules are]
    pub(super) paths: Vec<PathBuf>,
}
