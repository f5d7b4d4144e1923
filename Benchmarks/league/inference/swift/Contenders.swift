import LockFreeRings
import ModelInference
import TradingTypes

/// The rows of the league as kernels read them, each in its place beforehand: nothing is converted in a call, as for the peers.
final class LeagueRows {
  /// Enough for the rows and the windows' first ones.
  static let capacity = 4096 + 31
  let rows: InlineArray<4127, KernelRow>
  /// The same, one after the other.
  let flat: [Float]
  let width: Int

  /// - Parameter flat: Float, `[rows × width]`.
  init(_ flat: [Float], width: Int) {
    let count = flat.count / width
    let arena = Arena(capacityBytes: Self.capacity * KernelRow.arenaBytes(featureCount: width) + 4096)
    rows = InlineArray { place in
      var row = KernelRow(featureCount: width, in: arena)
      if place < count { row.load(flat.span.extracting(place * width..<(place + 1) * width)) }
      return row
    }
    self.flat = flat
    self.width = width
  }
}

/// A forest.
struct ForestContender: Contender, ~Copyable {
  let kernel: ForestKernel
  let rows: LeagueRows

  mutating func call(_ row: Int) -> Double { kernel.raw(rows.rows[row]) }
}

/// A network that remembers nothing.
struct RowContender: Contender, ~Copyable {
  let kernel: NetworkKernel
  let rows: LeagueRows

  mutating func call(_ row: Int) -> Double { Double(kernel.predict(rows.rows[row])) }
}

/// A network over windows, the whole window in each call.
struct WindowContender: Contender, ~Copyable {
  let kernel: NetworkKernel
  let rows: LeagueRows

  mutating func call(_ row: Int) -> Double {
    let first = row * rows.width
    let flat = rows.flat
    return Double(kernel.predictWindow(flat.span.extracting(first..<first + kernel.window * rows.width)))
  }
}

/// A network over windows whose closed rows were taken in beforehand, as the engine does when a bar closes.
struct KeptContender: Contender, ~Copyable {
  static var isConsecutive: Bool { true }
  let kernel: NetworkKernel
  let rows: LeagueRows
  var state: NetworkState
  /// Rows that have closed before the first one is asked about: a window's, or none.
  let closedFirst: Int

  init(_ kernel: consuming NetworkKernel, _ rows: LeagueRows, _ state: consuming NetworkState, closedFirst: Int) {
    self.kernel = kernel
    self.rows = rows
    self.state = state
    self.closedFirst = closedFirst
  }

  private mutating func close(_ row: Int) {
    kernel.close(rows.rows[row], &state)
    while kernel.advance(&state) {}
  }

  mutating func prepare(_ row: Int) {
    guard row == 0 else { return close(row + closedFirst - 1) }
    kernel.reset(&state)
    for closed in 0..<closedFirst { close(closed) }
  }

  mutating func call(_ row: Int) -> Double { Double(kernel.predict(rows.rows[row + closedFirst], &state)) }
}

/// A step of a network along the stream: a prediction, and everything that the next one needs.
struct StepContender: Contender, ~Copyable {
  static var isConsecutive: Bool { true }
  let kernel: NetworkKernel
  let rows: LeagueRows
  var state: NetworkState

  init(_ kernel: consuming NetworkKernel, _ rows: LeagueRows, _ state: consuming NetworkState) {
    self.kernel = kernel
    self.rows = rows
    self.state = state
  }

  mutating func prepare(_ row: Int) { if row == 0 { kernel.reset(&state) } }

  mutating func call(_ row: Int) -> Double {
    let answer = kernel.predictClosing(rows.rows[row], &state)
    while kernel.advance(&state) {}
    return Double(answer)
  }
}

/// A whole ensemble: a feature vector in, a forecast out.
struct EnsembleContender: Contender, ~Copyable {
  var ensemble: Ensemble
  let vectors: [FeatureVector]

  init(_ ensemble: consuming Ensemble, _ vectors: [FeatureVector]) {
    self.ensemble = ensemble
    self.vectors = vectors
  }

  mutating func call(_ row: Int) -> Double { ensemble.forecast(vectors[row]).probabilityUp }
}
