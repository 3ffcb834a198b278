//! Generates `docs/reference/command-line.md` from the declaration of the command line.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// Every command with its arguments, options and defaults, as Markdown.
pub fn reference() -> String {
    let mut text = String::from(
        "# Command line\n\nThis page is generated from the program, with every option. [Commands](commands.md) lists the commands by purpose. `--help` of each\ncommand shows examples.\n",
    );
    describe(&mut super::command_line(), "", &mut text);
    text
}

fn describe(command: &mut Command, above: &str, text: &mut String) {
    let name = if above.is_empty() { command.get_name().to_owned() } else { format!("{above} {}", command.get_name()) };
    if !above.is_empty() {
        let usage = command.render_usage().to_string();
        let usage = usage.trim_start_matches("Usage:").trim().split_once(' ').map_or("", |(_, rest)| rest);
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = write!(text, "\n## {name}\n\n{about}.\n\n```text\n{}\n```\n", format!("{name} {usage}").trim_end());
        let shown = |arg: &&Arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version");
        let arguments: Vec<String> = command.get_arguments().filter(shown).map(row).collect();
        if !arguments.is_empty() {
            let _ = write!(text, "\n| argument | meaning | default |\n|---|---|---|\n{}", arguments.concat());
        }
    }
    let shown: Vec<&mut Command> =
        command.get_subcommands_mut().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help").collect();
    for sub in shown {
        describe(sub, &name, text);
    }
}

fn row(arg: &Arg) -> String {
    let values: Vec<String> = arg.get_value_names().into_iter().flatten().map(ToString::to_string).collect();
    let takes = arg.get_action().takes_values();
    let long = arg.get_long().map(|long| format!("--{long}"));
    let short = arg.get_short().map(|short| format!("-{short}"));
    let flags: Vec<String> = short.into_iter().chain(long).collect();
    let name = match (flags.is_empty(), takes) {
        (true, _) => values.join(" "),
        (false, true) if arg.is_require_equals_set() => format!("{}[={}]", flags.join(", "), values.join(" ")),
        (false, true) => format!("{} {}", flags.join(", "), values.join(" ")),
        (false, false) => flags.join(", "),
    };
    let possible: Vec<String> = if takes {
        arg.get_possible_values().iter().filter(|v| !v.is_hide_set()).map(|v| format!("`{}`", v.get_name())).collect()
    } else {
        Vec::new()
    };
    let possible = if possible.is_empty() { String::new() } else { format!(": {}", possible.join(", ")) };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<String> = arg.get_default_values().iter().map(|v| format!("`{}`", v.to_string_lossy())).collect();
    let default = if takes { defaults.join(", ") } else { String::new() };
    format!("| `{}` | {}{possible} | {default} |\n", name.trim(), help.replace('|', "\\|").replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_argument_is_explained() {
        for line in reference().lines().filter(|line| line.starts_with("| `")) {
            let meaning = line.split(" | ").nth(1).unwrap_or_default();
            assert!(meaning.len() > 3 && !meaning.starts_with(':'), "{line}");
        }
    }
}
