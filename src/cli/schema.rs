//! `pointsman schema`: the keys that the YAML files may have, for editors and other programs.

use std::io::{self, Write};

use clap::ValueEnum;

use crate::core::config::keys::{AGENT, CONTROLLER};
use crate::core::replay::test_file::TEST_FILE;
use crate::core::yaml::schema;

use super::output::wrong;

const EXAMPLES: &str = "\
Examples:
  pointsman schema > pointsman.schema.json
  pointsman schema agent --format yaml
  pointsman schema tests > tests.schema.json

In a YAML file that an editor looks at: # yaml-language-server: $schema=pointsman.schema.json";

/// Prints the JSON schema of a YAML file
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Which file
    #[arg(value_enum, default_value_t, value_name = "FILE")]
    of: Schema,
    /// How to print
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    format: Language,
}

/// The files that have a schema.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Schema {
    /// `pointsman.yaml`
    #[default]
    Controller,
    /// `agent.yaml`
    Agent,
    /// `*.test.yaml`
    Tests,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Language {
    #[default]
    Json,
    Yaml,
}

pub(super) fn run(args: &Args) -> io::Result<u8> {
    let schema = schema(match args.of {
        Schema::Controller => &CONTROLLER,
        Schema::Agent => &AGENT,
        Schema::Tests => &TEST_FILE,
    });
    let text = match args.format {
        Language::Json => serde_json::to_string_pretty(&schema).map(|text| text + "\n").map_err(|e| e.to_string()),
        Language::Yaml => serde_yaml::to_string(&schema).map_err(|e| e.to_string()),
    };
    match text {
        Ok(text) => io::stdout().lock().write_all(text.as_bytes()).map(|()| 0),
        Err(why) => Ok(wrong(&why)),
    }
}
