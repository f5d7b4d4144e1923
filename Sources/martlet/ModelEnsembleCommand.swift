import ArgumentParser
import Foundation
import ModelImport
import ModelInference

/// `martlet model ensemble`: several artifacts joined into one.
struct ModelEnsembleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ensemble",
    abstract: "Join model artifacts into an ensemble the engine can run.",
    discussion: """
      SPEC.json names the members, the meta-learner, the weights and the
      calibration; paths in it count from its folder:

        {"name": "mine", "features": "catalogue",
         "members": [{"name": "a", "model": "a.martlet", "required": ["spread"]},
                     {"name": "b", "model": "b.martlet", "sequence": "windowed"}],
         "meta": {"model": "meta.martlet"},
         "weights": [0.5, 0.5], "shares": {"meta": 0.6, "average": 0.4},
         "calibration": {"kind": "platt", "slope": 1.1, "intercept": 0.02},
         "golden": "rows.csv", "metadata": {"trained": "2026-11-20"}}

      features is "catalogue" (the engine's slots), a list of names, or left out.
      meta may be {"weights": […], "bias": …}, or left out. sequence is windowed
      (exact over the window) or stateful. Prints JSON as import does.

      Example:
        martlet model ensemble --spec spec.json --output ensemble.martlet
      """)

  @Option(help: ArgumentHelp("What to join.", valueName: "SPEC.json"))
  var spec: String

  @Option(help: ArgumentHelp("Artifact to write.", valueName: "M.martlet"))
  var output: String

  @Flag(help: "Overwrite an existing output file.")
  var force = false

  func run() throws {
    let bytes = try InputBytes.read(spec)
    let folder = URL(fileURLWithPath: spec).deletingLastPathComponent()
    func resolved(_ path: String) -> String { URL(fileURLWithPath: path, relativeTo: folder).path }
    let specification: EnsembleSpecification
    let model: EnsembleModel
    do throws(ImportError) {
      specification = try EnsembleSpecification(json: bytes, source: spec)
      model = try EnsembleAssembly.model(specification, source: spec) { path throws(ArtifactError) in
        try ModelArtifact.open(resolved(path))
      }
    } catch { throw ToolFailure.badInput(error) }
    let rows =
      try specification.golden.map { try ToolModels.table(resolved($0), features: model.features).rows }
      ?? GoldenRowChoice.rows(for: model)
    let frozen: [UInt8]
    do throws(ImportError) {
      frozen = try ArtifactWriter.freeze(model, golden: rows, leafNumbers: false, name: output)
    } catch { throw ToolFailure.badInput(error) }
    let artifact = try ToolModels.write(frozen, to: output, force: force)
    var report = ToolModels.report(artifact, kind: "ensemble")
    report.add("members", artifact.model.members.map(\.name))
    report.add("forms", ModelPredictor(artifact.model).forms)
    print(report.text, terminator: "")
  }
}

extension ToolModels {
  /// What `import` and `ensemble` print of an artifact.
  static func report(_ artifact: ModelArtifact, kind: String) -> JSONText {
    let model = artifact.model
    var report = JSONText()
    report.add("kind", kind)
    report.add("features", model.features.count)
    report.add("trees", model.treeCount)
    report.add("leaves", model.leafCount)
    report.add("parameters", model.parameterCount)
    report.add("window", model.window)
    report.add("bytes", artifact.byteCount)
    report.add("artifact_sha256", artifact.sha256)
    return report
  }
}
