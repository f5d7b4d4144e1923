internal import CKernels
internal import LockFreeRings

/// Everything a kernel copies into its arena, as lists.
struct NetworkKernelLists {
  let plan: NetworkKernelPlan
  let tables: [NetworkKernelTables]
  let centers: [Float]
  let factors: [Float]
  let missingValues: [Float]
  let wholeRows: [UInt16]
  let prefixRows: [UInt16]
  let whole: NetworkKernelLayout
  let wholeItems: [NetworkKernelItem]
  let windowed: NetworkKernelLayout
  let stateful: NetworkKernelLayout
  /// Entries of a row with its padding.
  let rowCount: Int
  private(set) var channelsMax = 16
  private(set) var sumCount = 0
  private(set) var patchBytes = 64
  private(set) var nextPlaces: [Int] = []
  private(set) var nextCount = 16
  private(set) var identity: UInt64 = 0

  init(_ network: QuantisedNetwork) {
    plan = NetworkKernelPlan(network)
    let plan = plan
    tables = network.operators.indices.map { NetworkKernelTables($0, plan: plan) }
    rowCount = (network.featureCount + 63) / 64 * 64
    let padding = rowCount - network.featureCount
    centers = network.input.centers + [Float](repeating: 0, count: padding)
    factors = network.input.factors + [Float](repeating: 1, count: padding)
    missingValues = network.missingValues + [Float](repeating: 0, count: padding)
    let window = network.window
    func table(_ rows: [[UInt16]]) -> [UInt16] {
      rows.dropFirst().flatMap { $0 + [UInt16](repeating: 0, count: window - $0.count) }
    }
    let wholeLists = plan.rows(isPrefix: false)
    let prefixLists = plan.rows(isPrefix: true)
    wholeRows = table(wholeLists)
    prefixRows = table(prefixLists)
    let isPlain = plan.following == .nothing
    whole = NetworkKernelLayout(plan, following: isPlain ? .nothing : .recomputed, prefixRows: [])
    wholeItems = isPlain ? [] : NetworkKernelLayout.windowItems(plan, rows: wholeLists)
    windowed = NetworkKernelLayout(plan, following: plan.following, prefixRows: prefixLists)
    stateful = NetworkKernelLayout(plan, following: isPlain ? .nothing : .appended, prefixRows: prefixLists)
    for (number, step) in network.operators.enumerated() {
      channelsMax = max(channelsMax, tables[number].product?.channels ?? 0, tables[number].recurrent?.channels ?? 0)
      nextPlaces.append(nextCount - 16)
      if case .recurrent(let layer) = step { nextCount += (layer.hidden + 15) / 16 * 16 }
      if case .convolution = step, let earlier = tables[number].recurrent {
        patchBytes = max(patchBytes, earlier.patchStride * NetworkKernelLayout.chunkRowsMax + 64)
      }
    }
    sumCount = channelsMax * NetworkKernelLayout.chunkRowsMax
    identity = Self.identity(network)
  }

  /// How a state's memory is laid out and what its numbers mean: 2 since the gates of an LSTM are kept halved.
  private static let stateForm: UInt64 = 2

  /// Which network it is, and in which form its states are: FNV-1a over both.
  private static func identity(_ network: QuantisedNetwork) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    // Wrapping is the hash.
    func mix(_ number: UInt64) { hash = (hash ^ number) &* 0x100_0000_01B3 }
    func mix(_ list: [Float]) { for number in list { mix(UInt64(number.bitPattern)) } }
    mix(stateForm)
    mix(UInt64(network.featureCount))
    mix(UInt64(network.window))
    mix(network.input.isWide ? 2 : network.input.divides ? 1 : 0)
    mix(network.input.centers + network.input.factors + network.missingValues)
    for (number, step) in network.operators.enumerated() {
      for source in step.sources { mix(UInt64(source)) }
      if let encoding = network.encodings[number + 1] {
        mix([encoding.factor])
        mix(UInt64(encoding.zeroPoint))
      }
      for product in step.products {
        mix(UInt64(product.terms))
        for weight in product.weights { mix(UInt64(UInt8(bitPattern: weight))) }
        mix(product.scales + product.bias)
      }
      if case .single(let single) = step { single.numbers.forEach { mix($0) } }
    }
    return hash
  }

  /// Bytes of arena memory, padding included.
  var arenaBytes: Int {
    let stepBytes = MemoryLayout<NetworkKernelStep>.stride
    let memoryBytes = MemoryLayout<NetworkKernelMemory>.stride
    let itemBytes = MemoryLayout<NetworkKernelItem>.stride
    let layouts = [whole, windowed, stateful].reduce(0) { $0 + $1.memories.count * memoryBytes + 512 }
    let items = (wholeItems.count + windowed.items.count + stateful.items.count) * itemBytes
    let layerBytes = unsafe MemoryLayout<martlet_net_layer>.stride + 128
    let lone = 4 * 2 * channelsMax + 128
    let lists =
      tables.reduce(0) { $0 + $1.arenaBytes + stepBytes + lone + layerBytes } + 17 * rowCount + 2 * wholeRows.count
      + 2 * prefixRows.count
    let scratch = 8 * sumCount + patchBytes + 4 * nextCount + 4 * channelsMax + plan.frameRowBytes + 8 * rowCount
    return layouts + items + lists + scratch + whole.byteCount + 24 * 256
  }
}

/// A layout in arena memory.
@safe struct NetworkKernelRoom {
  let following: NetworkKernelPlan.Following
  let memories: UnsafePointer<NetworkKernelMemory>
  let items: UnsafePointer<NetworkKernelItem>
  let itemCount: Int
  let advance: UnsafePointer<NetworkKernelItem>
  let advanceCount: Int
  let frameRows: Int
  let frame: Int
  let shared: Int
  let blockBefore: Int
  let blockSums: Int
  let histories: Int
  let byteCount: Int

  init(
    _ layout: NetworkKernelLayout, items: [NetworkKernelItem], advance: [NetworkKernelItem] = [], in arena: Arena
  ) {
    following = layout.following
    unsafe memories = arena.copy(layout.memories)
    unsafe self.items = arena.copy(items)
    itemCount = items.count
    unsafe self.advance = arena.copy(advance)
    advanceCount = advance.count
    frameRows = layout.frameRows
    frame = layout.frame
    shared = layout.shared
    blockBefore = layout.blockBefore
    blockSums = layout.blockSums
    histories = layout.histories
    byteCount = layout.byteCount
  }
}
