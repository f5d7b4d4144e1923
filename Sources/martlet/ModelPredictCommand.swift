import ArgumentParser
import Foundation
import ModelImport
import ModelInference

/// `martlet model predict`: what a model says of rows.
struct ModelPredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Print what a model says of rows of features.",
    discussion: """
      Prints CSV: row (from 0), raw (the score the trainer calls raw; of an
      ensemble the joined logit) and probability (of a regression: the value).
      A model of K outputs prints raw_0 … and probability_0 …. ROWS has a header
      with a column for each feature of the model, in any order; other columns
      are passed over, an empty cell is a missing value. Values are read in
      single precision.

      A model that looks back reads windows: every W rows, the newest last, make
      one prediction; with --stride K windows begin K rows apart.

      Examples:
        martlet model predict --model trees.martlet --input rows.csv
        martlet model predict --model trees.martlet --input rows.csv --leaves
        martlet model predict --model lstm.martlet --input windows.csv --window 60
      """)

  @Option(help: ArgumentHelp("Model artifact.", valueName: "M.martlet"))
  var model: String

  @Option(
    help: ArgumentHelp("CSV of rows; - is standard input; gzip and zstd are decompressed.", valueName: "ROWS.csv"))
  var input: String

  @Option(help: "Form of networks: int8 or float; int8 where the artifact has it.")
  var precision: PrecisionChoice?

  @Flag(help: "Leave the probability out.")
  var raw = false

  @Flag(help: "Print the leaf of each tree in the trainer's numbers instead.")
  var leaves = false

  @Option(help: ArgumentHelp("Rows a prediction reads; the model's own window without it.", valueName: "W"))
  var window: Int?

  @Option(help: ArgumentHelp("Rows from one window to the next; W without it.", valueName: "K"))
  var stride: Int?

  @Option(help: "Kernels: scalar, avx2, avx512 or best; all give the same bits.")
  var kernels: KernelChoice = .best

  @Option(help: ArgumentHelp("File to write instead of standard output.", valueName: "file"))
  var output: String?

  @Flag(help: "Overwrite an existing output file.")
  var force = false

  func validate() throws {
    guard stride.map({ $0 >= 1 }) ?? true else { throw ValidationError("--stride: 1 or more expected") }
    guard !(raw && leaves) else { throw ValidationError("--raw and --leaves: one of them expected") }
    guard kernels.set.isSupported else { throw ValidationError("--kernels: this processor has no \(kernels)") }
  }

  func run() throws {
    let artifact = try ToolModels.open(model)
    let whole = artifact.model
    if let window, window != whole.window {
      throw ToolFailure.badInput("--window: \(whole.window) expected, the rows this model reads, \(window) found")
    }
    if precision == .float, !whole.hasFloat {
      throw ToolFailure.badInput("--precision float: \(model) holds no network in single precision")
    }
    if precision == .int8, !whole.isQuantised {
      throw ToolFailure.badInput(
        "--precision int8: \(model) holds no network in 8-bit integers; import it with --calibrate ROWS.csv")
    }
    let table = try ToolModels.table(input, features: whole.features)
    let size = whole.window
    let step = stride ?? size
    guard table.rows.count >= size, stride != nil || table.rows.count % size == 0 else {
      throw ToolFailure.badInput(
        "\(input): a multiple of \(size) rows expected, \(table.rows.count) found (--stride reads overlapping windows)")
    }
    let text = try OutputText(output, force: force)
    let predictor = ModelPredictor(whole, kernels: kernels.set, precision: precision?.precision ?? .int8)
    let columns = try Columns(whole, raw: raw, leaves: leaves)
    text.write(columns.header)
    let progress = Progress(total: table.rows.count, what: "rows")
    for (number, start) in Swift.stride(from: 0, through: table.rows.count - size, by: step).enumerated() {
      text.write(Int64(number))
      if leaves {
        for leaf in predictor.exitLeaves(table.rows[start + size - 1]) {
          text.write(byte: UInt8(ascii: ","))
          text.write(Int64(leaf))
        }
      } else {
        let prediction = predictor.prediction(table.rows[start..<(start + size)])
        let isEmpty = prediction.members == 0
        for value in prediction.scores + (raw ? [] : prediction.predictions) {
          text.write(byte: UInt8(ascii: ","))
          // No member could speak: empty, as a missing value is.
          if !isEmpty { text.write(value) }
        }
      }
      text.write(byte: UInt8(ascii: "\n"))
      progress.reached(start + size)
    }
    progress.end()
    try text.finish()
  }

  /// Names of the columns.
  private struct Columns {
    let header: String

    init(_ model: EnsembleModel, raw: Bool, leaves: Bool) throws {
      var names = ["row"]
      if leaves {
        let treeCount = model.treeCount
        guard treeCount > 0 else { throw ToolFailure.badInput("--leaves: a model with trees expected") }
        names += (0..<treeCount).map { "leaf_\($0)" }
      } else {
        let outputs = model.combiner == nil ? model.members[0].outputCount : 1
        let suffixes = outputs == 1 ? [""] : (0..<outputs).map { "_\($0)" }
        names += suffixes.map { "raw\($0)" }
        if !raw { names += suffixes.map { "probability\($0)" } }
      }
      header = names.joined(separator: ",") + "\n"
    }
  }
}

/// Kernels as the command line names them.
enum KernelChoice: String, ExpressibleByArgument, CaseIterable {
  case best
  case scalar
  case avx2
  case avx512

  var set: KernelSet {
    switch self {
    case .best: .best
    case .scalar: .scalar
    case .avx2: .avx2
    case .avx512: .avx512
    }
  }
}

/// Forms of a network as the command line names them.
enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
  case int8
  case float

  var precision: ModelPredictor.Precision { self == .int8 ? .int8 : .float }
}
