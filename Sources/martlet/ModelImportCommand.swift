import ArgumentParser
import Foundation
import ModelImport
import ModelInference
import OnnxImport
import TradingTypes

/// `martlet model import`: a model of another tool, frozen into an artifact.
struct ModelImportCommand: ParsableCommand {
  /// How ranges of 8-bit values are chosen.
  enum Range: String, ExpressibleByArgument, CaseIterable {
    case best
    case minmax
    case headroom
    case percentile
    case entropy
  }

  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Freeze a model of LightGBM, XGBoost, CatBoost, ONNX or an MLflow directory into an artifact.",
    discussion: """
      Trees keep every decision and every bit of the raw score. A network stays
      in single precision; with --calibrate ROWS.csv it also gets the 8-bit form
      that the engine runs, and the report says what that cost: the error of
      each tensor and of the logits, and whether the gates hold (AUC change
      0.0005, rms 3 % of the logits' deviation, largest error 0.25, sign flips
      0.7 %). ROWS has a column for each feature, empty = missing; for a model
      over a window of W, every W rows are one. At least 8 windows; from 800 on
      every fourth is held out and judged alone. A column `label` (0 or 1) adds
      the AUC. Features of heavy tails are coarse in 8 bits: cut them before the
      model where you can, or give the input 16 bits with --wide-input.

      Without --format the file's content decides. Prints JSON.

      Examples:
        martlet model import --format lightgbm --input model.txt --output m.martlet
        martlet model import --input net.onnx --calibrate rows.csv --output m.martlet
      """)

  @Option(help: "lightgbm, xgboost, catboost, onnx or mlflow; from the content without it.")
  var format: FormatChoice?

  @Option(help: ArgumentHelp("Model file, or MLflow directory.", valueName: "file"))
  var input: String

  @Option(help: ArgumentHelp("Artifact to write.", valueName: "M.martlet"))
  var output: String

  @Option(help: ArgumentHelp("Rows to calibrate on and to keep as golden rows.", valueName: "ROWS.csv"))
  var calibrate: String?

  @Option(help: "Ranges of 8-bit values: best, minmax, headroom (a quarter more), percentile or entropy.")
  var range: Range = .best

  @Option(
    help: ArgumentHelp(
      "Names of the features in order, for files that have none; @FILE takes its first line.", valueName: "a,b,…"))
  var names: String?

  @Option(
    help: ArgumentHelp("What stands for missing inputs of a network: JSON {\"missing\": [...]}.", valueName: "file"))
  var missing: String?

  @Option(help: ArgumentHelp("Rows of a window, where an ONNX graph leaves its time axis open.", valueName: "W"))
  var window: Int?

  @Option(help: ArgumentHelp("Output of an ONNX graph to follow; its scores without it.", valueName: "name"))
  var outputName: String?

  @Option(help: "What the raw score means, where the file does not say: identity, or logistic for a logit.")
  var link: LinkChoice?

  @Option(help: ArgumentHelp("Golden rows to keep.", valueName: "N"))
  var golden = 32

  @Flag(help: "Codes of 16 bits for the input of the 8-bit form, for features of heavy tails.")
  var wideInput = false

  @Flag(help: "Exit 1 where the gates of the 8-bit form do not hold.")
  var strict = false

  @Flag(help: "Overwrite an existing output file.")
  var force = false

  func validate() throws {
    guard (1...2_000).contains(golden) else { throw ValidationError("--golden: 1 to 2,000 rows expected") }
  }

  func run() throws {
    var imported: ImportedModel
    do throws(ImportError) {
      imported = try ModelImporter.read(path: input, format: format?.format) { path throws(ImportError) in
        try OnnxImporter(OnnxImporter.Options(window: window, outputName: outputName)).read(path)
      }
    } catch { throw ToolFailure.badInput(error) }
    try checkOptions(for: imported)
    if let names { try rename(&imported, names) }
    if let link { imported.relink(link.link) }
    let rows = try calibrate.map { try ToolModels.table($0, features: imported.featureNames).rows }
    if let place = rows?.firstIndex(where: { !$0.allSatisfy { $0.isFinite || $0.isNaN } }) {
      throw ToolFailure.badInput("\(calibrate ?? ""): row \(place): finite values or gaps expected")
    }
    var metadata = [
      "name": URL(fileURLWithPath: input).deletingPathExtension().lastPathComponent.asPlainText,
      "kind": imported.kind.rawValue, "source.sha256": imported.sourceSHA256,
    ]
    if let version = imported.sourceVersion { metadata["source.version"] = version.asPlainText }
    for (key, value) in imported.lineage { metadata["lineage.\(key.asPlainText)"] = value.asPlainText }

    var outcome: Quantiser.Outcome?
    var quality: QuantisationReport?
    let kind: EnsembleModel.Member.Kind
    switch imported.model {
    case .forest(let forest): kind = .forest(forest)
    case .network(var network):
      if let missing { network.missingValues = try missingValues(missing, count: network.featureCount) }
      if let rows {
        let windows = try windows(rows, network.window)
        // Every fourth is kept from the calibration, where there are enough to judge by.
        let isHeldOut = windows.count >= 4 * Self.judgedWindowsMin
        let judged = isHeldOut ? Array(stride(from: 3, to: windows.count, by: 4)) : Array(windows.indices)
        if !isHeldOut {
          let short = windows.count < Self.judgedWindowsMin ? ", and mean little below \(Self.judgedWindowsMin)" : ""
          imported.notes.append(
            "\(windows.count) windows: the gates judge what was calibrated with\(short); from "
              + "\(4 * Self.judgedWindowsMin) on every fourth is held out")
        }
        if missing == nil, network.missingValues.allSatisfy({ $0 == 0 }) {
          network.missingValues = Quantiser.means(of: rows)
        }
        let seen = isHeldOut ? windows.indices.filter { $0 % 4 != 3 } : judged
        let result = try quantised(network, seen.map { windows[$0] }, imported.quantisationHints)
        outcome = result
        if wideInput, !result.network.input.isWide {
          imported.notes.append(
            "--wide-input: 8 bits all the same, the graph brings its scales or a product reads more than "
              + "\(QuantisedNetwork.wideTermCountMax) inputs")
        }
        let labels = try labels(of: windows.count, network.window)
        quality = QuantisationReport(
          result, windows: judged.map { windows[$0] }, labels: labels.map { list in judged.map { list[$0] } })
        metadata["calibration.sha256"] = try ToolModels.digest(calibrate ?? "")
        metadata["calibration.range"] = result.calibration.description
      }
      kind = .network(
        NetworkMember(inputs: Array(0..<network.featureCount), quantised: outcome?.network, float: network))
    }
    let model = EnsembleModel(
      features: imported.featureNames, members: [EnsembleModel.Member(name: imported.kind.rawValue, kind: kind)],
      metadata: metadata)
    let kept =
      rows.map { Array($0.prefix(golden + model.window - 1)) } ?? GoldenRowChoice.rows(for: model, count: golden)
    let bytes: [UInt8]
    do throws(ImportError) { bytes = try ArtifactWriter.freeze(model, golden: kept, name: output) } catch {
      throw ToolFailure.badInput(error)
    }
    let artifact = try ToolModels.write(bytes, to: output, force: force)
    let reasons = quality.map { QuantisationGates().reasons(against: $0) } ?? []
    printReport(artifact, imported, outcome, quality, reasons)
    if strict, let reason = reasons.first { throw ToolFailure.checkFailed("\(output): \(reason)") }
  }

  /// An option that means nothing for this model is a mistake, not to be passed over.
  private func checkOptions(for imported: ImportedModel) throws {
    if imported.kind != .onnx {
      if window != nil { throw ToolFailure.badInput("--window: an ONNX graph expected, \(input) is none") }
      if outputName != nil { throw ToolFailure.badInput("--output-name: an ONNX graph expected, \(input) is none") }
    }
    guard imported.network != nil else {
      if missing != nil { throw ToolFailure.badInput("--missing: a network expected, trees send a gap their own way") }
      return
    }
    if let window, let own = imported.network?.window, window != own {
      throw ToolFailure.badInput("--window: \(own) expected, the rows the graph reads, \(window) found")
    }
    if wideInput, calibrate == nil {
      throw ToolFailure.badInput("--wide-input: --calibrate ROWS.csv expected, it is of the 8-bit form")
    }
    if strict, calibrate == nil {
      throw ToolFailure.badInput("--strict: --calibrate ROWS.csv expected, the gates judge the 8-bit form")
    }
  }

  private func quantised(
    _ network: NeuralNetwork, _ windows: [[[Float]]], _ hints: QuantisationHints
  ) throws -> Quantiser.Outcome {
    let name = calibrate ?? "calibration"
    do throws(ImportError) {
      var quantiser = Quantiser(widensInput: wideInput)
      guard hints.isEmpty else { return try quantiser.quantise(network, windows: windows, hints: hints, name: name) }
      switch range {
      case .best: return try Quantiser.best(network, windows: windows, widensInput: wideInput, name: name)
      case .minmax: quantiser.calibration = .minimumMaximum
      case .headroom: quantiser.calibration = .headroom(25)
      case .percentile: quantiser.calibration = .percentile(99.99)
      case .entropy: quantiser.calibration = .entropy
      }
      return try quantiser.quantise(network, windows: windows, name: name)
    } catch { throw ToolFailure.badInput(error) }
  }

  private func rename(_ imported: inout ImportedModel, _ names: String) throws {
    let text =
      names.hasPrefix("@")
      ? String(decoding: try InputBytes.read(String(names.dropFirst())).prefix { $0 != 10 && $0 != 13 }, as: UTF8.self)
      : names
    let list = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard list.count == imported.featureNames.count, Set(list).count == list.count else {
      throw ToolFailure.badInput(
        "--names: \(imported.featureNames.count) different names expected, \(Set(list).count) of \(list.count) found")
    }
    imported.featureNames = list
  }

  /// Windows that ranges can be told from at all.
  private static let windowsMin = 8
  /// Windows that gates can be judged by: one flip of these is less than the gate allows.
  private static let judgedWindowsMin = 200

  /// Windows as `predict` reads them: every `size` rows are one.
  private func windows(_ rows: [[Float]], _ size: Int) throws -> [[[Float]]] {
    let least = strict ? Self.judgedWindowsMin : Self.windowsMin
    guard rows.count / size >= least else {
      throw ToolFailure.badInput(
        "\(calibrate ?? ""): at least \(least * size) rows expected, \(least) windows of \(size)"
          + "\(strict ? " for --strict" : ""); \(rows.count) found")
    }
    return stride(from: 0, through: rows.count - size, by: size).map { Array(rows[$0..<($0 + size)]) }
  }

  /// The column `label` of the newest row of each window, where there is one.
  private func labels(of count: Int, _ size: Int) throws -> [Bool]? {
    guard let calibrate, let table = try? ToolModels.table(calibrate, features: ["label"]) else { return nil }
    return try (0..<count).map { number in
      let row = number * size + size - 1
      let label = table.rows[row][0]
      guard label == 0 || label == 1 else {
        throw ToolFailure.badInput("\(calibrate): row \(row), label: 0 or 1 expected")
      }
      return label == 1
    }
  }

  private func missingValues(_ path: String, count: Int) throws -> [Float] {
    struct Document: Decodable { var missing: [Float] }
    let bytes = try InputBytes.read(path)
    guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)), document.missing.count == count,
      document.missing.allSatisfy(\.isFinite)
    else { throw ToolFailure.badInput("\(path): {\"missing\": [\(count) finite numbers]} expected") }
    return document.missing
  }

  private func printReport(
    _ artifact: ModelArtifact, _ imported: ImportedModel, _ outcome: Quantiser.Outcome?, _ quality: QuantisationReport?,
    _ reasons: [String]
  ) {
    var report = ToolModels.report(artifact, kind: imported.kind.rawValue)
    report.add("source_sha256", imported.sourceSHA256)
    report.add("form", ModelPredictor(artifact.model).forms[0])
    if let quality {
      report.add("calibration", quality.calibration.description)
      report.add(
        "quantisation",
        quality.tensors.map { tensor in
          var entry = JSONText()
          entry.add("tensor", tensor.name)
          entry.add("scale", tensor.step.map { Double($0) })
          entry.add("zero_point", tensor.zeroPoint.map { Double($0) })
          entry.add("minimum", Double(tensor.minimum))
          entry.add("maximum", Double(tensor.maximum))
          entry.add("saturated_share", tensor.saturatedShare)
          entry.add("max_error", tensor.errorMax)
          entry.add("signal_to_noise_db", tensor.signalToNoise)
          return entry
        })
      report.add("judged_windows", quality.logits.count)
      report.add("max_logit_error", quality.logits.errorMax)
      report.add("rms_logit_error", quality.logits.errorRMS)
      report.add("rms_share_of_deviation", quality.logits.errorShare)
      report.add("sign_flips", quality.logits.flippedShare)
      report.add("auc_change", quality.logits.areas?.change)
      report.add("gates_passed", reasons.isEmpty)
      report.add("gate_reasons", reasons)
    } else {
      report.add("quantisation", [JSONText]())
      // Trees are exact; a network without calibration rows has no 8-bit form to differ.
      report.add("max_logit_error", imported.forest == nil ? nil : 0)
    }
    report.add("outputs", artifact.model.members[0].outputCount)
    report.add("notes", imported.notes)
    print(report.text, terminator: "")
  }
}

/// Meanings of a raw score as the command line names them.
enum LinkChoice: String, ExpressibleByArgument, CaseIterable {
  case identity
  case logistic

  var link: Link { self == .identity ? .identity : .logistic(scale: 1) }
}

extension ImportedModel {
  /// Gives the raw score another meaning.
  mutating func relink(_ link: Link) {
    switch model {
    case .forest(var forest):
      forest.link = link
      model = .forest(forest)
    case .network(var network):
      network.link = link
      model = .network(network)
    }
  }
}

/// Formats as the command line names them.
enum FormatChoice: String, ExpressibleByArgument, CaseIterable {
  case lightgbm
  case xgboost
  case catboost
  case onnx
  case mlflow

  var format: ModelImporter.Format? { ModelImporter.Format(rawValue: rawValue) }
}

extension String {
  /// The text with everything but printable ASCII replaced, as metadata holds it.
  var asPlainText: String {
    String(
      decoding: utf8.map { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") ? $0 : UInt8(ascii: "?") },
      as: UTF8.self)
  }
}

extension ToolModels {
  /// SHA-256 of a file, in hexadecimal.
  static func digest(_ path: String) throws -> String {
    var hash = SHA256()
    hash.combine(try InputBytes.read(path))
    return hash.hex
  }
}
