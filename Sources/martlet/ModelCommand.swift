import ArgumentParser

/// `martlet model`: models, from import to promotion.
struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model",
    abstract: "Judge, watch and keep models.",
    subcommands: [ModelGateCommand.self, ModelDriftCommand.self, ModelRegistryCommand.self])
}
