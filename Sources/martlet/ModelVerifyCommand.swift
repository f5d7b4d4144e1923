import ArgumentParser
import Foundation
import ModelInference

/// `martlet model verify`: whether an artifact is whole and gives the answers it carries.
struct ModelVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check an artifact: checksums, rules, schema, golden rows in every instruction set.",
    discussion: """
      Prints JSON. Exit 1 where a checksum, a rule, a golden row or the schema
      does not hold; the line on standard error names the section and the byte.
      engine says whether the engine can run the model, or why it cannot.

      Example:
        martlet model verify ensemble.martlet
      """)

  @Argument(help: ArgumentHelp("Model artifact.", valueName: "M.martlet"))
  var path: String

  @Flag(help: "Fail also where the engine cannot run the model.")
  var engine = false

  func run() throws {
    guard FileManager.default.fileExists(atPath: path) else { throw ToolFailure.badInput("\(path): no such file") }
    let artifact: ModelArtifact
    do throws(ArtifactError) { artifact = try ModelArtifact.open(path) } catch {
      throw ToolFailure.checkFailed(error.description)
    }
    var report = JSONText()
    report.add("artifact_sha256", artifact.sha256)
    report.add("bytes", artifact.byteCount)
    report.add("features", artifact.model.features.count)
    report.add("schema", hexadecimal(artifact.model.schemaHash))
    report.add("window", artifact.model.window)
    report.add("golden_rows", artifact.golden.rows.count)
    // The loader looked at the best kernels; the others must repeat the answers too.
    let sets = KernelSet.supported
    let others = sets.filter { $0 != KernelSet.best.resolved }
    let failing = others.filter { !artifact.golden.hold(in: artifact.model, kernels: $0) }
    report.add("kernels", sets.map { "\($0)" })
    report.add("forms", ModelPredictor(artifact.model).forms)
    var refusal: String?
    do throws(ArtifactError) { _ = try artifact.onSlots() } catch { refusal = error.expected }
    report.add("engine", refusal.map { "no: expected \($0)" } ?? "yes")
    report.add("members", artifact.model.members.map(\.name))
    report.add("metadata", artifact.model.metadata)
    report.add("verified", failing.isEmpty)
    print(report.text, terminator: "")
    if let set = failing.first { throw ToolFailure.checkFailed("\(path): golden rows expected to repeat in \(set)") }
    if engine, let refusal { throw ToolFailure.checkFailed("\(path): expected \(refusal)") }
  }

  private func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
