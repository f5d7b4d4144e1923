internal import CKernels
public import LockFreeRings

/// A quantised network in arena memory, ready to predict one row at a time.
///
/// ```
///             close(row, &state)          predict(row, &state)
///  bar closes ────────────────► state ──────────────────────► output   (state as before)
///                 advance(&state): what can wait, in slices
/// ```
///
/// Every answer has the bits of `QuantisedNetwork.predictReference`, in every instruction set. Operators are resolved at
/// load; a prediction walks a list of them. One thread at a time may use a kernel and its states.
@safe public struct NetworkKernel: ~Copyable {
  /// Features of a row.
  public let featureCount: Int
  /// Rows a prediction reads.
  public let window: Int
  /// Numbers predicted.
  public let outputCount: Int
  /// The instruction set that is used.
  public let set: KernelSet
  let choice: Int32
  let identity: UInt64
  let following: NetworkKernelPlan.Following
  let stepCount: Int
  let steps: UnsafeMutablePointer<NetworkKernelStep>
  let input: UnsafePointer<martlet_net_input>
  let inputPlace: NetworkKernelPlan.Place
  let inputHasValues: Bool
  let inputHasCodes: Bool
  let outputPlace: NetworkKernelPlan.Place
  let tick: NetworkKernelFrame
  /// Lists of rows that a whole window and a prefix compute, `window` of each for each operator.
  let wholeRows: UnsafePointer<UInt16>
  let prefixRows: UnsafePointer<UInt16>
  let wholeLayout: NetworkKernelRoom
  let windowed: NetworkKernelRoom
  let stateful: NetworkKernelRoom
  /// Memory of `wholeLayout`.
  let wholeMemory: UnsafeMutableRawPointer
  let sums: UnsafeMutablePointer<Int32>
  let starts: UnsafeMutablePointer<Int32>
  let patches: UnsafeMutablePointer<UInt8>
  let nextCells: UnsafeMutablePointer<Float>
  let after: UnsafeMutablePointer<Float>
  /// A row without any value, and a whole row of a window with its padding.
  let missing: UnsafePointer<Float>
  let rowScratch: UnsafeMutablePointer<Float>
  let channelsMax: Int
  // Keeps the memory alive; not touched after `init`.
  private let owner: Arena

  /// Copies a sound network into `arena`, in the form the kernels read.
  ///
  /// - Precondition: `network.fault` is nil, `set` is supported, the arena has `arenaBytes(for:)`.
  public init(_ network: QuantisedNetwork, set: KernelSet = .best, in arena: Arena) {
    precondition(set.isSupported, "NetworkKernel: this processor has the instruction set \(set)")
    let lists = NetworkKernelLists(network)
    let plan = lists.plan
    featureCount = network.featureCount
    window = network.window
    outputCount = network.outputCount
    self.set = set.resolved
    choice = Int32(set.resolved.rawValue)
    identity = lists.identity
    following = plan.following
    stepCount = network.operators.count
    channelsMax = lists.channelsMax
    unsafe steps = arena.room(for: NetworkKernelStep.self, count: stepCount)
    for number in 0..<stepCount {
      // In bounds: room for every operator.
      unsafe (steps + number).initialize(
        to: NetworkKernelStep(number, plan: plan, tables: lists.tables[number], in: arena))
      unsafe steps[number].next = lists.nextPlaces[number]
    }
    let inputTable = unsafe arena.room(for: martlet_net_input.self)
    unsafe inputTable.initialize(
      to: martlet_net_input(
        count: UInt32((network.featureCount + 15) / 16 * 16), low: UInt32(plan.places[0].low),
        zero_point: Int32(network.input.zeroPoint), divides: network.input.divides,
        centers: arena.copy(lists.centers), factors: arena.copy(lists.factors),
        missing_values: arena.copy(lists.missingValues)))
    unsafe input = UnsafePointer(inputTable)
    inputPlace = plan.places[0]
    inputHasValues = plan.hasValues[0]
    inputHasCodes = plan.hasCodes[0]
    outputPlace = plan.places[stepCount]
    unsafe tick = NetworkKernelFrame(
      base: UnsafeMutableRawPointer(arena.room(for: UInt8.self, count: plan.frameRowBytes + 64)), rows: 1)
    unsafe wholeRows = arena.copy(lists.wholeRows)
    unsafe prefixRows = arena.copy(lists.prefixRows)
    wholeLayout = NetworkKernelRoom(lists.whole, items: lists.wholeItems, in: arena)
    windowed = NetworkKernelRoom(
      lists.windowed, items: lists.windowed.items, advance: NetworkKernelLayout.advanceParts(plan), in: arena)
    stateful = NetworkKernelRoom(lists.stateful, items: lists.stateful.items, in: arena)
    unsafe wholeMemory = UnsafeMutableRawPointer(arena.room(for: UInt8.self, count: lists.whole.byteCount))
    unsafe wholeMemory.storeBytes(of: NetworkState.Header(count: Int32(window - 1)), as: NetworkState.Header.self)
    unsafe sums = arena.room(for: Int32.self, count: lists.sumCount)
    unsafe starts = arena.room(for: Int32.self, count: lists.sumCount)
    unsafe patches = arena.room(for: UInt8.self, count: lists.patchBytes)
    unsafe nextCells = arena.room(for: Float.self, count: lists.nextCount)
    unsafe after = arena.room(for: Float.self, count: lists.channelsMax)
    unsafe missing = arena.copy([Float](repeating: .nan, count: lists.rowCount))
    unsafe rowScratch = arena.room(for: Float.self, count: lists.rowCount)
    owner = arena
    for number in 0..<stepCount { placeLone(number) }
    joinLayers(in: arena)
  }

  /// Bytes of arena memory a kernel takes, padding included.
  ///
  /// - Precondition: `network.fault` is nil.
  public static func arenaBytes(for network: QuantisedNetwork) -> Int { NetworkKernelLists(network).arenaBytes }

  /// Bytes of arena memory a state takes, padding included.
  ///
  /// - Precondition: `network.fault` is nil.
  public static func arenaBytes(for network: QuantisedNetwork, mode: NetworkState.Mode) -> Int {
    let lists = NetworkKernelLists(network)
    return (mode == .windowed ? lists.windowed : lists.stateful).byteCount + 256
  }

  /// A state of this network, as after `reset`.
  ///
  /// - Precondition: the arena has `arenaBytes(for:mode:)`.
  public func state(_ mode: NetworkState.Mode = .windowed, in arena: Arena) -> NetworkState {
    var state = NetworkState(
      mode: mode, byteCount: room(mode).byteCount, window: window, identity: identity &+ UInt64(mode.rawValue),
      in: arena)
    reset(&state)
    return state
  }

  func room(_ mode: NetworkState.Mode) -> NetworkKernelRoom { mode == .windowed ? windowed : stateful }

  // MARK: - Predicting

  /// Whether a prediction reads rows that have closed, so that it takes a state.
  public var remembers: Bool { following != .nothing }

  /// The first output for a row of a network that remembers nothing; `output` gives the others.
  ///
  /// - Precondition: the row has the network's features, and the network does not remember.
  /// - Complexity: O(network), no allocation.
  public func predict(_ row: borrowing KernelRow) -> Float {
    precondition(following == .nothing, "NetworkKernel: a network with memory predicts with a state")
    precondition(row.featureCount >= featureCount, "NetworkKernel: a row that begins with the network's features")
    // The memory is not read: no operator remembers.
    return unsafe runTick(row.values, memory: wholeMemory, room: wholeLayout, position: window - 1)
  }

  /// The first output for the window of closed rows that `state` has seen, and this row; `output` gives the others.
  ///
  /// The state is as before: the row counts once it is closed. Finishes deferred work that the prediction reads.
  ///
  /// - Precondition: the row has the network's features, and the state is of an equal network.
  /// - Complexity: O(network) for one row, no allocation.
  public func predict(_ row: borrowing KernelRow, _ state: inout NetworkState) -> Float {
    check(row, state)
    let room = room(state.mode)
    if room.following != .staggered { finish(state, room) }
    let position = state.mode == .windowed ? window - 1 : min(state.closedCount, window - 1)
    // The state has the layout's bytes: checked.
    return unsafe runTick(row.values, memory: state.memory, room: room, position: position)
  }

  /// Output `number` of the last prediction.
  ///
  /// - Precondition: `number` is below `outputCount`.
  public func output(_ number: Int) -> Float {
    precondition((0..<outputCount).contains(number), "NetworkKernel: the output is one of the network's")
    // In bounds: a place has room for its value's width. A whole window leaves its outputs here too.
    return unsafe tick.values(outputPlace)[number]
  }

  /// Walks the path of a prediction over memory and code and changes nothing.
  ///
  /// - Complexity: that of `predict`.
  public func warm(_ state: inout NetworkState) {
    check(state)
    // As in `predict`, with a row of missing values.
    _ = unsafe runTick(missing, memory: state.memory, room: room(state.mode), position: 0)
  }

  /// The same for a network that remembers nothing.
  public func warm() { _ = unsafe runTick(missing, memory: wholeMemory, room: wholeLayout, position: window - 1) }

  func check(_ row: borrowing KernelRow, _ state: borrowing NetworkState) {
    precondition(row.featureCount >= featureCount, "NetworkKernel: a row that begins with the network's features")
    check(state)
  }

  func check(_ state: borrowing NetworkState) {
    precondition(
      state.identity == identity &+ UInt64(state.mode.rawValue) && state.byteCount == room(state.mode).byteCount,
      "NetworkKernel: a state of an equal network")
  }
}
