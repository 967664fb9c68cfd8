//! Files as the program hears them; MIDI files by way of `fluidsynth`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use audio::fingerprint::Mono11k;
use audio::flavor::{Describer, Evidence, Flavor};
use audio::loudness::Loudness;

use super::annotations::Annotated;
use crate::cuts::tracks::{RATE, Split, Stereo};

/// Where Debian's packages lay their sound fonts; the songs of the test split have the second one.
const FONTS: [(&str, &str); 2] = [
    ("timgm6mb-soundfont", "/usr/share/sounds/sf2/TimGM6mb.sf2"),
    ("fluid-soundfont-gm", "/usr/share/sounds/sf2/FluidR3_GM.sf2"),
];

/// Whether a file is MIDI, by its name.
fn is_midi(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("mid"))
}

/// Renders MIDI files and hears what there is to hear.
#[derive(Debug)]
pub struct Renderer {
    font: Option<PathBuf>,
}

impl Renderer {
    /// One that can hear audio files only.
    pub const fn without() -> Self {
        Self { font: None }
    }

    /// What these files need.
    pub fn of(files: &[Annotated], font: Option<&Path>, split: Split) -> Result<Self> {
        if files.iter().any(|file| is_midi(&file.path)) {
            Self::find(font, split)
        } else {
            Ok(Self::without())
        }
    }

    /// With a sound font, or with one of Debian's.
    pub fn find(font: Option<&Path>, split: Split) -> Result<Self> {
        let started = Command::new("fluidsynth")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        ensure!(
            started.is_ok_and(|status| status.success()),
            "`fluidsynth` is needed to render MIDI files; on Debian: apt-get install fluidsynth {} {}",
            FONTS[0].0,
            FONTS[1].0
        );
        let (package, path) = FONTS[usize::from(split == Split::Test)];
        let font = font.map_or_else(|| PathBuf::from(path), Path::to_path_buf);
        ensure!(
            font.is_file(),
            "there is no sound font `{}`; on Debian: apt-get install {package}",
            font.display()
        );
        Ok(Self { font: Some(font) })
    }

    /// Describes a file, played so many times as fast.
    pub fn hear(&self, path: &Path, speed: f64) -> Result<Flavor> {
        let describer = self.listen(path, speed)?;
        // Neither tempo nor key asks how loud it is.
        Ok(describer.finish(&Loudness::of(&[]), &[]))
    }

    /// What the key of a file is told from.
    pub fn evidence(&self, path: &Path) -> Result<Evidence> {
        Ok(self.listen(path, 1.0)?.evidence())
    }

    fn listen(&self, path: &Path, speed: f64) -> Result<Describer> {
        if !is_midi(path) {
            return Ok(listen(&Stereo::decode(path, speed)?));
        }
        let Some(font) = &self.font else {
            bail!(
                "`{}` is MIDI, and no sound font was looked for",
                path.display()
            );
        };
        let folder = tempfile::tempdir()?;
        let wav = folder.path().join("rendered.wav");
        let output = Command::new("fluidsynth")
            .args(["-ni", "-q", "-g", "0.5", "-r", "44100", "-F"])
            .args([&wav, font])
            .arg(path)
            .output()
            .context("cannot start `fluidsynth`")?;
        ensure!(
            output.status.success() && wav.is_file(),
            "`fluidsynth` did not render `{}`: {}",
            path.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(listen(&Stereo::decode(&wav, speed)?.trimmed()))
    }
}

/// Listens as an import does.
fn listen(audio: &Stereo) -> Describer {
    let mut mono = Mono11k::new(RATE, 2);
    let mut describer = Describer::new();
    let mut samples = Vec::new();
    let planes = audio.left.chunks(4096).zip(audio.right.chunks(4096));
    for (left, right) in planes {
        samples.clear();
        mono.push(&[left, right], &mut samples);
        describer.push(&samples);
    }
    samples.clear();
    mono.finish(&mut samples);
    describer.push(&samples);
    describer
}
