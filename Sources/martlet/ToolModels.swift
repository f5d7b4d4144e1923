import Foundation
import ModelImport
import ModelInference

/// What the model commands share.
enum ToolModels {
  /// The artifact at `path`, verified.
  static func open(_ path: String) throws -> ModelArtifact {
    do throws(ArtifactError) { return try ModelArtifact.open(path) } catch { throw ToolFailure.badInput(error) }
  }

  /// The columns of a CSV that a model reads.
  static func table(_ path: String, features: [String]) throws -> FeatureTable {
    let bytes = try InputBytes.read(path)
    do throws(ImportError) { return try FeatureTable(csv: bytes, name: path, features: features) } catch {
      throw ToolFailure.badInput(error)
    }
  }

  /// Writes an artifact whole or not at all, and reads it back.
  static func write(_ bytes: [UInt8], to path: String, force: Bool) throws -> ModelArtifact {
    guard path != "-" else { throw ToolFailure.badInput("--output: a file expected, an artifact is not printed") }
    guard force || !FileManager.default.fileExists(atPath: path) else {
      throw ToolFailure.badInput("\(path): exists already; --force overwrites it")
    }
    // Before the file appears: what cannot be loaded is not written.
    let artifact: ModelArtifact
    do throws(ArtifactError) { artifact = try ModelArtifact(bytes: bytes, name: path) } catch {
      throw ToolFailure.badInput(error)
    }
    do { try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
      throw ToolFailure.badInput("\(path): not writable")
    }
    return artifact
  }
}

extension EnsembleModel {
  /// Whether a network is there in single precision.
  var hasFloat: Bool {
    members.contains { member in
      if case .network(let network) = member.kind { return network.float != nil }
      return false
    }
  }

  /// Trees of all members, and their leaves.
  var treeCount: Int { forestSizes.reduce(0) { $0 + $1.trees } }
  /// Leaves of all trees.
  var leafCount: Int { forestSizes.reduce(0) { $0 + $1.leaves } }

  private var forestSizes: [(trees: Int, leaves: Int)] {
    members.compactMap { member in
      guard case .forest(let forest) = member.kind else { return nil }
      return (forest.trees.count, forest.trees.reduce(0) { $0 + $1.leaves.count })
    }
  }

  /// Numbers that were learned: thresholds or sets and leaves of trees, weights of networks.
  var parameterCount: Int {
    members.reduce(0) { sum, member in
      switch member.kind {
      case .forest(let forest): return sum + forest.trees.reduce(0) { $0 + $1.nodes.count + $1.leaves.count }
      case .network(let network):
        let quantised = network.quantised?.operators.reduce(0) { $0 + $1.weightCount }
        return sum + (quantised ?? network.float?.operators.reduce(0) { $0 + $1.weightCount } ?? 0)
      }
    }
  }
}

/// Says on a terminal how far long work has come; silent elsewhere.
final class Progress {
  private let total: Int
  private let what: String
  private let isShown: Bool
  private var lastPercent = -1

  init(total: Int, what: String) {
    self.total = total
    self.what = what
    isShown = isatty(STDERR_FILENO) == 1 && total > 20_000
  }

  func reached(_ count: Int) {
    guard isShown, count * 100 / total != lastPercent else { return }
    lastPercent = count * 100 / total
    FileHandle.standardError.write(Data("\r\(lastPercent) % of \(total) \(what)".utf8))
  }

  func end() {
    if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }
}
