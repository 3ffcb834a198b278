//! The `pointsman` program: parses its arguments and calls the command.

fn main() -> std::process::ExitCode {
    pointsman::cli::main()
}
