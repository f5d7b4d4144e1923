import Foundation
import TradingTypes

@testable import ModelGovernance

/// A registry's folder of a test's own, gone with it.
final class RegistryFolder {
  let path: String

  init() throws {
    path = Self.newPath()
    try ModelRegistry.create(path)
  }

  /// The same files elsewhere.
  init(copying other: RegistryFolder) throws {
    path = Self.newPath()
    try FileManager.default.copyItem(atPath: other.path, toPath: path)
  }

  private static func newPath() -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("martlet-registry-\(UUID().uuidString)").path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func open(_ access: ModelRegistry.Access = .writing) throws -> ModelRegistry { try ModelRegistry(path, access) }

  var historyPath: String { "\(path)/history.jsonl" }
  var history: [UInt8] {
    get { [UInt8](FileManager.default.contents(atPath: historyPath) ?? Data()) }
    set { try? Data(newValue).write(to: URL(fileURLWithPath: historyPath)) }
  }

  /// Every line of what refuses to open, without the folder.
  func refusal(_ access: ModelRegistry.Access = .writing) -> String? {
    do throws(GovernanceError) {
      _ = try ModelRegistry(path, access)
      return nil
    } catch { return error.description.replacingOccurrences(of: path, with: "R") }
  }
}

func at(_ seconds: Int64) -> Timestamp { Timestamp(nanoseconds: seconds * 1_000_000_000) }

/// A report that passed, and one that did not.
func report(passed: Bool) throws -> GateReport {
  let scores = (0..<2000).map { $0 % 2 == 0 ? 0.9 : 0.1 }
  let labels = (0..<2000).map { ($0 % 2 == 0) != ($0 % 20 >= 18) }
  let quality = try ModelQuality(scores: scores, labels: labels)
  return PromotionGates(wilsonLowerMin: passed ? 0.68 : 0.95).judge(quality)
}

/// What a change threw, without its type.
func refusal(_ change: () throws -> Void) -> String? {
  do { try change() } catch { return "\(error)" }
  return nil
}
