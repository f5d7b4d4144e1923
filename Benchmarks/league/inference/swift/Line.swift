import Foundation
import LockFreeRings
import ModelImport
import ModelInference
import OnnxImport
import TradingTypes

/// Everything of ours that starts: models by set, forms by what is kept, each in every instruction set of this processor.
struct Line {
  let arguments: LeagueArguments

  init(_ arguments: LeagueArguments) { self.arguments = arguments }

  /// Calibration windows of the networks: all that the folder has.
  private static let windowsMax = 512
  private static let channels = 16
  private static let features = 64

  func entrants() throws -> [Entrant] {
    var entrants: [Entrant] = []
    let rows = LeagueRows(try floats("rows.f32"), width: Self.features)
    for (set, file) in [
      ("trees100", "trees100.txt"), ("trees500", "trees500.txt"), ("xgb100", "xgb100.ubj"), ("xgb500", "xgb500.ubj"),
      ("cat100", "cat100.json"),
    ] {
      entrants += try forests(set, file, rows)
    }
    entrants += try perceptrons()
    entrants += try sequences()
    entrants += try ensembles()
    return entrants
  }

  // MARK: - Models

  private var sets: [KernelSet] { arguments.sets }

  private func forests(_ set: String, _ file: String, _ rows: LeagueRows) throws -> [Entrant] {
    let sets = sets.filter { arguments.wants(set, "\($0)") }
    let path = "\(arguments.folder)/\(file)"
    guard !sets.isEmpty, FileManager.default.fileExists(atPath: path) else { return [] }
    guard let forest = try ModelImporter.read(path: path).forest, forest.featureCount <= Self.features else {
      throw LeagueError("\(path): expected a forest over \(Self.features) features")
    }
    return sets.map { instructions in
      let arena = Arena(capacityBytes: ForestKernel.arenaBytes(for: forest, set: instructions))
      let kernel = ForestKernel(forest, set: instructions, in: arena)
      return Entry(
        set, "\(instructions)", layout: kernel.form.description, ForestContender(kernel: kernel, rows: rows))
    }
  }

  private func perceptrons() throws -> [Entrant] {
    let sets = sets.filter { arguments.wants("mlp", "\($0)") }
    guard !sets.isEmpty else { return [] }
    let calibration = try floats("calibration.f32")
    let network = try quantised("mlp", calibration, width: Self.features)
    let rows = LeagueRows(try floats("scaled.f32"), width: Self.features)
    return sets.map { set in
      Entry("mlp", "\(set)", layout: "8 bits, input 16", RowContender(kernel: kernel(network, set), rows: rows))
    }
  }

  /// What a network over windows is raced as.
  private enum Course: String {
    case window = "whole window"
    case kept = "closed rows kept"
    case rings = "rings kept"
    case step = "step"
    case tick = "tick, state kept"

    var mode: NetworkState.Mode { self == .kept ? .windowed : .stateful }
  }

  private func sequences() throws -> [Entrant] {
    let courses: [(file: String, set: String, courses: [Course])] = [
      ("lstm", "lstm", [.window, .kept]), ("lstm", "step", [.step, .tick]), ("tcn", "tcn", [.window, .kept, .rings]),
      ("transformer", "transformer", [.window, .kept]), ("transformer", "token", [.step, .tick]),
    ]
    var networks: [String: QuantisedNetwork] = [:]
    var entrants: [Entrant] = []
    var rows: LeagueRows?
    for (file, set, courses) in courses {
      for course in courses {
        for instructions in sets where arguments.wants(set, "\(instructions) \(course.rawValue)") {
          let calibration = try networks[file] == nil ? floats("calibration-sequence.f32") : []
          let network = try networks[file] ?? quantised(file, calibration, width: Self.channels)
          networks[file] = network
          let stream = try rows ?? LeagueRows(floats("sequence.f32"), width: Self.channels)
          rows = stream
          entrants.append(entrant(set, course, instructions, network, stream))
        }
      }
    }
    return entrants
  }

  private func entrant(
    _ set: String, _ course: Course, _ instructions: KernelSet, _ network: QuantisedNetwork, _ rows: LeagueRows
  ) -> Entrant {
    let kernel = kernel(network, instructions)
    let form = "\(instructions) \(course.rawValue)"
    guard course != .window else {
      return Entry(set, form, layout: "8 bits, input 16", WindowContender(kernel: kernel, rows: rows))
    }
    let arena = Arena(capacityBytes: NetworkKernel.arenaBytes(for: network, mode: course.mode))
    let state = kernel.state(course.mode, in: arena)
    if course == .step { return Entry(set, form, layout: "8 bits, input 16", StepContender(kernel, rows, state)) }
    let closedFirst = course == .tick ? 0 : network.window - 1
    return Entry(set, form, layout: "8 bits, input 16", KeptContender(kernel, rows, state, closedFirst: closedFirst))
  }

  private func kernel(_ network: QuantisedNetwork, _ set: KernelSet) -> NetworkKernel {
    NetworkKernel(network, set: set, in: Arena(capacityBytes: NetworkKernel.arenaBytes(for: network)))
  }

  /// A network of the folder in eight bits, calibrated with training rows: the raced ones are not among them.
  private func quantised(_ name: String, _ calibration: [Float], width: Int) throws -> QuantisedNetwork {
    let path = "\(arguments.folder)/\(name).onnx"
    let imported = try ModelImporter.read(path: path) { path throws(ImportError) in
      try OnnxImporter().read(path)
    }
    guard let network = imported.network, network.featureCount == width else {
      throw LeagueError("\(path): expected a network over \(width) features")
    }
    let windowCount = calibration.count / width - network.window + 1
    let step = max(1, windowCount / Self.windowsMax)
    let windows = stride(from: 0, to: windowCount, by: step).map { first in
      (first..<first + network.window).map { row in Array(calibration[row * width..<(row + 1) * width]) }
    }
    // Tails go beyond what a few hundred rows show: codes of 8 bits would saturate there, or be coarse everywhere.
    return try Quantiser(widensInput: true).quantise(network, windows: windows, name: path).network
  }

  // MARK: - The ensemble

  private func ensembles() throws -> [Entrant] {
    let sets = sets.filter { arguments.wants("ensemble", "\($0)") }
    guard let path = arguments.artifact, !sets.isEmpty else { return [] }
    let artifact = try ModelArtifact.open(path)
    let vectors = try Self.vectors(artifact)
    return try sets.map { set in
      let model = try artifact.onSlots(kernels: set)
      var ensemble = Ensemble(model, kernels: set, in: Arena(capacityBytes: Ensemble.arenaBytes(for: model)))
      for place in 0..<model.window { ensemble.close(vectors[place], of: 0) }
      while ensemble.advance() {}
      _ = ensemble.forecast(vectors[0])
      guard ensemble.counters.partial == 0 else {
        throw LeagueError("\(path): expected golden rows in which every member takes part")
      }
      return Entry(
        "ensemble", "\(set) \(model.members.count) members", layout: "mixed", EnsembleContender(ensemble, vectors))
    }
  }

  /// Feature vectors whose slots come from golden rows of the artifact, each from a row of its own.
  private static func vectors(_ artifact: ModelArtifact) throws(LeagueError) -> [FeatureVector] {
    let golden = artifact.golden.rows
    guard !golden.isEmpty else { throw LeagueError("\(artifact.name): expected golden rows") }
    let slots = Dictionary(uniqueKeysWithValues: FeatureSlot.allCases.map { ($0.name, $0.index) })
    var random = SplitMix64(seed: 1)
    return (0..<Entrant.rowCount).map { _ in
      var vector = FeatureVector()
      for (place, name) in artifact.model.features.enumerated() {
        let value = golden[Int(random.next() % UInt64(golden.count))][place]
        guard let slot = slots[name], !value.isNaN else { continue }
        vector.values[slot] = Double(value)
        vector.valid[slot] = true
      }
      return vector
    }
  }

  // MARK: - Files

  private func floats(_ name: String) throws(LeagueError) -> [Float] {
    let path = "\(arguments.folder)/\(name)"
    guard let data = FileManager.default.contents(atPath: path), data.count % 4 == 0 else {
      throw LeagueError("\(path): expected values of four bytes")
    }
    let bytes = [UInt8](data)
    return stride(from: 0, to: bytes.count, by: 4).map { place in
      var bits: UInt32 = 0
      for byte in 0..<4 { bits |= UInt32(bytes[place + byte]) << UInt32(8 * byte) }
      return Float(bitPattern: bits)
    }
  }
}
