internal import CKernels
internal import LockFreeRings

/// Where an operator's memory lies in that of a state: bytes from its start.
struct NetworkKernelMemory: BitwiseCopyable {
  /// Cell states (LSTM) or hidden states (GRU), Float, a row a history.
  var cells = 0
  var cellStride = 0
  /// Codes of the hidden states.
  var hidden = 0
  var hiddenStride = 0
  /// What the hidden state adds to the gates of the next row.
  var before = 0
  /// The same of the history that becomes the longest when the next row closes.
  var ahead = 0
  /// Sums of the input's product that all histories share.
  var shared = 0
  /// What the earlier taps of a convolution add to the next row.
  var starts = 0
  /// Codes of the newest rows, a ring.
  var ring = 0
  var ringRows = 0
  var ringStride = 0
  /// Keys and values, Float.
  var keys = 0
  var values = 0
  var keyStride = 0
}

/// A piece of work of a window or a deferred slice of a state.
struct NetworkKernelItem: BitwiseCopyable {
  /// What is done with its operator.
  enum Part: UInt8 {
    /// Rows of a window: `first` and `count` are places in the operator's list of rows.
    case rows
    /// What the memory adds to the row that comes next.
    case before
    /// What the hidden states of a block of histories add to the gates: `first` and `count` are histories.
    case products
    /// Sums of a block's inputs, where histories differ in them.
    case inputs
    /// Cells of a block of histories, or the operator itself where it has none.
    case cells
    /// What the history that is the longest next adds to the gates then.
    case ahead
  }

  var part: Part
  var step: Int32
  var first: Int32
  var count: Int32
}

/// How states of a mode lie in memory and keep up with the window.
struct NetworkKernelLayout {
  typealias Following = NetworkKernelPlan.Following

  /// Histories of different length in a staggered state that are advanced together.
  static let blockHistories = 4
  /// Bytes in front of all else.
  static let headerBytes = 64

  let following: Following
  /// Of each operator.
  private(set) var memories: [NetworkKernelMemory]
  /// Rows of the frame in the state, and where it lies; a staggered state's first row is what histories share.
  private(set) var frameRows = 0
  private(set) var frame = 0
  private(set) var shared = 0
  /// Products of a block of histories on their way to the cells.
  private(set) var blockBefore = 0
  private(set) var blockSums = 0
  /// Bytes in all, a multiple of 64.
  private(set) var byteCount = 0
  /// Deferred work after a closed row, in order.
  private(set) var items: [NetworkKernelItem] = []
  /// Histories of a staggered state.
  private(set) var histories = 1

  init(_ plan: NetworkKernelPlan, following: Following, prefixRows: [[UInt16]]) {
    self.following = following
    let network = plan.network
    let window = network.window
    memories = [NetworkKernelMemory](repeating: NetworkKernelMemory(), count: network.operators.count)
    byteCount = Self.headerBytes
    func take(_ bytes: Int, _ offset: inout Int) -> Int {
      defer { offset += (bytes + 63) / 64 * 64 }
      return offset
    }
    var end = byteCount
    histories = following == .staggered ? window - 1 : 1
    if following == .recomputed {
      frameRows = window
      // Keys and values are read 15 entries past the end.
      frame = take(plan.frameRowBytes * window + 64, &end)
    } else if following == .staggered {
      frameRows = Self.blockHistories
      frame = take(plan.frameRowBytes * frameRows + 64, &end)
      shared = take(plan.frameRowBytes + 64, &end)
    }
    var channelsMax = 0
    for (number, step) in network.operators.enumerated() where plan.remembers(number) {
      var memory = NetworkKernelMemory()
      switch step {
      case .convolution(let layer):
        let bytes = NetworkKernelStep.codeBytes(plan.shapes[layer.source].width)
        memory.starts = take(4 * ((layer.product.outputs + 15) / 16 * 16), &end)
        if following == .appended {
          memory.ringRows = (layer.kernel - 1) * layer.dilation
          memory.ringStride = plan.places[layer.source].low > 0 ? 2 * bytes : bytes
          memory.ring = take(memory.ringRows * memory.ringStride, &end)
        }
      case .recurrent(let layer):
        let units = (layer.hidden + 15) / 16 * 16
        let channels = units * layer.cell.gateCount
        channelsMax = max(channelsMax, channels)
        memory.cellStride = units
        memory.cells = take(4 * units * histories, &end)
        memory.hiddenStride = (layer.hidden + 63) / 64 * 64
        memory.hidden = take(memory.hiddenStride * histories, &end)
        memory.before = take(4 * channels, &end)
        memory.ahead = following == .staggered ? take(4 * channels, &end) : 0
        memory.shared = following == .staggered ? take(4 * channels, &end) : 0
      case .single(.attention(_, let key, let value, _, _)):
        memory.keyStride = plan.places[key].stride
        if following == .recomputed {
          memory.keys = frame + plan.places[key].values * window
          memory.values = frame + plan.places[value].values * window
        } else {
          // Twice the window: the newest rows move to the front once in a while instead of every time.
          memory.keys = take(8 * window * memory.keyStride + 64, &end)
          memory.values = take(8 * window * memory.keyStride + 64, &end)
        }
      default: break
      }
      memories[number] = memory
    }
    if following == .staggered {
      blockBefore = take(4 * channelsMax * Self.blockHistories, &end)
      blockSums = take(4 * channelsMax * Self.blockHistories, &end)
    }
    byteCount = end
    switch following {
    case .nothing: break
    case .appended: items = Self.memorySteps(plan)
    case .recomputed where prefixRows.isEmpty: break
    case .recomputed: items = Self.windowItems(plan, rows: prefixRows) + Self.memorySteps(plan)
    case .staggered:
      let pieces = Self.advanceParts(plan)
      for first in stride(from: 0, to: histories, by: Self.blockHistories) {
        let count = Int32(min(Self.blockHistories, histories - first))
        items += pieces.map { NetworkKernelItem(part: $0.part, step: $0.step, first: Int32(first), count: count) }
      }
      items += pieces.filter { $0.part == .products }
        .map { NetworkKernelItem(part: .ahead, step: $0.step, first: 0, count: 0) }
    }
  }

  /// What memories that products read add to the next row.
  private static func memorySteps(_ plan: NetworkKernelPlan) -> [NetworkKernelItem] {
    plan.network.operators.indices.filter { number in
      if case .single = plan.network.operators[number] { return false }
      return plan.remembers(number)
    }.map { NetworkKernelItem(part: .before, step: Int32($0), first: 0, count: 0) }
  }

  /// The steps that take a history one row on.
  static func advanceParts(_ plan: NetworkKernelPlan) -> [NetworkKernelItem] {
    let operators = plan.network.operators
    var parts: [NetworkKernelItem] = []
    for (number, step) in operators.enumerated() {
      let isCell = if case .recurrent = step { plan.remembers(number) } else { false }
      if isCell { parts.append(NetworkKernelItem(part: .products, step: Int32(number), first: 0, count: 0)) }
      if isCell, plan.role(number) != .recurrentOfShared {
        parts.append(NetworkKernelItem(part: .inputs, step: Int32(number), first: 0, count: 0))
      }
      if isCell || (plan.dependsOnRecurrent[number + 1] && plan.feedsRecurrent[number + 1]) {
        parts.append(NetworkKernelItem(part: .cells, step: Int32(number), first: 0, count: 0))
      }
    }
    return parts
  }

  /// Rows of a chunk: about a microsecond of vector work, at most what the scratch holds.
  static let chunkRowsMax = 32
  private static let chunkWeightsMax = 131_072

  /// The pieces of a window in order.
  static func windowItems(_ plan: NetworkKernelPlan, rows: [[UInt16]]) -> [NetworkKernelItem] {
    plan.network.operators.enumerated().flatMap { number, step -> [NetworkKernelItem] in
      let count = rows[number + 1].count
      let isAttention = if case .single(.attention) = step { true } else { false }
      // A score costs about eight times a weight: single precision, and a sum over lanes.
      let weights = isAttention ? 16 * plan.network.window * plan.shapes[number + 1].width : step.weightCount
      let fit = chunkWeightsMax / max(1, weights) / 4 * 4
      let chunk = min(chunkRowsMax, max(4, fit))
      return stride(from: 0, to: count, by: chunk).map {
        NetworkKernelItem(
          part: .rows, step: Int32(number), first: Int32($0), count: Int32(min(chunk, count - $0)))
      }
    }
  }
}
