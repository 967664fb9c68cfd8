//! The program: arguments become settings, settings a command, a command an exit code.

mod api_key;
mod args;
mod commands;
mod config_file;
mod env;
mod hints;
mod place;
mod printer;
mod progress;
mod reference;
mod settings;
mod signals;
mod version;
mod words;

use std::io;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::ErrorKind;
use run::ExitStatus;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Cli, Command, Global, Music, Settings};
use crate::printer::{LogWriter, Printer};

/// Runs the command that the arguments of this process name.
pub fn main() -> ExitCode {
    // A shell that asks for completions gets them here, and the program ends.
    clap_complete::CompleteEnv::with_factory(args::command).complete();
    let command = args::command();
    let words = args::order::options_last(&command, std::env::args_os());
    let matched = command.try_get_matches_from(words);
    let mut cli = match matched.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(said) => return not_a_command(said),
    };
    if let Command::Books(books) = &cli.command {
        books.adjust(&mut cli.global);
    }
    let printer = Printer::new(&cli.global);
    log(&cli.global, printer);
    let_workers_panic_quietly();
    let place = cli.command.place();
    let status = run_command(cli.command, printer).unwrap_or_else(|error| {
        printer.error(&describe(&error), hints::hint(&error, &place).as_deref());
        ExitStatus::CouldNotRun
    });
    printer.ended(status).into()
}

/// Help, the version, or what is wrong with the arguments, which are foreign text like any other.
fn not_a_command(said: clap::Error) -> ExitCode {
    let is_wrong = said.use_stderr();
    let shown = if is_wrong {
        printer::refuse_arguments(&args::refused::explain(said));
        Ok(())
    } else if said.kind() == ErrorKind::DisplayVersion && version::is_wanted(std::env::args_os()) {
        printer::put(&format!("{said}{}", version::contents()))
    } else {
        said.print()
    };
    match shown {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            printer::say_lines(&format!("error: cannot write to standard output: {error}"));
            ExitStatus::CouldNotRun.into()
        }
        _ if is_wrong => ExitStatus::CouldNotRun.into(),
        _ => ExitStatus::Done.into(),
    }
}

fn run_command(command: Command, printer: Printer) -> anyhow::Result<ExitStatus> {
    match command {
        Command::Music(Music::Import(import)) => commands::import::import(&import, printer),
        Command::Music(Music::Hear(hear)) => commands::hear::hear(&hear, printer),
        Command::Music(Music::Collect(collect)) => commands::collect::collect(&collect, printer),
        Command::Music(Music::Plan(plan)) => commands::hear::plan(&plan, printer),
        Command::Music(Music::Identify(identify)) => {
            commands::identify::identify(&identify, printer)
        }
        Command::Music(Music::Flavor(flavor)) => commands::flavor::flavor(&flavor, printer),
        Command::Music(Music::Status { folder, place, all }) => {
            commands::status::status(&place.or_folder(folder), all, printer)
        }
        Command::Music(Music::Show { place, name, svg }) => {
            commands::show::show(&place, &name, svg.as_deref(), printer)
        }
        Command::Music(Music::Similar { place, name, count }) => {
            commands::similar::similar(&place, &name, count, printer)
        }
        Command::Music(Music::Edit(edit)) => commands::edit::edit(&edit, printer),
        Command::Music(Music::Edits(edits)) => commands::edit::edits(&edits, printer),
        Command::Music(Music::Review { folder, place }) => {
            commands::review::review(&place.or_folder(folder), printer)
        }
        Command::Music(Music::Settings(Settings::Get { place, key })) => {
            commands::settings::get(&place, &key, printer)
        }
        Command::Music(Music::Settings(Settings::Set { place, key, value })) => {
            commands::settings::set(&place, &key, value.as_deref(), printer)
        }
        Command::Music(Music::Settings(Settings::List { place })) => {
            commands::settings::list(&place, printer)
        }
        Command::Music(Music::Check { folder, place }) => {
            commands::check::check(&place.or_folder(folder), printer)
        }
        Command::Music(Music::Adopt {
            place,
            theirs,
            yes,
            dry_run: _,
        }) => commands::adopt::adopt(&place, &theirs, yes, printer),
        Command::Music(Music::Backup {
            place,
            file,
            replace,
        }) => commands::backup::backup(&place, &file, replace, printer),
        Command::Music(Music::Restore {
            place,
            file,
            replace,
        }) => commands::backup::restore(&place, &file, replace, printer),
        Command::Music(Music::Export(export)) => commands::export::export(&export, printer),
        Command::Books(command) => commands::books::run(command, printer),
        Command::Serve(serve) => commands::serve::serve(&serve, printer),
        Command::Doctor {
            folder,
            place,
            offline,
        } => Ok(commands::doctor::doctor(
            &place.or_folder(folder),
            offline,
            printer,
        )),
        Command::Config { folder, place } => {
            commands::config::config(&place.or_folder(folder), printer)
        }
        Command::Completions { shell } => commands::generate::completions(shell),
        Command::Man { folder } => commands::generate::man(&folder, printer),
        Command::Reference { table } => commands::generate::reference(table),
    }
}

/// An error on one line with its causes.
fn describe(error: &anyhow::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Transparent errors repeat their source.
        if said.iter().all(|before| !before.contains(&text)) {
            said.push(text);
        }
    }
    said.join(": ").lines().collect::<Vec<_>>().join(" ")
}

/// What is logged where the environment does not say.
fn usual_filter(quiet: u8, verbose: u8) -> Targets {
    let filter = match (quiet, verbose) {
        (1.., _) => "error",
        // What a schema lacks is a long list, and the commands tell what matters of it.
        (_, 0 | 1) => "warn,symphonia=off,lofty=off,sqlite::schema=error",
        (_, 2) => "info",
        _ => "debug",
    };
    filter.parse().expect("a test reads each of them")
}

fn log(global: &Global, printer: Printer) {
    let said = std::env::var(env::LOG).ok().filter(|said| !said.is_empty());
    let filter = said.as_deref().map(str::parse::<Targets>);
    if let Some(Err(error)) = &filter {
        let said = said.as_deref().unwrap_or_default();
        printer.warning(format!(
            "`{}` is `{said}`, expected a filter such as `debug`: {error}",
            env::LOG
        ));
    }
    let filter = filter
        .and_then(Result::ok)
        .unwrap_or_else(|| usual_filter(global.quiet, global.verbose));
    tracing_subscriber::fmt()
        // What is left out is told by the filter below, which needs no regular expressions.
        .with_max_level(LevelFilter::TRACE)
        .with_writer(|| LogWriter)
        // It would tell on standard error that standard error cannot be written, and end the program.
        .log_internal_errors(false)
        // Its colours could not be told from those that a file's name brings along.
        .with_ansi(false)
        .with_target(false)
        .finish()
        .with(filter)
        .init();
}

/// A panic in the analysis of one file is caught and told as that file's failure, which is all
/// that a person wants to know; workers have no name, so anybody else's is printed as ever.
fn let_workers_panic_quietly() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name().is_some() {
            usual(panic);
        } else {
            tracing::debug!("{panic}");
        }
    }));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use tracing::Level;

    use super::*;
    use crate::args::Place;

    #[test]
    fn more_is_logged_the_more_is_asked_for() {
        let seen = |quiet, verbose, target| {
            let filter = usual_filter(quiet, verbose);
            let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG];
            levels.map(|level| filter.would_enable(target, &level))
        };
        assert_eq!(seen(1, 3, "music::intake"), [true, false, false, false]);
        assert_eq!(seen(0, 1, "music::intake"), [true, true, false, false]);
        assert_eq!(seen(0, 1, "sqlite::schema"), [true, false, false, false]);
        assert_eq!(seen(0, 1, "symphonia_core::io"), [false; 4]);
        assert_eq!(seen(0, 2, "music::intake"), [true, true, true, false]);
        assert_eq!(seen(0, 3, "music::intake"), [true; 4]);
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_error_says_each_thing_once_and_its_hint_apart() {
        let error =
            hints::advised("no library at `x\nhint: y`", "make one").context("cannot show `y`");
        assert_eq!(
            describe(&error),
            "cannot show `y`: no library at `x hint: y`"
        );
        assert_eq!(
            hints::hint(&error, &Place::default()).as_deref(),
            Some("make one")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_hint_names_the_library_that_was_named_and_can_be_pasted() {
        let error = anyhow::Error::from(music::Error::NotOnePassage {
            name: "Seite A.ogg".to_owned(),
            passages: 3,
        });
        let place = Place {
            root_folder: Some("/my music".into()),
            database: None,
        };
        assert_eq!(
            hints::hint(&error, &place).as_deref(),
            Some("`accession music show 'Seite A.ogg' --root-folder '/my music'` lists their ids")
        );
    }
}
