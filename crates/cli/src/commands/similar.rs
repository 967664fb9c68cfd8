//! `music similar`.

use anyhow::Result;
use run::ExitStatus;

use crate::args::Place;
use crate::commands::open_to_read;
use crate::commands::show;
use crate::printer::Printer;

/// Names the passages that sound most like one.
pub(crate) fn similar(
    place: &Place,
    passage: &str,
    count: usize,
    printer: Printer,
) -> Result<ExitStatus> {
    let library = open_to_read(place, printer)?;
    let passage = &*music::library::names::meant(&library, passage)?;
    let neighbours = music::views::similar::similar(&library, passage, count)?;
    printer.show(&neighbours, || {
        let lines = neighbours.iter().map(|neighbour| {
            format!(
                "{:5.3}  {:5.3}  {}  {}",
                neighbour.distance,
                neighbour.spec003,
                neighbour.passage.id,
                match &neighbour.passage.title {
                    Some(_) => show::name(&neighbour.passage),
                    None => neighbour.passage.path.clone(),
                }
            )
        });
        std::iter::once("sound  spec3  passage (the smaller the number, the nearer)".to_owned())
            .chain(lines)
            .collect()
    });
    Ok(ExitStatus::Done)
}
