//! `tagscape models`: which networks are there, adding one, and looking whether they are whole.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exit_code::Exit;
use super::printer;
use crate::app::models::{self, AddedModel};
use crate::catalog::ModelKey;
use crate::nn::weights;

/// Lists the networks, adds audioset-vggish from a file, or looks whether all are whole.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Says of each network where its weights come from, their licence, and where to get those that are missing
    List {
        /// Print one JSON object, and nothing else, to standard output
        #[arg(long)]
        json: bool,
    },
    /// Adds a network's weights from a file: Essentia's frozen graph (.pb), PyTorch's checkpoint (.pth), or safetensors
    Add {
        /// The network: audioset-vggish (vggish for short)
        name: ModelKey,
        /// The file
        file: PathBuf,
        /// Print one JSON object, and nothing else, to standard output
        #[arg(long)]
        json: bool,
    },
    /// Compares checksums, and runs the networks that were added; exit code 1 if one is damaged
    Verify {
        /// Print one JSON object, and nothing else, to standard output
        #[arg(long)]
        json: bool,
    },
}

impl ModelsArgs {
    /// Whether the command leaves more behind than what it prints.
    pub(super) fn leaves_work(&self) -> bool {
        matches!(self.action, Action::Add { .. })
    }
}

/// Runs the command.
///
/// # Errors
/// Where nothing could be done.
pub fn run(args: &ModelsArgs) -> anyhow::Result<Exit> {
    match &args.action {
        Action::List { json } => list(*json),
        Action::Add { name, file, json } => {
            let added = models::add(*name, file)?;
            if *json {
                let value = json!({ "name": name.name(), "path": added.path.to_string_lossy(), "bytes": added.bytes, "sha256": added.sha256,
                    "tensors_sha256": added.tensors_sha256, "source": source_json(&added) });
                printer::json(&value);
            } else {
                let (from, format, to) = (file.display(), &added.origin.format, added.path.display());
                printer::line(&format!("{name}: added from {from} ({format}), {to}"));
            }
            Ok(Exit::Done)
        }
        Action::Verify { json } => verify(*json),
    }
}

/// A network's weights, as far as they are there.
struct Listed {
    model: ModelKey,
    place: Place,
}

enum Place {
    Inside { bytes: usize, sha256: &'static str },
    Added(AddedModel),
    Damaged(String),
    Missing,
}

impl Listed {
    fn of(model: ModelKey) -> Self {
        let place = match weights::embedded(model).zip(weights::embedded_sha256(model)) {
            Some((file, sha256)) => Place::Inside { bytes: file.len(), sha256 },
            None => match models::added(model) {
                Ok(Some(added)) => Place::Added(added),
                Ok(None) => Place::Missing,
                Err(error) => Place::Damaged(error.to_string()),
            },
        };
        Self { model, place }
    }

    fn to_json(&self) -> Value {
        let mut value = json!({ "name": self.model.name(), "state": "missing", "licence": models::licence(self.model) });
        match &self.place {
            Place::Inside { bytes, sha256 } => {
                (value["state"], value["bytes"], value["sha256"]) = (json!("inside"), json!(bytes), json!(sha256));
            }
            Place::Added(added) => {
                (value["state"], value["bytes"], value["sha256"]) = (json!("added"), json!(added.bytes), json!(added.sha256));
                value["tensors_sha256"] = json!(added.tensors_sha256);
                (value["path"], value["source"]) = (json!(added.path.to_string_lossy()), source_json(added));
            }
            Place::Damaged(why) => (value["state"], value["reason"]) = (json!("damaged"), json!(why)),
            Place::Missing => {}
        }
        let downloads = models::downloads(self.model);
        if !downloads.is_empty() {
            let files: Vec<_> =
                downloads.iter().map(|file| json!({ "url": file.url, "from": file.from, "licence": file.licence })).collect();
            value["downloads"] = json!(files);
        }
        value
    }

    fn lines(&self) -> Vec<String> {
        let (name, licence) = (self.model.name(), models::licence(self.model));
        match &self.place {
            Place::Inside { bytes, sha256 } => {
                vec![format!("{name:16} inside the program, {}, licence {licence}, sha256 {sha256}", megabytes(*bytes as u64))]
            }
            Place::Added(added) => vec![
                format!("{name:16} {}, {}, sha256 {}", added.path.display(), megabytes(added.bytes), added.sha256),
                format!("{:16} from {}, sha256 {}; licence: {licence}", "", added.origin.file, added.origin.sha256),
            ],
            Place::Damaged(why) => vec![format!("{name:16} {why}")],
            Place::Missing => {
                let mut lines = vec![format!("{name:16} not there; get one of these files and run `tagscape models add {name} FILE`:")];
                lines.extend(
                    models::downloads(self.model).iter().map(|file| format!("{:16} {} ({}; {})", "", file.url, file.from, file.licence)),
                );
                lines
            }
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn source_json(added: &AddedModel) -> Value {
    let origin = &added.origin;
    json!({ "file": origin.file, "format": origin.format, "bytes": origin.bytes, "sha256": origin.sha256 })
}

fn list(json: bool) -> anyhow::Result<Exit> {
    let listed = ModelKey::ALL.map(Listed::of);
    if json {
        printer::json(&json!({ "models": listed.iter().map(Listed::to_json).collect::<Vec<_>>() }));
    } else {
        listed.iter().flat_map(Listed::lines).for_each(|line| printer::line(&line));
    }
    Ok(Exit::Done)
}

fn verify(json: bool) -> anyhow::Result<Exit> {
    let found = ModelKey::ALL.map(|model| (model, models::verify(model)));
    let mut exit = Exit::Done;
    let mut values = Vec::new();
    for (model, found) in &found {
        let state = match found {
            Ok(true) => "good",
            Ok(false) => "missing",
            Err(_) => "damaged",
        };
        let mut value = json!({ "name": model.name(), "state": state });
        if let Err(error) = found {
            exit = Exit::SomeFailed;
            value["reason"] = json!(error.to_string());
            printer::remark(&error.to_string());
        }
        values.push(value);
        if !json {
            printer::line(&format!("{:16} {state}", model.name()));
        }
    }
    if json {
        printer::json(&json!({ "models": values }));
    }
    Ok(exit)
}
