import ArgumentParser

/// `martlet model`: from another tool's file to what the engine runs, and what is known of it.
struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model",
    abstract: "Import, join, run, check and govern models.",
    discussion: """
      import freezes a model of another tool into an artifact, ensemble joins
      artifacts, predict runs one over rows, verify checks one; gate judges scores,
      drift compares inputs, registry keeps versions and who approved them.

      Example:
        martlet model import --input model.txt --output m.martlet
        martlet model predict --model m.martlet --input rows.csv
      """,
    subcommands: [
      ModelImportCommand.self, ModelEnsembleCommand.self, ModelPredictCommand.self, ModelVerifyCommand.self,
      ModelGateCommand.self, ModelDriftCommand.self, ModelRegistryCommand.self,
    ])
}
