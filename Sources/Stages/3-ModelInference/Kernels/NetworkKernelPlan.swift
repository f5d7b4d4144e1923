internal import CKernels

/// What a network needs at run time, worked out once at load: where values lie, which rows of each are read, and how a
/// state follows the window.
struct NetworkKernelPlan {
  /// How a state keeps up with the rows that have closed.
  enum Following: UInt8 {
    /// Nothing is remembered.
    case nothing
    /// Every operator keeps what the next row reads of it; a closed row is appended.
    case appended
    /// One state for every length of history up to the window: each closed row advances all of them by a step.
    case staggered
    /// Everything that a new row reads of the rows before is computed anew.
    case recomputed
  }

  /// A value's place in a frame: bytes before it for each row of the frame, and its padded width.
  struct Place: BitwiseCopyable {
    /// The place of what is never written or read.
    static let none = -1

    var values = 0
    var codes = 0
    /// Entries from row to row of values: a multiple of 64.
    var stride = 0
    /// Bytes from row to row of codes, and from the high byte of a wide code to its low one; 0 where codes have 8 bits.
    var codeStride = 0
    var low = 0

    init(stride: Int = 0, isWide: Bool = false) {
      self.stride = stride
      codeStride = isWide ? 2 * stride : stride
      low = isWide ? stride : 0
    }
  }

  let network: QuantisedNetwork
  let shapes: [NeuralNetwork.Shape]
  /// Place of each value; `lastRow` shares its source's.
  private(set) var places: [Place] = []
  /// Whether a value is written in single precision, and whether as codes.
  private(set) var hasValues: [Bool] = []
  private(set) var hasCodes: [Bool] = []
  /// Bytes of a frame for each of its rows.
  private(set) var frameRowBytes = 0
  /// How a windowed state follows.
  let following: Following
  /// Whether a value depends on a recurrent operator that remembers, and whether such an operator reads it.
  private(set) var dependsOnRecurrent: [Bool] = []
  private(set) var feedsRecurrent: [Bool] = []

  init(_ network: QuantisedNetwork) {
    guard case .success(let shapes) = network.shapes() else { preconditionFailure("NetworkKernel: a sound network") }
    self.network = network
    self.shapes = shapes
    following = Self.following(network, shapes)
    (dependsOnRecurrent, feedsRecurrent) = Self.recurrence(network, shapes)
    let count = network.operators.count
    hasValues = [Bool](repeating: false, count: count + 1)
    hasCodes = [Bool](repeating: false, count: count + 1)
    hasValues[count] = true
    for (number, step) in network.operators.enumerated() {
      if let source = step.encodedSource { hasCodes[source] = true }
      if case .single(let single) = step {
        for source in single.sources { hasValues[source] = true }
      }
      if case .recurrent = step {
        hasCodes[number + 1] = true
        hasValues[number + 1] = true
      }
    }
    var offset = 0
    for value in 0...count {
      let stride = (shapes[value].width + 63) / 64 * 64
      var place = Place(stride: stride, isWide: value == 0 && network.input.isWide)
      if value > 0, case .single(.lastRow(let source)) = network.operators[value - 1] {
        // One value with two names; only its codes may differ.
        place.values = places[source].values
        if hasCodes[value], hasCodes[source], source > 0, network.encodings[source] == network.encodings[value] {
          place.codes = places[source].codes
        } else {
          place.codes = hasCodes[value] ? offset : Place.none
          if hasCodes[value] { offset += stride }
        }
      } else {
        place.values = offset
        if hasValues[value] { offset += 4 * stride }
        place.codes = hasCodes[value] ? offset : Place.none
        if hasCodes[value] { offset += place.codeStride }
      }
      places.append(place)
    }
    frameRowBytes = offset
  }

  /// Whether `lastRow` must make its own codes.
  func encodesAgain(_ value: Int, source: Int) -> Bool {
    hasCodes[value] && places[value].codes != places[source].codes
  }

  /// Whether operator `number` reads other rows than its own.
  func remembers(_ number: Int) -> Bool { Self.remembers(network.operators[number], shapes) }

  private static func remembers(_ step: QuantisedNetwork.Operator, _ shapes: [NeuralNetwork.Shape]) -> Bool {
    guard shapes[step.sources[0]].rows > 1 else { return false }
    switch step {
    case .convolution(let layer): return layer.kernel > 1
    case .recurrent, .single(.attention): return true
    default: return false
    }
  }

  /// Which values depend on a recurrent operator that remembers, and which values such operators read.
  private static func recurrence(
    _ network: QuantisedNetwork, _ shapes: [NeuralNetwork.Shape]
  ) -> (depends: [Bool], feeds: [Bool]) {
    let operators = network.operators
    var depends = [false]
    var feeds = [Bool](repeating: false, count: operators.count + 1)
    func isCell(_ step: QuantisedNetwork.Operator) -> Bool {
      if case .recurrent = step { return remembers(step, shapes) }
      return false
    }
    for step in operators { depends.append(isCell(step) || step.sources.contains { depends[$0] }) }
    for (number, step) in operators.enumerated().reversed() where isCell(step) || feeds[number + 1] {
      for source in step.sources { feeds[source] = true }
    }
    return (depends, feeds)
  }

  private static func following(_ network: QuantisedNetwork, _ shapes: [NeuralNetwork.Shape]) -> Following {
    let operators = network.operators
    guard operators.contains(where: { remembers($0, shapes) }) else { return .nothing }
    // Rows of the window that a value reads; nil where it depends on its row's place in the window, or on all rows.
    var reach: [Int?] = [1]
    var isAppended = true
    var isStaggered = true
    let (isRecurrent, feeds) = recurrence(network, shapes)
    for (number, step) in operators.enumerated() {
      let sources = step.sources.map { reach[$0] }
      let widest = sources.contains { $0 == nil } ? nil : sources.compactMap(\.self).max()
      var result = widest
      if remembers(step, shapes) {
        switch step {
        case .convolution(let layer):
          isStaggered = false
          result = widest.map { $0 + (layer.kernel - 1) * layer.dilation }
        case .recurrent:
          isAppended = false
          // A row of it depends on all rows before: nothing that remembers may follow in an appended state.
          result = nil
        default:
          isStaggered = false
          // The oldest row of the window must not see what lay before it.
          result = widest == 1 ? network.window : nil
        }
        if (result ?? .max) > network.window { isAppended = false }
      } else if case .single(.positions) = step {
        result = nil
        // A row advances many states, each at another place of its window.
        if feeds[number + 1] { isStaggered = false }
      }
      // A step between recurrent ones runs once a state, and reads nothing that is shared by all.
      if feeds[number + 1], isRecurrent[number + 1], !step.sources.allSatisfy({ isRecurrent[$0] }) {
        if case .recurrent = step {} else { isStaggered = false }
      }
      reach.append(result)
    }
    return isAppended ? .appended : isStaggered ? .staggered : .recomputed
  }

  /// What operator `number` does when a row closes in a staggered state.
  func role(_ number: Int) -> NetworkKernelStep.Role {
    let isRecurrent = if case .recurrent = network.operators[number] { remembers(number) } else { false }
    let isShared = network.operators[number].sources.allSatisfy { !dependsOnRecurrent[$0] }
    if isRecurrent { return isShared ? .recurrentOfShared : .other }
    return isShared && feedsRecurrent[number + 1] ? .shared : .other
  }

  // MARK: - Rows that are read

  /// For each operator the rows of its result that `last` rows of every operator's memory, or of the result, read.
  ///
  /// - Parameter isPrefix: what the memories of row `window − 1` read, instead of what row `window − 1` of the result reads.
  func rows(isPrefix: Bool) -> [[UInt16]] {
    let window = network.window
    let count = network.operators.count
    var needed = [[Bool]](repeating: [Bool](repeating: false, count: window), count: count + 1)
    if !isPrefix { needed[count][window - 1] = true }
    for (number, step) in network.operators.enumerated().reversed() {
      if case .recurrent = step, remembers(number) {
        // Row by row from the first one to the last that is read, or that the memory stands at.
        let end = isPrefix ? window - 2 : needed[number + 1].lastIndex(of: true) ?? -1
        for row in needed[number + 1].indices.prefix(end + 1) { needed[number + 1][row] = true }
      }
      let own = needed[number + 1]
      let last = own.lastIndex(of: true)
      if remembers(number) {
        switch step {
        case .convolution(let layer):
          for row in 0..<window where own[row] || (isPrefix && row == window - 1) {
            for tap in 0..<layer.kernel {
              let read = row - tap * layer.dilation
              if read >= 0, !(isPrefix && read == window - 1) { needed[layer.source][read] = true }
            }
          }
        default:
          // Each row reads all before it.
          let end = isPrefix ? window - 2 : last ?? -1
          guard end >= 0 else { continue }
          var sources = step.sources
          if case .single(.attention(let query, _, _, _, _)) = step {
            for row in 0..<window where own[row] { needed[query][row] = true }
            sources.removeFirst()
          }
          for source in sources { for row in 0...end { needed[source][row] = true } }
        }
      } else {
        for source in step.sources {
          for row in 0..<window where own[row] {
            needed[source][shapes[source].rows == 1 ? window - 1 : row] = true
          }
        }
      }
    }
    return needed.map { flags in flags.indices.filter { flags[$0] }.map { UInt16($0) } }
  }
}
