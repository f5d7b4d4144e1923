import ArgumentParser
import Foundation
import TradingTypes

/// `--plot` and `--slots` of a command that computes features.
struct FeaturePlotOptions: ParsableArguments {
  @Option(
    name: .customLong("plot"),
    help: ArgumentHelp("SVG image to draw slots into; rows are then printed only with --output.", valueName: "file"))
  var path: String?

  @Option(help: ArgumentHelp("Slots to draw, like mid,queueImbalance,nma9@1s.", valueName: "names"))
  var slots: String?

  /// Refuses options that contradict each other; `output` is where rows go.
  func check(output: String?) throws {
    if path == nil, slots != nil { throw ValidationError("--slots: only with --plot") }
    guard let path, let output else { return }
    // One file may be written in several ways; standard output only in one.
    func place(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
    let isSame = path == "-" || output == "-" ? path == output : place(path) == place(output)
    guard !isSame else { throw ValidationError("--plot and --output: both name \(path)") }
  }

  /// The image that `--plot` asks for, its file not yet there.
  ///
  /// - Parameters:
  ///   - standard: what is drawn without `--slots`, where it is computed.
  ///   - computed: the slots there are.
  ///   - frames: names of the further timeframes there are.
  func open(
    standard: [FeatureSlot], computed: (FeatureSlot) -> Bool, frames: [String] = [], title: String,
    axis: PlotAxis = .clock, axisTitle: String, force: Bool
  ) throws -> FeaturePlotFile? {
    guard let path else { return nil }
    let columns =
      try slots.map { try FeaturePlotColumn.list($0, computed: computed, frames: frames) }
      ?? standard.filter(computed).map { FeaturePlotColumn($0) }
    return FeaturePlotFile(
      FeaturePlot(columns, title: title, axis: axis, axisTitle: axisTitle), try OutputText(path, force: force))
  }
}

/// A plot and the file it is written to as a whole, or not at all.
final class FeaturePlotFile {
  private var plot: FeaturePlot
  private let text: OutputText

  init(_ plot: FeaturePlot, _ text: OutputText) {
    self.plot = plot
    self.text = text
  }

  /// Adds a row: the value of each column at `time`.
  func add(at time: Timestamp, _ value: (FeaturePlotColumn) -> PlotValue) { plot.add(at: time, value) }

  /// Draws the rows and puts the file in its place.
  func finish() throws {
    text.write(plot.finish())
    try text.finish()
  }
}
