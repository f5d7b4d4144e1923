internal import CKernels
internal import LockFreeRings

/// Memory that holds some rows of every value of a network.
@safe struct NetworkKernelFrame {
  let base: UnsafeMutableRawPointer
  let rows: Int

  // In bounds: a frame was taken with `frameRowBytes` for each of its rows, and a place lies within them.
  @unsafe func values(_ place: NetworkKernelPlan.Place, row: Int = 0) -> UnsafeMutablePointer<Float> {
    unsafe (base + place.values * rows).assumingMemoryBound(to: Float.self) + row * place.stride
  }

  @unsafe func codes(_ place: NetworkKernelPlan.Place, row: Int = 0) -> UnsafeMutablePointer<UInt8> {
    unsafe (base + place.codes * rows).assumingMemoryBound(to: UInt8.self) + row * place.codeStride
  }
}

/// An operator with everything it reads resolved, in arena memory.
@safe struct NetworkKernelStep {
  /// What it does.
  enum Kind: UInt8 {
    case nothing, dense, convolution, lstm, gru, gruAfterReset, attention
    case normalise, affine, add, activate, positions, encode
  }

  /// Its part in a staggered state's closing of a row.
  enum Role: UInt8 {
    /// Once a row, before any recurrent operator.
    case shared
    /// A recurrent operator that reads what is shared.
    case recurrentOfShared
    /// Anything else.
    case other
  }

  typealias Place = NetworkKernelPlan.Place

  var kind = Kind.nothing
  var role = Role.other
  /// Whether it reads other rows than its own.
  var remembers = false
  var hasValues = false
  var hasCodes = false
  var source = Place()
  var second = Place()
  var third = Place()
  var result = Place()
  /// Of the newest row; of a convolution the newest tap alone.
  var product: UnsafePointer<martlet_net_product>? = nil
  /// Of the hidden state; of a convolution the earlier taps.
  var recurrent: UnsafePointer<martlet_net_product>? = nil
  /// How its result becomes codes.
  var coding: UnsafePointer<martlet_net_codes>? = nil
  var gain: UnsafePointer<Float>? = nil
  var shift: UnsafePointer<Float>? = nil
  /// Codes of a row before the window, as long as a row of codes.
  var padding: UnsafePointer<UInt8>? = nil
  var width: UInt32 = 0
  var heads: UInt32 = 0
  var size: UInt32 = 0
  var scale: Float = 0
  var activation: UInt32 = 0
  var slope: Float = 0
  var taps: UInt32 = 0
  var dilation: UInt32 = 0
  var units: UInt32 = 0
  /// It and the dense operators right behind it, where it is the first of them, for a single row; 0 behind the first.
  var layers: UnsafePointer<martlet_net_layer>? = nil
  var layerCount = 1
  /// Where the next state of its cells lies in the scratch of a tick.
  var next = 0
  /// Cells of a recurrent operator over a single row: its state never changes.
  var lone: UnsafeMutableRawPointer? = nil

  /// Whether the kernel of its product writes the codes too.
  var writesCodes: Bool {
    switch kind {
    case .dense, .convolution, .lstm, .gru, .gruAfterReset: true
    default: false
    }
  }

  /// Bytes of one codes row of what a product reads.
  static func codeBytes(_ width: Int) -> Int { (width + 7) / 8 * 8 }
}

/// Lists of what an operator's tables hold, before they are placed; the second form of its products.
struct NetworkKernelTables {
  var product: NetworkKernelProduct?
  var recurrent: NetworkKernelProduct?
  var gain: [Float] = []
  var shift: [Float] = []
  var padding: [UInt8] = []

  init(_ number: Int, plan: NetworkKernelPlan) {
    let network = plan.network
    let stride = plan.places[number + 1].stride
    func padded(_ list: [Float]) -> [Float] { list + [Float](repeating: 0, count: stride - list.count) }
    func zeroPoint(_ value: Int) -> UInt8 {
      value == 0 ? network.input.zeroPoint : network.encodings[value]!.zeroPoint
    }
    func low(_ value: Int) -> Int { plan.places[value].low }
    func inputs(_ count: Int) -> [Int?] { (0..<count).map { $0 } }
    switch network.operators[number] {
    case .dense(let layer):
      product = NetworkKernelProduct(
        layer.product, terms: inputs(layer.product.terms), channels: inputs(layer.product.outputs),
        zeroPoint: zeroPoint(layer.source), low: low(layer.source), activation: layer.activation)
    case .convolution(let layer):
      let width = plan.shapes[layer.source].width
      let outputs = inputs(layer.product.outputs)
      let zero = zeroPoint(layer.source)
      let codes = layer.source == 0 ? network.input.paddingCodes : [UInt8](repeating: zero, count: width)
      let isLone = !plan.remembers(number)
      // Over a single row every earlier tap reads padding.
      let fixed: [UInt8?]? =
        isLone
        ? (0..<layer.product.terms).map { $0 % layer.kernel == layer.kernel - 1 ? nil : codes[$0 / layer.kernel] } : nil
      product = NetworkKernelProduct(
        layer.product, terms: (0..<width).map { $0 * layer.kernel + layer.kernel - 1 }, channels: outputs,
        zeroPoint: zero, low: low(layer.source), fixed: fixed, activation: layer.activation)
      guard !isLone else { break }
      let bytes = NetworkKernelStep.codeBytes(width)
      // Low bytes lie behind the high ones of all taps, and behind what the last whole vector writes past them.
      let behind = low(layer.source) > 0 ? ((layer.kernel - 2) * bytes + (bytes + 15) / 16 * 16 + 15) / 16 * 16 : 0
      recurrent = NetworkKernelProduct(
        layer.product,
        terms: (0..<(layer.kernel - 1) * bytes).map {
          $0 % bytes < width ? $0 % bytes * layer.kernel + $0 / bytes : nil
        }, channels: outputs, zeroPoint: zero, low: behind)
      padding = codes + [UInt8](repeating: 0, count: plan.places[layer.source].codeStride - width)
    case .recurrent(let layer):
      let channels = NetworkKernelProduct.gateChannels(gates: layer.cell.gateCount, units: layer.hidden)
      // The sigmoid of an LSTM's gates is read at half their sum: all but the candidate, the last of each block's four.
      func isHalved(_ channel: Int) -> Bool { layer.cell == .lstm && channel / 16 % 4 < 3 }
      product = NetworkKernelProduct(
        layer.input, terms: inputs(layer.input.terms), channels: channels, zeroPoint: zeroPoint(layer.source),
        low: low(layer.source), halved: isHalved)
      recurrent = NetworkKernelProduct(
        layer.recurrent, terms: inputs(layer.hidden), channels: channels, zeroPoint: zeroPoint(number + 1),
        halved: isHalved)
    case .single(.layerNormalisation(_, let gain, let shift, _)), .single(.affine(_, let gain, let shift)):
      self.gain = padded(gain)
      self.shift = padded(shift)
    case .single(.positions(_, let table)):
      let width = plan.shapes[number + 1].width
      gain = Swift.stride(from: 0, to: table.count, by: width).flatMap { padded(Array(table[$0..<$0 + width])) }
    default: break
    }
  }

  /// Bytes of arena memory, padding included.
  var arenaBytes: Int {
    (product?.arenaBytes ?? 0) + (recurrent?.arenaBytes ?? 0) + 4 * (gain.count + shift.count) + padding.count + 4 * 256
  }
}

extension NetworkKernelStep {
  /// Operator `number` of a plan with its tables in `arena`.
  init(_ number: Int, plan: NetworkKernelPlan, tables: NetworkKernelTables, in arena: Arena) {
    let step = plan.network.operators[number]
    remembers = plan.remembers(number)
    result = plan.places[number + 1]
    source = plan.places[step.sources[0]]
    hasValues = plan.hasValues[number + 1]
    hasCodes = plan.hasCodes[number + 1]
    unsafe coding = plan.network.encodings[number + 1].map { unsafe arena.copy([$0.kernelForm]) }
    width = UInt32(plan.shapes[number + 1].width)
    role = plan.role(number)
    unsafe product = tables.product.map { unsafe $0.place(in: arena) }
    unsafe recurrent = tables.recurrent.map { unsafe $0.place(in: arena) }
    unsafe gain = tables.gain.isEmpty ? nil : arena.copy(tables.gain)
    unsafe shift = tables.shift.isEmpty ? nil : arena.copy(tables.shift)
    unsafe padding = tables.padding.isEmpty ? nil : arena.copy(tables.padding)
    switch step {
    case .dense: kind = .dense
    case .convolution(let layer):
      kind = remembers ? .convolution : .dense
      taps = UInt32(layer.kernel - 1)
      dilation = UInt32(layer.dilation)
    case .recurrent(let layer):
      units = UInt32((layer.hidden + 15) / 16 * 16)
      if !remembers {
        // Cells and what they add to the gates.
        unsafe lone = UnsafeMutableRawPointer(
          arena.room(for: Float.self, count: Int(units) * (1 + layer.cell.gateCount)))
      }
      switch layer.cell {
      case .lstm: kind = .lstm
      case .gru(let linearBeforeReset): kind = linearBeforeReset ? .gru : .gruAfterReset
      }
    case .single(.attention(_, let key, let value, let heads, let scale)):
      kind = .attention
      second = plan.places[key]
      third = plan.places[value]
      self.heads = UInt32(heads)
      size = width / UInt32(heads)
      self.scale = scale
    case .single(.layerNormalisation(_, _, _, let epsilon)):
      kind = .normalise
      scale = epsilon
    case .single(.affine): kind = .affine
    case .single(.add(_, let other)):
      kind = .add
      second = plan.places[other]
    case .single(.activation(_, let activation)):
      kind = .activate
      (self.activation, slope) = activation.kernelForm
    case .single(.positions): kind = .positions
    case .single(.lastRow(let source)): kind = plan.encodesAgain(number + 1, source: source) ? .encode : .nothing
    default: preconditionFailure("NetworkKernel: a product is quantised")
    }
  }
}
