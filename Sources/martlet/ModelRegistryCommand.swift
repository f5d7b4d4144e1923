import ArgumentParser
import Foundation
import ModelGovernance
import TradingTypes

/// `martlet model registry`: models on disk and what happened to them.
struct ModelRegistryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "registry",
    abstract: "Keep models, their gates, approvals and history in a folder.",
    discussion: """
      A version goes from none through staging into production: promotion asks for
      passed gates and an approval, and leaves the former version archived, where
      rollback finds it. Every command prints JSON; the history is history.jsonl in
      the folder.

      Example:
        martlet model registry add up --registry R --artifact up.martlet
        martlet model registry stage up 1 --registry R --scores holdout.csv
        martlet model registry approve up 1 --registry R --reason "a week in shadow"
        martlet model registry promote up 1 --registry R
      """,
    subcommands: [
      ListCommand.self, ShowCommand.self, AddCommand.self, StageCommand.self, ApproveCommand.self,
      PromoteCommand.self, RollbackCommand.self, ArchiveCommand.self, VerifyCommand.self,
    ])

  /// The folder.
  struct Place: ParsableArguments {
    @Option(help: ArgumentHelp("The registry's folder.", valueName: "folder"))
    var registry: String

    func read<Answer>(_ body: (borrowing ModelRegistry) throws -> Answer) throws -> Answer {
      do {
        let opened = try ModelRegistry(registry, .reading)
        return try body(opened)
      } catch let error as GovernanceError { throw ToolFailure.badInput(error) }
    }
  }

  /// The folder, who changes it, and when.
  struct Change: ParsableArguments {
    @OptionGroup var place: Place

    @Option(help: ArgumentHelp("Who does it, for the history.", valueName: "name"))
    var by: String?

    @Option(help: ArgumentHelp("When, in nanoseconds since the Unix epoch; now otherwise.", valueName: "ns"))
    var at: Int64?

    /// No history goes back in time: an event of next year would close the registry until then.
    private static let aheadNanosecondsMax: Int64 = 3_600_000_000_000

    func time() throws -> Timestamp {
      let now = Int64(Date().timeIntervalSince1970 * 1e6) * 1000
      guard let at else { return Timestamp(nanoseconds: now) }
      guard at <= now + Self.aheadNanosecondsMax else {
        throw ToolFailure.badInput("--at \(at): at most an hour after now, \(now), expected")
      }
      return Timestamp(nanoseconds: at)
    }

    /// Changes the registry and prints the model.
    func change(_ name: String, _ body: (inout ModelRegistry) throws -> Void) throws {
      do {
        var opened = try ModelRegistry(place.registry, .writing)
        try body(&opened)
        guard let model = opened.state.model(name) else { return }
        try printJSON(model)
      } catch let error as GovernanceError { throw ToolFailure.badInput(error) }
    }
  }

  /// A version by name and number.
  struct Version: ParsableArguments {
    @Argument(help: "The model's name.")
    var name: String

    @Argument(help: "The version's number.")
    var number: Int
  }

  struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Every model, its versions and stages.")
    @OptionGroup var place: Place

    private struct Row: Encodable {
      var name: String
      var production: Int?
      var versions: [[String: String]]
    }

    func run() throws {
      let rows = try place.read { registry in
        registry.state.models.map { model in
          Row(
            name: model.name, production: model.production,
            versions: model.versions.map {
              ["number": "\($0.number)", "stage": $0.stage.rawValue, "sha256": $0.artifact.sha256]
            })
        }
      }
      try printJSON(["models": rows])
    }
  }

  struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "A model with its versions, gates and approvals.")
    @OptionGroup var place: Place
    @Argument(help: "The model's name.")
    var name: String

    func run() throws {
      let model = try place.read { $0.state.model(name) }
      guard let model else { throw ToolFailure.badInput("\(place.registry): no model called \(name)") }
      try printJSON(model)
    }
  }

  struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify", abstract: "Check the history and every artifact again; exit 1 where something is wrong.")
    @OptionGroup var place: Place

    private struct Answer: Encodable {
      var events = 0
      var models = 0
      var unnamed: [String] = []
      var faults: [String] = []
    }

    func run() throws {
      guard FileManager.default.fileExists(atPath: "\(place.registry)/history.jsonl") else {
        throw ToolFailure.badInput("\(place.registry): a registry expected, history.jsonl not found")
      }
      var answer = Answer()
      do throws(GovernanceError) {
        let registry = try ModelRegistry(place.registry, .reading)
        answer.events = registry.state.sequence
        answer.models = registry.state.models.count
        answer.unnamed = registry.unnamedArtifacts()
        answer.faults = registry.faults()
      } catch { answer.faults = [error.description] }
      try printJSON(answer)
      if let fault = answer.faults.first { throw ToolFailure.checkFailed(fault) }
    }
  }

  /// A value as one line of JSON on standard output.
  static func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let text = try OutputText(nil, force: false)
    text.write(String(decoding: try encoder.encode(value), as: UTF8.self))
    text.write("\n")
    try text.finish()
  }
}

private func printJSON(_ value: some Encodable) throws { try ModelRegistryCommand.printJSON(value) }
