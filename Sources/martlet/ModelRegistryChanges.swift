import ArgumentParser
import Foundation
import ModelGovernance
import ModelInference

// The commands of `martlet model registry` that change it.
extension ModelRegistryCommand {
  struct AddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "add",
      abstract: "Copy an artifact in as the next version of a name; makes the registry where there is none.")
    @OptionGroup var change: Change
    @Argument(help: "The model's name.")
    var name: String
    @Option(help: ArgumentHelp("The artifact.", valueName: "file"))
    var artifact: String
    @Option(help: ArgumentHelp("What is known of it; may be repeated.", valueName: "key=value"))
    var metadata: [String] = []
    @Option(help: ArgumentHelp("The version it was developed from.", valueName: "number"))
    var parent: Int?
    @Option(help: ArgumentHelp("SHA-256 of the trainer's file.", valueName: "hash"))
    var sourceSha256: String?
    @Option(help: ArgumentHelp("SHA-256 of the training data.", valueName: "hash"))
    var dataSha256: String?
    @Option(help: ArgumentHelp("Commit of the training code.", valueName: "commit"))
    var code: String?

    func run() throws {
      var pairs: [String: String] = [:]
      for pair in metadata {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, pairs.updateValue(String(parts[1]), forKey: String(parts[0])) == nil
        else { throw ToolFailure.badInput("--metadata \(pair): key=value with a new key expected") }
      }
      let bytes = try InputBytes.read(artifact)
      // What cannot be loaded has no place where production takes it from.
      do throws(ArtifactError) { _ = try ModelArtifact(bytes: bytes, name: artifact) } catch {
        throw ToolFailure.badInput(error)
      }
      let time = try change.time()
      do { try ModelRegistry.create(change.place.registry) } catch { throw ToolFailure.badInput(error) }
      try change.change(name) {
        _ = try $0.add(
          name, artifact: bytes, metadata: pairs,
          lineage: ModelLineage(
            parentVersion: parent, sourceSHA256: sourceSha256, dataSHA256: dataSha256, code: code),
          by: change.by, at: time)
      }
    }
  }

  struct StageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "stage",
      abstract:
        "Bring a version into staging, and judge it by the gates where scores are given; exit 1 where they fail.")
    @OptionGroup var change: Change
    @OptionGroup var gates: GateOptions
    @OptionGroup var version: Version
    @Option(help: ArgumentHelp("CSV of score,label or score,label,payoff.", valueName: "file"))
    var scores: String?

    func run() throws {
      let report = try scores.map { try gates.judge($0) }
      try change.change(version.name) { registry in
        let stage = try registry.state.version(version.number, of: version.name).stage
        // One in staging may be judged anew.
        if report == nil || stage != .staging {
          try registry.stage(version.name, version: version.number, by: change.by, at: try change.time())
        }
        guard let report else { return }
        try registry.record(
          gates: report, of: version.name, version: version.number, by: change.by, at: try change.time())
      }
      if let report, !report.passed {
        throw ToolFailure.checkFailed("\(version.name): \(report.reasons.joined(separator: "; "))")
      }
    }
  }

  struct ApproveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "approve", abstract: "Take responsibility for a staged version that passed its gates.")
    @OptionGroup var change: Change
    @OptionGroup var version: Version
    @Option(help: "Why.")
    var reason: String

    func run() throws {
      try change.change(version.name) {
        try $0.approve(version.name, version: version.number, reason: reason, by: change.by, at: try change.time())
      }
    }
  }

  struct PromoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "promote", abstract: "Put an approved version in force; the one in force is archived.")
    @OptionGroup var change: Change
    @OptionGroup var version: Version

    func run() throws {
      try change.change(version.name) {
        try $0.promote(version.name, version: version.number, by: change.by, at: try change.time())
      }
    }
  }

  struct RollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rollback", abstract: "Put the version that was in force before back in force.")
    @OptionGroup var change: Change
    @Argument(help: "The model's name.")
    var name: String
    @Option(help: "Why.")
    var reason: String?

    func run() throws {
      try change.change(name) {
        _ = try $0.rollBack(name, reason: reason, by: change.by, at: try change.time())
      }
    }
  }

  struct ArchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "archive", abstract: "Put a version away; one in force leaves its name without any.")
    @OptionGroup var change: Change
    @OptionGroup var version: Version
    @Option(help: "Why.")
    var reason: String?

    func run() throws {
      try change.change(version.name) {
        try $0.archive(
          version.name, version: version.number, reason: reason, by: change.by, at: try change.time())
      }
    }
  }
}
